"""Visits: kept once each, with what their evidence is judged by."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row, func, insert, select, text, update

from shared.domain.terms import DefectId, OrderId, VisitId, VisitOutcome
from shared.domain.visits import VisitTold
from shared.store.engine import ReadTx, WriteTx
from shared.store.tables import GRID, defect, visit, works_order, works_order_defect


@dataclass(frozen=True, slots=True)
class Kept:
    """A visit that is known already. `order` is the reference of the order that it was counted to."""

    id: VisitId
    body_sha256: bytes
    works_order_id: OrderId
    order: str
    order_state: str
    outcome: VisitOutcome
    applied: bool
    why: str


def one_at_a_time(tx: WriteTx, contractor_id: int, client_id: UUID) -> None:
    """Let a visit and its photos be told one after the other: whichever ends second sees the first.

    Takes an advisory lock on the contractor's visit id, to the end of the transaction.
    """
    key = f"visit:{contractor_id}:{client_id}"
    tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))


def known(tx: ReadTx, contractor_id: int, client_id: UUID) -> Kept | None:
    """The contractor's visit of this client id."""
    row = tx.execute(
        select(visit, works_order.c.reference, works_order.c.state)
        .join(works_order, works_order.c.id == visit.c.works_order_id)
        .where(visit.c.contractor_id == contractor_id, visit.c.client_id == client_id)
    ).one_or_none()
    return None if row is None else _kept(row)


def _kept(row: Row[Any]) -> Kept:
    why = "" if row.evidence is None or row.applied else "; ".join(row.evidence.get("why", []))
    return Kept(
        VisitId(row.id),
        bytes(row.body_sha256),
        OrderId(row.works_order_id),
        row.reference,
        row.state,
        VisitOutcome(row.outcome),
        row.applied,
        why,
    )


def keep(
    tx: WriteTx,
    told: VisitTold,
    body_sha256: bytes,
    *,
    order_id: int,
    contractor_id: int,
    defect_ids: Sequence[int],
    repair_type: str | None,
    kept_only: str | None,
    now: datetime,
) -> VisitId:
    """Store a visit as it was told. `kept_only` says why it moves nothing; None: it moves its order.

    Raises:
        IntegrityError: the contractor has told one of this client id before; `known` finds it.
    """
    where = None
    if told.lat is not None and told.lon is not None:
        where = func.ST_Transform(func.ST_SetSRID(func.ST_MakePoint(told.lon, told.lat), 4326), GRID)
    stored = tx.scalar(
        insert(visit)
        .values(
            client_id=told.client_id,
            body_sha256=body_sha256,
            works_order_id=order_id,
            defect_ids=list(defect_ids),
            contractor_id=contractor_id,
            person=tx.actor,
            outcome=told.outcome,
            reason=told.reason,
            note=told.note,
            repair_type=repair_type,
            started_at=told.started_at,
            ended_at=told.ended_at,
            received_at=now,
            sent_at=told.sent_at,
            lat=told.lat,
            lon=told.lon,
            accuracy_m=told.accuracy_m,
            geom=where,
            length_m=told.length_m,
            width_m=told.width_m,
            applied=kept_only is None,
            evidence=None if kept_only is None else {"verdict": "kept", "why": [kept_only]},
        )
        .returning(visit.c.id)
    )
    return VisitId(stored)


def applied_after(tx: ReadTx, order_id: int, ended_at: datetime) -> list[VisitOutcome]:
    """The outcomes of the order's visits that moved it and ended later than this time (by the phones' clocks)."""
    rows = select(visit.c.outcome).where(
        visit.c.works_order_id == order_id, visit.c.applied, visit.c.ended_at > ended_at
    )
    return [VisitOutcome(outcome) for outcome in tx.scalars(rows)]


def outcome_of(tx: ReadTx, visit_id: int | None) -> VisitOutcome | None:
    """What a visit ended in."""
    found = tx.scalar(select(visit.c.outcome).where(visit.c.id == visit_id))
    return None if found is None else VisitOutcome(found)


