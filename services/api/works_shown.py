"""Works orders as answers show them."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from shared.domain.terms import OrderState
from shared.flows.act_on_order import Order


class Covered(BaseModel):
    """A defect of an order, with its place: coordinates first, a crew is not misled by an address."""

    reference: str = Field(examples=["D-7K3M-9QXF"])
    class_code: str = Field(examples=["pothole"])
    state: str = Field(examples=["ordered"])
    band: str | None = Field(examples=["P10"])
    lat: float
    lon: float
    accuracy_m: float
    street: str | None
    street_side: str | None
    depth_mm: float | None
    width_mm: float | None
    danger: bool
    make_safe_due_at: datetime | None
    permanent_due_at: datetime | None
    due_why: list[str] = Field(description="Which clock runs, and why, in sentences")
    made_safe_at: datetime | None
    left_at: datetime | None = Field(description="Since when the order no longer covers it")


class Listed(BaseModel):
    reference: str = Field(examples=["W-7K3M-9QXF"])
    state: OrderState
    kind: str = Field(description="repair, permanent (after a temporary one), remedial, make_safe", examples=["repair"])
    band: str = Field(examples=["P10"])
    contractor: str = Field(examples=["alder"])
    contractor_name: str
    charge_to: Literal["council", "contractor"]
    lot: str
    street: str | None
    street_key: str | None
    area_code: str | None
    issued_at: datetime
    accepted_at: datetime | None
    scheduled_for: datetime | None
    make_safe_due_at: datetime | None
    permanent_due_at: datetime | None
    completed_at: datetime | None
    sampled: bool | None = Field(description="True: a person checks the repair; None: not drawn yet")
    verify_due_at: datetime | None
    verified_at: datetime | None
    missing: list[str] = Field(description="What the evidence lacks: each a sentence for the crew")
    ended_at: datetime | None
    updated_at: datetime
    seen: int | None = Field(description="For staff: what to send with a verdict that rests on this answer")
    defects: list[Covered]


class OrderPage(BaseModel):
    orders: list[Listed]
    next: str | None = Field(description="`after` of the next page; None when there is no more")
    as_of: datetime = Field(description="What to ask with next time as `updated_since`; keep the first page's")


class ReportPhoto(BaseModel):
    defect: str
    reference: str = Field(description="GET /api/v1/photos/{reference}")
    received_at: datetime


class VisitPhoto(BaseModel):
    reference: str
    role: str
    taken_at: datetime | None


class VisitShown(BaseModel):
    client_id: UUID
    outcome: str
    reason: str | None
    note: str
    repair_type: str | None
    started_at: datetime
    ended_at: datetime
    received_at: datetime
    length_m: float | None
    width_m: float | None
    applied: bool = Field(description="Whether it moved the order; otherwise it is kept on record")
    evidence: dict[str, Any] | None = Field(description="What the rules made of it: verdict, why, missing, flags")
    photos: list[VisitPhoto]


class Happened(BaseModel):
    at: datetime
    occurred_at: datetime
    kind: str
    before: str | None
    after: str | None
    actor: str = Field(description="Who; to a contractor only us, council, or the part of Roadmend", examples=["us"])
    why: str | None


class NextStep(BaseModel):
    step: str = Field(
        description="The call: accept, decline, schedule, start, cancel, verify, pay", examples=["accept"]
    )
    state: str = Field(examples=["accepted"])
    needs: str


class Whole(Listed):
    verifier: str | None = Field(description="Who verified it; a rule is policy:<name>", examples=["council"])
    follows: str | None = Field(description="The order that this one took over from")
    report_photos: list[ReportPhoto]
    visits: list[VisitShown]
    history: list[Happened]
    next: list[NextStep]


class Stepped(BaseModel):
    """An order after a call."""

    reference: str = Field(examples=["W-7K3M-9QXF"])
    state: OrderState
    scheduled_for: datetime | None = None
    verifier: str | None = Field(None, description="For staff")

    @classmethod
    def of(cls, order: Order) -> "Stepped":
        return cls(
            reference=order.reference, state=order.state, scheduled_for=order.scheduled_for, verifier=order.verifier
        )

    @classmethod
    def of_own(cls, order: Order) -> "Stepped":
        """For its contractor."""
        return cls(reference=order.reference, state=order.state, scheduled_for=order.scheduled_for)


class SteppedMany(BaseModel):
    orders: list[Stepped]
