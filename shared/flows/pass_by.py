"""A passer-by says of an open defect "it is this one": a sighting instead of a second report, and a new grade.

Nobody is given a reference for it, and what it says counts as a person's word: danger hurries the inspection.
"""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.events import DefectSighted
from shared.domain.place import Point
from shared.domain.terms import OPEN_DEFECT, DefectId
from shared.errors import Conflict
from shared.store import event_log, merges, passers_by, policies
from shared.store.engine import WriteTx
from shared.store.merges import Party

_WHY = "A passer-by said that it is this one."


class NotOpenAnyMore(Conflict):
    """The defect was mended, or found not to be one, since it was shown."""

    code = "defect-not-open"
    title = "It is not open any more"


@dataclass(frozen=True, slots=True)
class Passed:
    """Where a passer-by's word went: a duplicate stands for its original."""

    sighting_id: int
    defect_id: DefectId
    reference: str


def pass_by(tx: WriteTx, reference: str, at: Point, now: datetime, *, danger: bool) -> Passed:
    """Add a sighting to an open defect. `at` is where the passer-by stood or pointed. Locks the place and the defect.

    Raises:
        NotFound: there is no such defect.
        NotOpenAnyMore: it has ended; what is seen there now is a report of its own.
    """
    (defect_id,) = merges.ids(tx, reference)
    party = _locked(tx, merges.holder_of(tx, defect_id) or defect_id, now)
    sighting_id = passers_by.saw(tx, party.id, at, danger=danger, why=_WHY, now=now)
    event_log.append(tx, DefectSighted(defect_id=party.id, passers_by=1, danger=danger), now)
    return Passed(sighting_id, party.id, party.reference)


def _locked(tx: WriteTx, defect_id: DefectId, now: datetime) -> Party:
    merges.lock_around(tx, [defect_id], policies.in_force(tx, now).policy)
    party = merges.parties(tx, [defect_id])[defect_id]
    if party.merged_into is not None:
        raise Conflict(f"{party.reference} was merged just now: look again.")
    if party.state not in OPEN_DEFECT:
        raise NotOpenAnyMore(f"{party.reference} has been dealt with. If you see a problem there now, report it.")
    return party
