"""What happened to a report or a defect, told to a resident in plain words: made safe is not mended.

Dates that were promised stand in it with what became of them, and every slip with its reason.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain import promises
from shared.domain.promises import Attempt, Clock, Fact, Promise, Questioned, Scheduled, Slip, State, Upheld
from shared.domain.public import public_status
from shared.domain.terms import AbortReason, DefectState, ReportState


@dataclass(frozen=True, slots=True)
class Step:
    """When something came into a state (aware). `done_at`: when that happened, where it was recorded later."""

    at: datetime
    state: State
    done_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """Since when a report belongs to a defect, and all that the defect went through, in order.

    `until`: from then on it is with another, of which it was found to be a duplicate.
    """

    since: datetime
    steps: Sequence[Step]
    facts: Sequence[Fact] = ()
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """One line: the words hold from `at` on.

    `promised`: the date that the words speak of. `kept`: whether it was; None while it may still be, or when another
    date took its place. `was`: the date that this one took the place of.
    """

    at: datetime
    label: str
    words: str
    promised: datetime | None = None
    kept: bool | None = None
    was: datetime | None = None


def of_defect(steps: Iterable[Step], facts: Iterable[Fact] = ()) -> list[Moment]:
    """A defect's own line of events."""
    return _told(_lines(steps, facts))


def of_duplicate(steps: Iterable[Step], facts: Iterable[Fact], original: Link) -> list[Moment]:
    """A duplicate's: its own until it was found to be one, and then its original's news."""
    own = [line for line in _lines(steps, facts) if line.moment.at <= original.since]
    return _told(sorted([*own, *_since(original)], key=_when))


def of_report(steps: Iterable[Step], links: Iterable[Link], facts: Iterable[Fact] = ()) -> list[Moment]:
    """A report's, and those of its defects from when it belongs to them.

    What a defect went through before is told as one line, at the time of the link: where it stood then, with the dates
    that were promised then.
    """
    said = _lines(steps, facts)
    for link in links:
        said += _since(link)
    return _told(sorted(said, key=_when))


@dataclass(frozen=True, slots=True)
class _Line:
    """A moment, and until when it says how things are: a status to the next one, a promise until it is settled.

    `afresh`: the words of a promise for who hears of it later, and of no date before it.
    """

    moment: Moment
    is_status: bool = False
    until: datetime | None = None
    afresh: str = ""

    def from_(self, since: datetime) -> "_Line":
        """The same for who hears of it from then on."""
        if not self.afresh:
            return replace(self, moment=replace(self.moment, at=since))
        afresh = replace(self.moment, at=since, label="Date promised", words=self.afresh, was=None)
        return replace(self, moment=afresh)


def _when(line: _Line) -> datetime:
    return line.moment.at


def _since(link: Link) -> list[_Line]:
    shown = []
    for line in _lines(link.steps, link.facts):
        if link.until is not None and line.moment.at > link.until:
            break
        if line.moment.at > link.since:
            shown.append(line)
        elif (line.is_status or line.moment.promised) and (line.until is None or line.until > link.since):
            shown.append(line.from_(link.since))
    return sorted(shown, key=lambda line: (line.moment.at, not line.is_status))


def _lines(steps: Iterable[Step], facts: Iterable[Fact]) -> list[_Line]:
    """In the order in which they were recorded; a state goes before what is promised with it."""
    teller = _Teller()
    told: list[Step | Fact] = [*steps, *facts]
    for one in sorted(told, key=lambda one: (one.at, not isinstance(one, Step))):
        teller.hear(one)
    return teller.lines


_FULFILS: dict[State, tuple[Clock, ...]] = {
    ReportState.LINKED: (Clock.TRIAGE,),
    ReportState.NEEDS_INFO: (Clock.TRIAGE,),
    ReportState.REFERRED: (Clock.TRIAGE,),
    ReportState.NO_DEFECT_FOUND: (Clock.TRIAGE,),
    ReportState.REJECTED: (Clock.TRIAGE,),
    DefectState.CONFIRMED: (Clock.INSPECT,),
    DefectState.MONITOR: (Clock.INSPECT,),
    DefectState.THIRD_PARTY: (Clock.INSPECT,),
    DefectState.NO_DEFECT: (Clock.INSPECT,),
    DefectState.CLOSED_NO_ACTION: (Clock.INSPECT,),
    DefectState.MADE_SAFE: (Clock.INSPECT, Clock.MAKE_SAFE),
    DefectState.REPAIRED_TEMPORARY: (Clock.MAKE_SAFE,),
    DefectState.VERIFIED: (Clock.INSPECT, Clock.MAKE_SAFE, Clock.PERMANENT, Clock.VERIFY),
}
"""Which promises a state keeps, by the time when it was reached."""
_ENDS = frozenset({DefectState.VERIFIED, DefectState.NO_DEFECT, DefectState.CLOSED_NO_ACTION, ReportState.WITHDRAWN})
"""Nothing that was promised is owed after it."""


