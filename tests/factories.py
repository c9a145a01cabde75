"""Plain functions that make things in a test's transaction. Add to them; what is there stays as it is."""

import io
import random
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from PIL import Image, ImageDraw
from PIL.ExifTags import IFD, Base
from sqlalchemy import func, insert

from shared.domain.events import Consumer, DefectRecorded, ReportReceived
from shared.domain.policy import parse
from shared.domain.terms import OrderState, ReportId, VisitOutcome
from shared.domain.visits import VisitTold
from shared.flows import assign_works, record_visit, report_to_defect, verify_repair
from shared.settings import settings
from shared.store import deliveries, event_log, policies, references, works
from shared.store.deliveries import Delivery
from shared.store.engine import WriteTx
from shared.store.policies import InForce
from shared.store.tables import GRID, defect, photo, report
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
    tx: WriteTx, consumer: Consumer, flow: Callable[[WriteTx, list[Delivery], datetime], Any], now: datetime
) -> int:
    """Let a consumer's flow hear all that is due, as a worker would, in the test's transaction. Returns how many."""
    heard = 0
    while due := deliveries.take(tx, consumer, now, 500):
        begun = flow(tx, due, now) or ()
        deliveries.done(tx, [one for one in due if one.event_id not in begun])
        heard += len(due)
    return heard


def a_report(
    tx: WriteTx,
    *,
    class_code: str = "pothole",
    state: str = "received",
    easting: float = 353_000.0,
    northing: float = 430_000.0,
    street_key: str | None = "high-street",
    danger: bool = False,
    received_at: datetime | None = None,
    **more: Any,
) -> int:
    """A report from where `a_defect` puts it, on the row and in the record; its consumer hears of it when it is due."""
    received = received_at or datetime.now(UTC)
    where = func.ST_SetSRID(func.ST_MakePoint(easting, northing), GRID)
    values = {
        "reference": references.fresh("R"),
        "tracking_hash": secrets.token_bytes(32),
        "channel": "web",
        "class_code": class_code,
        "lat": func.ST_Y(func.ST_Transform(where, 4326)),
        "lon": func.ST_X(func.ST_Transform(where, 4326)),
        "accuracy_m": 5.0,
        "geom": where,
        "street_key": street_key,
        "danger": danger,
        "state": state,
        "observed_at": received,
        "received_at": received,
        "triage_due_at": received + timedelta(days=2),
        "updated_at": received,
        **more,
    }
    report_id: int = tx.scalar(insert(report).values(values).returning(report.c.id))
    told = ReportReceived(report_id=report_id, before=None, after=state, class_code=class_code, danger=danger)
    event_log.append(tx, told, datetime.now(UTC))
    return report_id


def triaged(tx: WriteTx, now: datetime, **more: Any) -> int:
    """A report that matching settled then."""
    report_id = a_report(tx, received_at=now, **more)
    report_to_defect.triage(tx, [ReportId(report_id)], now)
    return report_id


def a_repair(tx: WriteTx, defect_id: int, now: datetime, *, outcome: VisitOutcome, **more: Any) -> Order:
    """Attend the works order that covers a defect: a visit that ended an hour ago, with its photos, judged."""
    (order,) = works.lock_many(tx, works.open_orders_of(tx, [defect_id]))
    told = a_visit(order, outcome, now - timedelta(hours=1), **more)
    record_visit.record(WriteTx(tx.connection, "person:77"), told, order.contractor_id, now)
    a_visit_photo(tx, told, order.contractor_id, "before", now - timedelta(hours=2))
    a_visit_photo(tx, told, order.contractor_id, "after", now - timedelta(hours=1))
    hear(tx, Consumer.VERIFY, verify_repair.run, now)
    return works.lock_many(tx, [order.id])[0]


def passed_by_a_supervisor(tx: WriteTx, order: Order, now: datetime) -> Order:
    """Whoever drew it, a supervisor has looked at the repair of this order and passes it."""
    if order.state is OrderState.EVIDENCE_OK:
        verify_repair.decide(
            WriteTx(tx.connection, "person:9"),
            order.reference,
            passed=True,
            why="Seen.",
            site_check=False,
            company=None,
            now=now,
        )
    return works.lock_many(tx, [order.id])[0]


def a_verified_repair(tx: WriteTx, defect_id: int, now: datetime, **more: Any) -> Order:
    """A permanent repair of a defect that ended an hour ago, verified: its warranty runs."""
    return passed_by_a_supervisor(tx, a_repair(tx, defect_id, now, outcome=VisitOutcome.PERMANENT, **more), now)


def a_picture(seed: int, taken_at: datetime | None = None, lat: float = PLACE[0], lon: float = PLACE[1]) -> bytes:
    """A JPEG like no other of another seed, with the time (London's clock) and place that a phone writes into it."""
    blocks = random.Random(seed)
    image = Image.new("RGB", (320, 240))
    draw = ImageDraw.Draw(image)
    for left in range(0, 320, 40):
        for top in range(0, 240, 40):
            shade = blocks.randrange(256)
            draw.rectangle((left, top, left + 40, top + 40), (shade, shade, blocks.randrange(256)))
    exif = Image.Exif()
    if taken_at is not None:
        local = taken_at.astimezone(ZoneInfo("Europe/London"))
        exif.get_ifd(IFD.Exif)[Base.DateTimeOriginal] = local.strftime("%Y:%m:%d %H:%M:%S")
        exif.get_ifd(IFD.Exif)[Base.OffsetTimeOriginal] = local.strftime("%z")[:3] + ":" + local.strftime("%z")[3:]
        exif.get_ifd(IFD.GPSInfo).update(
            {1: "N" if lat >= 0 else "S", 2: _degrees(abs(lat)), 3: "E" if lon >= 0 else "W", 4: _degrees(abs(lon))}
        )
    written = io.BytesIO()
    image.save(written, "JPEG", exif=exif)
    return written.getvalue()


def _degrees(value: float) -> tuple[float, float, float]:
    whole, minutes = int(value), (value % 1) * 60
    return float(whole), float(int(minutes)), (minutes % 1) * 60
