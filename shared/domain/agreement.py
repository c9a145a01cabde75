"""How often people and the machine agree on what is one defect: counts, of how many, and what they cannot tell.

A verdict of the machine is "same" (a sighting joined a defect), "new" (it founded one) or "unsure" (it asked a person).
Nobody looks at most of the first two: that nobody contradicted one does not make it right, so no share of right ones is
told, only how many were contradicted, and of how many.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One source and model of a period, or all of them.

    `…_against`: contradicted by a person until now, whenever that was. `…_looked`: people said anything of it, for or
    against. Of `unsure`: `said_same` (`said_first` of them: the machine's first candidate), `said_different`,
    `cannot_tell`, `otherwise` (the report went another way, such as being withdrawn), `open`.
    """

    source: str
    model: str = ""
    same: int = 0
    same_looked: int = 0
    same_against: int = 0
    new: int = 0
    new_looked: int = 0
    new_against: int = 0
    unsure: int = 0
    said_same: int = 0
    said_first: int = 0
    said_different: int = 0
    cannot_tell: int = 0
    otherwise: int = 0
    open: int = 0

    @property
    def verdicts(self) -> int:
        """All that the machine said."""
        return self.same + self.new + self.unsure

    @property
    def answered(self) -> int:
        """Questions that an operator answered."""
        return self.said_same + self.said_different + self.cannot_tell

    @property
    def shares(self) -> dict[str, float | None]:
        """Each of its denominator, 0 to 1; None where that is nothing."""
        return {
            "same_against": share(self.same_against, self.same),
            "new_against": share(self.new_against, self.new),
            "asked": share(self.unsure, self.verdicts),
            "said_same": share(self.said_same, self.answered),
            "said_first": share(self.said_first, self.said_same),
            "said_different": share(self.said_different, self.answered),
            "cannot_tell": share(self.cannot_tell, self.answered),
        }

    def plain(self) -> dict[str, Any]:
        """Counts, then shares: plain values only."""
        counts = {one.name: getattr(self, one.name) for one in fields(self)}
        return {**counts, "answered": self.answered, "shares": self.shares}


COUNTS = tuple(one.name for one in fields(Line) if one.name not in ("source", "model"))


def share(some: int, of: int) -> float | None:
    """A part of a whole; None where there is no whole."""
    return some / of if of else None


def together(lines: Iterable[Line]) -> Line:
    """The sum of all lines."""
    sums = dict.fromkeys(COUNTS, 0)
    for line in lines:
        for name in COUNTS:
            sums[name] += getattr(line, name)
    return Line(source="all", model="", **sums)


@dataclass(frozen=True, slots=True)
class Agreement:
    """A period's lines, most verdicts first, and since when what people say is kept (None: nothing is kept yet)."""

    first: date
    last: date
    lines: Sequence[Line]
    kept_since: date | None

    @property
    def total(self) -> Line:
        return together(self.lines)

    def plain(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {
            "from": self.first.isoformat(),
            "to": self.last.isoformat(),
            "lines": [one.plain() for one in self.lines],
            "total": self.total.plain(),
            "cautions": self.cautions(),
        }

    def cautions(self) -> list[str]:
        """What the figures cannot tell."""
        total = self.total
        looked, alone = total.same_looked + total.new_looked, total.same + total.new
        said = [
            f"Of {alone:,} verdicts that the machine took alone, people said something of {looked:,}. The other "
            f"{alone - looked:,} are not right for that: nobody looked. Their error is not known.",
            "Two defects side by side are seen on the map and merged; a report that was joined wrongly is hard to see. "
            "So wrong joins are found more seldom than wrong new ones, and the two rates cannot be compared.",
            "Questions are the hard cases: how they were answered says nothing of the easy ones. An answer is counted "
            "as a person's word, not as the truth.",
            "The newest verdicts have had the least time to be contradicted. Of a pair, what was said last counts.",
        ]
        if self.kept_since is None:
            said.append("Nothing that people said is kept yet: no contradiction can be counted.")
        elif self.kept_since > self.first:
            said.append(f"What people said is kept since {self.kept_since}: earlier contradictions are missing.")
        return said
