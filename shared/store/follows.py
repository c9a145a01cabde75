"""Who follows what: kept once for an address and a subject, found by the hash of its link's secret."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, select, text, update

from shared.domain.follows import Kind, Rhythm
from shared.store.engine import ReadTx, WriteTx
from shared.store.tables import GRID, area, defect, follow, message, street


@dataclass(frozen=True, slots=True)
class Subject:
    """What is followed: one of the four. `name` is in words; `wkb` is a polygon on the grid."""

    kind: Kind
    name: str
    defect_id: int | None = None
    street_key: str | None = None
    area_id: int | None = None
    wkb: bytes | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """One address: an e-mail address or a telephone number, in the form that is kept."""

    email: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class FollowRow:
    """One follow, with whom it tells."""

    id: int
    kind: Kind
    name: str
    email: str | None
    phone: str | None
    rhythm: Rhythm
    made_at: datetime
    confirmed_at: datetime | None
    ended_at: datetime | None
    defect_id: int | None = None

    @property
    def reach(self) -> Reach:
        return Reach(self.email, self.phone)


_COLUMNS = [
    follow.c[name]
    for name in (
        "id",
        "kind",
        "name",
        "email",
        "phone",
        "rhythm",
        "made_at",
        "confirmed_at",
        "ended_at",
        "defect_id",
    )
]


def _row(found: Row[Any]) -> FollowRow:
    values = dict(found._mapping)
    return FollowRow(**{**values, "kind": Kind(values["kind"]), "rhythm": Rhythm(values["rhythm"])})


def lock_address(tx: WriteTx, reach: Reach) -> None:
    """Whoever follows with this address waits for who does so now: one subject is followed once."""
    told = (reach.email or reach.phone or "").lower()
    tx.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('follow:' || :told, 0))"), {"told": told})


def of(reach: Reach) -> ColumnElement[bool]:
    """The condition that a follow is of this address."""
    if reach.email is not None:
        return and_(follow.c.email.is_not(None), func.lower(follow.c.email) == reach.email.lower())
    return and_(follow.c.phone.is_not(None), follow.c.phone == reach.phone)


def same(tx: WriteTx, subject: Subject, reach: Reach) -> FollowRow | None:
    """The follow that this address has of this subject already, ended or not."""
    wanted = select(*_COLUMNS).where(of(reach), follow.c.kind == subject.kind, _is(subject))
    found = tx.execute(wanted.order_by(follow.c.ended_at.is_not(None), follow.c.id).limit(1)).one_or_none()
    return None if found is None else _row(found)


def _is(subject: Subject) -> ColumnElement[bool]:
    if subject.wkb is not None:
        return func.ST_Equals(follow.c.geom, func.ST_GeomFromWKB(subject.wkb, GRID))
    if subject.defect_id is not None:
        return follow.c.defect_id == subject.defect_id
    if subject.area_id is not None:
        return follow.c.area_id == subject.area_id
    return follow.c.street_key == subject.street_key


def fresh_id(tx: WriteTx) -> int:
    """The id of a follow to come: its secret is made of it."""
    return int(tx.scalar(text("SELECT nextval(pg_get_serial_sequence('follow', 'id'))")))


_ADD = text(
    """
    INSERT INTO follow (
        id, secret_hash, kind, defect_id, street_key, area_id, geom, name, email, phone, rhythm, made_at)
    OVERRIDING SYSTEM VALUE
    VALUES (:id, :secret_hash, :kind, :defect_id, :street_key, :area_id, ST_GeomFromWKB(:wkb, :grid), :name, :email,
            :phone, :rhythm, :now)
    """
)


def add(
    tx: WriteTx, follow_id: int, secret_hash: bytes, subject: Subject, reach: Reach, rhythm: Rhythm, now: datetime
) -> None:
    """Keep a follow that nobody has confirmed yet."""
    told = {
        "id": follow_id,
        "secret_hash": secret_hash,
        "kind": subject.kind,
        "defect_id": subject.defect_id,
        "street_key": subject.street_key,
        "area_id": subject.area_id,
        "wkb": subject.wkb,
        "grid": GRID,
        "name": subject.name,
        "email": reach.email,
        "phone": reach.phone,
        "rhythm": rhythm,
        "now": now,
    }
    tx.execute(_ADD, told)


def begin_again(tx: WriteTx, follow_id: int, rhythm: Rhythm, now: datetime) -> None:
    """One that has ended, or was never confirmed, waits to be confirmed anew."""
    again = update(follow).where(follow.c.id == follow_id)
    tx.execute(again.values(ended_at=None, confirmed_at=None, told_at=None, rhythm=rhythm, made_at=now))


def by_secret(tx: ReadTx, secret_hash: bytes, *, lock: bool = False) -> FollowRow | None:
    """The follow of a link; locked where it will be changed."""
    wanted = select(*_COLUMNS).where(follow.c.secret_hash == secret_hash)
    found = tx.execute(wanted.with_for_update() if lock else wanted).one_or_none()
    return None if found is None else _row(found)


def standing(tx: ReadTx, reach: Reach) -> list[FollowRow]:
    """All that this address follows or has asked to, the oldest first; none that has ended."""
    wanted = select(*_COLUMNS).where(of(reach), follow.c.ended_at.is_(None))
    return [_row(found) for found in tx.execute(wanted.order_by(follow.c.id))]


def confirm(tx: WriteTx, ids: Sequence[int], now: datetime) -> None:
    """These are wanted: what is recorded from now on is told. One that was confirmed before keeps its day."""
    wanted = update(follow).where(follow.c.id.in_(ids))
    tx.execute(wanted.where(follow.c.confirmed_at.is_(None)).values(confirmed_at=now))
    tx.execute(wanted.where(follow.c.told_at.is_(None) | follow.c.ended_at.is_not(None)).values(told_at=now))
    tx.execute(wanted.values(ended_at=None))


def end(tx: WriteTx, follow_id: int, now: datetime) -> None:
    """Nothing more is told; what waits to be sent is not sent."""
    tx.execute(update(follow).where(follow.c.id == follow_id, follow.c.ended_at.is_(None)).values(ended_at=now))
    waiting = message.c.sent_at.is_(None) & message.c.dropped_at.is_(None)
    tx.execute(update(message).where(message.c.follow_id == follow_id, waiting).values(dropped_at=now))


def set_rhythm(tx: WriteTx, follow_id: int, rhythm: Rhythm, now: datetime) -> None:
    """How often it tells from now on. A digest begins now: what instant messages told is not told again."""
    tx.execute(
        update(follow).where(follow.c.id == follow_id, follow.c.rhythm != rhythm).values(rhythm=rhythm, told_at=now)
    )


def confirmations_since(tx: ReadTx, reach: Reach, since: datetime) -> list[datetime]:
    """When this address was asked to confirm something, the newest first."""
    asked = select(message.c.made_at).join(follow, follow.c.id == message.c.follow_id)
    asked = asked.where(of(reach), message.c.template == CONFIRM, message.c.made_at > since)
    return list(tx.scalars(asked.order_by(message.c.made_at.desc())))


CONFIRM = "follow_confirm"
"""The one message that an address gets before it has confirmed anything."""


# --- what can be followed --------------------------------------------------------------------------------------------


def the_defect(tx: ReadTx, defect_id: int) -> Row[Any] | None:
    """A defect to be followed; a duplicate stands for its original."""
    original = select(func.coalesce(defect.c.merged_into, defect.c.id)).where(defect.c.id == defect_id)
    wanted = select(defect.c.id, defect.c.reference, defect.c.class_code, street.c.name.label("street"))
    wanted = wanted.outerjoin(street, street.c.id == defect.c.street_id)
    return tx.execute(wanted.where(defect.c.id == original.scalar_subquery())).one_or_none()


def the_street(tx: ReadTx, street_key: str) -> str | None:
    """The name of the street of this key, where one is loaded."""
    wanted = select(street.c.name).where(street.c.street_key == street_key, street.c.name != "")
    name: str | None = tx.scalar(wanted.limit(1))
    return name


def the_area(tx: ReadTx, code: str) -> Row[Any] | None:
    """The area of this code."""
    return tx.execute(select(area.c.id, area.c.name).where(area.c.code == code)).one_or_none()


_CIRCLE = text(
    """
    SELECT ST_AsBinary(ST_Buffer(ST_Transform(ST_SetSRID(ST_MakePoint(:lon, :lat), 4326), :grid), :radius, 16)) AS wkb
    """
)
_SHAPE = text(
    """
    WITH drawn AS (
        SELECT ST_Transform(ST_SetSRID(ST_GeomFromText(:wkt), 4326), :grid) AS geom
    )
    SELECT ST_AsBinary(ST_Normalize(geom)) AS wkb, ST_Area(geom) AS area_m2, ST_IsValid(geom) AS valid,
           ST_IsValidReason(geom) AS reason
    FROM drawn
    """
)


def circle(tx: ReadTx, lat: float, lon: float, radius_m: float) -> bytes:
    """A polygon on the grid for all within so many metres."""
    return bytes(tx.scalar(_CIRCLE, {"lat": lat, "lon": lon, "radius": radius_m, "grid": GRID}))


def shape(tx: ReadTx, wkt: str) -> Row[Any]:
    """A polygon in WGS 84 on the grid: its bytes, its square metres, and whether it crosses itself."""
    return tx.execute(_SHAPE, {"wkt": wkt, "grid": GRID}).one()