def person_of(tx: ReadTx, visit_id: int | None) -> str:
    """Who told of a visit, as events name them; "" when there was none."""
    return tx.scalar(select(visit.c.person).where(visit.c.id == visit_id)) or ""


@dataclass(frozen=True, slots=True)
class Repair:
    """What a visit did: the kind of repair, and the patch in metres where it was measured."""

    repair_type: str | None
    length_m: float | None
    width_m: float | None


def repairs_of(tx: ReadTx, visit_ids: Sequence[int]) -> dict[int, Repair]:
    """What these visits did, by the visit's id."""
    rows = tx.execute(
        select(visit.c.id, visit.c.repair_type, visit.c.length_m, visit.c.width_m).where(
            visit.c.id == func.any(list(visit_ids))
        )
    )
    return {row.id: Repair(row.repair_type, row.length_m, row.width_m) for row in rows}


def defects_of(tx: ReadTx, order_id: int, references: Sequence[str]) -> dict[str, DefectId]:
    """Those of the references that are of defects which the order covers or covered."""
    rows = tx.execute(
        select(defect.c.reference, defect.c.id)
        .join(works_order_defect, works_order_defect.c.defect_id == defect.c.id)
        .where(works_order_defect.c.works_order_id == order_id, defect.c.reference == func.any(list(references)))
    )
    return {row.reference: DefectId(row.id) for row in rows}


def note_made_safe(tx: WriteTx, defect_ids: Sequence[int], at: datetime, now: datetime) -> None:
    """The danger was gone at this time, or already before. Locks the defects' rows."""
    tx.execute(
        update(defect)
        .where(
            defect.c.id == func.any(list(defect_ids)), defect.c.made_safe_at.is_(None) | (defect.c.made_safe_at > at)
        )
        .values(made_safe_at=at, updated_at=now)
    )


@dataclass(frozen=True, slots=True)
class PhotoSeen:
    """A photo of a visit; `distance_m` from its EXIF place to the nearest defect of the visit."""

    reference: str
    role: str
    phash: str
    taken_at: datetime | None
    distance_m: float | None


@dataclass(frozen=True, slots=True)
class OtherSeen:
    """A photo that came with something else and looks nearly like one of the visit's."""

    reference: str
    phash: str
    came_with: str


@dataclass(frozen=True, slots=True)
class ToJudge:
    """Everything that a visit's evidence is judged by. `issued_at`: when its contractor was first told of the work;
    `last_seen_at`: when what it was about was last seen."""

    id: VisitId
    works_order_id: OrderId
    outcome: VisitOutcome
    person: str
    contractor_id: int
    contractor_since: Any
    issued_at: datetime
    started_at: datetime
    ended_at: datetime
    received_at: datetime
    sent_at: datetime | None
    accuracy_m: float | None
    distance_m: float | None
    last_seen_at: datetime | None
    defects: int
    photos: tuple[PhotoSeen, ...]
    others: tuple[OtherSeen, ...]


def to_judge(tx: ReadTx, visit_ids: Sequence[int], same_photo_bits: int) -> list[ToJudge]:
    """The facts of these visits, in one statement however many. Photos that differ in more bits are not looked up."""
    rows = tx.execute(_FACTS, {"visits": list(visit_ids), "grid": GRID, "bits": same_photo_bits})
    return [_to_judge(row) for row in rows]


def _to_judge(row: Row[Any]) -> ToJudge:
    photos = tuple(
        PhotoSeen(one["reference"], one["role"], one["phash"], _time(one["taken_at"]), one["distance_m"])
        for one in row.photos
    )
    others = tuple(OtherSeen(one["reference"], one["phash"], one["came_with"]) for one in row.others)
    plain = {name: row._mapping[name] for name in ToJudge.__slots__}
    return ToJudge(**{**plain, "outcome": VisitOutcome(row.outcome), "photos": photos, "others": others})


def _time(told: str | None) -> datetime | None:
    return None if told is None else datetime.fromisoformat(told)


