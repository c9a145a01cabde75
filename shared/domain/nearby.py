"""Is it one of these? Which defects and repairs a person is shown before a report is written, and what may be said.

An open one may be "that's it": a sighting instead of a second report. A finished repair may have "failed again": a
report at its patch, so that matching proposes the recall (DOMAIN 9, 10.3 case 6).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.likeness import same_street
from shared.domain.policy import DuplicateRules
from shared.domain.terms import OPEN_DEFECT, DefectState
from shared.domain.whereabouts import HERE_M, away

MOST = 5
REPAIRED_LATELY = timedelta(days=365)
"""A finished repair that is not under warranty any more is shown for so long."""
FINISHED = frozenset({DefectState.VERIFIED, DefectState.IN_WARRANTY, DefectState.CLOSED})
"""The work is done: what is seen there now is a failure, or another defect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """A defect near a place. `photo` is the reference of one that the public may see; times are aware."""

    reference: str
    class_code: str
    state: DefectState
    distance_m: float
    street_key: str | None
    street: str | None
    known_at: datetime
    repaired_at: datetime | None
    photo: str | None = None

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_DEFECT


def reach_m(accuracy_m: float, rules: DuplicateRules, *, rural: bool) -> float:
    """How far around a place to look: as far as matching would ask a person, or the accuracy where that is worse."""
    return max(rules.suggest_rural_m if rural else rules.suggest_m, accuracy_m)


def shown(near: Iterable[Near], now: datetime) -> Sequence[Near]:
    """The few that a person is asked about, the nearest first."""
    return sorted((one for one in near if _is_worth_asking(one, now)), key=_nearest)[:MOST]


def _is_worth_asking(one: Near, now: datetime) -> bool:
    if one.is_open:
        return True
    if one.state is DefectState.IN_WARRANTY:
        return True
    return one.state in FINISHED and one.repaired_at is not None and now - one.repaired_at <= REPAIRED_LATELY


def _nearest(one: Near) -> tuple[float, str]:
    return (one.distance_m, one.reference)


def where_in_words(one: Near, street_key: str | None) -> str:
    """How far away it is, and on which street: "about 20 metres away, on the same street"."""
    if one.distance_m < HERE_M:
        return away(one.distance_m)
    if same_street(street_key, one.street_key):
        return f"{away(one.distance_m)}, on the same street"
    return f"{away(one.distance_m)}, on {one.street}" if one.street else away(one.distance_m)
