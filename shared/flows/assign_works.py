"""Confirmed and graded defects become works orders for the contractor whose lot covers them (DOMAIN 10.2, 10.3)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from shared.domain.assignment import Assigned, Placed, ToAssign, Unassigned, choose, group
from shared.domain.terms import Band, ContractorId, OrderId
from shared.flows.follow_merges import follow_merges
from shared.flows.issue_works import Instruction, follow_grades, issue, join
from shared.logs import logger
from shared.store import policies, wanting, works
from shared.store.deliveries import Delivery
from shared.store.engine import ReadTx, WriteTx
from shared.store.wanting import Wanting
from shared.store.works import Coverable, Order

log = logger(__name__)

MOST_AT_ONCE = 500
"""Defects without an order that one sweep takes."""


def run(tx: WriteTx, due: Sequence[Delivery], now: datetime) -> None:
    """Hear of defects graded, merged, repaired temporarily or recalled. Orders follow the clocks of what they cover."""
    follow_merges(tx, [one.subject_id for one in due if one.kind == "DefectMerged"], now)
    decided = [one.subject_id for one in due if one.kind == "RecallDecided"]
    about = [one.subject_id for one in due if one.kind != "RecallDecided"]
    assign(tx, sorted({*about, *wanting.recalled(tx, decided)}), now)
    graded = [one.subject_id for one in due if one.kind == "DefectGraded"]
    follow_grades(tx, works.open_orders_of(tx, graded), "A defect of the order was graded anew.", now)


def assign_waiting(tx: WriteTx, now: datetime) -> int:
    """Give orders to defects that wait for one because no lot covered them, or their delivery came too early.

    Those whose last order a person cancelled are left to people. Returns how many orders were issued.
    """
    waiting = wanting.waiting_kinds(tx)
    if not waiting:
        return 0
    lots = Lots(tx, now)
    kinds = [kind for kind in waiting if isinstance(lots.of_kind(*kind), Assigned)]
    return len(assign(tx, wanting.waiting(tx, kinds, MOST_AT_ONCE), now))


def assign(tx: WriteTx, defect_ids: Sequence[int], now: datetime) -> list[OrderId]:
    """Issue what these defects want, each in the state that its row shows now. Returns the new orders' ids."""
    wanted = wanting.wanting(tx, defect_ids) if defect_ids else []
    if not wanted:
        return []
    lots = Lots(tx, now)
    recalls = [one for one in wanted if one.promised_by is not None]
    temporary = [one for one in wanted if one.defect.state == "repaired_temporary"]
    lasting = [one for one in temporary if one.at_cost_of is None]
    owed = [one for one in temporary if one.at_cost_of is not None]
    first = [one.defect for one in wanted if one.defect.state in ("confirmed", "made_safe", "ordered")]
    others = [one.defect for one in wanted if one.defect.state == "third_party"]
    told = [
        *map(_remedial, recalls),
        *map(_owed, owed),
        *_lasting(lasting, lots),
        *_safety(others, lots),
        *_repairs(tx, first, lots, now),
    ]
    issued = issue(tx, told, now)
    works.remember_remedies(
        tx, [(one.recall_id, order) for one, order in zip(recalls, issued, strict=False) if one.recall_id]
    )
    works.pass_on_remedies(
        tx, [(one.replaces, order) for one, order in zip(owed, issued[len(recalls) :], strict=False) if one.replaces]
    )
    return issued


class Lots:
    """Who mends what today: the lots of the policy in force, asked once for each kind of defect."""

    def __init__(self, tx: ReadTx, now: datetime) -> None:
        in_force = policies.in_force(tx, now)
        self.policy = in_force.policy
        self.contractors: Mapping[str, ContractorId] = works.contractors(tx)
        self._codes: dict[int, str] = {contractor: code for code, contractor in self.contractors.items()}
        self._today = now.astimezone(in_force.calendar.tz).date()
        self._known: dict[object, Assigned | Unassigned] = {}

    def of_kind(
        self, class_code: str, band: str, area_code: str | None, declined_by: Sequence[int] = ()
    ) -> Assigned | Unassigned:
        """The contractor for a class, band and area who has not declined."""
        kind = (class_code, band, area_code, tuple(declined_by))
        if kind not in self._known:
            self._known[kind] = self._choose(*kind)
        return self._known[kind]

    def _choose(
        self, class_code: str, band: str, area_code: str | None, declined_by: tuple[int, ...]
    ) -> Assigned | Unassigned:
        if class_code not in self.policy.classes:
            return Unassigned(f"The policy in force does not know the class {class_code}.")
        areas = frozenset() if area_code is None else frozenset({area_code})
        declined = frozenset(self._codes[one] for one in declined_by)
        chosen = choose(ToAssign(class_code, Band(band), areas, declined), self.policy, self._today)
        if isinstance(chosen, Assigned) and chosen.contractor not in self.contractors:
            return Unassigned(f"The contractor {chosen.contractor} of lot {chosen.lot} is not known here.")
        return chosen

    def place(self, defects: Iterable[Coverable], kind: str) -> list[tuple[tuple[Coverable, ...], Assigned]]:
        """The defects in orders that they can share, each with its contractor; those nobody takes are logged."""
        by_id = {one.id: one for one in defects}
        chosen = {one.id: self.of_kind(one.class_code, one.band, one.area_code) for one in by_id.values()}
        placed = []
        for one in by_id.values():
            match chosen[one.id]:
                case Assigned(contractor, lot):
                    placed.append(Placed(one.id, contractor, lot, Band(one.band), one.street_key, kind))
                case Unassigned(why):
                    log.warning("defect_unassigned", defect_id=one.id, why=why)
        return [
            (tuple(by_id[one.defect_id] for one in together), _the_contractor(chosen[together[0].defect_id]))
            for together in group(placed, self.policy)
        ]


