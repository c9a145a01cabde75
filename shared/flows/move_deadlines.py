"""A holiday announced late: the due times that it touches are computed anew, and told with the old ones (case 2).

What was decided stays under its own policy; which days are holidays is a fact, and the newest version knows it best.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.domain.clocks import Clocks, clocks_for
from shared.domain.deadlines import Due, WorkingCalendar
from shared.domain.events import DeadlineMoved
from shared.domain.policy import FLAGS, Policy
from shared.domain.terms import Band, DefectId, DefectState
from shared.errors import NotFound
from shared.flows.draw_grades import CLOCKED
from shared.flows.grade_defects import with_holidays_of
from shared.flows.issue_works import follow_grades
from shared.store import defects, event_log, patches, policies, works
from shared.store.defects import DefectRow
from shared.store.engine import WriteTx
from shared.store.patches import Patch
from shared.store.policies import InForce
from shared.store.tables import defect

REPEATED = timedelta(days=1)
"""So long a new version's moves are looked for again: what was graded beside the first of them is met too."""


@dataclass(frozen=True, slots=True)
class _Moved:
    row: DefectRow
    clock: str
    was: datetime
    due: Due


def move(tx: WriteTx, now: datetime) -> int:
    """Move the running due times that count other holidays than the policy in force knows. Returns how many moved.

    Done in the first day of a new version and once after it, however late. Safe to repeat. Locks the defects whose
    clocks such a day may touch, and the works orders that cover them.
    """
    try:
        in_force = policies.in_force(tx, now)
    except NotFound:
        return 0
    if policies.has_moved_holidays(tx, in_force.id):
        return 0
    adopted, graded_under = policies.adopted(tx, now), set(defects.versions_of(tx, CLOCKED))
    moved = [
        one
        for place, own in enumerate(adopted[:-1])
        if own.id in graded_under
        for one in _of_version(tx, own, adopted[place:-1], in_force)
    ]
    _keep(tx, moved, now)
    if now - policies.decides_since(tx, in_force.id) > REPEATED:
        policies.note_holidays_moved(tx, in_force.id, now)
    return len(moved)


def _of_version(tx: WriteTx, own: InForce, since: Sequence[InForce], in_force: InForce) -> list[_Moved]:
    """`since`: the versions in whose time the due times may have been computed, or moved before."""
    calendar = with_holidays_of(own, in_force).calendar
    others = {one.calendar.holidays for one in since} - {calendar.holidays}
    if not others:
        return []
    changed = {day for days in others for day in days ^ calendar.holidays}
    rows = defects.lock_running(tx, own.id, CLOCKED, min(changed), max(changed))
    before = [replace(calendar, holidays=days) for days in others]
    return [moved for row in rows if row.band for moved in _compared(row, row.band, own.policy, before, calendar)]


def _compared(
    row: DefectRow, band: Band, policy: Policy, before: Sequence[WorkingCalendar], calendar: WorkingCalendar
) -> list[_Moved]:
    """The clocks that stand as one of the calendars before had them; a due time set in another way is left as it is."""
    then, now = [_clocks(row, band, policy, known) for known in before], _clocks(row, band, policy, calendar)
    clocks = (
        ("make_safe", row.make_safe_due_at, [one.make_safe for one in then], now.make_safe),
        ("permanent", row.permanent_due_at, [one.permanent for one in then], now.permanent),
    )
    return [
        _Moved(row, name, stored, new)
        for name, stored, old, new in clocks
        if stored is not None and new is not None and stored != new.at and stored in {one.at for one in old if one}
    ]


def _clocks(row: DefectRow, band: Band, policy: Policy, calendar: WorkingCalendar) -> Clocks:
    return clocks_for(
        band,
        policy,
        row.clock_from,
        calendar,
        flags=frozenset(flag for flag in FLAGS if row.facts.get(flag)),
        third_party=row.state is DefectState.THIRD_PARTY,
        recall=row.recalled,
    )


def _keep(tx: WriteTx, moved: Sequence[_Moved], now: datetime) -> None:
    by_id: dict[DefectId, dict[str, object]] = {}
    for one in moved:
        values = by_id.setdefault(one.row.id, {})
        values[f"{one.clock}_due_at"] = one.due.at
        values["due_why"] = (*one.row.due_why, f"The holidays have changed: {' '.join(one.due.why)}")
    states = {one.row.id: one.row.state for one in moved}
    patches.apply(tx, defect, [Patch(one, states[one], states[one], by_id[one]) for one in by_id], now)
    told = [
        DeadlineMoved(defect_id=one.row.id, clock=one.clock, was=one.was, due_at=one.due.at, why=" ".join(one.due.why))
        for one in moved
    ]
    event_log.append(tx, told, now)
    follow_grades(tx, works.open_orders_of(tx, sorted(by_id)), "The holidays have changed.", now)
