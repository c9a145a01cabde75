"""A county that does not exist: four small towns, the roads between them, two districts and a neighbour.

Everything here is INVENTED and drawn from a seed: streets, names and outlines. It lies inside Lancashire's extent on
the British National Grid, and its outlines stand under the codes of real areas, so that the shipped policy serves it
and `roadmend load areas` with the real boundaries draws them anew. Eastings and northings in metres, EPSG:27700.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import atan2, cos, hypot, pi, sin
from random import Random

from infra.demo.names import Names

GRID = 27700
SEED = 2026
WEST, SOUTH, EAST, NORTH = 348_000.0, 423_000.0, 358_000.0, 435_000.0
BETWEEN = 429_000.0
"""The northing that parts the two districts."""
FIRST_USRN = 99_000_001
"""No street of Lancashire has so high a number."""

Point = tuple[float, float]
Line = tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Road:
    """A street: what the network tells of it, and its line."""

    usrn: int
    name: str
    road_class: str
    hierarchy: str
    maintainer: str
    rural: bool
    line: Line

    @property
    def length_m(self) -> float:
        return sum(hypot(b[0] - a[0], b[1] - a[1]) for a, b in zip(self.line, self.line[1:], strict=False))

    def at(self, along_m: float, left_m: float = 0.0) -> Point:
        """The point so far along the line, and so far to its left."""
        rest = along_m
        for a, b in zip(self.line, self.line[1:], strict=False):
            length = hypot(b[0] - a[0], b[1] - a[1])
            if rest <= length or b == self.line[-1]:
                east, north = (b[0] - a[0]) / length, (b[1] - a[1]) / length
                return a[0] + rest * east - left_m * north, a[1] + rest * north + left_m * east
            rest -= length
        raise ValueError("a line has two points at least")

    def heading_deg(self, along_m: float) -> float:
        """Where one looks who goes along the line there; 0 is north."""
        a, b = self.at(max(0.0, along_m - 1.0)), self.at(min(self.length_m, along_m + 1.0))
        return atan2(b[0] - a[0], b[1] - a[1]) * 180 / pi % 360


@dataclass(frozen=True, slots=True)
class Outline:
    """An invented area. `ring` is closed."""

    code: str
    name: str
    kind: str
    served: bool
    contact: str | None
    ring: Line


@dataclass(frozen=True, slots=True)
class County:
    roads: tuple[Road, ...]
    outlines: tuple[Outline, ...]


@dataclass(frozen=True, slots=True)
class _Town:
    centre: Point
    blocks: int
    block_m: float
    turned: float


_TOWNS = (
    _Town((350_900.0, 432_100.0), 11, 105.0, 0.35),
    _Town((355_200.0, 431_300.0), 9, 115.0, -0.2),
    _Town((351_600.0, 425_900.0), 10, 110.0, 0.1),
    _Town((355_600.0, 426_400.0), 7, 120.0, 0.6),
)


@lru_cache
def made(seed: int = SEED) -> County:
    """The county of this seed; always the same one."""
    random = Random(seed)
    names = Names(random)
    drawn = [*_main_roads(random, names), *_lanes(random, names), *_others()]
    for town in _TOWNS:
        drawn += _streets(town, random, names)
    roads = tuple(_numbered(one, FIRST_USRN + place) for place, one in enumerate(drawn))
    return County(roads, tuple(_outlines()))


def _numbered(road: Road, usrn: int) -> Road:
    return Road(usrn, road.name, road.road_class, road.hierarchy, road.maintainer, road.rural, road.line)


# --- towns -----------------------------------------------------------------------------------------------------------


def _streets(town: _Town, random: Random, names: Names) -> Iterator[Road]:
    """Rows and columns of a bent lattice, broken here and there; the middle ones are the main streets."""
    nodes = _lattice(town, random)
    rows = [[nodes[row][column] for column in range(town.blocks)] for row in range(town.blocks)]
    columns = [[nodes[row][column] for row in range(town.blocks)] for column in range(town.blocks)]
    for lines in (rows, columns):
        for place, line in enumerate(lines):
            road_class, hierarchy, holds = _rank(abs(place - town.blocks // 2), random)
            for piece in _pieces(line, holds, random):
                yield Road(0, names.street(), road_class, hierarchy, "council", False, tuple(piece))


def _lattice(town: _Town, random: Random) -> list[list[Point]]:
    half = (town.blocks - 1) / 2

    def node(row: int, column: int) -> Point:
        x = (column - half) * town.block_m + random.gauss(0, town.block_m / 9)
        y = (row - half) * town.block_m + random.gauss(0, town.block_m / 9)
        east = town.centre[0] + x * cos(town.turned) - y * sin(town.turned)
        return round(east, 1), round(town.centre[1] + x * sin(town.turned) + y * cos(town.turned), 1)

    return [[node(row, column) for column in range(town.blocks)] for row in range(town.blocks)]


def _rank(from_middle: int, random: Random) -> tuple[str, str, float]:
    """Class, hierarchy, and how likely the line holds on at a junction."""
    if from_middle == 0:
        return "A Road", "3a", 1.0
    if from_middle == 3:
        return "B Road", "3b", 0.9
    return ("Classified Unnumbered", "4a", 0.75) if random.random() < 0.3 else ("Unclassified", "4b", 0.65)


def _pieces(line: Sequence[Point], holds: float, random: Random) -> Iterator[list[Point]]:
    piece = [line[0]]
    for point in line[1:]:
        piece.append(point)
        if random.random() > holds:
            if random.random() < 0.85:
                yield piece
            piece = [point]
    if len(piece) > 1:
        yield piece


# --- between them ----------------------------------------------------------------------------------------------------


def _main_roads(random: Random, names: Names) -> Iterator[Road]:
    for one, other in ((0, 1), (0, 2), (1, 3), (2, 3)):
        line = _bent(_TOWNS[one].centre, _TOWNS[other].centre, 250.0, random)
        yield Road(0, names.street(rural=True), "A Road", "2", "council", True, line)


def _lanes(random: Random, names: Names) -> Iterator[Road]:
    for _ in range(24):
        start = (random.uniform(WEST + 400, EAST - 1_200), random.uniform(SOUTH + 400, NORTH - 400))
        way, length = random.uniform(0, 2 * pi), random.uniform(500, 1_600)
        end = (start[0] + length * cos(way), start[1] + length * sin(way))
        if WEST + 200 < end[0] < EAST - 900 and SOUTH + 200 < end[1] < NORTH - 200:
            line = _bent(start, end, 60.0, random)
            yield Road(0, names.street(rural=True), "Unclassified", random.choice(("4a", "4b")), "council", True, line)


def _others() -> Iterator[Road]:
    """Roads that are not the council's: a trunk road along the east, and a private yard."""
    trunk: Line = (
        (EAST - 500, SOUTH + 100),
        (EAST - 420, 427_500.0),
        (EAST - 520, 431_000.0),
        (EAST - 450, NORTH - 100),
    )
    yield Road(0, "Eastern Bypass", "Trunk Road", "2", "trunk", True, trunk)
    yield Road(0, "Spinners Yard", "Private", "4b", "private", False, ((353_300.0, 429_900.0), (353_420.0, 429_960.0)))


