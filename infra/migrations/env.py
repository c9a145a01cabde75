"""Runs the migrations on ROADMEND_DATABASE_URL, one process at a time, each under a lock time-out."""

import time

from alembic import context
from sqlalchemy import Connection, create_engine, pool, text

from shared.settings import settings
from shared.store.tables import metadata

_ONE_AT_A_TIME = 7_035_001


def run() -> None:
    """Upgrade in one transaction a migration. A second process waits for the first."""
    url = context.config.attributes.get("url", settings().database_url)
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        _take_turn(connection)
        connection.execute(text("SET lock_timeout = '10s'"))
        connection.commit()
        context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()
        connection.execute(text("SELECT pg_advisory_unlock(:id)"), {"id": _ONE_AT_A_TIME})
        connection.commit()


def _take_turn(connection: Connection) -> None:
    """Ask again and again, in a transaction each: one that waited inside a transaction would be waited for itself by
    an index that is made CONCURRENTLY."""
    while not connection.scalar(text("SELECT pg_try_advisory_lock(:id)"), {"id": _ONE_AT_A_TIME}):
        connection.rollback()
        time.sleep(0.2)


run()
