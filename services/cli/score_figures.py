"""The scoring protocol for duplicate marks: recall, right original, false merges, precision; the plain circle."""

import csv
import gzip
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

UNSCORED = "burn-in"
FAR, REPAIRED = "negative, nothing open near", "negative, repaired before"
NEIGHBOUR, POSITIVE = "negative, open neighbour", "positive"
EXHAUSTIVE = frozenset({"chicago"})
"""Cities whose marks are near exhaustive: only there precision means something."""
NOT_BY_PLACE = frozenset({("baltimore", "street light out")})
"""The mark does not depend on place there: left out of every score."""
FLOOR_M = {"automatic": 25.0, "suggestions": 100.0}
FLOOR_OF_CITY_M = {"chicago": {"automatic": 10.0, "suggestions": 75.0}}


Row = Mapping[str, str]
"""A line of the data, by column."""


@dataclass(frozen=True, slots=True)
class Joined:
    """What became of a request: the defect it is with, and whether that was there before it."""

    defect: int
    joined: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One category of one city. A share is None where it has no rows; `neighbours` is work load, not error."""

    category: str
    scored: int
    positives: int
    recall: float | None
    originals: int
    right_original: float | None
    false_repaired: float | None
    false_far: float | None
    neighbours: float | None
    precision: float | None
    f1: float | None

    def plain(self) -> dict[str, Any]:
        return asdict(self)


def rows(file: Path) -> Iterator[Row]:
    """The lines of a gzipped CSV with a header."""
    with gzip.open(file, "rt", encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def figures(
    city: str, outcome: Mapping[str, Joined], category: Mapping[str, str], labels: Iterable[Row]
) -> list[Figures]:
    """Score every category by the protocol. `category` is by request; what is left out stands in `NOT_BY_PLACE`."""
    by_category: dict[str, list[Row]] = defaultdict(list)
    for row in labels:
        if row["request_id"] in outcome and row["label"] != UNSCORED:
            by_category[category[row["request_id"]]].append(row)
    return [
        _figures(kind, scored, outcome, exact=city in EXHAUSTIVE)
        for kind, scored in sorted(by_category.items())
        if (city, kind) not in NOT_BY_PLACE
    ]


def _figures(kind: str, scored: Sequence[Row], outcome: Mapping[str, Joined], *, exact: bool) -> Figures:
    of_label = Counter(row["label"] for row in scored)
    joined = Counter(row["label"] for row in scored if outcome[row["request_id"]].joined)
    pairs = [(row["request_id"], row["parent_id"]) for row in scored if row["parent_id"] in outcome]
    right = sum(outcome[child].defect == outcome[parent].defect for child, parent in pairs)
    wrong = sum(count for label, count in joined.items() if label.startswith("negative"))
    recall = _share(joined[POSITIVE], of_label[POSITIVE])
    precision = _share(joined[POSITIVE], joined[POSITIVE] + wrong) if exact else None
    return Figures(
        category=kind,
        scored=len(scored),
        positives=of_label[POSITIVE],
        recall=recall,
        originals=len(pairs),
        right_original=_share(right, len(pairs)),
        false_repaired=_share(joined[REPAIRED], of_label[REPAIRED]),
        false_far=_share(joined[FAR], of_label[FAR]),
        neighbours=_share(joined[NEIGHBOUR], of_label[NEIGHBOUR]),
        precision=precision,
        f1=2 * precision * recall / (precision + recall) if precision and recall else None,
    )


def _share(some: int, of: int) -> float | None:
    return some / of if of else None


def plain_circle(events: Iterable[Row], radius_m: float) -> dict[str, Joined]:
    """The floor: join the nearest request of the category that stands open within so many metres, whatever else."""
    cells: dict[tuple[str, int, int], dict[str, tuple[float, float]]] = defaultdict(dict)
    outcome: dict[str, Joined] = {}
    stands: dict[str, tuple[str, int, int]] = {}
    for row in events:
        number = row["request_id"]
        if row["event"] == "close":
            if number in stands:
                cells[stands.pop(number)].pop(number)
            continue
        x, y = metres(row)
        kind, column, line = row["category"], int(x // radius_m), int(y // radius_m)
        near = [
            (math.hypot(x - at[0], y - at[1]), other)
            for i in (column - 1, column, column + 1)
            for j in (line - 1, line, line + 1)
            for other, at in cells[kind, i, j].items()
        ]
        best = min(near, default=(math.inf, ""))
        joins = best[0] <= radius_m
        outcome[number] = Joined(outcome[best[1]].defect if joins else len(outcome), joins)
        cells[kind, column, line][number] = (x, y)
        stands[number] = (kind, column, line)
    return outcome


def metres(row: Row) -> tuple[float, float]:
    """Near enough to metres within one city; the cosine is that of the whole degree of latitude."""
    lat, lon = float(row["lat"]), float(row["lon"])
    return lon * 111_320.0 * math.cos(math.radians(round(lat))), lat * 110_950.0
