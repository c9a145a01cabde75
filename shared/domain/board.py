"""Settles a batch of sightings in their order, each seeing what those before it did, so that batches change nothing.

The board holds what stands near the batch (the store fetches it) and what the batch itself founds and joins.
"""

from collections import defaultdict
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field

from shared.domain.dedupe import judge
from shared.domain.policy import DuplicateRules
from shared.domain.verdicts import Footprint, New, Place, Recall, Same, Sighting, Standing, Unsure, Verdict

Cell = tuple[int, int]


def averaged(x: float, y: float, accuracy_m: float, seen: Sighting) -> tuple[float, float, float]:
    """The mean weighted by 1/accuracy², with one more sighting; the third is the accuracy of the mean."""
    mine, its = 1.0 / accuracy_m**2, 1.0 / seen.accuracy_m**2
    both = mine + its
    return (x * mine + seen.x * its) / both, (y * mine + seen.y * its) / both, both**-0.5


@dataclass(slots=True)
class Board:
    """Places by grid cell. `reach_m` is how far any sighting of the batch may look, `size_m` a cell: twice as wide."""

    reach_m: float
    alike: Mapping[str, frozenset[str]]
    """For each class, those that count as the same kind, itself included."""
    cells: dict[Cell, list[Place]] = field(default_factory=lambda: defaultdict(list))
    means: dict[int, Place] = field(default_factory=dict)
    standing: dict[int, Standing] = field(default_factory=dict)
    size_m: float = field(init=False)

    def __post_init__(self) -> None:
        self.size_m = self.reach_m * 2

    def put(self, place: Place) -> None:
        """A place where a defect was seen."""
        self.standing.setdefault(place.of.id, place.of)
        self.cells[self._cell(place.x, place.y)].append(place)

    def put_mean(self, defect: Standing) -> None:
        """A defect at the mean of all that saw it: the place that moves as more do."""
        where = (defect.x, defect.y, defect.accuracy_m)
        mean = Place(defect, *where, defect.street_key, defect.street_side, defect.level)
        self.means[defect.id] = mean
        self.put(mean)

    def leave_out(self, defects: Container[int]) -> None:
        """Let these defects not be weighed."""
        for places in self.cells.values():
            places[:] = [place for place in places if place.of.id not in defects]

    def places(self) -> list[Place]:
        """Every place on the board."""
        return [place for places in self.cells.values() for place in places]

    def near(self, seen: Sighting) -> list[Place]:
        """Places in the box around, of the same kind of defect; `judge` measures them."""
        reach, size, cells = self.reach_m, self.size_m, self.cells
        x, y = seen.x, seen.y
        rows = range(int((y - reach) // size), int((y + reach) // size) + 1)
        kinds = self.alike[seen.class_code]
        return [
            place
            for column in range(int((x - reach) // size), int((x + reach) // size) + 1)
            for row in rows
            for place in cells.get((column, row), ())
            if -reach <= place.x - x <= reach and -reach <= place.y - y <= reach and place.of.class_code in kinds
        ]

    def found(self, seen: Sighting, number: int) -> Standing:
        """A defect that this sighting is the first of; `number` is its id until it is recorded."""
        where = (seen.x, seen.y, seen.accuracy_m)
        defect = Standing(number, seen.class_code, *where, seen.known_at, seen.seen_at, seen=1)
        defect.street_key, defect.street_side, defect.level = seen.street_key, seen.street_side, seen.level
        self.put_mean(defect)
        self._seen_by(seen, defect)
        return defect

    def join(self, seen: Sighting, defect: Standing) -> None:
        """Let the defect have been seen once more: its mean moves, and the sighting's own place draws later ones."""
        defect.x, defect.y, defect.accuracy_m = averaged(defect.x, defect.y, defect.accuracy_m, seen)
        defect.seen += 1
        defect.last_seen_at = max(defect.last_seen_at, seen.seen_at)
        self._seen_by(seen, defect)

    def claim(self, seen: Sighting, recalled: Recall) -> None:
        """Let the repair of a defect be said to have failed: what is seen there next is weighed with this sighting."""
        defect = self.standing.get(recalled.defect_id)
        if defect is None or defect.opened:
            return
        defect.claimed = recalled.warranty_id
        if seen.survey_pass is not None:
            defect.passes.add(seen.survey_pass)
        self.put(_own_place(seen, defect))

    def _seen_by(self, seen: Sighting, defect: Standing) -> None:
        self._move(self.means[defect.id])
        if seen.survey_pass is not None and seen.survey_pass not in defect.passes:
            defect.passes.add(seen.survey_pass)
            defect.passes_added += 1
        if not seen.machine or seen.survey_pass is not None:
            self.put(_own_place(seen, defect))

    def _move(self, mean: Place) -> None:
        before = self._cell(mean.x, mean.y)
        mean.x, mean.y, mean.accuracy_m = mean.of.x, mean.of.y, mean.of.accuracy_m
        after = self._cell(mean.x, mean.y)
        if before != after:
            self.cells[before].remove(mean)
            self.cells[after].append(mean)

    def _cell(self, x: float, y: float) -> Cell:
        return int(x // self.size_m), int(y // self.size_m)


def _own_place(seen: Sighting, defect: Standing) -> Place:
    where = (seen.x, seen.y, seen.accuracy_m, seen.street_key, seen.street_side, seen.level)
    return Place(defect, *where, seen.house_number, seen.survey_pass)


Answer = Callable[[Unsure], Verdict]
"""What stands in for the person who would be asked."""


def ask(unsure: Unsure) -> Verdict:
    """Leave it to a person."""
    return unsure


def take_likeliest(unsure: Unsure) -> Verdict:
    """As a person would who always takes the first candidate."""
    likeliest = unsure.candidates[0]
    return Same(likeliest.defect_id, likeliest.why)


def take_none(unsure: Unsure) -> Verdict:
    """As a person would who never takes any."""
    return New(f"not surely {unsure.candidates[0].why}")


def settle(
    board: Board,
    seen: Sequence[Sighting],
    rules: Callable[[str], DuplicateRules],
    footprints: Mapping[int, Sequence[Footprint]],
    apart: Container[tuple[int, int]] = frozenset(),
    *,
    first: int = 0,
    answer: Answer = ask,
) -> list[Verdict]:
    """One verdict for each sighting, in their order. `footprints` are by position, which begins at `first`.

    The defect of a `New` at position n has the id -(n + 1) until it is recorded.
    """
    verdicts: list[Verdict] = []
    for position, one in enumerate(seen, first):
        verdict = judge(one, board.near(one), rules(one.class_code), footprints.get(position, ()), apart)
        if isinstance(verdict, Unsure):
            verdict = answer(verdict)
        match verdict:
            case Same(defect_id):
                board.join(one, board.standing[defect_id])
            case New():
                board.found(one, -(position + 1))
            case Recall():
                board.claim(one, verdict)
        verdicts.append(verdict)
    return verdicts
