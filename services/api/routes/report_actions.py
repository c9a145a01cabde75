"""What people decide about reports, and what reporters do with their own: answer, withdraw, challenge."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from services.api.deps import STAFF, Asker, Now, Role, Write, requires
from services.api.schemas import Act, Input, Words
from shared.domain.public_words import Shown
from shared.errors import NotFound
from shared.flows import decide_report, merge_defects, show_contact, show_words
from shared.flows.decide_report import Rejection

router = APIRouter(prefix="/api/v1/reports", tags=["reports"])

OPERATOR = requires(*STAFF, scope="reports:write")
REPORTER = requires(Role.REPORTER)

Reference = Annotated[str, Path(max_length=20, examples=["R-7K3M-9QXF"])]
Why = Annotated[Words, Field(min_length=3, max_length=1000)]


class ReportState(BaseModel):
    """Where the report is now."""

    reference: str = Field(examples=["R-7K3M-9QXF"])
    state: str = Field(examples=["referred"])
    defect: str | None = Field(None, description="The defect that it was linked to", examples=["D-7K3M-9QXF"])


class Refer(Act):
    """Another looks after this place. Both are told to the reporter."""

    decision: Literal["refer"]
    target: Annotated[Words, Field(min_length=2, max_length=200, examples=["National Highways"])]
    why: Why = Field(examples=["The M65 is theirs here."])


class Reject(Act):
    decision: Literal["reject"]
    reason: Rejection
    why: Why = Field(examples=["An advertisement."])


class NoDefect(Act):
    """Somebody looked, and there is nothing that needs mending."""

    decision: Literal["no_defect"]
    why: Why = Field(examples=["Nothing within 50 m of the place."])
    evidence: Annotated[Words, Field(min_length=3, max_length=1000, examples=["Walked both sides on 3 Nov, photo 12."])]


class Ask(Act):
    """Ask the reporter for something; once only."""

    decision: Literal["ask"]
    question: Annotated[Words, Field(min_length=3, max_length=1000, examples=["Which lane is it in?"])]


class Link(Act):
    """It is of this defect, or of this one too."""

    decision: Literal["link"]
    defect: Words = Field(max_length=20, examples=["D-7K3M-9QXF"])
    why: Why = Field(examples=["The photo shows the same hole."])


class NewDefect(Act):
    """It is of a defect that is not known yet."""

    decision: Literal["new_defect"]
    why: Why = Field(examples=["On the other side of the bridge."])


Decision = Annotated[Refer | Reject | NoDefect | Ask | Link | NewDefect, Field(discriminator="decision")]


@router.post("/{reference}/decide")
def decide_about_report(
    reference: Reference, given: Decision, tx: Write, now: Now, asker: Annotated[Asker, OPERATOR]
) -> ReportState:
    """Refer a report, reject it, find no defect, ask its reporter, or say which defect it is of."""
    del asker
    match given:
        case Link():
            merge_defects.link(tx, reference, given.defect, given.why, now, given.seen)
            return ReportState(reference=reference, state="linked", defect=given.defect)
        case NewDefect():
            made = merge_defects.found(tx, reference, given.why, now, given.seen)
            return ReportState(reference=reference, state="linked", defect=made)
        case _:
            return ReportState(reference=reference, state=_decided(tx, reference, given, now))


def _decided(tx: Write, reference: str, given: Refer | Reject | NoDefect | Ask, now: datetime) -> str:
    match given:
        case Refer():
            return decide_report.refer(tx, reference, given.target, given.why, now, given.seen)
        case Reject():
            return decide_report.reject(tx, reference, given.reason, given.why, now, given.seen)
        case NoDefect():
            return decide_report.find_nothing(tx, reference, given.why, given.evidence, now, given.seen)
        case Ask():
            return decide_report.ask(tx, reference, given.question, now, given.seen)


class Because(Act):
    why: Why = Field(examples=["It is a real hole; the photo was a mistake."])


@router.post("/{reference}/restore")
def restore_report(
    reference: Reference, given: Because, tx: Write, now: Now, asker: Annotated[Asker, OPERATOR]
) -> ReportState:
    """Undo a rejection: the report waits for a person again."""
    del asker
    return ReportState(reference=reference, state=decide_report.restore(tx, reference, given.why, now, given.seen))


class WordsShown(BaseModel):
    reference: str = Field(examples=["R-7K3M-9QXF"])
    shown: Shown = Field(description="screened: without what reaches or names a person; released: as they stand")


def _shown(tx: Write, reference: str, shown: Shown, given: Because, now: datetime) -> WordsShown:
    show_words.show_words(tx, reference, shown, given.why, now, given.seen)
    return WordsShown(reference=reference, shown=shown)


@router.post("/{reference}/release-words")
def release_words(
    reference: Reference, given: Because, tx: Write, now: Now, asker: Annotated[Asker, OPERATOR]
) -> WordsShown:
    """Show a report's words to everybody as they stand: the screening hid too much. `screen-words` undoes it."""
    del asker
    return _shown(tx, reference, Shown.RELEASED, given, now)


