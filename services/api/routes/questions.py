"""The operators' queue: reports of which matching was unsure, each with the defects that it may be of."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from services.api.deps import STAFF, Asker, Now, Read, Write, requires
from services.api.schemas import Act, Whole, Words
from shared.domain.comparing import Tells
from shared.flows import answer_question, take_back_answer
from shared.flows.answer_question import Answer
from shared.store.read_models import questions as read

router = APIRouter(prefix="/api/v1/questions", tags=["reports"])

READER = requires(*STAFF, scope="reports:read")
OPERATOR = requires(*STAFF, scope="reports:write")


class Shot(BaseModel):
    """A photo as staff see it: also one that is not released."""

    url: str = Field(examples=["/api/v1/photos/9f1c3a5e7b2d4c6e8f0a1b2c3d4e5f60"])
    role: str = Field(description="report, before or after")
    width_px: int
    height_px: int
    taken_at: datetime | None = Field(description="As the photo itself says; null, when it does not")


class Fact(BaseModel):
    """One line of the comparison."""

    what: str = Field(examples=["Side"])
    words: str = Field(examples=["Same side"])
    tells: Tells = Field(description="Whether it speaks for one and the same, against it, or for neither")


class Told(BaseModel):
    """What somebody who reported the candidate wrote."""

    reference: str
    description: str
    received_at: datetime


class Candidate(BaseModel):
    reference: str = Field(examples=["D-7K3M-9QXF"])
    class_code: str
    state: str
    band: str | None
    danger: bool
    lat: float
    lon: float
    accuracy_m: float
    street_key: str | None
    street: str | None = Field(description="The street's name", examples=["Fishergate"])
    street_side: str | None
    reports: int
    detections: int
    opened_at: datetime
    last_seen_at: datetime
    repaired_at: datetime | None
    distance_m: float
    why: str = Field(
        description="The machine's own reason, as it was when it asked",
        examples=["11 m away, same street and side, same class, opened 3 days ago"],
    )
    facts: list[Fact] = Field(description="The comparison as it stands now, in the order in which it counts")
    photos: list[Shot] = Field(description="The newest six: of its reports, its passers-by and its repairs")
    words: list[Told] = Field(description="The newest three")


class Question(BaseModel):
    """Is this report of one of these defects?"""

    id: int = Field(description="Send it with the answer: then another question about the report is not answered by it")
    reference: str = Field(description="The report", examples=["R-7K3M-9QXF"])
    class_code: str
    channel: str = Field(examples=["web"])
    lat: float
    lon: float
    accuracy_m: float
    street_key: str | None
    street: str | None = Field(description="The street's name", examples=["Fishergate"])
    street_side: str | None
    address: str | None
    description: str
    danger: bool
    observed_at: datetime
    received_at: datetime
    triage_due_at: datetime
    asked_at: datetime
    seen: int = Field(description="What to send with an answer that rests on this one")
    photos: list[Shot]
    candidates: list[Candidate] = Field(description="Likeliest first. One that was merged since is its original")


class QuestionPage(BaseModel):
    questions: list[Question]
    next: str | None = Field(description="`after` of the next page; null when there is no more")
    waiting: int = Field(description="How many questions are open in all")


@router.get("")
def list_questions(
    tx: Read,
    _: Annotated[Asker, READER],
    after: Annotated[str | None, Query(max_length=80)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    report: Annotated[
        str | None, Query(max_length=20, description="Only the question about this one", examples=["R-7K3M-9QXF"])
    ] = None,
) -> QuestionPage:
    """Open questions, the soonest due first, each with what tells of the report and of its candidates."""
    page = read.page(tx, after=after, most=limit, report_reference=report)
    shown = [plain(row) for row in page.rows]
    return QuestionPage.model_validate({"questions": shown, "next": page.next, "waiting": page.waiting})


def plain(row: read.Row) -> dict[str, Any]:
    """A question as the document describes it; the page at /hub/unsure is made of the same."""
    candidates = [
        {**one, "photos": _shots(one["photos"]), "facts": [_fact(each) for each in one["facts"]]}
        for one in row["candidates"]
    ]
    return {**row, "photos": _shots(row["photos"]), "candidates": candidates}


def _shots(photos: Sequence[read.Row]) -> list[dict[str, Any]]:
    return [{**one, "url": f"/api/v1/photos/{one['reference']}"} for one in photos]


def _fact(one: Any) -> dict[str, Any]:
    return {"what": one.what, "words": one.words, "tells": one.tells}


class Answered(Act):
    answer: Answer = Field(examples=["same"])
    defect: Words | None = Field(None, max_length=20, description="Which one, with `same`", examples=["D-7K3M-9QXF"])
    why: Annotated[Words, Field(min_length=3, max_length=1000, examples=["The photo shows the same drain cover."])]
    question: Whole | None = Field(
        None,
        ge=1,
        le=2**62,
        description="The `id` of the question that was looked at: if the report was asked about anew since, with other "
        "defects, nothing is done and the answer is 409",
    )


class Settled(BaseModel):
    report: str
    defect: str | None = Field(
        description="The defect that the report is of now; null while it waits: for another question, about what came "
        "since this one was asked, or for the decision about a recall",
        examples=["D-7K3M-9QXF"],
    )


Reference = Annotated[str, Path(max_length=20, description="The report's reference", examples=["R-7K3M-9QXF"])]


@router.post("/{reference}/answer")
def answer_one(reference: Reference, given: Answered, tx: Write, now: Now, _: Annotated[Asker, OPERATOR]) -> Settled:
    """Answer a question: the same as one of them, different from all, or nobody can tell from here.

    Each answer is kept as a label beside the machine's reason for asking. Answered by somebody else meanwhile: 409.
    """
    defect = answer_question.answer(
        tx, reference, given.answer, given.defect, given.why, now, question=given.question, seen=given.seen
    )
    return Settled(report=reference, defect=defect)


class AskedAgain(BaseModel):
    report: str
    waiting: int = Field(description="How many questions are open in all")


@router.post("/{reference}/take-back")
def take_back_one(reference: Reference, tx: Write, now: Now, _: Annotated[Asker, OPERATOR]) -> AskedAgain:
    """Take one's own answer back: the question is open again, and what the answer did is undone.

    409 where somebody has built on it since: it says how to undo that instead.
    """
    take_back_answer.take_back(tx, reference, now)
    return AskedAgain(report=reference, waiting=read.waiting(tx))
