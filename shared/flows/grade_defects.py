"""Grades defects: the band, the clocks and when a person must look, each with its reasons, redrawn from the rows.

A candidate's band is provisional and only hurries the inspection. What a person confirmed keeps its band until a person
grades it anew (`assess_defect.py`); here its clocks follow what became known, and only ever to an earlier time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from shared.domain.events import DefectGraded, DefectStepped, Event
from shared.domain.lifecycle import DEFECT
from shared.domain.terms import OPEN_DEFECT, DefectState
from shared.flows.draw_grades import Graded, drawn
from shared.store import defects, event_log, patches, policies
from shared.store.defects import DefectRow
from shared.store.deliveries import Delivery
from shared.store.engine import ReadTx, WriteTx
from shared.store.patches import Patch
from shared.store.policies import InForce
from shared.store.tables import defect


def run(tx: WriteTx, due: Sequence[Delivery], now: datetime) -> None:
    """Grade whatever the events of a batch are about, and what merges and splits tied to it."""
    grade(tx, defects.concerned(tx, (one.subject_id for one in due)), now)


def grade(tx: WriteTx, defect_ids: Iterable[int], now: datetime) -> None:
    """Bring band and clocks of these defects in line with what is known. Safe to repeat. Locks them.

    A change is told as `DefectGraded`; nothing is told where nothing changed.
    """
    rows = [row for row in defects.lock(tx, defect_ids) if row.state in OPEN_DEFECT]
    if not rows:
        return
    rules = _Rules(tx, now)
    graded = [(row, drawn(row, rules.of(row), now)) for row in rows]
    keep(tx, [(row, found) for row, found in graded if found.differs(row)], now)


def with_holidays_of(own: InForce, newest: InForce) -> InForce:
    """A version with the holidays that the newest one knows: a day announced late is a fact, not a decision."""
    known = newest.calendar
    calendar = replace(own.calendar, holidays=known.holidays, first_year=known.first_year, last_year=known.last_year)
    return replace(own, calendar=calendar)


class _Rules:
    """The policy for each defect: what a person graded stays under the version that graded it."""

    def __init__(self, tx: ReadTx, now: datetime) -> None:
        self._tx = tx
        self._now = policies.in_force(tx, now)
        self._known = {self._now.id: self._now}

    def of(self, row: DefectRow) -> InForce:
        if row.policy_id is None or row.state is DefectState.CANDIDATE or row.band is None:
            return self._now
        if row.policy_id not in self._known:
            self._known[row.policy_id] = with_holidays_of(policies.version(self._tx, row.policy_id), self._now)
        return self._known[row.policy_id]


def keep(tx: WriteTx, graded: Sequence[tuple[DefectRow, Graded]], now: datetime) -> None:
    """Store what was graded and tell of it; a state that a rule changed is told too."""
    patches.apply(tx, defect, [_patch(row, found, now) for row, found in graded], now)
    event_log.append(tx, [event for row, found in graded for event in _told(row, found)], now)


def graded_values(found: Graded) -> dict[str, Any]:
    """The columns of a defect that its grade sets."""
    return {
        "band": found.band,
        "band_why": found.why,
        "clock_from": found.clock_from,
        "make_safe_due_at": found.make_safe,
        "permanent_due_at": found.permanent,
        "inspect_due_at": found.inspect,
        "due_why": found.due_why,
        "policy_id": found.policy_id,
    }


def graded_event(row: DefectRow, found: Graded, seconded_by: str | None = None) -> DefectGraded:
    """What is told of a grade. `seconded_by`: who agreed to a less urgent one."""
    return DefectGraded(
        defect_id=row.id,
        band=found.band,
        was=row.band,
        why=found.why,
        make_safe_due=_iso(found.make_safe),
        permanent_due=_iso(found.permanent),
        inspect_due=_iso(found.inspect),
        seconded_by=seconded_by,
    )


def _patch(row: DefectRow, found: Graded, now: datetime) -> Patch:
    values = graded_values(found)
    if found.state is not row.state:
        values |= {"assessed_by": f"policy:{found.policy_id}", "assessed_at": now}
    return Patch(row.id, row.state, found.state, values)


def _told(row: DefectRow, found: Graded) -> list[Event]:
    graded = graded_event(row, found)
    if found.state is row.state:
        return [graded]
    DEFECT.check(row.state, found.state, {"rule": found.why[0]})
    return [graded, DefectStepped(defect_id=row.id, before=row.state, after=found.state, why=found.why[0])]


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