@router.post("/{reference}/screen-words")
def screen_words(
    reference: Reference, given: Because, tx: Write, now: Now, asker: Annotated[Asker, OPERATOR]
) -> WordsShown:
    """Show a report's words without what reaches or names a person, as at first."""
    del asker
    return _shown(tx, reference, Shown.SCREENED, given, now)


@router.post("/{reference}/withhold-words")
def withhold_words(
    reference: Reference, given: Because, tx: Write, now: Now, asker: Annotated[Asker, OPERATOR]
) -> WordsShown:
    """Show nothing of a report's words to the public: the screening missed something. `screen-words` undoes it."""
    del asker
    return _shown(tx, reference, Shown.WITHHELD, given, now)


class Reach(BaseModel):
    """How the reporter is reached. All empty: it was not told, or is forgotten."""

    name: str | None = Field(examples=["Sam Reed"])
    email: str | None = Field(examples=["sam@example.org"])
    phone: str | None


@router.post("/{reference}/contact")
def show_reporters_contact(reference: Reference, tx: Write, now: Now, asker: Annotated[Asker, OPERATOR]) -> Reach:
    """Tell how the reporter is reached, and keep on record who asked. Staff do not see it otherwise."""
    del asker
    reach = show_contact.show_contact(tx, reference, now)
    return Reach(name=reach.name, email=reach.email, phone=reach.phone)


class Unlink(Act):
    defect: Words = Field(max_length=20, examples=["D-7K3M-9QXF"])
    why: Why = Field(examples=["The report means the other carriageway."])


@router.post("/{reference}/unlink")
def unlink_report(
    reference: Reference, given: Unlink, tx: Write, now: Now, asker: Annotated[Asker, OPERATOR]
) -> ReportState:
    """It is not of this defect. With no other, the report waits for a person; linking it again undoes this."""
    del asker
    merge_defects.unlink(tx, reference, given.defect, given.why, now, given.seen)
    return ReportState(reference=reference, state=decide_report.state_of(tx, reference))


def mine(asker: Asker) -> int:
    """The one report that the reporter's secret opens.

    Raises:
        NotFound: it opens none.
    """
    if asker.report_id is None:
        raise NotFound("This secret opens no report.")
    return asker.report_id


class Said(Input):
    words: Annotated[Words, Field(min_length=1, max_length=4000, examples=["It is in the left lane."])]


@router.post("/{reference}/answer")
def answer_question(
    reference: Reference, given: Said, tx: Write, now: Now, asker: Annotated[Asker, REPORTER]
) -> ReportState:
    """The reporter answers what was asked."""
    return ReportState(reference=reference, state=decide_report.answer(tx, reference, mine(asker), given.words, now))


@router.post("/{reference}/withdraw")
def withdraw_report(reference: Reference, tx: Write, now: Now, asker: Annotated[Asker, REPORTER]) -> ReportState:
    """The reporter takes the report back. A defect that it told of stays."""
    return ReportState(reference=reference, state=decide_report.withdraw(tx, reference, mine(asker), now))


@router.post("/{reference}/challenge")
def challenge_outcome(
    reference: Reference, given: Said, tx: Write, now: Now, asker: Annotated[Asker, REPORTER]
) -> ReportState:
    """The reporter says that it is not settled: a person looks again, and a repair under warranty is questioned."""
    state = decide_report.challenge(tx, reference, mine(asker), given.words, now)
    return ReportState(reference=reference, state=state)
