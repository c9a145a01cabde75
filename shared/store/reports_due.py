"""Reports that are due for triage, locked, as matching sees them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Row, exists, func, select

from shared.domain.addresses import Address, read_address
from shared.domain.terms import ReportId, ReportState
from shared.domain.verdicts import Seen, Sighting
from shared.store.engine import ReadTx, WriteTx
from shared.store.tables import report, street


@dataclass(frozen=True, slots=True)
class DueReport:
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


def lock(tx: WriteTx, ids: Sequence[ReportId], states: Sequence[ReportState]) -> list[DueReport]:
    """The reports of these ids that are in one of the states, in the order of their arrival. Locks them."""
    rows = (
        _ROWS.where(report.c.id == func.any(list(ids)), report.c.state.in_(states))
        .order_by(report.c.id)
        .with_for_update(of=report)
    )
    return [_due(row) for row in tx.execute(rows)]


def seen(tx: ReadTx, report_id: int) -> Seen:
    """One report as matching sees it."""
    row = tx.execute(_ROWS.where(report.c.id == report_id)).one()
    return _due(row).seen


def danger(tx: ReadTx, report_id: int) -> bool:
    """Whether its reporter called it dangerous."""
    return bool(tx.scalar(select(report.c.danger).where(report.c.id == report_id)))


def _due(row: Row[tuple[object, ...]]) -> DueReport:
    """The address as typed gives the house number, and the street where no network is loaded (names are its keys)."""
    written = Address(None, None) if row.address is None else read_address(row.address)
    sighting = Sighting(
        class_code=row.class_code,
        x=row.x,
        y=row.y,
        accuracy_m=max(row.accuracy_m, 0.1),
        seen_at=row.observed_at,
        known_at=row.received_at,
        street_key=row.street_key or (written.street_key if row.no_network else None),
        street_side=row.street_side,
        level=row.level,
        house_number=written.house_number if row.house_number is None else row.house_number,
        rural=row.rural,
    )
    return DueReport(ReportId(row.id), ReportState(row.state), Seen(row.id, sighting, row.street_id, row.danger))
