"""`python -m services.api`: the API on its host and port. What the server itself may do stands here, once."""

from threading import Thread

import uvicorn
from sqlalchemy.exc import SQLAlchemyError

from services.api.connection import Connection
from shared.logs import logger
from shared.settings import settings
from shared.store import engine

WARM = 6
"""Connections that are made ready for the first map: as many as a browser asks at once."""

log = logger(__name__)


def main() -> None:
    """Serve until stopped. A client that hangs on holds the stop up for five seconds at most."""
    engine.engine()  # Now, and by one thread: it is the process's only one.
    Thread(target=_warm, daemon=True).start()
    uvicorn.run(
        "services.api.main:app",
        host=settings().host,
        port=settings().port,
        http=Connection,
        ws="none",
        access_log=False,
        server_header=False,
        # Whose word counts is decided in the middleware, by ROADMEND_BEHIND_PROXY.
        proxy_headers=False,
        timeout_graceful_shutdown=5,
    )


def _warm() -> None:
    """What cannot be made ready now is made when it is asked for; readiness says whether the database answers."""
    try:
        engine.warm(min(WARM, settings().database_pool))
    except SQLAlchemyError as error:
        log.warning("connections_not_warm", error=type(error).__name__)


if __name__ == "__main__":
    main()