class _Teller:
    """Goes through what happened once, and keeps what is promised now: the line of each clock that runs."""

    def __init__(self) -> None:
        self.lines: list[_Line] = []
        self.state: State | None = None
        self.status: int | None = None
        self.running: dict[Clock, int] = {}
        self.slipped: dict[Clock, int] = {}
        self.claimed_at: datetime | None = None
        self.tried: AbortReason | None = None

    def hear(self, one: Step | Fact) -> None:
        match one:
            case Step():
                self._step(one)
            case Promise():
                self._promise(one)
            case Slip():
                self._slip(one)
            case Attempt(at, reason):
                self.tried = reason
                self._say(Moment(at, "Work not done", promises.obstacle(reason)))
            case Scheduled(at, for_):
                self._say(Moment(at, "Visit planned", promises.SCHEDULED, promised=for_), until=for_)
            case Questioned(at):
                self._say(Moment(at, "Being looked at again", promises.QUESTIONED))
            case Upheld(at):
                self._say(Moment(at, "Repair holds", promises.UPHELD))

    def _say(self, moment: Moment, *, is_status: bool = False, until: datetime | None = None) -> int:
        """Returns the number of the line."""
        self.lines.append(_Line(moment, is_status, until))
        return len(self.lines) - 1

    # --- states ------------------------------------------------------------------------------------------------------

    def _step(self, step: Step) -> None:
        if step.state is DefectState.REPAIR_CLAIMED:
            self.claimed_at = step.done_at or step.at
        done_at = step.done_at or step.at
        for clock in _FULFILS.get(step.state, ()):
            mended = clock in (Clock.PERMANENT, Clock.MAKE_SAFE) and step.state is DefectState.VERIFIED
            self._settle(clock, (self.claimed_at or done_at) if mended else done_at, step.at)
        if step.state in _ENDS:
            self._let_go(step.at)
        self.state = step.state
        if step.state is not ReportState.LINKED:
            self._say_status(step)

    def _say_status(self, step: Step) -> None:
        if self.status is not None:
            self.lines[self.status] = replace(self.lines[self.status], until=step.at)
        told = public_status(step.state)
        self.status = self._say(Moment(step.at, told.label, told.words), is_status=True)

    def _settle(self, clock: Clock, done_at: datetime, at: datetime) -> None:
        """What was promised is done: in time or not."""
        line = self.running.pop(clock, None)
        if line is None:
            return
        due_at = self.lines[line].moment.promised
        self._end(line, at, kept=due_at is not None and done_at <= due_at)
        slip = self.slipped.pop(clock, None)
        if slip is not None and due_at is not None and done_at <= due_at:
            late = self.lines[slip].moment
            in_time = replace(late, label="Date kept", words=promises.DONE_AFTER_ALL, kept=True)
            self.lines[slip] = replace(self.lines[slip], moment=in_time)

    def _let_go(self, at: datetime) -> None:
        for line in self.running.values():
            self._end(line, at, kept=self.lines[line].moment.kept)
        self.running, self.slipped = {}, {}
        self.tried = self.claimed_at = None

    def _end(self, line: int, at: datetime, *, kept: bool | None) -> None:
        told = self.lines[line]
        self.lines[line] = replace(told, moment=replace(told.moment, kept=kept), until=at)

    # --- dates -------------------------------------------------------------------------------------------------------

    def _promise(self, one: Promise) -> None:
        line = self.running.get(one.clock)
        was = None if line is None else self.lines[line].moment.promised
        if was == one.due_at or (one.clock is Clock.MAKE_SAFE and self._is_safe()):
            return
        if line is not None:
            was = self._replaced(one, line)
        if one.due_at is not None:
            self._say_promise(one, was)

    def _is_safe(self) -> bool:
        return self.state in (DefectState.MADE_SAFE, DefectState.REPAIRED_TEMPORARY, DefectState.REPAIR_CLAIMED)

    def _replaced(self, one: Promise, line: int) -> datetime | None:
        """Another date holds, or none. Returns the old date, where the new one took its place.

        A later date for the next look means that somebody has looked: then the old one was kept.
        """
        old = self.lines[line].moment
        looked = one.clock is Clock.INSPECT and one.due_at is not None and one.due_at > _date(old)
        self._end(line, one.at, kept=one.at <= _date(old) if looked else old.kept)
        self.running.pop(one.clock)
        self.slipped.pop(one.clock, None)
        return None if looked else old.promised

    def _say_promise(self, one: Promise, was: datetime | None) -> None:
        assert one.due_at is not None  # noqa: S101 (narrows a type)
        label = "Date promised"
        words = afresh = promises.promised(one.clock, self.state)
        if was is not None:
            label = "Date moved"
            words = f"{words} {promises.moved(later=one.due_at > was, holidays=one.holidays)}"
        self.running[one.clock] = len(self.lines)
        self.lines.append(_Line(Moment(one.at, label, words, promised=one.due_at, was=was), afresh=afresh))

    def _slip(self, one: Slip) -> None:
        line = self.running.get(one.clock)
        if line is not None and self.lines[line].moment.promised == one.due_at:
            told = self.lines[line]
            self.lines[line] = replace(told, moment=replace(told.moment, kept=False))
        words = promises.missed(one.clock, self.state, self.tried)
        self.slipped[one.clock] = self._say(
            Moment(one.at, "Date missed", words, promised=one.due_at, kept=False), until=one.at
        )


def _date(moment: Moment) -> datetime:
    assert moment.promised is not None  # noqa: S101 (a line of a clock has its date)
    return moment.promised


def _told(lines: Iterable[_Line]) -> list[Moment]:
    """Without a line that says what the line before it says."""
    told: list[Moment] = []
    statuses: list[str] = []
    for line in lines:
        moment = line.moment
        if line.is_status and statuses[-1:] == [moment.words]:
            continue
        if line.is_status:
            statuses.append(moment.words)
        told.append(moment)
    return told
