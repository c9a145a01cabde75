"""A detection that is linked is written once: its sighting says of which defect it is. And what a survey costs less.

A sighting's street and policy are copies of what was checked before; a key's look-up for each cost more than the row.
A batch is matched some thousands in a transaction, and says how far it is.
A survey sees all defects of a page again: with half of it free, the new versions stay there and no index is touched.
"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """The release before may go on: it writes detection.defect_id, which nothing reads any more."""
    op.execute("ALTER TABLE sighting DROP CONSTRAINT fk_sighting_street_id, DROP CONSTRAINT fk_sighting_policy_id")
    op.execute("DROP INDEX ix_detection_defect_id")
    op.execute("DROP INDEX ix_detection_batch_id")
    op.execute("CREATE INDEX ix_detection_batch ON detection (batch_id, id)")
    op.execute("ALTER TABLE detection_batch ADD COLUMN matched_upto BIGINT DEFAULT 0 NOT NULL")
    op.execute("ALTER TABLE defect SET (fillfactor = 50)")
