"""What a repair is worth: its term, its footprint, and whether a failure there is the repair's (DOMAIN 5.3, 10.2)."""

from dataclasses import dataclass
from datetime import date, timedelta

from shared.domain.deadlines import add_months
from shared.domain.policy import Policy
from shared.domain.terms import Band
from shared.errors import Invalid


@dataclass(frozen=True, slots=True)
class Term:
    """Local days, both inclusive: on `ends_on` the promise holds until 23:59:59."""

    starts_on: date
    ends_on: date

    def covers(self, day: date) -> bool:
        return self.starts_on <= day <= self.ends_on


def term(completed_on: date, months: int) -> Term:
    """The term of a repair completed on a local day: start + n months (month-end clipped) - 1 day.

    Raises:
        Invalid: fewer than one month: such a repair is not warranted.
    """
    if months < 1:
        raise Invalid("A warranty runs for at least a month.", {"months": "is less than 1"})
    return Term(completed_on, add_months(completed_on, months) - timedelta(days=1))


def months_for(repair_type: str | None, band: Band, policy: Policy) -> int:
    """Months that a repair is warranted for: by its type, else by its band. 0: not at all (temporary, made safe)."""
    by_type = policy.warranty.months.get(repair_type or "")
    return policy.bands[band].warranty_months if by_type is None else by_type


@dataclass(frozen=True, slots=True)
class Patch:
    """A repair's size in metres, along and across the road."""

    length_m: float
    width_m: float


def patch(length_m: float | None, width_m: float | None, class_code: str, policy: Policy) -> Patch:
    """The patch as measured by the visit; a side that was not measured is the class's usual one.

    Raises:
        Invalid: a side is not above 0, or above 200 m.
    """
    usual = 2 * policy.classes[class_code].patch_m
    sides = {"length_m": length_m, "width_m": width_m}
    for name, side in sides.items():
        if side is not None and not 0 < side <= 200:
            raise Invalid(f"{name} is more than 0 and at most 200 metres, not {side:g}.", {name: "is out of range"})
    return Patch(*(usual if side is None else side for side in sides.values()))


def grown(first: Patch, remedial: Patch, policy: Policy) -> bool:
    """Whether a remedial repair goes beyond the footprint of the first by more than the policy's reach."""
    reach = policy.warranty.footprint_m
    return remedial.length_m > first.length_m + reach or remedial.width_m > first.width_m + reach


def after_recall(first: Term, remedied_on: date, *, has_grown: bool, months: int, policy: Policy) -> Term:
    """The term after a remedial repair: what remains of the first, at least the policy's months.

    Grown beyond the first footprint, it is a new repair with a new warranty of `months` (DOMAIN 5.2, 10.2).
    """
    if has_grown:
        return term(remedied_on, max(months, policy.warranty.min_remaining_months))
    least = policy.warranty.min_remaining_months
    ends_on = max(first.ends_on, term(remedied_on, least).ends_on) if least else max(first.ends_on, remedied_on)
    return Term(remedied_on, ends_on)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What was seen at a repair. `distance_m`: from the footprint, 0 inside it.

    `excavated_on`, `resurfaced_on`: when others last worked there; None: not known of.
    """

    seen_on: date
    distance_m: float
    same_kind: bool
    excavated_on: date | None = None
    resurfaced_on: date | None = None


@dataclass(frozen=True, slots=True)
class Attributable:
    """The rules find the failure to be the repair's; a person decides."""

    why: str


@dataclass(frozen=True, slots=True)
class NotAttributable:
    """The rules find it is not. `void_reason`: excavated or resurfaced, when that ended the warranty too."""

    why: str
    void_reason: str | None = None


def attribute(failure: Failure, promised: Term, policy: Policy) -> Attributable | NotAttributable:
    """What the rules say of a failure: same footprint, in term, and nothing done by others since (DOMAIN 5.4).

    `promised` starts on the day of completion: what others did up to that day does not matter.
    """
    others = _by_others(failure, promised)
    if others:
        return others
    if not promised.covers(failure.seen_on):
        return NotAttributable(
            f"Seen on {failure.seen_on}; the warranty runs {promised.starts_on} to {promised.ends_on}."
        )
    if failure.distance_m > policy.warranty.footprint_m:
        return NotAttributable(f"{failure.distance_m:.1f} m from the patch: beyond {policy.warranty.footprint_m:g} m.")
    if not failure.same_kind:
        return NotAttributable("It is another kind of defect than the one repaired.")
    days = (failure.seen_on - promised.starts_on).days
    where = "In" if failure.distance_m == 0 else f"{failure.distance_m:.1f} m from"
    return Attributable(f"{where} the patch, {days} days after completion; no work by others is known since.")


def _by_others(failure: Failure, promised: Term) -> NotAttributable | None:
    for reason, on in (("excavated", failure.excavated_on), ("resurfaced", failure.resurfaced_on)):
        if on is not None and promised.starts_on < on <= failure.seen_on:
            return NotAttributable(f"The place was {reason} on {on}, after the repair.", reason)
    return None
