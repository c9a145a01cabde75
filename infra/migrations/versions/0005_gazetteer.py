"""Names of streets once each, for those who mistype one; streets and areas as the map draws them.

Tables that the release before does not know, filled here from what is loaded, and an index of the beginnings of
postcodes that is made beside the running service (CONCURRENTLY): that release may go on. What it loads is on the map
when this release loads its next file.
"""

from pathlib import Path

from alembic import op
from sqlalchemy import text

revision = "0005"
down_revision = "0004"

_SQL = Path(__file__).with_suffix(".sql")


def upgrade() -> None:
    """Outside a transaction. Begun again, it makes anew what a failure left half made."""
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    with op.get_context().autocommit_block():
        driver.execute(_SQL.read_text())
        # Waiting for the transactions that run now keeps nobody from anything.
        op.execute(text("SET lock_timeout = '10min'"))
        op.execute(text("DROP INDEX CONCURRENTLY IF EXISTS ix_postcode_begins"))
        op.execute(text("CREATE INDEX CONCURRENTLY ix_postcode_begins ON postcode (postcode text_pattern_ops)"))
        op.execute(text("SET lock_timeout = '10s'"))