# Hashes that differ in four bits at most share a pair of parts, which an index finds; then the bits are counted.
_FACTS = text(
    """
    WITH asked AS (
        SELECT v.*, o.issued_at AS order_issued_at, o.kind, before.issued_at AS before_issued_at,
               before.contractor_id AS before_contractor_id, c.since AS contractor_since,
               CASE WHEN cardinality(v.defect_ids) > 0 THEN v.defect_ids ELSE ARRAY(
                   SELECT w.defect_id FROM works_order_defect w WHERE w.works_order_id = v.works_order_id) END AS about
        FROM visit v
        JOIN works_order o ON o.id = v.works_order_id
        JOIN contractor c ON c.id = v.contractor_id
        LEFT JOIN works_order before ON before.id = o.follows
        WHERE v.id = ANY(:visits)
    ), shown AS (
        SELECT a.id AS visit_id, p.*,
               (SELECT min(ST_Distance(d.geom, ST_Transform(
                    ST_SetSRID(ST_MakePoint(p.taken_lon, p.taken_lat), 4326), CAST(:grid AS integer))))
                FROM defect d WHERE d.id = ANY(a.about)) AS distance_m
        FROM asked a
        JOIN photo p ON p.visit_client_id = a.client_id AND p.contractor_id = a.contractor_id
    ), own AS (
        SELECT visit_id, jsonb_agg(jsonb_build_object(
                   'reference', reference, 'role', role, 'phash', phash, 'taken_at', taken_at,
                   'distance_m', distance_m) ORDER BY id) AS photos
        FROM shown GROUP BY visit_id
    ), alike AS (
        SELECT s.visit_id, jsonb_agg(DISTINCT jsonb_build_object(
                   'reference', other.reference, 'phash', other.phash, 'came_with',
                   CASE WHEN other.visit_client_id IS NULL THEN 'a report' ELSE 'another visit' END)) AS others
        FROM shown s
        JOIN photo other ON other.phash_parts && s.phash_parts
            AND (other.visit_client_id, other.contractor_id) IS DISTINCT FROM (s.visit_client_id, s.contractor_id)
            AND bit_count(('x' || other.phash)::bit(64) # ('x' || s.phash)::bit(64)) <= :bits
        GROUP BY s.visit_id
    )
    SELECT a.id, a.works_order_id, a.outcome, a.person, a.contractor_id, a.contractor_since,
           CASE WHEN a.kind = 'permanent' AND a.before_contractor_id = a.contractor_id
                THEN least(a.order_issued_at, a.before_issued_at) ELSE a.order_issued_at END AS issued_at,
           a.started_at, a.ended_at, a.received_at, a.sent_at, a.accuracy_m,
           (SELECT min(ST_Distance(d.geom, a.geom)) FROM defect d WHERE d.id = ANY(a.about)) AS distance_m,
           (SELECT max(s.seen_at) FROM sighting s WHERE s.defect_id = ANY(a.about) AND s.unlinked_at IS NULL)
               AS last_seen_at,
           greatest(cardinality(a.about), 1) AS defects,
           coalesce(own.photos, '[]') AS photos, coalesce(alike.others, '[]') AS others
    FROM asked a
    LEFT JOIN own ON own.visit_id = a.id
    LEFT JOIN alike ON alike.visit_id = a.id
    ORDER BY a.id
    """
)


def keep_judgements(tx: WriteTx, judgements: Sequence[tuple[int, dict[str, Any]]], now: datetime) -> None:
    """Store what the rules made of visits: (visit, {verdict, why, missing, flags})."""
    tx.execute(
        text(
            """
            UPDATE visit SET judged_at = :now, evidence = said.one->'evidence'
            FROM jsonb_array_elements(CAST(:judgements AS jsonb)) AS said(one)
            WHERE visit.id = (said.one->>'id')::bigint
            """
        ),
        {
            "now": now,
            "judgements": orjson.dumps([{"id": id, "evidence": evidence} for id, evidence in judgements]).decode(),
        },
    )
