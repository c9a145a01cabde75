"""The operators' queue: reports of which matching was unsure, each with the defects that it may be of."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from services.api.deps import STAFF, Asker, Now, Read, Write, requires
from services.api.schemas import Act, Words
from shared.flows import answer_question
from shared.flows.answer_question import Answer
from shared.store.read_models import warranties as read

router = APIRouter(prefix="/api/v1/questions", tags=["reports"])

READER = requires(*STAFF, scope="reports:read")
OPERATOR = requires(*STAFF, scope="reports:write")


class Candidate(BaseModel):
    reference: str = Field(examples=["D-7K3M-9QXF"])
    class_code: str
    state: str
    band: str | None
    lat: float
    lon: float
    reports: int
    opened_at: datetime
    last_seen_at: datetime
    distance_m: float
    why: str = Field(examples=["11 m away, same street and side, same class, opened 3 days ago"])


class Question(BaseModel):
    """Is this report of one of these defects?"""

    reference: str = Field(description="The report", examples=["R-7K3M-9QXF"])
    class_code: str
    lat: float
    lon: float
    accuracy_m: float
    street_key: str | None
    description: str
    danger: bool
    received_at: datetime
    triage_due_at: datetime
    asked_at: datetime
    seen: int = Field(description="What to send with an answer that rests on this one")
    candidates: list[Candidate]


class QuestionPage(BaseModel):
    questions: list[Question]
    next: str | None = Field(description="`after` of the next page; None when there is no more")


@router.get("")
def list_questions(
    tx: Read,
    asker: Annotated[Asker, READER],
    after: Annotated[str | None, Query(max_length=80)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> QuestionPage:
    """Open questions, the soonest due first."""
    del asker
    page = read.questions(tx, after=after, most=limit)
    return QuestionPage.model_validate({"questions": page.rows, "next": page.next})


class Answered(Act):
    answer: Answer = Field(examples=["same"])
    defect: Words | None = Field(None, max_length=20, description="Which one, with `same`", examples=["D-7K3M-9QXF"])
    why: Annotated[Words, Field(min_length=3, max_length=1000, examples=["The photo shows the same drain cover."])]


class Settled(BaseModel):
    report: str
    defect: str | None = Field(
        description="The defect that the report is of now; null while it waits: for another question, about what came "
        "since this one was asked, or for the decision about a recall",
        examples=["D-7K3M-9QXF"],
    )


@router.post("/{reference}/answer")
def answer_one(
    reference: Annotated[str, Path(max_length=20, description="The report's reference", examples=["R-7K3M-9QXF"])],
    given: Answered,
    tx: Write,
    now: Now,
    asker: Annotated[Asker, OPERATOR],
) -> Settled:
    """Answer a question: the same as one of them, different from all, or nobody can tell from here."""
    del asker
    defect = answer_question.answer(tx, reference, given.answer, given.defect, given.why, now, given.seen)
    return Settled(report=reference, defect=defect)
