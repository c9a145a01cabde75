"""Plain functions that make things in a test's transaction. Add to them; what is there stays as it is."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import func, insert

from shared.domain.events import Consumer, DefectRecorded
from shared.domain.policy import parse
from shared.domain.terms import VisitOutcome
from shared.domain.visits import VisitTold
from shared.flows import assign_works
from shared.settings import settings
from shared.store import deliveries, event_log, policies, references, works
from shared.store.deliveries import Delivery
from shared.store.engine import WriteTx
from shared.store.policies import InForce
from shared.store.tables import GRID, defect, photo
from shared.store.works import Order

PLACE = (53.7642175, -2.7144562)
"""Latitude and longitude of where `a_defect` puts it."""


def adopt_default_policy(tx: WriteTx) -> InForce:
    """Adopt the policy file that the settings name, unless this very text is in force."""
    file = settings().policy_file
    written = file.read_text()
    now = datetime.now(UTC)
    policies.adopt(tx, written, parse(written, file.name), now)
    return policies.in_force(tx, now)


def a_defect(
    tx: WriteTx,
    *,
    class_code: str = "pothole",
    state: str = "confirmed",
    band: str | None = "P10",
    street_key: str | None = "high-street",
    area_code: str | None = "E07000123",
    easting: float = 353_000.0,
    northing: float = 430_000.0,
    known_at: datetime | None = None,
    make_safe_due_at: datetime | None = None,
    permanent_due_at: datetime | None = None,
    **more: Any,
) -> int:
    """A defect in Preston, on the row alone and in the record. Its permanent clock runs ten days unless told."""
    known = known_at or datetime.now(UTC) - timedelta(days=1)
    where = func.ST_SetSRID(func.ST_MakePoint(easting, northing), GRID)
    values = {
        "reference": references.fresh("D"),
        "class_code": class_code,
        "state": state,
        "lat": func.ST_Y(func.ST_Transform(where, 4326)),
        "lon": func.ST_X(func.ST_Transform(where, 4326)),
        "accuracy_m": 5.0,
        "geom": where,
        "street_key": street_key,
        "area_code": area_code,
        "hierarchy": "4b",
        "band": band,
        "known_at": known,
        "clock_from": known,
        "opened_at": known,
        "last_seen_at": known,
        "updated_at": known,
        "make_safe_due_at": make_safe_due_at,
        "permanent_due_at": permanent_due_at or known + timedelta(days=10),
        **more,
    }
    defect_id: int = tx.scalar(insert(defect).values(values).returning(defect.c.id))
    event_log.append(
        tx, DefectRecorded(defect_id=defect_id, before=None, after=state, class_code=class_code), datetime.now(UTC)
    )
    return defect_id


def an_order(tx: WriteTx, *defect_ids: int, now: datetime | None = None) -> Order:
    """The works order that these defects (one made here, when none is given) get by the policy's lots; one for all."""
    asked = defect_ids or (a_defect(tx),)
    (order_id,) = assign_works.assign(tx, asked, now or datetime.now(UTC))
    return works.lock_many(tx, [order_id])[0]


def a_visit(order: Order, outcome: VisitOutcome, ended_at: datetime, **more: Any) -> VisitTold:
    """A visit of half an hour that ended then, told at once, from where `a_defect` is."""
    told: dict[str, Any] = {
        "client_id": uuid4(),
        "order": order.reference,
        "outcome": outcome,
        "started_at": ended_at - timedelta(minutes=30),
        "ended_at": ended_at,
        "lat": PLACE[0],
        "lon": PLACE[1],
        "accuracy_m": 5.0,
        **more,
    }
    return VisitTold(**told)


def a_visit_photo(
    tx: WriteTx, visit: VisitTold, contractor_id: int, role: str, taken_at: datetime | None, **more: Any
) -> int:
    """A photo of a visit as it is stored; its picture is like no other unless `phash` says so."""
    photo_id: int = tx.scalar(
        insert(photo)
        .values(
            {
                "reference": references.fresh("P"),
                "visit_client_id": visit.client_id,
                "contractor_id": contractor_id,
                "role": role,
                "sha256": secrets.token_bytes(32),
                "phash": secrets.token_hex(8),
                "media_type": "image/jpeg",
                "width_px": 1200,
                "height_px": 900,
                "size_bytes": 200_000,
                "taken_at": taken_at,
                "taken_lat": visit.lat,
                "taken_lon": visit.lon,
                "received_at": datetime.now(UTC),
                **more,
            }
        )
        .returning(photo.c.id)
    )
    return photo_id


def hear(
    tx: WriteTx, consumer: Consumer, flow: Callable[[WriteTx, list[Delivery], datetime], None], now: datetime
) -> int:
    """Let a consumer's flow hear all that is due, as a worker would, in the test's transaction. Returns how many."""
    heard = 0
    while due := deliveries.take(tx, consumer, now, 500):
        flow(tx, due, now)
        deliveries.done(tx, due)
        heard += len(due)
    return heard
