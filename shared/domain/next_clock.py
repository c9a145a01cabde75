"""What breaks first: which clock of an open defect runs out next, and how it was reckoned, read from its reasons."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from shared.domain.terms import OPEN_DEFECT, DefectState, OrderState

_D = DefectState
LOOKED_AT = OPEN_DEFECT
"""A person must look at it where `inspect_due_at` says so: an inspection, a recheck, a new cry of danger, a chase."""
RUNNING = OPEN_DEFECT - {_D.MONITOR, _D.DEFERRED_TO_SCHEME, _D.REPAIR_CLAIMED}
"""The clocks of repair run. A claimed repair has stopped them: what is awaited then is its verification."""
CHECKED = frozenset({OrderState.EVIDENCE_OK, OrderState.EVIDENCE_FAILED})
"""A completed repair waits for its verification."""


class Clock(StrEnum):
    """What is due when the clock runs out."""

    INSPECT = "inspect"
    MAKE_SAFE = "make_safe"
    PERMANENT = "permanent"
    VERIFY = "verify"


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """When each clock of a defect runs out (aware); None: it does not run."""

    state: DefectState
    inspect: datetime | None
    make_safe: datetime | None
    permanent: datetime | None
    verify: datetime | None
    made_safe_at: datetime | None


@dataclass(frozen=True, slots=True)
class Next:
    """The clock that runs out next, and when."""

    clock: Clock
    due_at: datetime


def next_of(times: Times) -> Next | None:
    """The clock that runs out first, overdue ones before all; None where none runs. The queue is sorted by it."""
    mends = times.state in RUNNING
    safe = times.make_safe if mends and times.made_safe_at is None else None
    running = (
        (Clock.MAKE_SAFE, safe),
        (Clock.PERMANENT, times.permanent if mends else None),
        (Clock.VERIFY, times.verify),
        (Clock.INSPECT, times.inspect),
    )
    known = [Next(clock, at) for clock, at in running if at is not None]
    return min(known, key=lambda one: one.due_at, default=None)


_TO_DO = {
    Clock.MAKE_SAFE: "Make safe",
    Clock.PERMANENT: "Mend",
    Clock.VERIFY: "Check the repair",
    Clock.INSPECT: "Look again",
}
_TO_LOOK = {
    _D.CANDIDATE: "Look at it",
    _D.THIRD_PARTY: "Chase its owner",
    _D.DEFERRED_TO_SCHEME: "See that the scheme mends it",
}


def to_do(clock: Clock, state: DefectState) -> str:
    """What is to be done by then, in words: "Mend", "Chase its owner"."""
    return _TO_LOOK.get(state, _TO_DO[clock]) if clock is Clock.INSPECT else _TO_DO[clock]


# --- how it was reckoned ---------------------------------------------------------------------------------------------

_BEGINS = {Clock.MAKE_SAFE: "Make safe: ", Clock.PERMANENT: "Permanent repair: ", Clock.INSPECT: "Look again: "}
_DATE = r"(?P<last>\w{3} \d{1,2} \w{3} \d{4})"
_STARTED = re.compile(r"Started (?P<day>\w{3} \d{1,2} \w{3}) \d{4} (?P<hour>\d\d:\d\d)")
_LENGTHS = (
    re.compile(rf"(?P<count>\d+) elapsed (?P<unit>hour)s?, day and night, end {_DATE}"),
    re.compile(rf"(?P<count>\d+) (?P<unit>day|month)s? later, every day counted, is {_DATE}"),
    re.compile(rf"(?P<unit>Working day) (?P<count>\d+) after that is {_DATE}"),
)
"""As `deadlines.due` gives its reasons; a test holds the two together."""


def basis(clock: Clock, due_at: datetime, due_why: tuple[str, ...], zone: ZoneInfo) -> str | None:
    """How a due time was reckoned: "5 working days from Tue 24 Nov 14:05".

    None where its reasons do not say it: a scheme's date, or a time that was kept from before it was graded anew.
    """
    began = _BEGINS.get(clock, "")
    return next(filter(None, (_read(why, due_at, zone) for why in due_why if why.startswith(began))), None)


def _read(why: str, due_at: datetime, zone: ZoneInfo) -> str | None:
    started = _STARTED.search(why)
    length = next(filter(None, (pattern.search(why) for pattern in _LENGTHS)), None)
    if started is None or length is None or length["last"] != _day(due_at.astimezone(zone)):
        return None
    many = "" if length["count"] == "1" else "s"
    return f"{length['count']} {length['unit'].lower()}{many} from {started['day']} {started['hour']}"


def _day(local: datetime) -> str:
    return f"{local:%a} {local.day} {local:%b %Y}"


def short(at: datetime, zone: ZoneInfo) -> str:
    """A moment as lists say it, on the local clock: "Tue 1 Dec 23:59"."""
    local = at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %H:%M}"


def span(begin: datetime, end: datetime) -> str:
    """How long that is, roughly: "under 1 min", "5 min", "30 h", "12 days"."""
    seconds = abs((end - begin).total_seconds())
    if seconds < 60:
        return "under 1 min"
    if seconds < 3600:
        return f"{int(seconds // 60)} min"
    if seconds < 48 * 3600:
        return f"{int(seconds // 3600)} h"
    return f"{int(seconds // 86_400)} days"


def left(due_at: datetime, now: datetime) -> str:
    """ "3 h left", "2 days late"."""
    return f"{span(now, due_at)} {'late' if due_at < now else 'left'}"
