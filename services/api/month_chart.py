"""Thirteen months as a drawing: two bars a month for what came and went, and a line of what was open at its end.

Sizes are those of the SVG's own box; the same numbers stand in a table below it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.month import Standing

WIDTH, HEIGHT = 780.0, 220.0
LEFT, RIGHT, TOP, FOOT = 48.0, 8.0, 10.0, 26.0
BAR = 0.34
"""Of a month's width, for each of the two bars."""


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    kind: str
    words: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A line across with its number, or a month's name below."""

    x: float
    y: float
    words: str


@dataclass(frozen=True, slots=True)
class Chart:
    width: float
    height: float
    left: float
    right: float
    scale: list[Mark]
    months: list[Mark]
    bars: list[Bar]
    points: str
    dots: list[Mark]
    words: str


def moves(trend: Sequence[Standing]) -> Chart:
    """What came and went in each month."""
    most = _round_up(max((max(one.came, one.went) for one in trend), default=0))
    bars = [
        _bar(at, number, kind, one, most, len(trend))
        for at, one in enumerate(trend)
        for number, kind in ((one.came, "came"), (one.went, "went"))
    ]
    last = trend[-1]
    words = f"Became open and ended, by month. In the last month {last.came:,} became open and {last.went:,} ended."
    return Chart(WIDTH, HEIGHT, LEFT, WIDTH - RIGHT, _scale(0, most), _names(trend), bars, "", [], words)


def backlog(trend: Sequence[Standing]) -> Chart:
    """What was open at each month's end. The scale begins at nothing."""
    most = _round_up(max((one.end for one in trend), default=0))
    dots = [
        Mark(_middle(at, len(trend)), _height(one.end, most), f"{one.month}: {one.end:,} open at the end")
        for at, one in enumerate(trend)
    ]
    points = " ".join(f"{dot.x:.1f},{dot.y:.1f}" for dot in dots)
    words = f"Open at the end of each month, from {trend[0].end:,} to {trend[-1].end:,}."
    return Chart(WIDTH, HEIGHT, LEFT, WIDTH - RIGHT, _scale(0, most), _names(trend), [], points, dots, words)


def _bar(at: int, number: int, kind: str, one: Standing, most: int, months: int) -> Bar:
    wide = _step(months) * BAR
    x = _middle(at, months) - (wide if kind == "came" else 0)
    top = _height(number, most)
    words = f"{one.month}: {number:,} {'became open' if kind == 'came' else 'ended'}"
    return Bar(round(x, 1), round(top, 1), round(wide - 1, 1), round(HEIGHT - FOOT - top, 1), kind, words)


def _step(months: int) -> float:
    return (WIDTH - LEFT - RIGHT) / max(months, 1)


def _middle(at: int, months: int) -> float:
    return round(LEFT + _step(months) * (at + 0.5), 1)


def _height(number: float, most: int) -> float:
    return round(HEIGHT - FOOT - (HEIGHT - FOOT - TOP) * number / most, 1)


def _scale(least: int, most: int) -> list[Mark]:
    return [Mark(LEFT, _height(number, most), f"{number:,.0f}") for number in (least, most / 2, most)]


def _names(trend: Sequence[Standing]) -> list[Mark]:
    """Each month by its first letters, January with its year."""
    return [
        Mark(_middle(at, len(trend)), HEIGHT - 8, f"{one.month.period.first:%b}" + _year(one, at))
        for at, one in enumerate(trend)
    ]


def _year(one: Standing, at: int) -> str:
    return f" {one.month.year}" if at == 0 or one.month.number == 1 else ""


def _round_up(number: int) -> int:
    """The next even number of one figure and noughts: 10, 20, 40, 60, 80, 100, 200 …"""
    size = 10
    while size * 10 < number:
        size *= 10
    step = size * 2 if number > size else size
    return max(step, -(-number // step) * step)
