"""Detections that are plainly of one open defect: found and written by the database, ten thousand in two statements.

Most of what a survey sees is known, stands by itself and is no question to anybody. The rule is the domain's
(`domain/dedupe.py: judge`); this says for which of a batch its answer is certain, and must give the very same one
(`tests/flows/test_plain_matches.py` holds the two against each other). Whatever is left goes to the judge.

A detection is left to him unless all of this holds. "Sharp" is a position whose accuracy never widens the distance at
which two are one; "far" is that distance at most, "reach" the distance of any two positions at most:

- it is sharp, its class founds defects, and it is sure enough to count;
- all places that it could be of, whatever else the rule says (within far, or within reach of what is not sharp), are of
  one open defect of its class, sharp, on its street, side and level, seen lately, and near enough for certain;
- its own pass has not seen that defect, nor anything so near; no patch under warranty is within reach;
- no other of the batch, and none that waits for another pass, is within twice far, or twice reach where that is not
  sharp. So nothing that they join or found can come to lie, or have lain, within far of this one: of three points of
  which two are within far of each other and both beyond twice far of the third, neither these two nor what is averaged
  from them is within far of it; likewise with reach.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import text

from shared.domain.policy import Policy
from shared.domain.priority import size_steps
from shared.domain.terms import DefectId
from shared.store import matching
from shared.store.detections_due import Batch, Next
from shared.store.engine import ReadTx, WriteTx
from shared.store.matching import A_PASS_LASTS, BOX_M, BY_A_PERSON, CLAIMABLE, OPEN, SHOWN_WITHIN_M
from shared.store.policies import InForce
from shared.store.tables import GRID

_SQL = Path(__file__).parent / "sql"
_FIND = (_SQL / "match_plain.sql").read_text()
_LINK = text((_SQL / "link_plain.sql").read_text().replace("{by_a_person}", BY_A_PERSON))


class Plain(NamedTuple):
    """A detection and the defect that it is of: how far from where that was seen, and whether its side is known."""

    detection_id: int
    defect_id: DefectId
    distance_m: float
    sided: bool


@dataclass(frozen=True, slots=True)
class _Limits:
    """What the rules say of every class, for the statement."""

    params: Mapping[str, Any]


def find(tx: ReadTx, batch: Batch, due: Next, policy: Policy, since: datetime, until: datetime) -> list[Plain]:
    """The plain ones among a batch's next detections. `since` and `until`: when those came that wait."""
    asking = {
        **_limits(policy).params,
        **due.of(batch),
        "since": since,
        "until": until,
        "a_pass": A_PASS_LASTS,
        "box": BOX_M,
        "shown": SHOWN_WITHIN_M,
        "open": OPEN,
        "live": CLAIMABLE,
        "grid": GRID,
    }
    # The planner knows nothing of how much these parts hold: it would compare each of one with each of another.
    # What is to be looked up one by one stands in a subquery of its own.
    tx.execute(_NESTED, {"on": "off"})
    found = [Plain(*row) for row in matching.fetch(tx, _FIND, asking)]
    tx.execute(_NESTED, {"on": "on"})
    return found


_NESTED = text("SELECT set_config('enable_nestloop', :on, true)")


@lru_cache(maxsize=8)
def _limits(policy: Policy) -> _Limits:
    rules = matching.all_rules(policy)
    far = max(max(min(one.same_cap_m, one.same_floor_m), one.ai_pass_m) for one in rules)
    reach = max(max(one.same_cap_m, one.ai_pass_m) for one in rules)
    sharp = min((one.same_floor_m / one.accuracy_factor for one in rules if one.accuracy_factor), default=float("inf"))
    kinds = sorted(policy.classes)
    own = [policy.duplicates_of(kind) for kind in kinds]
    kins = _kins(policy)
    return _Limits(
        {
            "classes": kinds,
            "kins": [kins[kind] for kind in kinds],
            "acting": [not policy.classes[kind].condition_only for kind in kinds],
            "near": [min(one.same_cap_m, one.same_floor_m) for one in own],
            "days": [float(min(one.max_age_days, one.lone_max_age_days)) for one in own],
            "confidence": policy.detections.min_confidence_queue,
            "far": far,
            "reach": reach,
            "sharp": sharp,
            "cell": 2 * reach,
        }
    )


def _kins(policy: Policy) -> dict[str, int]:
    """A number for each class, the same for all that may be mixed up with one another, also by way of a third."""
    found: dict[str, int] = {}
    for number, kind in enumerate(sorted(policy.classes)):
        open_ = [kind]
        while open_:
            one = open_.pop()
            if one not in found:
                found[one] = number
                open_ += policy.kinds_like(one)
    return found


def link(
    tx: WriteTx, plain: Sequence[Plain], batch: Batch, due: Next, policy: InForce, now: datetime
) -> list[DefectId]:
    """Write the sightings, and what their defects gain by them. The defects are locked, and open.

    Returns those of which a size was reached that some grade looks at, or that were known earlier.
    """
    if not plain:
        return []
    steps = size_steps(policy.policy)
    ids, defects, away, sided = zip(*plain, strict=True)
    params = {
        **due.of(batch),
        "seen": matching.listed(ids),
        "defects": matching.listed(defects),
        "away": matching.listed(away),
        "sided": matching.listed(sided),
        "depths": list(steps.depth_mm),
        "widths": list(steps.width_mm),
        "shown": SHOWN_WITHIN_M,
        "grid": GRID,
        "policy": policy.id,
        "now": now,
    }
    return [DefectId(row.id) for row in tx.execute(_LINK, params) if row.more]
