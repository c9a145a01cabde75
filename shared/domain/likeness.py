"""How alike two sightings' places are: the same street, and the reasons in words that a person reads."""

from datetime import datetime
from math import ceil

from shared.domain.addresses import CROSSING
from shared.domain.verdicts import Place, Sighting


def same_street(one: str | None, other: str | None) -> bool | None:
    """None when either is not known. A crossing is on both of its streets."""
    if one is None or other is None:
        return None
    if one == other:
        return True
    if CROSSING not in one and CROSSING not in other:
        return False
    return not set(one.split(CROSSING)).isdisjoint(other.split(CROSSING))


def reasons(seen: Sighting, place: Place, distance: float) -> str:
    """What a person reads: "11 m away, same street and side, same class, opened 3 days ago"."""
    return ", ".join(
        (
            f"{metres(distance)} away",
            *_street_reasons(seen, place),
            "same class",
            f"opened {ago(days_between(place.of.opened_at, seen.seen_at))}",
            *((f"seen {place.of.seen} times",) if place.of.seen > 1 else ()),
        )
    )


def _street_reasons(seen: Sighting, place: Place) -> tuple[str, ...]:
    on_street = same_street(seen.street_key, place.street_key)
    if on_street is None:
        return ("street not known",)
    if not on_street:
        return ("another street",)
    numbers: tuple[str, ...] = ()
    if seen.house_number is not None and place.house_number is not None:
        apart = abs(seen.house_number - place.house_number)
        numbers = ("same house number",) if apart == 0 else (f"{apart} house numbers apart",)
    if seen.street_side is None or place.street_side is None:
        return ("same street", *numbers)
    return ("same street and side" if seen.street_side == place.street_side else "same street, other side", *numbers)


def days_between(earlier: datetime, later: datetime) -> float:
    """Days from one time to the other; below 0 when `later` is the earlier one."""
    return (later - earlier).total_seconds() / 86400.0


def metres(distance: float) -> str:
    """Whole metres for a sentence; 0 only when it is nothing."""
    return f"{ceil(distance) if distance < 1 else round(distance)} m"


def ago(days: float) -> str:
    """Whole days for a sentence."""
    if days < 0:
        return "later"
    if days < 1:
        return "today"
    return f"{int(days)} day{'s' if days >= 2 else ''} ago"
