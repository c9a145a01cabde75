"""What the public is told of a report or a defect: a projection, never stored by hand (DOMAIN 7.2, 10.2)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.domain.terms import DefectState, ReportState

_R = ReportState
_D = DefectState


@dataclass(frozen=True, slots=True)
class PublicStatus:
    """What a resident sees. `code` is the Open311 extended status; it is never a bare "closed" (DOMAIN 7.2)."""

    code: str
    label: str
    words: str
    is_open: bool


_OPEN = PublicStatus("open", "Open", "We have your report and will look at it.", True)
_FOR_TRIAGE = PublicStatus("for_triage", "For triage", "Somebody is looking at where this belongs.", True)
_ASKED = PublicStatus("for_triage", "We need to know more", "We asked the reporter for something we need.", True)
_REFERRED = PublicStatus(
    "internal_referral", "Passed on", "Another authority looks after this place; it was told.", False
)
_NOT_FOUND = PublicStatus(
    "no_further_action", "No further action", "We looked and found no defect that needs mending.", False
)
_REJECTED = PublicStatus("cancelled", "Not taken up", "This could not be taken up as a report.", False)
_WITHDRAWN = PublicStatus("cancelled", "Withdrawn", "The reporter withdrew this report.", False)
_CHALLENGED = PublicStatus("reopen", "Being looked at again", "The reporter says that it is not settled.", True)
_INVESTIGATING = PublicStatus("investigating", "Investigating", "We are finding out what is needed.", True)
_SCHEDULED = PublicStatus("action_scheduled", "Action scheduled", "A crew has been told to mend it.", True)
_AGAIN = PublicStatus("action_scheduled", "Action scheduled", "The repair failed and will be done again.", True)
_WATCHED = PublicStatus(
    "no_further_action", "No further action", "It is below the level for repair; we look again.", False
)
_OTHERS = PublicStatus("not_councils_responsibility", "Another's to mend", "Its owner has been told to mend it.", True)
_MADE_SAFE = PublicStatus("in_progress", "In progress", "It has been made safe; the repair is still to come.", True)
_TEMPORARY = PublicStatus("in_progress", "In progress", "Repaired for now; the lasting repair is still to come.", True)
_CHECKED = PublicStatus("in_progress", "In progress", "The crew says it is mended; that is being checked.", True)
_FIXED = PublicStatus("fixed", "Fixed", "It is mended, and the repair has been checked.", False)
_PLANNED = PublicStatus("planned", "Planned", "It will be mended in a planned scheme.", True)
_DUPLICATE = PublicStatus("duplicate", "Duplicate", "It is the same as another; that one's news holds.", True)

_OF_REPORT: Mapping[ReportState, PublicStatus] = {
    _R.RECEIVED: _OPEN,
    _R.TRIAGE: _FOR_TRIAGE,
    _R.NEEDS_INFO: _ASKED,
    _R.LINKED: _INVESTIGATING,
    _R.REFERRED: _REFERRED,
    _R.NO_DEFECT_FOUND: _NOT_FOUND,
    _R.REJECTED: _REJECTED,
    _R.RESOLVED: _FIXED,
    _R.CHALLENGED: _CHALLENGED,
    _R.WITHDRAWN: _WITHDRAWN,
}

# In the order of progress: of several defects, a report shows the one that is furthest from its end.
_OF_DEFECT: Mapping[DefectState, PublicStatus] = {
    _D.CANDIDATE: _INVESTIGATING,
    _D.CONFIRMED: _INVESTIGATING,
    _D.REPAIR_REJECTED: _AGAIN,
    _D.RECALLED: _AGAIN,
    _D.ORDERED: _SCHEDULED,
    _D.DEFERRED_TO_SCHEME: _PLANNED,
    _D.THIRD_PARTY: _OTHERS,
    _D.MADE_SAFE: _MADE_SAFE,
    _D.REPAIRED_TEMPORARY: _TEMPORARY,
    _D.REPAIR_CLAIMED: _CHECKED,
    _D.DUPLICATE: _DUPLICATE,
    _D.MONITOR: _WATCHED,
    _D.NO_DEFECT: _NOT_FOUND,
    _D.CLOSED_NO_ACTION: _WATCHED,
    _D.VERIFIED: _FIXED,
    _D.IN_WARRANTY: _FIXED,
    _D.CLOSED: _FIXED,
}
_PROGRESS = {state: rank for rank, state in enumerate(_OF_DEFECT)}


def public_status(state: ReportState | DefectState, defects: Iterable[DefectState] = ()) -> PublicStatus:
    """What the public sees of a report or a defect.

    `defects`: for a linked or resolved report, the states of its defects (of their originals where they are
    duplicates), of which the one furthest from its end is shown; for a duplicate defect, the state of its original.
    """
    known = sorted(defects, key=_PROGRESS.__getitem__)
    if isinstance(state, DefectState):
        shown = known[0] if known and state is DefectState.DUPLICATE else state
        return _OF_DEFECT[shown]
    if known and state in (ReportState.LINKED, ReportState.RESOLVED):
        return _OF_DEFECT[known[0]]
    return _OF_REPORT[state]
