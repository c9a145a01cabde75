"""Indexes for those who read: the map from afar, every filter of the lists, and search.

Each is made beside the running service (CONCURRENTLY), so nothing waits for it; the last release's code runs on.
"""

from alembic import op
from sqlalchemy import text

revision = "0003"
down_revision = "0002"

_OPEN = """state IN ('candidate', 'confirmed', 'monitor', 'third_party', 'made_safe', 'ordered', 'repaired_temporary',
    'repair_claimed', 'repair_rejected', 'recalled', 'deferred_to_scheme')"""
_MADE = {
    # The lists and the map.
    "ix_defect_open_updated_at": f"""defect (updated_at, id)
        INCLUDE (state, class_code, band, area_code, overdue, danger, lon, lat) WHERE {_OPEN}""",
    "ix_defect_street": "defect (street_key, updated_at, id)",
    "ix_defect_late": "defect (updated_at, id) WHERE overdue",
    "ix_report_state_id": "report (state, id)",
    "ix_report_street_key": "report (street_key, id)",
    "ix_report_class_code": "report (class_code, id)",
    "ix_report_danger": "report (id) WHERE danger",
    "ix_works_order_open_updated_at": "works_order (updated_at, reference) WHERE ended_at IS NULL",
    "ix_works_order_state": "works_order (state, updated_at, reference)",
    "ix_works_order_street_key": "works_order (street_key, updated_at, reference)",
    "ix_works_order_defect_defect_id": "works_order_defect (defect_id)",
    "ix_warranty_updated_at": "warranty (updated_at)",
    # Search: by the beginning of a reference, by its second half, by words, and streets as they are mistyped.
    "ix_report_reference": "report (reference text_pattern_ops)",
    "ix_defect_reference": "defect (reference text_pattern_ops)",
    "ix_works_order_reference": "works_order (reference text_pattern_ops)",
    "ix_report_half": "report (right(reference, 4))",
    "ix_defect_half": "defect (right(reference, 4))",
    "ix_works_order_half": "works_order (right(reference, 4))",
    "ix_report_words": """report USING gin (to_tsvector('english', description || ' ' || coalesce(address, '')))
        WITH (fastupdate = off)""",
    "ix_street_name_like": "street USING gin (lower(name) gin_trgm_ops)",
}
_GONE = ("ix_defect_street_key", "ix_defect_overdue")
"""ix_defect_street finds what has ended, too; ix_defect_late has the order of the list."""


def upgrade() -> None:
    """Outside a transaction. Begun again, it makes anew what a failure left half made."""
    op.execute(text("CREATE EXTENSION IF NOT EXISTS pg_trgm"))
    with op.get_context().autocommit_block():
        # Waiting for the transactions that run now keeps nobody from anything.
        op.execute(text("SET lock_timeout = '10min'"))
        for name, what in _MADE.items():
            op.execute(text(f"DROP INDEX CONCURRENTLY IF EXISTS {name}"))
            op.execute(text(f"CREATE INDEX CONCURRENTLY {name} ON {what}"))
        op.execute(text("SET lock_timeout = '10s'"))
        for name in _GONE:
            op.execute(text(f"DROP INDEX CONCURRENTLY IF EXISTS {name}"))
