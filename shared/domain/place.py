"""Is this place ours to look after? From what the network knows of a position: ours, refer, ask or refuse, and why.

Metres on the grid, degrees of WGS 84, aware times. Reports and detections are judged alike (DOMAIN 10.3, case 14).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import asin, cos, radians, sin, sqrt

from shared.domain.policy_sections import PlaceRules

EARTH_M = 6_371_008.8


@dataclass(frozen=True, slots=True)
class Point:
    """A position as it was sent: WGS 84 degrees, and the radius in metres that holds the true place 19 times of 20."""

    lat: float
    lon: float
    accuracy_m: float


@dataclass(frozen=True, slots=True)
class Authority:
    """Whose roads: `served` is True where this deployment is the highway authority."""

    code: str
    name: str
    served: bool
    contact: str | None = None


@dataclass(frozen=True, slots=True)
class OnStreet:
    """The street that a position is taken to lie on. `side` is None when the accuracy cannot tell."""

    id: int
    key: str
    name: str
    hierarchy: str
    maintainer: str
    level: int
    rural: bool
    distance_m: float
    side: str | None


@dataclass(frozen=True, slots=True)
class Located:
    """What the network knows of a position. `x` and `y` are None off the grid.

    `swapped`: with latitude and longitude changed about it would be on it. `uncharted`: no areas are loaded, so that
    the whole grid is ours.
    """

    point: Point
    x: float | None = None
    y: float | None = None
    swapped: bool = False
    uncharted: bool = False
    authority: Authority | None = None
    area_code: str | None = None
    street: OnStreet | None = None


@dataclass(frozen=True, slots=True)
class InCounty:
    """Ours."""


@dataclass(frozen=True, slots=True)
class Refer:
    """Another's: `target` says whose, `contact` how to reach them, `why` is for the reporter."""

    target: str
    why: str
    contact: str | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """Not good enough to act on: `why` says what to give."""

    field: str
    why: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """It cannot be so, or nobody that we know of looks after it."""

    field: str
    why: str


Verdict = InCounty | Refer | Ask | Refuse

TRUNK = "National Highways"
TRUNK_CONTACT = "0300 123 5000, https://report.nationalhighways.co.uk"


def judge(located: Located, rules: PlaceRules, *, trunk: str = TRUNK) -> Verdict:
    """Whose a place is. Refuses first what cannot be, then asks for a better place, then refers."""
    accuracy = located.point.accuracy_m
    if located.x is None:
        return _off_grid(located)
    if accuracy > rules.ask_accuracy_m:
        return Ask(
            "accuracy_m",
            f"The place is known to within {_distance(accuracy)} only. Move the pin to the exact spot, "
            f"or try again outdoors: {_distance(rules.ask_accuracy_m)} or better is needed.",
        )
    if located.authority is None and not located.uncharted:
        return Refuse(
            "location",
            "This place is in the sea or in an area that we hold no map of, and not on a road of ours. "
            "Check the pin; for roads elsewhere see https://www.gov.uk/report-pothole.",
        )
    return _whose(located, trunk)


def _off_grid(located: Located) -> Refuse:
    lat, lon = located.point.lat, located.point.lon
    if located.swapped:
        return Refuse(
            "location", f"Latitude and longitude look swapped: did you mean latitude {lon:g}, longitude {lat:g}?"
        )
    return Refuse("location", f"Latitude {lat:g}, longitude {lon:g} is outside the country. Check the position.")


def _whose(located: Located, trunk: str) -> Verdict:
    authority, street = located.authority, located.street
    if authority is not None and not authority.served:
        return Refer(
            authority.name,
            f"This place is in {authority.name}, which looks after its own roads. Please report it to them.",
            authority.contact,
        )
    if street is None:
        return InCounty()
    named = street.name or "This road"
    match street.maintainer:
        case "trunk":
            return Refer(trunk, f"{named} is a motorway or trunk road: {trunk} looks after it.", TRUNK_CONTACT)
        case "private":
            return Refer("The owner of the road", f"{named} is a private road: its owner looks after it.")
        case "other":
            return Refer("The body that looks after the road", f"{named} is not a road of ours.")
        case _:
            return InCounty()


def check_time(seen_at: datetime, now: datetime, rules: PlaceRules, field: str = "observed_at") -> Refuse | None:
    """Refuse a time in the future, beyond what a clock that is a little wrong explains."""
    if seen_at <= now + timedelta(minutes=rules.future_minutes):
        return None
    return Refuse(field, f"{seen_at:%Y-%m-%d %H:%M} UTC is in the future. Check the clock of the device.")


def photo_disagrees(pin: Point, taken: Point, rules: PlaceRules) -> str | None:
    """A sentence when a photo's own position and the pin cannot both be right, allowing for both accuracies."""
    apart = distance_m(pin, taken)
    if apart <= rules.exif_disagree_m + pin.accuracy_m + taken.accuracy_m:
        return None
    return f"The photo says that it was taken {_distance(apart)} from the pin."


def distance_m(one: Point, other: Point) -> float:
    """Metres between two positions along the globe, right to half a per cent."""
    lat, other_lat = radians(one.lat), radians(other.lat)
    half = sin((other_lat - lat) / 2) ** 2
    half += cos(lat) * cos(other_lat) * sin(radians(other.lon - one.lon) / 2) ** 2
    return 2 * EARTH_M * asin(min(1.0, sqrt(half)))


def _distance(metres: float) -> str:
    return f"{metres / 1000:.1f} km" if metres >= 1000 else f"{metres:.0f} m"
