"""What every measure is handed: a database to copy, what was filled for it, how big to be, a place for notes."""

from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import URL

from bench.counties import Counties


@dataclass
class Run:
    """One run of the bench. `quick`: small and rough, to see that it works."""

    template: URL
    counties: Counties
    folder: Path
    quick: bool
    notes: list[str] = field(default_factory=list)

    def of(self, full: int, quick: int) -> int:
        """A size: that of the whole run, or the quick one."""
        return quick if self.quick else full

    def note(self, sentence: str) -> None:
        """Something that a reader of the figures must know."""
        self.notes.append(sentence)

    def note_generator(self, what: str, cpu: float) -> None:
        """Say so where the load generator may have been the limit."""
        if cpu > GENERATOR_LIMIT:
            self.note(f"{what}: the load generator used {cpu:.0%} of a processor; the figure is a lower bound.")


GENERATOR_LIMIT = 0.9
