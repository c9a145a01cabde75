"""Figures with their conditions: medians of interleaved repeats, ratios to a bare limit, targets."""

import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from infra.native.layout import ROOT

RESULTS = ROOT / "bench" / "results"

Taken = TypeVar("Taken")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured figure. `ratio` is that of `value` to `bare`; `target` says what is wanted, `met` whether it is."""

    measure: str
    name: str
    value: float
    unit: str
    bare: float | None = None
    bare_name: str = ""
    ratio: float | None = None
    target: str = ""
    met: bool | None = None
    repeats: Sequence[float] = ()
    conditions: dict[str, Any] = field(default_factory=dict)


def interleaved(repeats: int, *kinds: Callable[[int], Taken]) -> list[list[Taken]]:
    """A B A B …: each kind once a round, so that a slow minute of the machine falls on all of them."""
    taken: list[list[Taken]] = [[] for _ in kinds]
    for number in range(repeats):
        for kind, found in zip(kinds, taken, strict=True):
            found.append(kind(number))
    return taken


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of them lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def clocked(act: Callable[[], object]) -> float:
    """Seconds that it took."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def table(figures: Sequence[Figure]) -> str:
    """The figures as lines of equal columns."""
    head = ("measure", "figure", "value", "bare limit", "ratio", "target", "")
    rows = [head, *(_row(one) for one in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def _row(one: Figure) -> tuple[str, ...]:
    verdict = {True: "met", False: "MISSED", None: ""}[one.met]
    bare = "" if one.bare is None else f"{_plain(one.bare)} ({one.bare_name})"
    ratio = "" if one.ratio is None else f"{one.ratio:.2f}"
    return (one.measure, one.name, f"{_plain(one.value)} {one.unit}", bare, ratio, one.target, verdict)


def _plain(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def write(name: str, conditions: dict[str, Any], figures: Sequence[Figure], notes: Sequence[str]) -> Path:
    """Keep a run as JSON. Returns the file."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    file = RESULTS / f"{name}.json"
    told = {"conditions": conditions, "figures": [asdict(one) for one in figures], "notes": list(notes)}
    file.write_text(json.dumps(told, indent=1, default=str) + "\n")
    return file
