"""What operators do with defects: assess one or many, and say what is one defect and what is not."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from services.api.deps import STAFF, Asker, Now, Role, Write, requires
from services.api.schemas import Act, Day, Input, Number, Seen, SeenOfEach, Whole, Words, YesNo
from shared.flows import assess_defect, merge_defects
from shared.flows.assess_defect import Assessed, Refused
from shared.flows.weigh_finding import Decision, Finding

router = APIRouter(prefix="/api/v1/defects", tags=["defects"])

OPERATOR = requires(*STAFF, scope="defects:write")
SUPERVISING = (Role.SUPERVISOR, Role.ADMIN)

Reference = Annotated[str, Path(max_length=20, examples=["D-7K3M-9QXF"])]
Why = Annotated[Words, Field(min_length=3, max_length=1000, examples=["Measured on site, at the kerb."])]


class Facts(Input):
    """What was seen beside the measures. A fact that is left out stays as it was known."""

    wheel_path: YesNo | None = None
    cycle_lane: YesNo | None = None
    crossing: YesNo | None = None
    collapse: YesNo | None = None
    obstruction: YesNo | None = None
    flooding: YesNo | None = None
    risk: YesNo | None = None
    missing_cover: YesNo | None = None
    danger: YesNo | None = None
    zone: Literal["primary", "secondary", "local"] | None = Field(None, description="Of a footway")

    def told(self) -> dict[str, bool | str]:
        return self.model_dump(exclude_none=True)


class Found(Input):
    """What a person found, and what follows. What is left out stays as it was known."""

    decision: Decision = Field(examples=["confirm"])
    why: Why
    depth_mm: Number | None = Field(None, ge=0, le=10_000, examples=[55])
    width_mm: Number | None = Field(None, ge=0, le=100_000, examples=[320])
    facts: Facts = Field(default_factory=Facts, examples=[{"wheel_path": True}])
    likelihood: Whole | None = Field(None, ge=1, le=4, description="1 least to 4 worst; by the street if left out")
    impact: Whole | None = Field(None, ge=1, le=4, description="1 least to 4 worst; by the class if left out")
    owner: Words | None = Field(None, max_length=200, description="Whose it is, for third_party")
    scheme_on: Day | None = Field(None, description="By when a scheme will have mended it, for defer")
    risk_signed_by: Words | None = Field(None, max_length=200, description="Who accepts the risk until then")

    def finding(self) -> Finding:
        return Finding(
            decision=self.decision,
            why=self.why,
            depth_mm=self.depth_mm,
            width_mm=self.width_mm,
            facts=self.facts.told(),
            likelihood=self.likelihood,
            impact=self.impact,
            owner=self.owner,
            scheme_on=self.scheme_on,
            risk_signed_by=self.risk_signed_by,
        )


class Assessment(Found, Act):
    """A finding about one defect, on what was seen of it."""


class Graded(BaseModel):
    """The defect as it stands now."""

    reference: str = Field(examples=["D-7K3M-9QXF"])
    state: str = Field(examples=["confirmed"])
    band: str = Field(examples=["P5"])
    why: list[str] = Field(description="Why this band")
    make_safe_due_at: datetime | None
    permanent_due_at: datetime | None
    inspect_due_at: datetime | None = Field(description="When a person must look next")
    due_why: list[str] = Field(description="Why these times")

    @classmethod
    def of(cls, said: Assessed) -> "Graded":
        return cls(
            reference=said.reference,
            state=said.state,
            band=said.graded.band,
            why=list(said.graded.why),
            make_safe_due_at=said.graded.make_safe,
            permanent_due_at=said.graded.permanent,
            inspect_due_at=said.graded.inspect,
            due_why=list(said.graded.due_why),
        )


class AssessMany(Found):
    references: list[Annotated[Words, Field(max_length=20)]] = Field(
        min_length=1, max_length=1000, examples=[["D-7K3M-9QXF", "D-2P5R-8ABC"]]
    )
    seen: SeenOfEach


class AssessedOne(BaseModel):
    """What became of one of many: how it stands, or the problem's type and detail."""

    reference: str
    defect: Graded | None = None
    problem: str | None = Field(None, examples=["unlawful-step"])
    detail: str | None = None
    seen: int | None = Field(None, description="With changed-meanwhile: what to send to save in spite of it")


