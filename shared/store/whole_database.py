"""The database as a whole: what a backup of it must hold, whether it is empty, and what a restored one still needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import literal, select, table, text, union_all
from sqlalchemy.sql.functions import count

from shared.errors import NotFound
from shared.store import feed
from shared.store.engine import ReadTx, WriteTx
from shared.store.tables import photo

_OURS = text(
    """
    SELECT relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
      AND NOT EXISTS (SELECT FROM pg_depend
                      WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e')
    ORDER BY relname
    """
)
_OTHER_SCHEMAS = text(
    "SELECT nspname FROM pg_namespace WHERE nspname NOT IN ('public', 'information_schema') AND nspname !~ '^pg_'"
)
_CONNECTED = text(
    """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND usename = current_user
      AND pid <> pg_backend_pid()
    """
)
_EMPTY = text((Path(__file__).parent / "sql" / "empty_database.sql").read_text())


@dataclass(frozen=True, slots=True)
class Facts:
    """What the database held at one instant. `counts`: rows by table; `feed_hash`: hex, of the newest line."""

    migration: str
    grid_epsg: int
    server: int
    feed_number: int
    feed_hash: str
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class PhotoKept:
    """A photo's row: the name of its files, and SHA-256 of its original."""

    reference: str
    sha256: bytes


def facts(tx: ReadTx) -> Facts:
    """Count everything, in the transaction's one view. Reads every table.

    Raises:
        NotFound: there is no deployment of Roadmend in the database.
    """
    if "alembic_version" not in ours(tx):
        raise NotFound("There is nothing of Roadmend in this database: is ROADMEND_DATABASE_URL right?")
    number, digest = feed.last(tx)
    return Facts(
        migration=str(tx.scalar(text("SELECT max(version_num) FROM alembic_version"))),
        grid_epsg=int(tx.scalar(text("SELECT grid_epsg FROM deployment"))),
        server=server(tx),
        feed_number=number,
        feed_hash=digest.hex(),
        counts=_counts(tx),
    )


def _counts(tx: ReadTx) -> dict[str, int]:
    each = [select(literal(one).label("name"), count().label("rows")).select_from(table(one)) for one in ours(tx)]
    return {row.name: int(row.rows) for row in tx.execute(union_all(*each))}


def server(tx: ReadTx) -> int:
    """The server's major version."""
    return int(tx.scalar(text("SHOW server_version_num"))) // 10_000


def name(tx: ReadTx) -> str:
    """What the database is called."""
    return str(tx.scalar(text("SELECT current_database()")))


def ours(tx: ReadTx) -> Sequence[str]:
    """Every table that no extension owns; none: the database is empty."""
    return list(tx.scalars(_OURS))


def other_schemas(tx: ReadTx) -> Sequence[str]:
    """Schemas that are not ours, such as those that a PostGIS image brings along."""
    return list(tx.scalars(_OTHER_SCHEMAS))


def others_connected(tx: ReadTx) -> int:
    """How many connections of our own role there are beside this one: an API, workers, another command."""
    return int(tx.scalar(_CONNECTED))


def share_view(tx: ReadTx) -> str:
    """A name by which pg_dump sees exactly what this transaction sees, for as long as it lasts.

    The transaction may then be idle for as long as that takes.
    """
    tx.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
    return str(tx.scalar(text("SELECT pg_export_snapshot()")))


def photos(tx: ReadTx) -> list[PhotoKept]:
    """Every photo that has a row, by its reference. A million take some 300 MB."""
    rows = tx.execute(select(photo.c.reference, photo.c.sha256).order_by(photo.c.reference))
    return [PhotoKept(row.reference, bytes(row.sha256)) for row in rows]


def empty(tx: WriteTx) -> None:
    """Drop everything that is ours. Locks all of it."""
    tx.execute(_EMPTY)


def skip_event_ids(tx: WriteTx, count: int) -> None:
    """Let the next event's id be so much larger: what was sent under the ids of lost events is not taken for it."""
    tx.execute(text("SELECT setval('event_id_seq', nextval('event_id_seq') + :count)"), {"count": count})


def gather_statistics(tx: WriteTx) -> None:
    """Let the planner know the restored rows: a dump does not carry what it knew."""
    tx.execute(text("ANALYZE"))
