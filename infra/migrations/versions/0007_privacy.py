"""What the public may see and what is forgotten: words that a person withholds, batches whose raw detections are gone.

Columns with defaults that the release before does not know; the indexes are made beside the running service.
"""

from alembic import op
from sqlalchemy import text

revision = "0007"
down_revision = "0006"

_MADE = {
    "ix_photo_waiting": "photo (id) WHERE report_id IS NOT NULL AND released_at IS NULL AND released_by IS NULL",
    "ix_detection_batch_raw": "detection_batch (received_at) WHERE raw_gone_at IS NULL",
    "ix_message_kept": "message (made_at) WHERE \"values\" <> '{}'",
}


def upgrade() -> None:
    """Begun again, it makes anew what a failure left half made."""
    op.execute(text("ALTER TABLE report ADD COLUMN IF NOT EXISTS words_withheld BOOLEAN DEFAULT false NOT NULL"))
    op.execute(text("ALTER TABLE detection_batch ADD COLUMN IF NOT EXISTS raw_gone_at TIMESTAMP WITH TIME ZONE"))
    with op.get_context().autocommit_block():
        op.execute(text("SET lock_timeout = '10min'"))
        for name, what in _MADE.items():
            op.execute(text(f"DROP INDEX CONCURRENTLY IF EXISTS {name}"))
            op.execute(text(f"CREATE INDEX CONCURRENTLY {name} ON {what}"))
        op.execute(text("SET lock_timeout = '10s'"))
