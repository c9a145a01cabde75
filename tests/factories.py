"""Plain functions that make things in a test's transaction. Add to them; what is there stays as it is."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, insert

from shared.domain.events import DefectRecorded
from shared.domain.policy import parse
from shared.settings import settings
from shared.store import event_log, policies, references
from shared.store.engine import WriteTx
from shared.store.policies import InForce
from shared.store.tables import GRID, defect


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
    values = {
        "reference": references.fresh("D"),
        "class_code": class_code,
        "state": state,
        "lat": 53.76,
        "lon": -2.71,
        "accuracy_m": 5.0,
        "geom": func.ST_SetSRID(func.ST_MakePoint(easting, northing), GRID),
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
