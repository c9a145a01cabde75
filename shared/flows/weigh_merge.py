"""Weighs what a merge makes of the one that takes the other in: which way round it goes, whose band and clocks rule.

A candidate's band is nobody's decision: to what somebody has decided it brings its reports, as if they had been linked
to that, and danger among them calls for a person's look (`draw_grades.py`).
"""

from collections.abc import Callable, Mapping
from typing import Any

from shared.domain.terms import Band, DefectState
from shared.errors import Conflict
from shared.flows.draw_grades import CLOCKED
from shared.store.merges import Party

_D = DefectState
_DECIDED = {_D.CANDIDATE: 0, _D.MONITOR: 1, _D.DEFERRED_TO_SCHEME: 2, _D.THIRD_PARTY: 3}
"""How much is decided about a defect in these states; in any other it is the council's to mend, which is the most."""


def check_decided(absorbed: Party, taker: Party) -> None:
    """Let nothing that was decided, and no date that people were told, go under in what is less decided.

    Raises:
        Conflict: they are merged the other way round.
    """
    if _DECIDED.get(absorbed.state, len(_DECIDED)) > _DECIDED.get(taker.state, len(_DECIDED)):
        stand = " and ".join(f"{one.reference} is {one.state.replace('_', ' ')}" for one in (absorbed, taker))
        raise Conflict(
            f"{stand}: what was decided would be lost. Merge {taker.reference} into {absorbed.reference} instead."
        )


def gained(absorbed: Party, taker: Party) -> dict[str, Any]:
    """What the taker's row becomes: first knowledge, and of two bands whose clocks run the more urgent one."""
    mine, its = taker.graded, absorbed.graded
    gains: dict[str, Any] = {"known_at": min(mine["known_at"], its["known_at"])}
    gains["clock_from"] = gains["known_at"] if mine["clock_from"] == mine["known_at"] else mine["clock_from"]
    gains["danger"] = mine["danger"] or its["danger"]
    for name in ("depth_mm", "width_mm"):
        gains[name] = _first(mine, its, name, max)
    if taker.state is _D.CANDIDATE or absorbed.state in CLOCKED:
        gains |= _clocks(mine, its, decided=taker.state is not _D.CANDIDATE)
    return gains


def _clocks(mine: Mapping[str, Any], its: Mapping[str, Any], *, decided: bool) -> dict[str, Any]:
    """The more urgent band, and the earlier due times.

    A band that was decided still runs from the knowledge that it came of (DOMAIN 10.3, case 9). What is made safe need
    not be made safe by the other one's time.
    """
    raised = its["band"] is not None and (mine["band"] is None or _urgency(its) < _urgency(mine))
    ruling = its if raised else mine
    gains = {name: ruling[name] for name in ("band", "band_why", "likelihood", "impact", "due_why", "made_safe_at")}
    if raised and decided:
        gains["clock_from"] = its["clock_from"]
    for name in ("permanent_due_at", "inspect_due_at"):
        gains[name] = _first(mine, its, name, min)
    is_safe = mine["made_safe_at"] or its["made_safe_at"]
    gains["make_safe_due_at"] = ruling["make_safe_due_at"] if is_safe else _first(mine, its, "make_safe_due_at", min)
    return gains


def _urgency(graded: Mapping[str, Any]) -> int:
    return Band(graded["band"]).urgency


def _first(mine: Mapping[str, Any], its: Mapping[str, Any], name: str, of: Callable[..., Any]) -> Any:
    """The least or the most of the two, as far as they are known."""
    return of((one for one in (mine[name], its[name]) if one is not None), default=None)
