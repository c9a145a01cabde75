"""What happened to a report or a defect, told to a resident in plain words: made safe is not mended."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.domain.public import PublicStatus, public_status
from shared.domain.terms import DefectState, ReportState


@dataclass(frozen=True, slots=True)
class Step:
    """When something came into a state (aware)."""

    at: datetime
    state: ReportState | DefectState


@dataclass(frozen=True, slots=True)
class Link:
    """Since when a report belongs to a defect, and all that the defect went through, in order."""

    since: datetime
    steps: Sequence[Step]


@dataclass(frozen=True, slots=True)
class Moment:
    """One line: the words hold from `at` on."""

    at: datetime
    label: str
    words: str


def of_defect(steps: Iterable[Step]) -> list[Moment]:
    """A defect's own line of events."""
    return _told((step.at, public_status(step.state)) for step in steps)


def of_report(steps: Iterable[Step], links: Iterable[Link]) -> list[Moment]:
    """A report's, and those of its defects from when it belongs to them.

    What a defect went through before is told as one line, at the time of the link: where it stood then.
    """
    said = [(step.at, public_status(step.state)) for step in steps if step.state is not ReportState.LINKED]
    for link in links:
        before = [step for step in link.steps if step.at <= link.since]
        after = [step for step in link.steps if step.at > link.since]
        said += [(link.since, public_status(step.state)) for step in before[-1:]]
        said += [(step.at, public_status(step.state)) for step in after]
    return _told(sorted(said, key=lambda one: one[0]))


def _told(said: Iterable[tuple[datetime, PublicStatus]]) -> list[Moment]:
    """Without a line that says what the line before it says."""
    told: list[Moment] = []
    for at, status in said:
        if not told or told[-1].words != status.words:
            told.append(Moment(at, status.label, status.words))
    return told
