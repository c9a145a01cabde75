"""What a resident is told about dates: what was promised, what became of it, and why a date slipped (DOMAIN 9)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.domain.terms import AbortReason, DefectState, ReportState


class Clock(StrEnum):
    """Which promise: to read a report, to look, to make safe, to mend, to check what was mended."""

    TRIAGE = "triage"
    INSPECT = "inspect"
    MAKE_SAFE = "make_safe"
    PERMANENT = "permanent"
    VERIFY = "verify"


@dataclass(frozen=True, slots=True)
class Promise:
    """From `at` on, this clock runs out at `due_at`; None: it does not run any more. `holidays`: they moved it."""

    at: datetime
    clock: Clock
    due_at: datetime | None
    holidays: bool = False


@dataclass(frozen=True, slots=True)
class Slip:
    """It was noticed at `at` that the promised date had passed."""

    at: datetime
    clock: Clock
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Attempt:
    """A crew came and could not do the work."""

    at: datetime
    reason: AbortReason


@dataclass(frozen=True, slots=True)
class Scheduled:
    """The contractor means to come then."""

    at: datetime
    for_: datetime


@dataclass(frozen=True, slots=True)
class Questioned:
    """Somebody said that a repair under warranty has failed."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Upheld:
    """Somebody looked at a repair that was questioned, and it had not failed."""

    at: datetime


Fact = Promise | Slip | Attempt | Scheduled | Questioned | Upheld
"""What a timeline tells beside the states. `at` (aware) is when it was recorded."""

State = ReportState | DefectState
_D = DefectState

_WILL: Mapping[Clock, str] = {
    Clock.TRIAGE: "Somebody will read it by this date.",
    Clock.INSPECT: "Somebody will look at it by this date.",
    Clock.MAKE_SAFE: "We will make it safe by this date.",
    Clock.PERMANENT: "We will mend it by this date.",
    Clock.VERIFY: "We will check the repair by this date.",
}
_LOOK: Mapping[State, str] = {
    _D.MONITOR: "We will look at it again by this date.",
    _D.THIRD_PARTY: "We will ask its owner again by this date.",
    _D.DEFERRED_TO_SCHEME: "The planned scheme will have mended it by this date.",
}
_DID_NOT: Mapping[Clock, str] = {
    Clock.TRIAGE: "Nobody had read it by the date that we promised.",
    Clock.INSPECT: "Nobody had looked at it by the date that we promised.",
    Clock.MAKE_SAFE: "We had not made it safe by the date that we promised.",
    Clock.PERMANENT: "We had not mended it by the date that we promised.",
    Clock.VERIFY: "We had not checked the repair by the date that we set.",
}
_OBSTACLES: Mapping[AbortReason, str] = {
    AbortReason.PARKED_CAR: "A crew came, but a parked car was in the way.",
    AbortReason.WEATHER: "A crew came, but the weather stopped the work.",
    AbortReason.TRAFFIC_MANAGEMENT: "A crew came, but the work needs traffic control that was not there.",
    AbortReason.PERMIT: "A crew came, but the permit to work in the road was missing.",
    AbortReason.NOT_FOUND: "A crew came, but did not find it.",
    AbortReason.UNSAFE: "A crew came, but it was not safe to work.",
    AbortReason.THIRD_PARTY: "A crew came, but found that somebody else must mend it.",
}
_WHY: Mapping[Clock, Mapping[State, str]] = {
    Clock.PERMANENT: {
        _D.CONFIRMED: "No crew had been given the work.",
        _D.RECALLED: "No crew had been given the work.",
        _D.ORDERED: "A crew had been given the work and had not finished it.",
        _D.MADE_SAFE: "It was safe by then; the lasting repair was not done.",
        _D.REPAIRED_TEMPORARY: "It was repaired for now; the lasting repair was not done.",
        _D.REPAIR_REJECTED: "A repair was done and did not pass our check.",
    },
    Clock.MAKE_SAFE: {
        _D.CONFIRMED: "No crew had been given the work.",
        _D.RECALLED: "No crew had been given the work.",
        _D.ORDERED: "A crew had been given the work and had not come.",
    },
    Clock.INSPECT: {
        _D.CANDIDATE: "An inspector had not come yet.",
        _D.MONITOR: "An inspector had not come again yet.",
        _D.THIRD_PARTY: "We had not heard from its owner.",
        _D.DEFERRED_TO_SCHEME: "The planned scheme had not reached it.",
    },
    Clock.TRIAGE: {},
    Clock.VERIFY: {},
}
_ELSE: Mapping[Clock, str] = {
    Clock.TRIAGE: "More reports came than we could read in time.",
    Clock.INSPECT: "Our record holds no other reason than that it was not done.",
    Clock.MAKE_SAFE: "Our record holds no other reason than that it was not done.",
    Clock.PERMANENT: "Our record holds no other reason than that it was not done.",
    Clock.VERIFY: "An inspector had not come yet.",
}


def promised(clock: Clock, state: State | None) -> str:
    """The promise in words, for a thing in this state."""
    if clock is Clock.INSPECT and state is not None and state in _LOOK:
        return _LOOK[state]
    return _WILL[clock]


def missed(clock: Clock, state: State | None, tried: AbortReason | None) -> str:
    """That a date passed, and why: what kept the last crew from the work, else where the work stood."""
    if tried is not None and clock in (Clock.MAKE_SAFE, Clock.PERMANENT):
        return f"{_DID_NOT[clock]} {_OBSTACLES[tried]}"
    why = _WHY[clock].get(state) if state is not None else None
    return f"{_DID_NOT[clock]} {why or _ELSE[clock]}"


def moved(*, later: bool, holidays: bool) -> str:
    """That a date is another one now, and why."""
    if holidays:
        return "The date has moved: the public holidays have changed, and with them the working days."
    if later:
        return "The date is later than we said: somebody looked again, and it is less urgent than it seemed."
    return "The date is sooner than we said: it is more urgent than it seemed."


def obstacle(reason: AbortReason) -> str:
    """Why a crew that came did not do the work."""
    return _OBSTACLES[reason]


DONE_AFTER_ALL = "We had not heard by the date promised that it was done. It was done in time."
QUESTIONED = "Somebody says that the repair has failed. We are finding out."
UPHELD = "We looked again: the repair has not failed."
SCHEDULED = "The crew means to come on this date."
