"""What is really on the ground, which only the simulation knows: holes, since when, and whether a repair holds."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import hypot
from random import Random

from convertbng.cutil import convert_osgb36_to_ll

from infra.demo.county import County, Point, Road

APART_M = 60.0
"""Two holes are at least so far apart, unless they are twins."""
TWINS = 0.08
"""So many of the holes open a few steps from another one, across the road."""
KINDS = (("pothole", 0.80), ("edge_damage", 0.08), ("failed_patch", 0.06), ("ironwork_sunken", 0.06))
TRIES = 20
"""How often a place is looked for before the county counts as full."""
HOLDS_SECONDS = 120.0
"""So long a good repair holds even in a full county."""
ALSO_CALLED = {"pothole": ("depression", "failed_patch"), "failed_patch": ("pothole",)}
"""What people also call it: kinds that the policy says are alike."""


@dataclass(eq=False, slots=True)
class Hole:
    """Something to be mended. `x`, `y` on the grid; times are this process's monotonic seconds."""

    number: int
    road: Road
    along_m: float
    left_m: float
    kind: str
    depth_mm: float
    width_mm: float
    dangerous: bool
    popularity: float
    opened: float
    x: float
    y: float
    reported: int = 0
    mended: bool = False
    mended_at: float = 0.0
    repairs: int = 0
    failures: int = 0
    fails_at: float | None = None

    def distance_m(self, x: float, y: float) -> float:
        return hypot(self.x - x, self.y - y)


@dataclass
class Truth:
    """The holes of a county. Every method may be called from any thread."""

    county: County
    seed: int
    holes: list[Hole] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = Random(self.seed)
        self._lock = threading.RLock()
        self._ours = [road for road in self.county.roads if road.maintainer == "council" and road.length_m > 90]

    def road_not_ours(self) -> Road:
        """The trunk road: what is reported there is another's."""
        return next(road for road in self.county.roads if road.maintainer == "trunk")

    def open_one(self) -> Hole | None:
        """Open a hole somewhere; now and then across the road from another.

        In a county without room for one more, the good repair that has held the longest breaks up. None: none has held
        for long.
        """
        with self._lock:
            beside = self._beside() if self.holes and self._random.random() < TWINS else None
            spot = beside or self._somewhere()
            return self._breaks_up() if spot is None else self._opened(*spot)

    def _opened(self, road: Road, along: float, left: float) -> Hole:
        x, y = road.at(along, left)
        kind = self._random.choices([name for name, _ in KINDS], [share for _, share in KINDS])[0]
        hole = Hole(
            number=len(self.holes),
            road=road,
            along_m=along,
            left_m=left,
            kind=kind,
            depth_mm=round(self._random.uniform(42, 95)),
            width_mm=round(self._random.uniform(160, 600)),
            dangerous=self._random.random() < 0.08,
            popularity=self._random.paretovariate(1.2),
            opened=time.monotonic(),
            x=x,
            y=y,
        )
        self.holes.append(hole)
        return hole

    def _breaks_up(self) -> Hole | None:
        before = time.monotonic() - HOLDS_SECONDS
        held = [hole for hole in self.holes if hole.mended and hole.fails_at is None and hole.mended_at < before]
        hole = min(held, key=lambda one: one.mended_at, default=None)
        if hole is not None:
            hole.mended, hole.failures = False, hole.failures + 1
        return hole

    def _somewhere(self) -> tuple[Road, float, float] | None:
        for _ in range(TRIES):
            road = self._random.choice(self._ours)
            along = self._random.uniform(25, road.length_m - 25)
            left = self._random.choice((-1, 1)) * self._random.uniform(1.0, 2.8)
            x, y = road.at(along, left)
            if all(other.distance_m(x, y) > APART_M for other in self.holes):
                return road, along, left
        return None

    def _beside(self) -> tuple[Road, float, float] | None:
        first = self._random.choice(self.holes)
        along = first.along_m + self._random.choice((-1, 1)) * self._random.uniform(26, 34)
        x, y = first.road.at(along, -first.left_m)
        clear = all(other.distance_m(x, y) > 20 for other in self.holes)
        return (first.road, along, -first.left_m) if clear and 20 < along < first.road.length_m - 20 else None

    def standing(self) -> list[Hole]:
        """Holes that are there now; a bad repair breaks up when its time comes."""
        with self._lock:
            return [hole for hole in self.holes if self.is_there(hole)]

    def is_there(self, hole: Hole) -> bool:
        """Whether one would see it now."""
        with self._lock:
            if hole.mended and hole.fails_at is not None and time.monotonic() >= hole.fails_at:
                hole.mended, hole.fails_at = False, None
                hole.failures += 1
            return not hole.mended

    def mend(self, hole: Hole, *, fails_after: float | None) -> None:
        """A crew fills it; after so many seconds it breaks up again. None: it holds."""
        with self._lock:
            hole.mended, hole.mended_at, hole.repairs = True, time.monotonic(), hole.repairs + 1
            hole.reported = 0
            hole.fails_at = None if fails_after is None else time.monotonic() + fails_after

    def nearest(self, x: float, y: float, within_m: float = 30.0) -> Hole | None:
        """The hole that somebody who stands there would mean."""
        with self._lock:
            found = min(self.holes, key=lambda hole: hole.distance_m(x, y), default=None)
            return found if found is not None and found.distance_m(x, y) <= within_m else None

    def on(self, roads: set[int]) -> Iterator[Hole]:
        """The holes that are there now on these streets, by USRN."""
        return (hole for hole in self.standing() if hole.road.usrn in roads)


def to_wgs84(x: float, y: float) -> tuple[float, float]:
    """Latitude and longitude of a point on the grid, by OSTN15."""
    lon, lat = convert_osgb36_to_ll([x], [y])
    return round(float(lat[0]), 7), round(float(lon[0]), 7)


def blurred(random: Random, x: float, y: float, accuracy_m: float) -> Point:
    """Where a receiver puts one who stands there: within `accuracy_m` 19 times of 20."""
    sigma = accuracy_m / 2.448
    return x + random.gauss(0, sigma), y + random.gauss(0, sigma)