def _the_contractor(chosen: Assigned | Unassigned) -> Assigned:
    assert isinstance(chosen, Assigned)  # noqa: S101 (narrows a type)
    return chosen


def _remedial(recalled: Wanting) -> Instruction:
    why = "The repair failed under its warranty: the same contractor does it again at its own cost."
    return _at_its_cost(recalled.promised_by, recalled, recalled.failed_order, why)


def _owed(temporary: Wanting) -> Instruction:
    """A failed repair was mended for the time being: the lasting one is still owed."""
    why = "After the temporary repair of a failed one: the lasting repair is still at the contractor's cost."
    return _at_its_cost(temporary.at_cost_of, temporary, temporary.replaces, why)


def _at_its_cost(contractor: ContractorId | None, wanting: Wanting, follows: OrderId | None, why: str) -> Instruction:
    assert contractor is not None  # noqa: S101 (narrows a type)
    return Instruction(
        contractor_id=contractor,
        lot="warranty",
        defects=(wanting.defect,),
        kind="remedial",
        charge_to="contractor",
        follows=follows,
        why=why,
    )


def _lasting(wanted: Sequence[Wanting], lots: Lots) -> list[Instruction]:
    """The permanent order that a temporary repair raises by itself, one for each order that was so repaired."""
    by_order = defaultdict(list)
    for one in wanted:
        by_order[one.replaces].append(one.defect)
    return [
        Instruction(
            contractor_id=lots.contractors[chosen.contractor],
            lot=chosen.lot,
            defects=together,
            kind="permanent",
            follows=before,
            why=f"After the temporary repair. {chosen.why}",
        )
        for before, defects in by_order.items()
        for together, chosen in lots.place(defects, "permanent")
    ]


def _safety(defects: Sequence[Coverable], lots: Lots) -> list[Instruction]:
    """Another owns it and will mend it; the council makes it safe meanwhile (DOMAIN 5.2)."""
    return [
        Instruction(
            contractor_id=lots.contractors[chosen.contractor],
            lot=chosen.lot,
            defects=together,
            kind="make_safe",
            why=f"To make safe what its owner has to mend. {chosen.why}",
        )
        for together, chosen in lots.place(defects, "make_safe")
    ]


def _repairs(tx: WriteTx, defects: Sequence[Coverable], lots: Lots, now: datetime) -> list[Instruction]:
    """First repairs: those that an order on their street can still take join it, the others get orders of their own."""
    placed = lots.place(defects, "repair")
    open_orders = _OnStreet(tx, placed, lots)
    told, joined = [], []
    for together, chosen in placed:
        contractor_id = lots.contractors[chosen.contractor]
        order = open_orders.room_for(contractor_id, chosen.lot, together)
        if order is not None:
            joined.append((order, together))
        else:
            told.append(Instruction(contractor_id=contractor_id, lot=chosen.lot, defects=together, why=chosen.why))
    join(tx, joined, now)
    return told


class _OnStreet:
    """Orders that are issued, not accepted yet, and have room for more of their street."""

    def __init__(self, tx: WriteTx, placed: Sequence[tuple[tuple[Coverable, ...], Assigned]], lots: Lots) -> None:
        streets = {defects[0].street_key for defects, _ in placed if defects[0].band in lots.policy.works.share_bands}
        keys = sorted(street for street in streets if street is not None)
        contractors = sorted({lots.contractors[chosen.contractor] for _, chosen in placed})
        self._most = lots.policy.works.max_defects_per_order
        self._orders: dict[object, list[Order]] = defaultdict(list)
        for order in works.joinable(tx, contractors, keys) if keys else []:
            self._orders[order.contractor_id, order.lot, order.band, order.street_key].append(order)

    def room_for(self, contractor_id: int, lot: str, defects: Sequence[Coverable]) -> Order | None:
        """The first of them that takes all of these, who are of one street. It is given once."""
        first = defects[0]
        known = self._orders[contractor_id, lot, first.band, first.street_key]
        found = next((order for order in known if len(order.defect_ids) + len(defects) <= self._most), None)
        if found is not None:
            known.remove(found)
        return found
