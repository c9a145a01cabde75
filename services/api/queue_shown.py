"""A row of the queue as the list and the page show it: in words, with the clock that breaks first and its basis."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field

from shared.domain import next_clock
from shared.domain.deadlines import due
from shared.domain.next_clock import Clock, Times
from shared.domain.policy import Policy
from shared.domain.terms import Band, DefectState
from shared.store.policies import InForce
from shared.store.read_models.queue import Page

SOON = timedelta(days=1)


class NextClock(BaseModel):
    """The clock that runs out next."""

    clock: Clock = Field(examples=["permanent"])
    to_do: str = Field(examples=["Mend"])
    due_at: datetime
    by: str = Field(description="The same on the county's clock", examples=["Tue 1 Dec 23:59"])
    basis: str | None = Field(
        description="How it was reckoned, where its reasons say it", examples=["5 working days from Tue 24 Nov 14:05"]
    )
    left: str = Field(description="How long is left, as of now", examples=["5 days left"])
    late: bool
    soon: bool = Field(description="It runs out within a day")


class Holder(BaseModel):
    """Who has it."""

    code: str = Field(examples=["alder"])
    name: str = Field(examples=["Alder Highways"])


class QueueRow(BaseModel):
    reference: str = Field(examples=["D-7K3M-9QXF"])
    band: Band | None
    class_code: str = Field(examples=["pothole"])
    kind: str = Field(description="The class in words", examples=["Pothole"])
    state: DefectState
    street: str | None = Field(examples=["Fishergate"])
    street_key: str | None
    area_code: str | None
    area: str | None = Field(examples=["Preston"])
    next: NextClock | None = Field(description="None: no clock runs")
    due_why: list[str] = Field(description="Why its times are what they are")
    contractor: Holder | None
    works_order: str | None = Field(examples=["W-7K3M-9QXF"])
    order_state: str | None
    reports: int
    detections: int
    danger: bool
    overdue: bool = Field(description="A clock of its repair has run out")
    lat: float
    lon: float
    updated_at: datetime


class QueuePage(BaseModel):
    """Defects, what breaks first at the top."""

    defects: list[QueueRow]
    total: int = Field(description="Of these filters, on all pages")
    next: str | None = Field(description="`after` of the next page")
    as_of: datetime


def page_of(found: Page, rules: InForce, now: datetime) -> QueuePage:
    """The answer of a page of rows. Words are those of the policy in force."""
    rows = [row_of(row, rules, now) for row in found.rows]
    return QueuePage(defects=rows, total=found.total, next=found.next, as_of=now)


def row_of(row: Mapping[str, Any], rules: InForce, now: datetime) -> QueueRow:
    """One row of the read model in words."""
    kind = rules.policy.classes.get(row["class_code"])
    had = row["contractor"]
    return QueueRow.model_validate(
        {
            **row,
            "kind": kind.title if kind else row["class_code"],
            "next": _next(row, rules, now),
            "contractor": had and {"code": had, "name": row["contractor_name"]},
        }
    )


def _next(row: Mapping[str, Any], rules: InForce, now: datetime) -> NextClock | None:
    found = next_clock.next_of(
        Times(
            state=DefectState(row["state"]),
            inspect=row["inspect_due_at"],
            make_safe=row["make_safe_due_at"],
            permanent=row["permanent_due_at"],
            verify=row["verify_due_at"] if row["order_state"] in next_clock.CHECKED else None,
            made_safe_at=row["made_safe_at"],
        )
    )
    if found is None:
        return None
    zone = rules.calendar.tz
    return NextClock(
        clock=found.clock,
        to_do=next_clock.to_do(found.clock, DefectState(row["state"])),
        due_at=found.due_at,
        by=next_clock.short(found.due_at, zone),
        basis=_basis(row, found.clock, found.due_at, rules, zone),
        left=next_clock.left(found.due_at, now),
        late=found.due_at < now,
        soon=now <= found.due_at < now + SOON,
    )


def _basis(row: Mapping[str, Any], clock: Clock, due_at: datetime, rules: InForce, zone: ZoneInfo) -> str | None:
    if clock is not Clock.VERIFY:
        return next_clock.basis(clock, due_at, tuple(row["due_why"]), zone)
    return _checked_by(row, due_at, rules.policy, rules)


def _checked_by(row: Mapping[str, Any], due_at: datetime, policy: Policy, rules: InForce) -> str | None:
    """A verification has no reasons of its own on record: those of the policy's clock that ends just then."""
    lengths = (policy.bands[Band(row["band"])].verify if row["band"] else None, policy.warranty.recall_verify)
    for length in lengths:
        if length is not None and row["completed_at"] is not None:
            reckoned = due(row["completed_at"], length, rules.calendar)
            if reckoned.at == due_at:
                return next_clock.basis(Clock.VERIFY, due_at, (" ".join(reckoned.why),), rules.calendar.tz)
    return None