class AssessedMany(BaseModel):
    results: list[AssessedOne]


@router.post("/assess")
def assess_many_defects(given: AssessMany, tx: Write, now: Now, asker: Annotated[Asker, OPERATOR]) -> AssessedMany:
    """Apply one finding to many defects. Each has its own result; one that is refused holds up no other."""
    answers = assess_defect.assess_many(
        tx, given.references, given.finding(), now, supervises=asker.role in SUPERVISING, seen=given.seen
    )
    return AssessedMany(results=_results(answers))


def _results(answers: Sequence[Assessed | Refused]) -> list[AssessedOne]:
    results = []
    for said in answers:
        if isinstance(said, Assessed):
            results.append(AssessedOne(reference=said.reference, defect=Graded.of(said)))
        else:
            refusal = said.refusal
            told = AssessedOne(reference=said.reference, problem=refusal.code, detail=refusal.detail)
            results.append(told.model_copy(update={"seen": refusal.more.get("seen")}))
    return results


@router.post("/{reference}/assess")
def assess_one_defect(
    reference: Reference, given: Assessment, tx: Write, now: Now, asker: Annotated[Asker, OPERATOR]
) -> Graded:
    """Confirm and grade a defect, watch it, drop it, hand it on. Less urgent than before takes a supervisor."""
    supervises = asker.role in SUPERVISING
    said = assess_defect.assess(tx, reference, given.finding(), now, supervises=supervises, seen=given.seen)
    return Graded.of(said)


class Into(Act):
    into: Words = Field(max_length=20, description="The defect that stays", examples=["D-2P5R-8ABC"])
    seen_into: Seen | None = Field(None, description="`seen` of the defect that stays")
    why: Why


class Because(Act):
    why: Why


class Split(Act):
    reports: list[Annotated[Words, Field(max_length=20)]] = Field(
        default_factory=list, max_length=1000, description="Those that saw the other one", examples=[["R-7K3M-9QXF"]]
    )
    detections: list[Annotated[Whole, Field(ge=1, le=2**62)]] = Field(
        default_factory=list, max_length=1000, description="As the sightings of the defect name them", examples=[[7]]
    )
    why: Why


class Standing(BaseModel):
    """Which defect stands after the call."""

    reference: str = Field(examples=["D-7K3M-9QXF"])
    stands: str = Field(description="The defect that stands for it now, or that it gave sightings to")


@router.post("/{reference}/merge")
def merge_defect(reference: Reference, given: Into, tx: Write, now: Now, asker: Annotated[Asker, OPERATOR]) -> Standing:
    """Two are one: this one becomes a duplicate of the other, with all that saw it. `unmerge` undoes it."""
    del asker
    merge_defects.merge(tx, reference, given.into, given.why, now, seen=given.seen, seen_into=given.seen_into)
    return Standing(reference=reference, stands=given.into)


@router.post("/{reference}/unmerge")
def unmerge_defect(
    reference: Reference, given: Because, tx: Write, now: Now, asker: Annotated[Asker, OPERATOR]
) -> Standing:
    """Undo the merge of a duplicate: it stands again as before it, and no machine joins the two again."""
    del asker
    merge_defects.unmerge(tx, reference, given.why, now, seen=given.seen)
    return Standing(reference=reference, stands=reference)


@router.post("/{reference}/split", status_code=201)
def split_defect(
    reference: Reference, given: Split, tx: Write, now: Now, asker: Annotated[Asker, OPERATOR]
) -> Standing:
    """One is two: these reports and detections saw another one, which they found. Merging that back undoes it."""
    del asker
    made = merge_defects.split(
        tx, reference, given.reports, given.why, now, detections=given.detections, seen=given.seen
    )
    return Standing(reference=reference, stands=made)
