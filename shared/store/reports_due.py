"""Reports that are due for triage, locked, as matching sees them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Row, Text, bindparam, exists, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from shared.domain.addresses import read_address
from shared.domain.terms import ReportId, ReportState
from shared.domain.verdicts import Seen, Sighting
from shared.store.engine import ReadTx, WriteTx
from shared.store.tables import report, street


class DueReport(NamedTuple):
    """A report that is locked to be settled."""

    id: ReportId
    state: ReportState
    seen: Seen


_any_street = street.alias("any_street")
_COLUMNS = [
    *(
        report.c[name]
        for name in ("id", "state", "class_code", "accuracy_m", "observed_at", "received_at", "street_id")
    ),
    *(report.c[name] for name in ("street_key", "street_side", "level", "house_number", "address", "danger")),
    func.ST_X(report.c.geom).label("x"),
    func.ST_Y(report.c.geom).label("y"),
    func.coalesce(street.c.rural, False).label("rural"),
    (~exists(select(_any_street.c.id))).label("no_network"),
]


_ROWS = select(*_COLUMNS).outerjoin(street, street.c.id == report.c.street_id)
_LOCKED = (
    _ROWS.where(
        report.c.id == func.any(bindparam("ids", type_=ARRAY(BigInteger))),
        report.c.state == func.any(bindparam("states", type_=ARRAY(Text))),
    )
    .order_by(report.c.id)
    .with_for_update(of=report)
)


def lock(tx: WriteTx, ids: Sequence[ReportId], states: Sequence[ReportState]) -> list[DueReport]:
    """The reports of these ids that are in one of the states, in the order of their arrival. Locks them."""
    return [_due(row) for row in tx.execute(_LOCKED, {"ids": list(ids), "states": list(states)}).all()]


def seen(tx: ReadTx, report_id: int) -> Seen:
    """One report as matching sees it."""
    row = tx.execute(_ROWS.where(report.c.id == report_id)).one()
    return _due(row).seen


def danger(tx: ReadTx, report_id: int) -> bool:
    """Whether its reporter called it dangerous."""
    return bool(tx.scalar(select(report.c.danger).where(report.c.id == report_id)))


def _due(row: Row[Any]) -> DueReport:
    """The address as typed gives the house number, and the street where no network is loaded (names are its keys)."""
    number, state, kind, accuracy, seen_at, known_at, street_id, *where, rural, no_network = tuple(row)
    street_key, side, level, house_number, address, danger, x, y = where
    if address is not None:
        written = read_address(address)
        house_number = written.house_number if house_number is None else house_number
        street_key = street_key or (written.street_key if no_network else None)
    sighting = Sighting(
        kind,
        x,
        y,
        max(accuracy, 0.1),
        seen_at,
        known_at,
        street_key,
        side,
        level,
        house_number,
        rural=rural,
    )
    return DueReport(ReportId(number), ReportState(state), Seen(number, sighting, street_id, danger))
