"""Works orders: contractors read and act on their own, operators read all, cancel, reissue, verify and pay."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from services.api.deps import STAFF, Asker, AsOf, Now, Read, Role, Write, requires
from services.api.routes.visits import company
from services.api.schemas import Act, Input, Instant, SeenOfEach, Since, Words, YesNo
from services.api.works_shown import OrderPage, Stepped, SteppedMany, Whole
from shared.domain.terms import Band, OrderState
from shared.flows import act_on_order, verify_repair
from shared.flows.order_by_hand import order_by_hand
from shared.store import references
from shared.store.read_models import works as read

router = APIRouter(prefix="/api/v1/works-orders", tags=["works orders"])

READER = requires(Role.CONTRACTOR, *STAFF, scope="works")
CONTRACTOR = requires(Role.CONTRACTOR, scope="works")
OPERATOR = requires(*STAFF, scope="works")
Reference = Annotated[str, Path(max_length=20, examples=["W-7K3M-9QXF"])]
Why = Annotated[Words, Field(min_length=3, max_length=500)]


@router.get("")
def list_orders(
    asker: Annotated[Asker, READER],
    as_of: AsOf,
    tx: Read,
    state: Annotated[list[OrderState] | None, Query()] = None,
    band: Annotated[list[Band] | None, Query()] = None,
    street: Annotated[str | None, Query(max_length=200, description="The street's key")] = None,
    area: Annotated[str | None, Query(max_length=40)] = None,
    contractor: Annotated[str | None, Query(max_length=40, description="A contractor's code; staff only")] = None,
    due_before: Since | None = None,
    updated_since: Since | None = None,
    is_open: Annotated[bool, Query(alias="open", description="Only orders that have not ended")] = False,
    after: Annotated[str | None, Query(max_length=80)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> OrderPage:
    """Orders by their last change, the oldest change first. A contractor sees only their own.

    To hear of what changes later, keep the first page's `as_of` and ask with it as `updated_since`: nothing is missed,
    and what changed shortly before may come twice.
    """
    wanted = read.Wanted(
        contractor_id=asker.contractor_id,
        contractor=contractor if asker.is_staff else None,
        states=state or (),
        bands=band or (),
        street=street,
        area=area,
        due_before=due_before,
        updated_since=updated_since,
        open_only=is_open,
    )
    page = read.page(tx, wanted, after=after, most=limit)
    return OrderPage.model_validate({"orders": page.rows, "next": page.next, "as_of": as_of})


class ByHand(Input):
    defects: list[Annotated[Words, Field(max_length=20)]] = Field(
        min_length=1, max_length=500, examples=[["D-7K3M-9QXF"]]
    )
    contractor: Words | None = Field(None, max_length=40, description="A code; who has the lot if left out")
    reason: Why = Field(examples=["No lot covers it; Birch has a crew nearby."])
    seen: SeenOfEach


@router.post("", status_code=201)
def issue_orders(given: ByHand, tx: Write, now: Now, asker: Annotated[Asker, OPERATOR]) -> SteppedMany:
    """Order the repair of confirmed defects that have no order: no lot covers them, or theirs was cancelled."""
    del asker
    codes = [references.read(one) for one in given.defects]
    issued = order_by_hand(tx, codes, given.contractor, given.reason, now, given.seen)
    return SteppedMany(orders=[Stepped.of(order) for order in issued])


class AcceptMany(Input):
    references: list[Annotated[Words, Field(max_length=20)]] = Field(
        min_length=1, max_length=1000, examples=[["W-7K3M-9QXF", "W-2P5R-8ABC"]]
    )


class Answered(BaseModel):
    """What became of one of many: its state now, or the problem's type and detail."""

    reference: str
    state: str | None
    problem: str | None = Field(None, examples=["not-found"])
    detail: str | None = None


class AnsweredMany(BaseModel):
    results: list[Answered]


@router.post("/accept")
def accept_many(given: AcceptMany, tx: Write, now: Now, asker: Annotated[Asker, CONTRACTOR]) -> AnsweredMany:
    """Accept many orders at once. Each has its own result; one that is refused holds up no other."""
    answers = act_on_order.accept_many(tx, [references.read(one) for one in given.references], company(asker), now)
    return AnsweredMany(
        results=[
            Answered(
                reference=one.reference,
                state=one.state,
                problem=None if one.refusal is None else one.refusal.code,
                detail=None if one.refusal is None else one.refusal.detail,
            )
            for one in answers
        ]
    )


