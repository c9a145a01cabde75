"""What a visit does to its works order and to the defects it was about, in whatever order the news arrives.

DOMAIN 10.2 (job), 10.3 cases 8 and 11: late, repeated and out-of-order news is never lost; it moves only what it can.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.domain.evidence import skew
from shared.domain.policy import EvidenceRules, Policy
from shared.domain.terms import AbortReason, DefectState, OrderState, VisitOutcome
from shared.errors import Invalid

_O = OrderState
_D = DefectState
_V = VisitOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitTold:
    """A visit in the words of the crew's phone. Times are aware and by the phone's clock; metres for the patch.

    `client_id` is made by the phone; `defects` names those of the order that it was about, all of them when empty.
    """

    client_id: UUID
    order: str
    outcome: VisitOutcome
    started_at: datetime
    ended_at: datetime
    sent_at: datetime | None = None
    reason: AbortReason | None = None
    note: str = ""
    repair_type: str | None = None
    lat: float | None = None
    lon: float | None = None
    accuracy_m: float | None = None
    length_m: float | None = None
    width_m: float | None = None
    defects: tuple[str, ...] = ()

    def check(self, policy: Policy) -> None:
        """Refuse what no visit can be.

        Raises:
            Invalid: with every field that is wrong.
        """
        wrong: dict[str, str] = {}
        if self.ended_at < self.started_at:
            wrong["ended_at"] = "lies before started_at"
        if (self.outcome is _V.ABORTED) != (self.reason is not None):
            wrong["reason"] = "is given for an aborted visit, and only then"
        if self.repair_type is not None and self.repair_type not in policy.warranty.months:
            wrong["repair_type"] = f"is not one of {', '.join(sorted(policy.warranty.months))}"
        if (self.lat is None) != (self.lon is None):
            wrong["lat"] = "and lon come together or not at all"
        if wrong:
            raise Invalid("The visit cannot be as it was told; put this right and send it again.", wrong)


@dataclass(frozen=True, slots=True)
class Times:
    """When it was, by our clock: a phone's wrong clock is set right, and nothing lies after its arrival here."""

    started_at: datetime
    ended_at: datetime
    late_seconds: int


def set_right(told: VisitTold, received_at: datetime, rules: EvidenceRules) -> Times:
    """The times of a visit by our clock. What the phone said is kept beside them."""
    wrong = skew(told.sent_at, received_at, rules)
    ended = min(told.ended_at + wrong, received_at)
    started = min(told.started_at + wrong, ended)
    return Times(started, ended, int((received_at - ended).total_seconds()))


@dataclass(frozen=True, slots=True)
class Moves:
    """The visit moves its order: first along `arrival`, up to being on site, then along `leaving`."""

    arrival: tuple[OrderState, ...]
    leaving: tuple[OrderState, ...]


@dataclass(frozen=True, slots=True)
class KeptOnly:
    """The visit stays on record and moves nothing."""

    why: str


_ARRIVAL: Mapping[OrderState, tuple[OrderState, ...]] = {
    # The visit is told before the acceptance: it shows that the order was accepted.
    _O.ISSUED: (_O.ACCEPTED, _O.ON_SITE),
    _O.ACCEPTED: (_O.ON_SITE,),
    _O.SCHEDULED: (_O.ON_SITE,),
    _O.ON_SITE: (),
    _O.MADE_SAFE: (_O.ON_SITE,),
    _O.REMEDIAL: (_O.ON_SITE,),
    _O.EVIDENCE_FAILED: (_O.ON_SITE,),
}
_LEAVING: Mapping[VisitOutcome, tuple[OrderState, ...]] = {
    _V.MADE_SAFE: (_O.MADE_SAFE,),
    _V.TEMPORARY: (_O.COMPLETED_TEMPORARY,),
    _V.PERMANENT: (_O.COMPLETED_PERMANENT,),
    _V.ABORTED: (_O.ABORTED, _O.ISSUED),
}


def effect(
    state: OrderState, outcome: VisitOutcome, *, later: Collection[VisitOutcome], judged: VisitOutcome | None
) -> Moves | KeptOnly:
    """What a visit does to an order that is in `state`.

    `later` are the outcomes of visits that moved the order and ended after this one; `judged` is the outcome whose
    evidence failed.
    """
    if state not in _ARRIVAL:
        return KeptOnly(f"The order is {_said(state)}; the visit is kept on record.")
    if state is _O.EVIDENCE_FAILED and outcome is not judged:
        return KeptOnly(f"The evidence of a {judged} repair is lacking; send that, or do that repair again.")
    if outcome is _V.ABORTED and later:
        return KeptOnly("A later visit got further; this one is kept on record.")
    if outcome is _V.MADE_SAFE and state is _O.MADE_SAFE and _V.MADE_SAFE in later:
        return KeptOnly("A later visit made it safe too; the earlier time is noted.")
    if outcome in (_V.TEMPORARY, _V.PERMANENT) and _V.MADE_SAFE in later:
        return KeptOnly("A later visit found it unmended and made it safe; this one is kept on record.")
    return Moves(_ARRIVAL[state], _LEAVING[outcome])


def _said(state: OrderState) -> str:
    return state.value.replace("_", " ")


_DEFECT_WAYS: Mapping[tuple[VisitOutcome, DefectState], tuple[DefectState, ...]] = {
    (_V.MADE_SAFE, _D.ORDERED): (_D.MADE_SAFE,),
    # The council made safe what another mends: it stays with its owner (DOMAIN 10.3, case 10).
    (_V.MADE_SAFE, _D.THIRD_PARTY): (_D.MADE_SAFE, _D.THIRD_PARTY),
    (_V.TEMPORARY, _D.ORDERED): (_D.REPAIRED_TEMPORARY,),
    (_V.TEMPORARY, _D.MADE_SAFE): (_D.REPAIRED_TEMPORARY,),
    (_V.PERMANENT, _D.ORDERED): (_D.REPAIR_CLAIMED,),
    (_V.PERMANENT, _D.MADE_SAFE): (_D.REPAIR_CLAIMED,),
}


def way_of_defect(outcome: VisitOutcome, state: DefectState) -> tuple[DefectState, ...]:
    """The states that a visit takes a defect through; none where it changes nothing."""
    return _DEFECT_WAYS.get((outcome, state), ())
