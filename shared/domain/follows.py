"""Following a defect or a place: what can be followed, and how often its news is sent."""

from datetime import datetime, time, timedelta, tzinfo
from enum import StrEnum

DIGEST_AT = time(7)
"""Digests are of what was recorded up to this hour of the local clock; the weekly one of Monday's."""


class Kind(StrEnum):
    DEFECT = "defect"
    STREET = "street"
    AREA = "area"
    CIRCLE = "circle"
    SHAPE = "shape"


class Rhythm(StrEnum):
    INSTANT = "instant"
    DAILY = "daily"
    WEEKLY = "weekly"


def last_digest(rhythm: Rhythm, now: datetime, zone: tzinfo) -> datetime:
    """The newest moment up to which a digest is told: 07:00 of today or yesterday, or of the last Monday (in `zone`).

    By the local clock: on the day that the clocks change it is still 07:00 that the clock shows.
    """
    local = now.astimezone(zone)
    day = local.date() if local.time() >= DIGEST_AT else local.date() - timedelta(days=1)
    if rhythm is Rhythm.WEEKLY:
        day -= timedelta(days=day.weekday())
    return datetime.combine(day, DIGEST_AT, zone)


def around(name: str, radius_m: float) -> str:
    """A circle in words: "PR1 8XJ and 1 km around it"."""
    far = f"{radius_m / 1000:g} km" if radius_m >= 1000 else f"{radius_m:g} m"
    return f"{name} and {far} around it"
