"""A report beside a defect that it may be of, in words: what is alike, what is not, and what nobody knows.

The words are for whoever answers the question; the machine's own reason stands beside them as it was written.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.domain.likeness import metres, same_street


class Tells(StrEnum):
    """Which way a fact points. None of them decides by itself."""

    FOR = "for"
    AGAINST = "against"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of a comparison: `what` is compared, in `words`."""

    what: str
    words: str
    tells: Tells


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """A report or a defect as it is compared. `street` is the name, where there is one; accuracy in metres."""

    class_code: str
    accuracy_m: float
    street_key: str | None
    street: str | None
    side: str | None
    level: int


def compare(
    seen: Where, seen_at: datetime, other: Where, opened_at: datetime, last_seen_at: datetime, distance_m: float
) -> tuple[Fact, ...]:
    """Distance, street, side, class and time, in the order in which they count (DESIGN 5). `distance_m` on the grid."""
    street = same_street(seen.street_key, other.street_key)
    return (
        _distance(seen, other, distance_m),
        _street(seen, other, street),
        _side(seen, other, street),
        _class(seen, other),
        _time(seen_at, opened_at, last_seen_at),
    )


def _distance(seen: Where, other: Where, distance_m: float) -> Fact:
    both = seen.accuracy_m + other.accuracy_m
    within = distance_m <= both
    return Fact("Distance", f"{metres(distance_m)} apart, ± {metres(both)}", Tells.FOR if within else Tells.AGAINST)


def _street(seen: Where, other: Where, same: bool | None) -> Fact:
    if same is None:
        return Fact("Street", "Not known of both", Tells.NEITHER)
    if same:
        return Fact("Street", f"Same street{_named(seen.street or other.street)}", Tells.FOR)
    names = [one.street or "a street without a name" for one in (seen, other)]
    return Fact("Street", f"Another street: {names[0]}, and {names[1]}", Tells.AGAINST)


def _named(street: str | None) -> str:
    return f": {street}" if street else ""


def _side(seen: Where, other: Where, same: bool | None) -> Fact:
    if seen.level != other.level:
        return Fact("Side", "One is on a bridge or below one", Tells.AGAINST)
    if same is not True or seen.side is None or other.side is None:
        return Fact("Side", "Not known of both", Tells.NEITHER)
    if seen.side == other.side:
        return Fact("Side", "Same side", Tells.FOR)
    return Fact("Side", "Other side", Tells.AGAINST)


def _class(seen: Where, other: Where) -> Fact:
    mine, its = (one.class_code.replace("_", " ") for one in (seen, other))
    if mine == its:
        return Fact("Class", f"Same class: {mine}", Tells.FOR)
    return Fact("Class", f"Two classes: {mine}, and {its}", Tells.AGAINST)


def _time(seen_at: datetime, opened_at: datetime, last_seen_at: datetime) -> Fact:
    """A hole stays: that it was seen for long says little, that it was last seen long ago says that it may be gone."""
    if seen_at < opened_at:
        return Fact("Time", f"Seen {_span(seen_at, opened_at)} before this was known", Tells.NEITHER)
    if seen_at <= last_seen_at:
        return Fact("Time", "This was seen before and after", Tells.FOR)
    return Fact("Time", f"Seen {_span(last_seen_at, seen_at)} after this was last seen", Tells.NEITHER)


def _span(earlier: datetime, later: datetime) -> str:
    """Minutes, then hours up to two days, then days."""
    minutes = int((later - earlier).total_seconds() // 60)
    for size, name, most in ((1, "minute", 120), (60, "hour", 48 * 60), (24 * 60, "day", None)):
        if most is None or minutes < most:
            count = minutes // size
            return f"{count} {name}{'' if count == 1 else 's'}"
    raise AssertionError("days have no end")
