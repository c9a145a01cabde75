"""`python -m services.api`: the API on its host and port. What the server itself may do stands here, once."""

import uvicorn

from services.api.connection import Connection
from shared.settings import settings


def main() -> None:
    """Serve until stopped. A client that hangs on holds the stop up for five seconds at most."""
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


if __name__ == "__main__":
    main()
