"""Messages know their reader and what they are about: several steps of one thing become one; and who is sending them.

`reader` is made of the address and the deployment's key: it names a person without saying who that is. `leased_until`
says until when the worker that took a message has it for itself.
"""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Columns that the release before does not know; it writes no messages."""
    op.execute("ALTER TABLE message ADD COLUMN reader TEXT, ADD COLUMN about TEXT, ADD COLUMN leased_until TIMESTAMPTZ")
    op.execute(
        "CREATE UNIQUE INDEX uq_message_waiting ON message (reader, about)"
        " WHERE about IS NOT NULL AND tries = 0 AND sent_at IS NULL AND parked_at IS NULL AND dropped_at IS NULL"
    )
    op.execute("CREATE INDEX ix_follow_phone ON follow (phone) WHERE phone IS NOT NULL")
