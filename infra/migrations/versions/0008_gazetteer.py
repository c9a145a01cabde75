"""The gazetteer: every street's name once, for those who mistype it, and the beginnings of postcodes.

Indexes are made beside the running service (CONCURRENTLY). The last release's code runs on; a street that it loads is
found by its name, and once its file is loaded again, by a mistyped one.
"""

from alembic import op
from sqlalchemy import text

revision = "0008"
down_revision = "0004"

_NAMES = (
    "DROP TABLE IF EXISTS street_name",
    "CREATE TABLE street_name (name TEXT NOT NULL, CONSTRAINT pk_street_name PRIMARY KEY (name))",
    "INSERT INTO street_name (name) SELECT DISTINCT lower(name) FROM street WHERE name <> ''",
    "CREATE INDEX ix_street_name_alike ON street_name USING gin (name gin_trgm_ops)",
)


def upgrade() -> None:
    """Outside a transaction. Begun again, it makes anew what a failure left half made."""
    with op.get_context().autocommit_block():
        for statement in _NAMES:
            op.execute(text(statement))
        # Waiting for the transactions that run now keeps nobody from anything.
        op.execute(text("SET lock_timeout = '10min'"))
        op.execute(text("DROP INDEX CONCURRENTLY IF EXISTS ix_postcode_begins"))
        op.execute(text("CREATE INDEX CONCURRENTLY ix_postcode_begins ON postcode (postcode text_pattern_ops)"))
        op.execute(text("SET lock_timeout = '10s'"))
