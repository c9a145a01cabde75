"""An operator orders what no rule has ordered: no lot covers it, or its order was cancelled."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from shared.errors import Invalid
from shared.flows import meanwhile
from shared.flows.act_on_order import CannotDecline
from shared.flows.assign_works import assign
from shared.flows.issue_works import Instruction, issue
from shared.store import covers, references, wanting, works
from shared.store.engine import ReadTx, WriteTx
from shared.store.wanting import Wanting
from shared.store.works import Order


def order_by_hand(
    tx: WriteTx,
    named: Sequence[str],
    contractor: str | None,
    reason: str,
    now: datetime,
    seen: Mapping[str, int] | None = None,
) -> list[Order]:
    """Order these defects from the named contractor, each for itself, or else from those who have the lots.

    `seen`: by the defect's reference, the newest event that was known of it (`flows/meanwhile.py`).

    Raises:
        ChangedMeanwhile: somebody changed one of them since it was seen.
        Invalid: a defect wants no order or has one, no lot covers it, or there is no such contractor.
        CannotDecline: what failed under warranty goes back to who did it, and is not given to a named contractor.
    """
    ids = covers.defects_named(tx, named)
    wanted = wanting.wanting(tx, list(ids.values()))
    known = {references.read(one): event_id for one, event_id in (seen or {}).items()}
    meanwhile.check(tx, "defect", {ids[one]: known[one] for one in known if one in ids}, now)
    if refused := sorted(set(named) - {one.defect.reference for one in wanted}):
        raise Invalid(f"These want no order, or have one: {', '.join(refused)}.", {"defects": "want no order"})
    if contractor is None:
        assign(tx, list(ids.values()), now)
    else:
        issue(tx, _told(tx, wanted, contractor, reason), now)
    if left := covers.uncovered(tx, list(ids.values())):
        names = sorted(name for name, defect_id in ids.items() if defect_id in left)
        raise Invalid(f"No lot covers {', '.join(names)}: name a contractor.", {"contractor": "is needed"})
    return works.lock_many(tx, works.open_orders_of(tx, list(ids.values())))


def check_wanted(tx: ReadTx, reference: str, defect_id: int) -> None:
    """Let a person order a defect's repair.

    Raises:
        Invalid: it wants no order, or has one.
    """
    if wanting.wants(tx, [defect_id]):
        return
    orders = works.look_at(tx, works.open_orders_of(tx, [defect_id]))
    if orders:
        raise Invalid(f"{reference} has the works order {orders[0].reference}: cancel it, or give it to another.")
    raise Invalid(f"{reference} wants no works order: only what is confirmed, or made safe, and graded does.")


def _told(tx: WriteTx, wanted: Sequence[Wanting], contractor: str, reason: str) -> list[Instruction]:
    to = works.contractors(tx).get(contractor)
    if to is None:
        raise Invalid(f"There is no contractor {contractor}.", {"contractor": "is not known"})
    if any(one.promised_by or one.at_cost_of for one in wanted):
        raise CannotDecline("A repair that failed under warranty goes back to who did it: name no contractor.")
    return [
        Instruction(
            contractor_id=to,
            lot="by hand",
            defects=(one.defect,),
            kind=_kind(one),
            follows=one.replaces,
            why=reason,
        )
        for one in wanted
    ]


def _kind(one: Wanting) -> str:
    if one.replaces is not None:
        return "permanent"
    return "make_safe" if one.defect.state == "third_party" else "repair"
