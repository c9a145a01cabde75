"""What waits to be finished: reports whose reporter asked to be forgotten, and versions of the policy whose holidays
have not yet moved every due time.

Columns with nothing in them that the release before does not know; the index is made beside the running service.
"""

from alembic import op
from sqlalchemy import text

revision = "0010"
down_revision = "0009"

_NAME = "ix_report_erase_asked"


def upgrade() -> None:
    """Begun again, it makes anew what a failure left half made."""
    op.execute(text("ALTER TABLE report ADD COLUMN IF NOT EXISTS erase_asked_at TIMESTAMP WITH TIME ZONE"))
    op.execute(text("ALTER TABLE policy_version ADD COLUMN IF NOT EXISTS holidays_moved_at TIMESTAMP WITH TIME ZONE"))
    with op.get_context().autocommit_block():
        op.execute(text("SET lock_timeout = '10min'"))
        op.execute(text(f"DROP INDEX CONCURRENTLY IF EXISTS {_NAME}"))
        op.execute(text(f"CREATE INDEX CONCURRENTLY {_NAME} ON report (id) WHERE erase_asked_at IS NOT NULL"))
        op.execute(text("SET lock_timeout = '10s'"))
