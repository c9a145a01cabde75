"""Ends warranties: when their last day is over, or when others have undone the repair; then closes their defects."""

from collections.abc import Sequence
from datetime import datetime

from shared.domain.events import DefectStepped
from shared.domain.terms import DefectState, WarrantyState
from shared.errors import Conflict, NotFound
from shared.flows.step_warranties import WarrantyWalk, walk_warranties
from shared.flows.take_steps import DefectWalk, walk_defects
from shared.store import defects, policies, warranties
from shared.store.engine import WriteTx

MOST_AT_ONCE = 5_000
"""Warranties that one sweep ends; the next one takes the rest."""


def expire_due(tx: WriteTx, now: datetime) -> int:
    """Let warranties expire whose last day is over in local time, to its very end. Returns how many."""
    try:
        today = now.astimezone(policies.in_force(tx, now).calendar.tz).date()
    except NotFound:
        return 0
    over = list(warranties.lock(tx, warranties.over(tx, today, MOST_AT_ONCE)).values())
    walks = [
        WarrantyWalk(row, (WarrantyState.EXPIRED,), "Its last day is over.", {"today": today, "ends_on": row.ends_on})
        for row in over
    ]
    walk_warranties(tx, walks, now)
    close(tx, [row.defect_id for row in over], "expired", "Its warranty has expired.", now)
    return len(over)


def close(tx: WriteTx, defect_ids: Sequence[int], ended: str, why: str, now: datetime) -> None:
    """Close those of the defects that no warranty stands for any more. `ended`: expired or void."""
    before, after = DefectState.IN_WARRANTY, DefectState.CLOSED
    told = [
        DefectStepped(defect_id=one, before=before, after=after, why=why)
        for one in warranties.unwarranted(tx, defect_ids)
    ]
    walk_defects(tx, [DefectWalk(said.defect_id, (said,), {ended: True}) for said in told], now)


def void(tx: WriteTx, reference: str, reason: str, evidence: str, now: datetime) -> None:
    """Make the warranty of this defect void: others dug it up, it was resurfaced, a newer repair took its place.

    Raises:
        NotFound: there is no such defect.
        Conflict: no warranty of it stands, or a recall of it is to be decided first.
        GuardNotMet: the reason is none of the lifecycle's, or there is no evidence.
    """
    row = defects.lock_one(tx, reference)
    standing = warranties.lock_unfinished(tx, [row.id]).get(row.id, [])
    if not standing:
        raise Conflict(f"No warranty of {row.reference} stands.")
    promise = standing[-1]
    if promise.state is not WarrantyState.ACTIVE:
        raise Conflict(f"The warranty of {row.reference} is {promise.state}: decide its recall first.")
    facts = {"void_reason": reason, "evidence": evidence}
    walk = WarrantyWalk(promise, (WarrantyState.VOID,), f"{reason}: {evidence}", facts, {"void_reason": reason})
    walk_warranties(tx, [walk], now)
    close(tx, [row.id], "void", f"Its warranty is void: {reason}.", now)
