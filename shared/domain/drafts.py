"""A report that somebody is still writing: the answers so far, and the question that comes next.

One question a page, in this order; a page that has nothing to ask is left out. Contact details are not among the
answers: they are asked last and go with the report (docs/decisions/0045).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

TERM = timedelta(days=7)
"""So long after its last answer a draft can be gone on with."""
LINK_TERM = timedelta(hours=1)
"""So long the last page shows the reporter's own link: the browser may be a library's."""
HASTE = timedelta(seconds=3)
"""Nobody writes a report faster; who does is asked to look and send it again."""
MOST_PHOTOS = 5


class Step(StrEnum):
    """The pages, in their order. Each is an address below /report; START is /report itself."""

    START = "start"
    WHERE = "where"
    ELSEWHERE = "elsewhere"
    NEARBY = "nearby"
    WHAT = "what"
    PHOTOS = "photos"
    CHECK = "check"
    SAME = "same"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where it is: WGS 84, metres of accuracy, the words that it is said back in, and the address that is sent along.

    `whose`: another looks after it, and `contact` is how to reach them; None: ours.
    """

    lat: float
    lon: float
    accuracy_m: float
    words: str
    address: str | None = None
    whose: str | None = None
    why: str | None = None
    contact: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What was answered so far; None: not asked yet.

    `same_as` is the reference of a defect that "it is this one", `again` that of a repair that has failed;
    `looked` says that what is nearby was shown or that there is nothing. `photos_asked`: with or without photos.
    `news`, once it is sent: its writer left an address.
    """

    danger: bool | None = None
    place: Place | None = None
    carry_on: bool = False
    looked: bool = False
    same_as: str | None = None
    again: str | None = None
    class_code: str | None = None
    size: str | None = None
    description: str = ""
    photos_asked: bool = False
    news: bool = False

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> "Answers":
        """Answers as they were kept; what a later version added has its default, what it dropped is left out."""
        known = {name: value for name, value in kept.items() if name in cls.__dataclass_fields__}
        if known.get("place") is not None:
            known["place"] = Place(**known["place"])
        return cls(**known)


def next_step(answers: Answers) -> Step:
    """The first question that is still open; CHECK (or SAME, for a passer-by) when all are answered."""
    if answers.danger is None:
        return Step.START
    if answers.place is None:
        return Step.WHERE
    if answers.place.whose is not None and not answers.carry_on:
        return Step.ELSEWHERE
    if answers.same_as is not None:
        return Step.SAME
    if not answers.looked:
        return Step.NEARBY
    return _about_it(answers)


def _about_it(answers: Answers) -> Step:
    if answers.class_code is None:
        return Step.WHAT
    return Step.CHECK if answers.photos_asked else Step.PHOTOS


def may_show(answers: Answers, step: Step) -> bool:
    """Whether a page can be shown already: its question is the next one, or comes before it."""
    return step in _way(answers)


_ASKED = (Step.START, Step.WHERE, Step.ELSEWHERE, Step.NEARBY, Step.WHAT, Step.PHOTOS, Step.CHECK)


def _way(answers: Answers) -> tuple[Step, ...]:
    """The pages up to the next one. A passer-by's way ends with SAME; what is nearby stays open to look at again."""
    upto = next_step(answers)
    if upto is Step.SAME:
        return (*_ASKED[: _ASKED.index(Step.NEARBY) + 1], Step.SAME)
    return _ASKED[: _ASKED.index(upto) + 1]
