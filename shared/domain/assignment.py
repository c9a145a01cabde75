"""Who mends it: the lot that covers area, class and band on the day; and which defects can share an order."""

from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from operator import attrgetter

from shared.domain.policy import Lot, Policy
from shared.domain.terms import Band, DefectId


@dataclass(frozen=True, slots=True)
class ToAssign:
    """What of a defect decides who mends it: `areas` are the codes of every area it lies in.

    `declined`: the codes of the contractors who have declined it.
    """

    class_code: str
    band: Band
    areas: frozenset[str]
    declined: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Assigned:
    contractor: str
    lot: str
    why: str


@dataclass(frozen=True, slots=True)
class Unassigned:
    """No contractor takes it: an operator has to."""

    why: str


def choose(defect: ToAssign, policy: Policy, on: date) -> Assigned | Unassigned:
    """The contractor of the most specific lot that covers the defect on a (local) day and that has not declined it.

    A lot that names the class goes before one that names the group, then the area, then the band; of equals, the first
    in the policy.
    """
    rule = policy.classes[defect.class_code]
    if rule.specialist:
        return Unassigned(f"{rule.title}: the {rule.specialist} team mends it, not a lot.")
    covering = [lot for lot in policy.lots if _covers(lot, defect, rule.group, on)]
    if not covering:
        return Unassigned(f"No lot covers {defect.class_code}, band {defect.band}, in {_said(defect.areas)} on {on}.")
    free = [lot for lot in covering if lot.contractor not in defect.declined]
    if not free:
        return Unassigned("Every contractor whose lot covers it has declined.")
    lot = max(free, key=_specificity)
    skipped = sorted({other.contractor for other in covering} - {other.contractor for other in free})
    why = f"Lot {lot.code} covers {defect.class_code}, band {defect.band}, in {_said(defect.areas)}."
    if skipped:
        why += f" Declined by {', '.join(skipped)}."
    return Assigned(lot.contractor, lot.code, why)


def _covers(lot: Lot, defect: ToAssign, group: str, on: date) -> bool:
    return all(
        (
            lot.from_ <= on,
            lot.to is None or on <= lot.to,
            _within(lot.areas, defect.areas),
            _within(lot.classes, {defect.class_code}),
            _within(lot.groups, {group}),
            _within(lot.bands, {defect.band.value}),
        )
    )


def _within(named: Sequence[str], having: Collection[str]) -> bool:
    return "*" in named or not set(named).isdisjoint(having)


def _specificity(lot: Lot) -> tuple[bool, bool, bool, bool]:
    return ("*" not in lot.classes, "*" not in lot.groups, "*" not in lot.areas, "*" not in lot.bands)


def _said(areas: Collection[str]) -> str:
    return " and ".join(sorted(areas)) or "no known area"


@dataclass(frozen=True, slots=True)
class Placed:
    """A defect with its contractor, ready for an order. `kind`: repair, permanent or remedial.

    `street_key` None: its street is not known, so it gets an order of its own.
    """

    defect_id: DefectId
    contractor: str
    lot: str
    band: Band
    street_key: str | None
    kind: str = "repair"
    charge_to: str = "council"


def group(placed: Iterable[Placed], policy: Policy) -> list[tuple[Placed, ...]]:
    """The orders to write: defects of one contractor, lot, band, kind and street together, at most the policy's number.

    Bands that the policy does not share (emergencies) and defects without a street get an order of their own.
    """
    ordered = sorted(placed, key=lambda one: (*map(str, _order_key(one, policy)), one.defect_id))
    most = policy.works.max_defects_per_order
    orders: list[tuple[Placed, ...]] = []
    for _, together in groupby(ordered, key=lambda one: _order_key(one, policy)):
        members = tuple(together)
        orders += [members[first : first + most] for first in range(0, len(members), most)]
    return orders


def _order_key(one: Placed, policy: Policy) -> tuple[Hashable, ...]:
    alone = one.street_key is None or one.band not in policy.works.share_bands
    own = one.defect_id if alone else 0
    return (*attrgetter("contractor", "lot", "kind", "charge_to", "band", "street_key")(one), own)
