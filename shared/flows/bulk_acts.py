"""One act on many defects, held for some seconds in which it can be undone; then done one by one, each for itself.

The consumer `acts` does it, in parts of some dozens: a worker that is killed has done nothing of its part, and what was
done stands in `results`, so that no part is done twice. One defect that is refused holds up no other.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from shared.domain.bulk import MOST, Act, Asked
from shared.domain.events import BulkActAsked, BulkActDone, BulkActUndone, Consumer, PeopleTold
from shared.domain.terms import EventId
from shared.errors import Conflict, Invalid, NotFound, Refusal
from shared.flows import assess_defect
from shared.flows.order_by_hand import order_by_hand
from shared.flows.weigh_finding import Decision, Finding
from shared.store import bulk_acts, covers, deliveries, event_log, meanwhile
from shared.store.bulk_acts import BulkAct
from shared.store.deliveries import Delivery
from shared.store.engine import WriteTx

HELD = timedelta(seconds=20)
"""How long an act can be undone."""
SEEN = "seen"
"""In an act's body: by reference, the newest event of each defect when it was asked for (`flows/meanwhile.py`)."""
PART = 50
"""Defects that one transaction does: some hundred milliseconds in which their rows are locked."""


def ask(tx: WriteTx, asked: Asked, now: datetime, *, supervises: bool) -> int:
    """Write down an act that is to be done when its time to be undone is over. Returns its id.

    The same act asked for again while it is held is the one that is held: an answer that was lost doubles nothing.

    Raises:
        Invalid: it names no defect, or too many.
    """
    if not 0 < len(asked.defects) <= MOST:
        raise Invalid(f"Choose between 1 and {MOST} defects.", {"defects": f"are {len(asked.defects)}"})
    held = bulk_acts.asked_lately(tx, asked.act, asked.defects, asked.body, SEEN, now - HELD)
    if held is not None:
        return held
    due_at = now + HELD
    body = {**asked.body, SEEN: _seen(tx, asked.defects)}
    act_id = bulk_acts.add(tx, asked.act, asked.defects, body, supervises=supervises, now=now, due_at=due_at)
    told = BulkActAsked(bulk_act_id=act_id, act=asked.act, defects=len(asked.defects), due_at=due_at)
    (event_id,) = event_log.append(tx, told, now)
    deliveries.hold(tx, Consumer.ACTS, event_id, due_at)
    return act_id


def _seen(tx: WriteTx, references: Sequence[str]) -> dict[str, int]:
    """How each stands while the act is held: what somebody else does to one of them meanwhile refuses it there."""
    ids = covers.defects_named(tx, references)
    newest = meanwhile.newest(tx, "defect", list(ids.values()))
    return {reference: newest[defect_id] for reference, defect_id in ids.items()}


def undo(tx: WriteTx, act_id: int, now: datetime) -> None:
    """Take back an act of one's own that has not begun. Taking it back twice changes nothing.

    Raises:
        NotFound: the actor has asked for no such act.
        Conflict: it is done, or being done.
    """
    act = bulk_acts.lock(tx, act_id)
    if act is None or act.actor != tx.actor:
        raise NotFound(f"You have asked for no act {act_id}.")
    if act.done_at is not None or act.results:
        raise Conflict("It is done already. Look at what became of each, and put right what is wrong one by one.")
    if act.undone_at is None:
        bulk_acts.undo(tx, act_id, now)
        deliveries.call_off(tx, Consumer.ACTS, act_id)
        event_log.append(tx, BulkActUndone(bulk_act_id=act_id), now)


# --- done ------------------------------------------------------------------------------------------------------------


def run(tx: WriteTx, due: Sequence[Delivery], now: datetime) -> list[EventId]:
    """The `acts` consumer: does a part of each act whose time has come. Gives back those that go on."""
    return [one.event_id for one in due if _goes_on(tx, one.subject_id, now)]


def _goes_on(tx: WriteTx, act_id: int, now: datetime) -> bool:
    """Do the next part of an act. Locks its row first: whoever would undo it waits, and is told that it has begun."""
    act = bulk_acts.lock(tx, act_id)
    if act is None or act.undone_at is not None or act.done_at is not None:
        return False
    begin, end = len(act.results), len(act.results) + PART
    results = [_done(tx, act, reference, now) for reference in act.defects[begin:end]]
    over = end >= len(act.defects)
    bulk_acts.note(tx, act_id, results, now if over else None)
    if over:
        refused = sum("problem" in one for one in (*act.results, *results))
        event_log.append(tx, BulkActDone(bulk_act_id=act_id, done=len(act.defects) - refused, refused=refused), now)
    return not over


def _done(tx: WriteTx, act: BulkAct, reference: str, now: datetime) -> dict[str, Any]:
    """Do it to one defect, in the name of who asked. What became of it, or why it was refused."""
    try:
        with tx.part(act.actor) as acting:
            became = _WAYS[Act(act.kind)](acting, act, reference, now)
    except Refusal as no:
        return {"reference": reference, "problem": no.code, "detail": no.detail}
    return {"reference": reference, **became}


def _assign(tx: WriteTx, act: BulkAct, reference: str, now: datetime) -> dict[str, Any]:
    seen = {reference: known} if (known := _known(act, reference)) is not None else None
    (order,) = order_by_hand(tx, [reference], act.body.get("contractor"), act.body["reason"], now, seen)
    return {"state": "ordered", "works_order": order.reference}


def _known(act: BulkAct, reference: str) -> int | None:
    known: int | None = act.body.get(SEEN, {}).get(reference)
    return known


def _assess(tx: WriteTx, act: BulkAct, reference: str, now: datetime) -> dict[str, Any]:
    found, known = finding(Act(act.kind), act.body), _known(act, reference)
    said = assess_defect.assess(tx, reference, found, now, supervises=act.supervises, seen=known)
    return {"state": said.state, "band": said.graded.band}


def _message(tx: WriteTx, act: BulkAct, reference: str, now: datetime) -> dict[str, Any]:
    known = covers.defects_named(tx, [reference])
    if reference not in known:
        raise NotFound(f"There is no defect {reference}.")
    event_log.append(tx, PeopleTold(defect_id=known[reference], words=act.body["words"]), now)
    return {}


_WAYS = {Act.ASSIGN: _assign, Act.GRADE: _assess, Act.REFER: _assess, Act.MESSAGE: _message}


def finding(act: Act, body: Mapping[str, Any]) -> Finding:
    """What a person found, as the body of a grade or a referral says it."""
    told = {name: value for name, value in body.items() if name != SEEN}
    return Finding(decision=Decision.CONFIRM if act is Act.GRADE else Decision.THIRD_PARTY, **told)
