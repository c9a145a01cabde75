"""What matching is told and what it says: sightings, the places of defects, warranties' patches, and the verdicts.

Distances are metres on the grid, times aware UTC; None is "not known".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from shared.domain.terms import DefectId, WarrantyId


class Sighting(NamedTuple):
    """One report, or one detection, in its place. A batch makes a hundred thousand; tuples are made thrice as fast.

    `survey_pass` is None for a report; None elsewhere is "not known".

    `seen_at` is when a person saw it or the camera took it, `known_at` when the authority was told.
    """

    class_code: str
    x: float
    y: float
    accuracy_m: float
    seen_at: datetime
    known_at: datetime
    street_key: str | None = None
    street_side: str | None = None
    level: int = 0
    house_number: int | None = None
    machine: bool = False
    survey_pass: str | None = None
    rural: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """A sighting with its row: `id` is that of the report or of the detection."""

    id: int
    sighting: Sighting
    street_id: int | None = None
    danger: bool = False
    depth_mm: float | None = None
    width_mm: float | None = None


@dataclass(slots=True)
class Standing:
    """A defect as matching knows it. `x`, `y` and `accuracy_m` are the weighted mean of what saw it.

    `opened` False: finished work; `repaired_at` says since when, `promised` whether a warranty stands. `shown_x` and
    `shown_y` are where it is published to be. `claimed`: the warranty of its repair, when a recall of that waits to be
    decided: perhaps it is open again. `passes` are the survey passes that saw it, as far as they matter now. It
    changes while a batch is settled (`board.py`); an id below 0 is of a defect not recorded yet.
    """

    id: int
    class_code: str
    x: float
    y: float
    accuracy_m: float
    opened_at: datetime
    last_seen_at: datetime
    seen: int
    opened: bool = True
    repaired_at: datetime | None = None
    promised: bool = False
    street_key: str | None = None
    street_side: str | None = None
    level: int = 0
    shown_x: float | None = None
    shown_y: float | None = None
    claimed: WarrantyId | None = None
    passes: set[str] = field(default_factory=set)
    passes_added: int = 0


@dataclass(slots=True, eq=False)
class Place:
    """Where a defect was seen: by one report, by one survey pass (named), or the mean of all that saw it."""

    of: Standing
    x: float
    y: float
    accuracy_m: float
    street_key: str | None = None
    street_side: str | None = None
    level: int = 0
    house_number: int | None = None
    survey_pass: str | None = None


@dataclass(frozen=True, slots=True)
class Footprint:
    """The patch of a repair under a live warranty, and how far the sighting is from it (0 inside)."""

    warranty_id: WarrantyId
    defect_id: DefectId
    repaired_at: datetime
    distance_m: float
    level: int = 0
    street_key: str | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    defect_id: DefectId
    distance_m: float
    why: str


@dataclass(frozen=True, slots=True)
class Same:
    """It joins the defect."""

    defect_id: DefectId
    why: str


@dataclass(frozen=True, slots=True)
class Unsure:
    """A person decides between these, likeliest first, and "none of them"."""

    candidates: tuple[Candidate, ...]
    why: str

    def renamed(self, ids: Mapping[int, DefectId]) -> "Unsure":
        """With the ids of candidates that have been recorded meanwhile."""
        named = (replace(one, defect_id=ids.get(one.defect_id, one.defect_id)) for one in self.candidates)
        return Unsure(tuple(named), self.why)


@dataclass(frozen=True, slots=True)
class New:
    """`recurrence_of` is the finished defect at the same place, out of warranty."""

    why: str
    recurrence_of: DefectId | None = None


@dataclass(frozen=True, slots=True)
class Recall:
    """It lies in a live warranty's footprint: propose a recall, never join finished work (DOMAIN 10.3, case 6)."""

    warranty_id: WarrantyId
    defect_id: DefectId
    why: str


@dataclass(frozen=True, slots=True)
class Stale:
    """Imagery older than the repair of what it shows (DOMAIN 10.3, case 13)."""

    defect_id: DefectId
    why: str


Verdict = Same | Unsure | New | Recall | Stale