@router.get("/{reference}")
def show_order(reference: Reference, tx: Read, asker: Annotated[Asker, READER]) -> Whole:
    """One order whole: defects with their places, what residents sent, visits, history, and what may follow."""
    return Whole.model_validate(read.whole(tx, references.read(reference), asker.contractor_id))


@router.post("/{reference}/accept")
def accept_order(reference: Reference, tx: Write, now: Now, asker: Annotated[Asker, CONTRACTOR]) -> Stepped:
    """Accept an order. Accepting twice, or late, changes nothing."""
    return Stepped.of_own(act_on_order.accept(tx, references.read(reference), company(asker), now))


class Decline(Input):
    reason: Why = Field(examples=["No crew with traffic management this week."])


@router.post("/{reference}/decline")
def decline_order(
    reference: Reference, given: Decline, tx: Write, now: Now, asker: Annotated[Asker, CONTRACTOR]
) -> Stepped:
    """Decline an order: it goes to the next contractor, or to the operators."""
    return Stepped.of_own(act_on_order.decline(tx, references.read(reference), company(asker), given.reason, now))


class Schedule(Input):
    scheduled_for: Instant = Field(examples=["2026-12-01T08:00:00Z"])
    reason: Words = Field("", max_length=500, description="Needed when a promised time slips")


@router.post("/{reference}/schedule")
def schedule_order(
    reference: Reference, given: Schedule, tx: Write, now: Now, asker: Annotated[Asker, CONTRACTOR]
) -> Stepped:
    """Promise when the crew comes. Scheduling an order accepts it."""
    code = references.read(reference)
    return Stepped.of_own(act_on_order.schedule(tx, code, company(asker), given.scheduled_for, given.reason, now))


class Start(Input):
    client_id: UUID = Field(description="The phone's own id of the visit that it will tell of")
    started_at: Instant | None = None


@router.post("/{reference}/start")
def start_order(
    reference: Reference, given: Start, tx: Write, now: Now, asker: Annotated[Asker, CONTRACTOR]
) -> Stepped:
    """The crew is there. Optional: a visit tells it too."""
    code, began = references.read(reference), given.started_at or now
    return Stepped.of_own(act_on_order.start(tx, code, company(asker), str(given.client_id), began, now))


class Because(Act):
    reason: Why = Field(examples=["The scheme of next month covers it."])


@router.post("/{reference}/cancel")
def cancel_order(
    reference: Reference, given: Because, tx: Write, now: Now, asker: Annotated[Asker, OPERATOR]
) -> Stepped:
    """Withdraw an order before a crew has been there. Its defects wait for an operator."""
    del asker
    return Stepped.of(act_on_order.cancel(tx, references.read(reference), given.reason, now, seen=given.seen))


class Reissue(Because):
    contractor: Words | None = Field(None, max_length=40, description="A code; the next by lot if left out")


@router.post("/{reference}/reissue", status_code=201)
def reissue_order(
    reference: Reference, given: Reissue, tx: Write, now: Now, asker: Annotated[Asker, OPERATOR]
) -> Stepped:
    """Give an order's defects to another contractor under a new order, which the answer names."""
    del asker
    code = references.read(reference)
    return Stepped.of(act_on_order.reissue(tx, code, given.contractor, given.reason, now, seen=given.seen))


class Verdict(Act):
    verdict: Literal["passed", "failed"]
    why: Why = Field(examples=["Level with the road, edges sealed."])
    site_check: YesNo = Field(False, description="Somebody stood before it; needed where the evidence is lacking")


@router.post("/{reference}/verify")
def verify_order(
    reference: Reference, given: Verdict, tx: Write, now: Now, asker: Annotated[Asker, OPERATOR]
) -> Stepped:
    """A person's verdict on a repair, never by who did it. Passed starts the warranty; failed sends the crew again."""
    order = verify_repair.decide(
        tx,
        references.read(reference),
        passed=given.verdict == "passed",
        why=given.why,
        site_check=given.site_check,
        company=asker.contractor_id,
        now=now,
        seen=given.seen,
    )
    return Stepped.of(order)


@router.post("/{reference}/pay")
def pay_order(reference: Reference, tx: Write, now: Now, asker: Annotated[Asker, OPERATOR]) -> Stepped:
    """Note that a verified order is paid."""
    del asker
    return Stepped.of(act_on_order.pay(tx, references.read(reference), now))
