"""Which clocks run for a band, and until when: make safe, permanent, recheck, chase (DOMAIN 10.1)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from shared.domain.deadlines import Clock, Due, WorkingCalendar, due
from shared.domain.policy import Policy
from shared.domain.terms import Band

_BETWEEN_WORDS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Clocks:
    """What is due when. `verify` is a length: it starts when a repair is claimed. None: that clock does not run.

    `recheck` is for a monitored defect or a planned gully visit, `chase` for what its owner was told to mend.
    """

    make_safe: Due | None
    permanent: Due | None
    verify: Clock | None
    recheck: Due | None
    chase: Due | None
    why: tuple[str, ...]


def clocks_for(
    band: Band,
    policy: Policy,
    known_at: datetime,
    calendar: WorkingCalendar,
    *,
    flags: frozenset[str] = frozenset(),
    third_party: bool = False,
    recall: bool = False,
) -> Clocks:
    """The clocks of a band, from the knowledge that started them (aware).

    `flags`: for a gully, flooding and risk. `third_party`: another owns it, so only the council's own make-safe clock
    runs, and the notice to the owner is chased. `recall`: the permanent clock is the shorter of the band's and the
    policy's for recalls.

    Raises:
        CalendarUnknown: a clock reaches into a year whose bank holidays are not known.
    """
    rule = policy.bands[band]
    make_safe, permanent, recheck, chase = rule.make_safe, rule.permanent, rule.recheck, None
    verify = rule.verify
    if band is Band.G:
        make_safe, permanent, recheck = _gully(policy, flags)
    if third_party or band is Band.T:
        permanent, verify = None, None
        chase = policy.third_party.chase_emergency if band is Band.E else policy.third_party.chase
    started = [None if clock is None else due(known_at, clock, calendar) for clock in (make_safe, recheck, chase)]
    mended = None if permanent is None else due(known_at, permanent, calendar)
    if recall:
        verify = policy.warranty.recall_verify
        mended = _sooner(mended, due(known_at, policy.warranty.recall_due, calendar))
    safe, again, owner = started
    why = tuple(_sentences({"Make safe": safe, "Permanent repair": mended, "Recheck": again, "Chase its owner": owner}))
    return Clocks(safe, mended, verify, again, owner, why)


def _gully(policy: Policy, flags: frozenset[str]) -> tuple[Clock | None, Clock | None, Clock | None]:
    """Make safe, permanent and planned clock of a gully (DOMAIN 10.1, band G)."""
    flooding = policy.gully.flooding if "flooding" in flags else None
    if flooding or "risk" in flags:
        return flooding, policy.gully.risk, None
    return None, None, policy.gully.planned_max


def _sooner(one: Due | None, other: Due) -> Due:
    return other if one is None or other.at < one.at else one


def _sentences(clocks: dict[str, Due | None]) -> Iterator[str]:
    for name, running in clocks.items():
        if running is not None:
            yield f"{name}: {' '.join(running.why)}"


def triage_due(received_at: datetime, policy: Policy, calendar: WorkingCalendar, *, danger: bool) -> Due:
    """Until when a report must be read. Danger runs day and night (DOMAIN 10.3, case 1)."""
    return due(received_at, policy.triage.danger if danger else policy.triage.other, calendar)


def sounds_dangerous(text: str, class_code: str, policy: Policy) -> str | None:
    """The keyword of the policy or of the class by which a text sounds dangerous, or None.

    A keyword is found at the start of a word, whatever its case: "collapse" also finds "collapsed".
    """
    rule = policy.classes.get(class_code)
    keywords = _openings((*policy.triage.keywords, *(rule.danger_keywords if rule else ())))
    lower = text.lower()
    if not any(first in lower for _, _, first in keywords):
        return None
    words = " " + _BETWEEN_WORDS.sub(" ", lower)
    return next((keyword for keyword, written, _ in keywords if written in words), None)


@lru_cache(maxsize=256)
def _openings(keywords: tuple[str, ...]) -> tuple[tuple[str, str, str], ...]:
    """Each keyword, how it begins a word, and its first word: without that in a text there is nothing to look for."""
    return tuple((one, f" {one.lower()}", one.lower().split(" ")[0]) for one in keywords)