def _bent(start: Point, end: Point, sway_m: float, random: Random) -> Line:
    """A line from here to there that is not straight."""
    steps = max(4, int(hypot(end[0] - start[0], end[1] - start[1]) / 150))
    sideways = random.uniform(-sway_m, sway_m)
    length = hypot(end[0] - start[0], end[1] - start[1])
    east, north = (end[0] - start[0]) / length, (end[1] - start[1]) / length
    points = []
    for step in range(steps + 1):
        share = step / steps
        off = sideways * sin(pi * share) + (random.gauss(0, 6) if 0 < step < steps else 0)
        points.append(
            (
                round(start[0] + share * length * east - off * north, 1),
                round(start[1] + share * length * north + off * east, 1),
            )
        )
    return tuple(points)


# --- whose roads -----------------------------------------------------------------------------------------------------


def _outlines() -> Iterator[Outline]:
    office = "highways@county.example"
    yield Outline(
        "E10000017", "Lancashire (made-up outline)", "authority", True, office, _box(WEST, SOUTH, EAST, NORTH)
    )
    yield Outline("E07000123", "Upper Marl (made up)", "district", False, None, _box(WEST, BETWEEN, EAST, NORTH))
    yield Outline("E07000126", "Lower Marl (made up)", "district", False, None, _box(WEST, SOUTH, EAST, BETWEEN))
    yield Outline(
        "DEMO-SALTHOLME",
        "Saltholme Borough (made up)",
        "authority",
        False,
        "roads@saltholme.example",
        _box(EAST, SOUTH, EAST + 3_000, NORTH),
    )


def _box(west: float, south: float, east: float, north: float) -> Line:
    return ((west, south), (east, south), (east, north), (west, north), (west, south))
