"""What happened where somebody looks: for digests of follows, and for the public's feeds of a place."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import BigInteger, Text, bindparam, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY

from shared.domain.follows import Rhythm
from shared.domain.telling import NEWS
from shared.store.engine import ReadTx, WriteTx
from shared.store.follows import Subject
from shared.store.tables import GRID, follow

_SQL = Path(__file__).parent / "sql"
_KINDS = bindparam("kinds", type_=ARRAY(Text))
_DIGEST = text((_SQL / "digest_news.sql").read_text()).bindparams(bindparam("ids", type_=ARRAY(BigInteger)), _KINDS)
_PLACE = text((_SQL / "place_news.sql").read_text()).bindparams(_KINDS)


@dataclass(frozen=True, slots=True)
class Happened:
    """One thing that happened to a defect. `clock`: of a date that was missed or moved."""

    follow_id: int
    at: datetime
    kind: str
    after: str | None
    clock: str | None
    defect: str
    class_code: str
    street: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """The same, of a place, with what names it for good and where the defect is."""

    event_id: int
    at: datetime
    kind: str
    after: str | None
    clock: str | None
    defect_id: int
    defect: str
    class_code: str
    street: str | None
    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class DigestDue:
    """A follow whose digest is due, and since when it was told nothing."""

    id: int
    channel: str
    told_at: datetime


def due(tx: WriteTx, rhythm: Rhythm, upto: datetime, most: int) -> list[DigestDue]:
    """Follows of this rhythm that were told nothing of what was recorded last up to then. Locks those nobody holds."""
    wanted = (
        select(follow.c.id, follow.c.email, follow.c.told_at)
        .where(follow.c.rhythm == rhythm, follow.c.ended_at.is_(None), follow.c.confirmed_at.is_not(None))
        .where(follow.c.told_at < upto)
        .order_by(follow.c.told_at, follow.c.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    return [DigestDue(row.id, "email" if row.email else "sms", row.told_at) for row in tx.execute(wanted)]


def of_follows(tx: ReadTx, ids: Sequence[int], until: datetime, most: int) -> list[Happened]:
    """What happened for each of these since it was told, up to then: its newest `most`, in their order."""
    asked = {"ids": list(ids), "until": until, "kinds": sorted(NEWS), "most": most}
    return [Happened(**row._mapping) for row in tx.execute(_DIGEST, asked)]


def told(tx: WriteTx, ids: Sequence[int], upto: datetime) -> None:
    """These have been told all up to then."""
    tx.execute(update(follow).where(follow.c.id.in_(ids)).values(told_at=upto))


def of_place(tx: ReadTx, place: Subject, since: datetime, until: datetime, most: int) -> list[Entry]:
    """What happened to the defects of a place, the newest first."""
    tx.plan_for_values()
    asked = {
        "defect_id": place.defect_id,
        "street_key": place.street_key,
        "area_id": place.area_id,
        "wkb": place.wkb,
        "grid": GRID,
        "since": since,
        "until": until,
        "kinds": sorted(NEWS),
        "most": most,
    }
    return [Entry(**row._mapping) for row in tx.execute(_PLACE, asked)]
