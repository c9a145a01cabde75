"""Takes in the reports of an older system: they keep their times, and go through triage like any other.

What became of them there is kept as text (`outcome`), not as a state: no visit, no evidence and no date of repair came
along, and a step without its proof is not taken here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.domain.addresses import read_address
from shared.domain.clocks import triage_due
from shared.domain.events import ReportReceived
from shared.domain.place import Ask, InCounty, Located, Point, Refer, Refuse, check_time, judge
from shared.domain.policy import Policy
from shared.domain.terms import ReportState
from shared.flows.load_network import Bad
from shared.store import network, policies, references, reports
from shared.store.engine import WriteTx
from shared.store.reports import TO_COME, NewReport


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoricReport:
    """One line of the older system. `external_id` is its key there; `status` is its own word for what became of it."""

    line: int
    external_id: str
    recorded_at: datetime
    class_code: str
    lat: float
    lon: float
    accuracy_m: float
    description: str = ""
    address: str | None = None
    status: str | None = None


def run(tx: WriteTx, rows: Sequence[HistoricReport], now: datetime) -> list[Bad]:
    """Store reports that are ours and not stored yet, in their order. Returns those that are not ours, and why.

    `received_at` is when the older system recorded it: that is when the authority knew. The events say the same in
    `occurred_at`, and in `at` when they came here.
    """
    ruling = policies.in_force(tx, now)
    places = network.locate(tx, [Point(row.lat, row.lon, row.accuracy_m) for row in rows], ruling.policy.place)
    look_by = triage_due(now, ruling.policy, ruling.calendar, danger=False).at
    bad: list[Bad] = []
    new: list[NewReport] = []
    for row, place in zip(rows, places, strict=True):
        why = _refused(row, place, ruling.policy, now)
        if why is None:
            new.append(_report(row, place, look_by))
        else:
            bad.append(Bad(row.line, why))
    if new:
        reports.add(tx, new, now)
    return bad


def _refused(row: HistoricReport, place: Located, policy: Policy, now: datetime) -> str | None:
    late = check_time(row.recorded_at, now, policy.place)
    if late is not None:
        return late.why
    match judge(place, policy.place):
        case InCounty():
            return None
        case Refer(_, why) | Ask(_, why) | Refuse(_, why):
            return why


def _report(row: HistoricReport, place: Located, look_by: datetime) -> NewReport:
    address = read_address(row.address or "")
    return NewReport(
        reference=references.fresh("R"),
        tracking_hash=references.digest(references.secret()),
        channel="historic",
        class_code=row.class_code,
        located=place,
        street_key=place.street.key if place.street else address.street_key,
        house_number=address.house_number,
        address=row.address,
        description=row.description,
        danger=False,
        state=ReportState.RECEIVED,
        outcome=row.status,
        observed_at=row.recorded_at,
        received_at=row.recorded_at,
        triage_due_at=look_by,
        external_id=f"historic:{row.external_id}",
        events=[ReportReceived(report_id=TO_COME, class_code=row.class_code, before=None, after=ReportState.RECEIVED)],
        happened_at=row.recorded_at,
    )
