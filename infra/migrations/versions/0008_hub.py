"""The control hub: what people said of sameness, saved views, acts on many that can be undone, danger that is taken.

New tables, and columns with nothing in them that the release before does not know. Danger that was told before counts
as taken: nobody is called for what is long past.
"""

from alembic import op
from sqlalchemy import text

revision = "0008"
down_revision = "0007"

_TABLES = """
CREATE TABLE label (
  id BIGINT GENERATED ALWAYS AS IDENTITY, question_id BIGINT, report_id BIGINT, detection_id BIGINT,
  defect_id BIGINT NOT NULL, answer TEXT NOT NULL, machine TEXT NOT NULL, machine_why TEXT DEFAULT '' NOT NULL,
  distance_m DOUBLE PRECISION, source TEXT NOT NULL, model TEXT, policy_id BIGINT, actor TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_label PRIMARY KEY (id),
  CONSTRAINT fk_label_question_id FOREIGN KEY (question_id) REFERENCES question (id),
  CONSTRAINT fk_label_report_id FOREIGN KEY (report_id) REFERENCES report (id),
  CONSTRAINT fk_label_defect_id FOREIGN KEY (defect_id) REFERENCES defect (id),
  CONSTRAINT fk_label_policy_id FOREIGN KEY (policy_id) REFERENCES policy_version (id)
);
CREATE INDEX ix_label_at ON label (at);
CREATE INDEX ix_label_defect_id ON label (defect_id);
CREATE TABLE saved_view (
  id BIGINT GENERATED ALWAYS AS IDENTITY, person_id BIGINT NOT NULL, name TEXT NOT NULL, query TEXT NOT NULL,
  made_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_saved_view PRIMARY KEY (id),
  CONSTRAINT uq_saved_view_person_id UNIQUE (person_id, name),
  CONSTRAINT fk_saved_view_person_id FOREIGN KEY (person_id) REFERENCES person (id)
);
CREATE TABLE bulk_act (
  id BIGINT GENERATED ALWAYS AS IDENTITY, kind TEXT NOT NULL, actor TEXT NOT NULL,
  supervises BOOLEAN DEFAULT false NOT NULL, defects TEXT[] NOT NULL,
  body JSONB DEFAULT '{}' NOT NULL, made_at TIMESTAMP WITH TIME ZONE NOT NULL,
  due_at TIMESTAMP WITH TIME ZONE NOT NULL, undone_at TIMESTAMP WITH TIME ZONE, done_at TIMESTAMP WITH TIME ZONE,
  results JSONB DEFAULT '[]' NOT NULL,
  CONSTRAINT pk_bulk_act PRIMARY KEY (id)
);
CREATE INDEX ix_bulk_act_waiting ON bulk_act (due_at) WHERE done_at IS NULL AND undone_at IS NULL;
ALTER TABLE report ADD COLUMN taken_at TIMESTAMP WITH TIME ZONE, ADD COLUMN taken_by TEXT;
ALTER TABLE street ADD COLUMN hierarchy_by TEXT, ADD COLUMN hierarchy_at TIMESTAMP WITH TIME ZONE;
"""

_MADE = {
    "ix_report_danger_untaken": "report (received_at) WHERE danger AND taken_at IS NULL AND external_id IS NULL",
    "ix_contact_email": "contact (lower(email)) WHERE email IS NOT NULL",
    "ix_feed_line_at": "feed_line USING brin (at)",
    "ix_recall_state": "recall (state, proposed_at)",
}


def upgrade() -> None:
    """Begun again, it makes anew what a failure left half made."""
    bind = op.get_bind()
    if bind.scalar(text("SELECT to_regclass('bulk_act') IS NULL")):
        for statement in _TABLES.split(";"):
            if statement.strip():
                op.execute(text(statement))
        op.execute(text("UPDATE report SET taken_at = received_at, taken_by = 'system' WHERE danger"))
    with op.get_context().autocommit_block():
        op.execute(text("SET lock_timeout = '10min'"))
        for name, what in _MADE.items():
            op.execute(text(f"DROP INDEX CONCURRENTLY IF EXISTS {name}"))
            op.execute(text(f"CREATE INDEX CONCURRENTLY {name} ON {what}"))
        op.execute(text("SET lock_timeout = '10s'"))
