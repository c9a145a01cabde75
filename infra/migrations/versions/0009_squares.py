"""Open defects by the squares of the web's map, with all that a tile from afar counts of them.

The index of their changes carried it until now, and was read whole for every tile. Each is made beside the running
service (CONCURRENTLY); the new one has all that the last release's map reads.
"""

from alembic import op
from sqlalchemy import text

revision = "0009"
down_revision = "0008"

_OPEN = """state IN ('candidate', 'confirmed', 'monitor', 'third_party', 'made_safe', 'ordered', 'repaired_temporary',
    'repair_claimed', 'repair_rejected', 'recalled', 'deferred_to_scheme')"""
_SQUARE = """(floor((1 - asinh(tan(radians(lat))) / pi()) / 2 * 8192)::integer * 8192
    + floor((lon + 180) / 360 * 8192)::integer)"""
_MADE = {
    "ix_defect_open_square": f"""defect ({_SQUARE})
        INCLUDE (id, state, class_code, band, area_code, overdue, danger, lon, lat) WHERE {_OPEN}""",
    "ix_defect_open_changed": f"defect (updated_at, id) WHERE {_OPEN}",
}


def upgrade() -> None:
    """Outside a transaction. Begun again, it makes anew what a failure left half made."""
    with op.get_context().autocommit_block():
        op.execute(text("SET lock_timeout = '10min'"))
        for name, what in _MADE.items():
            op.execute(text(f"DROP INDEX CONCURRENTLY IF EXISTS {name}"))
            op.execute(text(f"CREATE INDEX CONCURRENTLY {name} ON {what}"))
        op.execute(text("SET lock_timeout = '10s'"))
        op.execute(text("DROP INDEX CONCURRENTLY IF EXISTS ix_defect_open_updated_at"))
        op.execute(text("ALTER INDEX ix_defect_open_changed RENAME TO ix_defect_open_updated_at"))
        op.execute(text("ANALYZE defect"))
