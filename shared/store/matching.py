"""What stands near a batch of sightings, fetched for one or a hundred thousand in a few statements; and the locks.

The verdict is the domain's (`domain/dedupe.py: judge`, through `domain/board.py`): SQL only says what is near, so that
one rule decides for a report, for a survey's detections and for the scoring of other cities.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, ColumnElement, Text, cast, func, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from shared.domain.board import Board
from shared.domain.dedupe import joining_reach_m, reach_m
from shared.domain.policy import DuplicateRules, Policy
from shared.domain.terms import LIVE_WARRANTY, OPEN_DEFECT, WarrantyState
from shared.domain.verdicts import Footprint, Place, Sighting, Standing
from shared.store.engine import ReadTx, WriteTx
from shared.store.tables import GRID, apart

SHOWN_WITHIN_M = 1.0
"""Machines move a defect's published place only when its mean has moved so far: an index entry for every pass of every
survey car would cost more than all the rest, and nobody sees less than a metre.
"""
A_PASS_LASTS = timedelta(days=1)
"""What was not seen since then was not seen by a pass of the batch."""
CELL_M = 64.0
TILE_M = 512.0
MOST_LOCKS = 3_000
"""A batch that touches more cells than this takes whole tiles, or everything: the server's lock table has an end."""
BOX_M = 256.0
"""What stands near is fetched for all positions of one square of this size at once: a survey's lie along its streets,
and 50,000 look-ups of the index became 4,000."""

_SQL = Path(__file__).parent / "sql"
_STANDING, _PLACES, _CLAIMED, _MENDED, _PROMISED, _FOOTPRINTS = (
    (_SQL / f"match_{name}.sql").read_text()
    for name in ("standing", "places", "claimed", "mended", "promised", "footprints")
)
# Defect by defect: by two lists a young table was read from end to end.
_OWN_PASSES = """
    SELECT seen.* FROM unnest(CAST(%(lately)s AS bigint[])) AS lately(id) CROSS JOIN LATERAL (
        SELECT defect_id, ST_X(geom) AS x, ST_Y(geom) AS y, accuracy_m, street_key, street_side, level, survey_pass
        FROM sighting
        WHERE defect_id = lately.id AND unlinked_at IS NULL AND survey_pass = ANY(CAST(%(passes)s AS text[])) OFFSET 0
    ) AS seen
"""
OPEN = sorted(OPEN_DEFECT)
CLAIMABLE = sorted(LIVE_WARRANTY | {WarrantyState.EXPIRED})
"""An expired warranty still answers for what was seen in its term and told later: the days are checked."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a batch is judged against. `footprints` are by position in the batch."""

    board: Board
    footprints: Mapping[int, Sequence[Footprint]]
    apart: frozenset[tuple[int, int]]

    def without(self, defects: Collection[int]) -> "Surroundings":
        """The same without these defects, and without the patches of their repairs."""
        if not defects:
            return self
        self.board.leave_out(defects)
        kept = {n: [one for one in near if one.defect_id not in defects] for n, near in self.footprints.items()}
        return Surroundings(self.board, kept, self.apart)

    @staticmethod
    def empty() -> "Surroundings":
        """Of no sighting."""
        return Surroundings(Board(1.0, {}), {}, frozenset())


def all_rules(policy: Policy) -> list[DuplicateRules]:
    """Every class's rules once."""
    return [policy.duplicates, *policy.duplicates_by_class.values()]


def surroundings(tx: ReadTx, seen: Sequence[Sighting], policy: Policy) -> Surroundings:
    """Fetch what any of the sightings could be of. They are all of people, or all of machines."""
    machine = any(one.machine for one in seen)
    reach = max(reach_m(rules, machine=machine) for rules in all_rules(policy))
    board = Board(reach, {kind: policy.kinds_like(kind) for kind in {one.class_code for one in seen}})
    near = boxes(seen)
    asking = near.asked(board.alike) | {"reach": reach + SHOWN_WITHIN_M, "open": OPEN}
    places = fetch(tx, _PLACES, asking)
    _fill(board, fetch(tx, _STANDING, asking | {"placed": listed({place[1] for place in places})}), places)
    _add_claimed(tx, board, seen)
    if machine:
        _add_own_passes(tx, board, seen)
    return Surroundings(board, _footprints(tx, seen, near, board.alike, policy), _apart(tx, list(board.standing)))


def mended_since(tx: ReadTx, seen: Sequence[Sighting], alike: Mapping[str, frozenset[str]], reach: float) -> Board:
    """Finished repairs that machines' sightings could be of, and that were done after the first of these."""
    board = Board(reach, alike)
    if seen:
        since = min(one.seen_at for one in seen)
        asking = boxes(seen).asked(alike) | {"reach": reach + SHOWN_WITHIN_M, "open": OPEN, "since": since}
        _fill(board, fetch(tx, _MENDED, asking), ())
        _add_own_passes(tx, board, seen)
    return board


@dataclass(frozen=True, slots=True)
class Boxes:
    """Around the positions of a batch, those of one square together: west, south, east, north in metres on the grid."""

    by_square: Mapping[tuple[int, int], Sequence[float]]

    def asked(self, alike: Mapping[str, frozenset[str]]) -> dict[str, Any]:
        """What a matching statement is asked about: the boxes, and the classes that count as any of the batch's."""
        west, south, east, north = zip(*self.by_square.values(), strict=True)
        corners = {"west": listed(west), "south": listed(south), "east": listed(east), "north": listed(north)}
        return corners | {"others": sorted(frozenset().union(*alike.values())), "grid": GRID}


def boxes(seen: Sequence[Sighting]) -> Boxes:
    """The boxes around these positions."""
    found: dict[tuple[int, int], list[float]] = {}
    for one in seen:
        x, y = one.x, one.y
        box = found.setdefault(_square(x, y), [x, y, x, y])
        if x < box[0]:
            box[0] = x
        elif x > box[2]:
            box[2] = x
        if y < box[1]:
            box[1] = y
        elif y > box[3]:
            box[3] = y
    return Boxes(found)


def _square(x: float, y: float) -> tuple[int, int]:
    return int(x // BOX_M), int(y // BOX_M)


def fetch(tx: ReadTx, statement: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Rows of a matching statement, in binary: a batch may fetch two for each of its hundred thousand."""
    with tx.raw().cursor(binary=True) as cursor:
        return cursor.execute(statement, params).fetchall()


def listed(numbers: Iterable[float]) -> str:
    """An array literal. The driver's own arrays take ten times as long to write, which counts at a hundred thousand."""
    return "{" + ",".join(map(repr, numbers)) + "}"


def _array(ids: Iterable[int]) -> ColumnElement[Sequence[int]]:
    """The same for a statement of SQLAlchemy's: bound as text, since it takes a bound array apart into its letters."""
    return cast(literal(listed(ids), Text), ARRAY(BigInteger))


def _fill(board: Board, rows: Iterable[tuple[Any, ...]], places: Iterable[tuple[Any, ...]]) -> None:
    for facts in rows:
        if facts[0] not in board.standing:
            board.put_mean(Standing(*facts))
    for _, defect_id, *where in dict.fromkeys(places):
        board.put(Place(board.standing[defect_id], *where))


def _add_claimed(tx: ReadTx, board: Board, seen: Sequence[Sighting]) -> None:
    """Where the repairs that are said to have failed were seen, then and now: few are, and only these are asked for."""
    claimed = [standing.id for standing in board.standing.values() if standing.claimed is not None]
    if not claimed:
        return
    passes = sorted({one.survey_pass for one in seen if one.survey_pass is not None})
    for row in fetch(tx, _CLAIMED, {"claimed": listed(claimed), "passes": passes}):
        defect_id, x, y, accuracy_m, *street, house_number, survey_pass = row
        standing = board.standing[defect_id]
        if survey_pass is not None:
            standing.passes.add(survey_pass)
        street_key, side, level = street
        board.put(Place(standing, x, y, accuracy_m, street_key, side, level, house_number, survey_pass))


def _add_own_passes(tx: ReadTx, board: Board, seen: Sequence[Sighting]) -> None:
    """Where the very passes of the batch saw these defects before: a pass that came in two requests is one pass."""
    passes = sorted({one.survey_pass for one in seen if one.survey_pass is not None})
    begun = min(one.seen_at for one in seen) - A_PASS_LASTS
    lately = [standing.id for standing in board.standing.values() if standing.last_seen_at >= begun]
    if not passes or not lately:
        return
    rows = fetch(tx, _OWN_PASSES, {"lately": listed(lately), "passes": passes})
    for row in rows:
        defect_id, x, y, accuracy_m, *street, survey_pass = row
        standing = board.standing[defect_id]
        standing.passes.add(survey_pass)
        street_key, side, level = street
        board.put(Place(standing, x, y, accuracy_m, street_key, side, level, None, survey_pass))


def _footprints(
    tx: ReadTx, seen: Sequence[Sighting], near: Boxes, alike: Mapping[str, frozenset[str]], policy: Policy
) -> dict[int, list[Footprint]]:
    """Looked up position by position only where a warranty is in the box at all."""
    cap = max(rules.same_cap_m for rules in all_rules(policy))
    limits = {"cap": cap, "live": CLAIMABLE}
    squares = list(near.by_square)
    promised = {squares[n] for (n,) in fetch(tx, _PROMISED, near.asked(alike) | limits)}
    if not promised:
        return {}
    there = [n for n, one in enumerate(seen) if _square(one.x, one.y) in promised]
    zone = ZoneInfo(policy.calendar.timezone)
    found: dict[int, list[Footprint]] = {}
    for n, starts_on, ends_on, *facts in fetch(tx, _FOOTPRINTS, _positions(seen, there, alike) | limits):
        if starts_on <= seen[n].seen_at.astimezone(zone).date() <= ends_on:
            found.setdefault(n, []).append(Footprint(*facts))
    return found


def _positions(seen: Sequence[Sighting], there: Sequence[int], alike: Mapping[str, frozenset[str]]) -> dict[str, Any]:
    """These positions of the batch, and the classes that count as theirs."""
    kinds = {kind: number for number, kind in enumerate(sorted(alike))}
    pairs = [(number, other) for kind, number in kinds.items() for other in sorted(alike[kind])]
    return {
        "ns": listed(there),
        "xs": listed(seen[n].x for n in there),
        "ys": listed(seen[n].y for n in there),
        "kinds": listed(kinds[seen[n].class_code] for n in there),
        "ours": listed(number for number, _ in pairs),
        "others": [other for _, other in pairs],
        "grid": GRID,
    }


def _apart(tx: ReadTx, defects: Sequence[int]) -> frozenset[tuple[int, int]]:
    """Pairs that a person told apart, lower id first."""
    if len(defects) < 2:
        return frozenset()
    told: Any = select(apart.c.defect_id, apart.c.other_id).where(
        apart.c.defect_id == func.any(_array(defects)), apart.c.undone_at.is_(None)
    )
    known = set(defects)
    # The other end is looked at here: two lists on one index are tried pair by pair, 10^8 of them for a survey.
    return frozenset((min(pair), max(pair)) for pair in map(tuple, tx.execute(told)) if pair[1] in known)


# --- locks -----------------------------------------------------------------------------------------------------------

_TAKE = "SELECT {}(key) FROM unnest(CAST(:keys AS bigint[])) WITH ORDINALITY AS cell(key, n) ORDER BY n"
_EVERYWHERE = 3 << 61
"""The key over all tiles. Positive, and like theirs larger than any other lock's number."""
_EXCLUSIVE, _SHARED = text(_TAKE.format("pg_advisory_xact_lock")), text(_TAKE.format("pg_advisory_xact_lock_shared"))


def lock_places(tx: WriteTx, points: Sequence[tuple[float, float]], policy: Policy) -> None:
    """Keep everyone else from deciding near these places until this transaction ends (DESIGN 4).

    Two sightings that may be joined lie within the joining reach of each other, so that circles of half of it meet, and
    share a cell. Locks first everything and the tiles (shared), then the cells (exclusive), each in order. A batch that
    touches too many cells takes its tiles exclusively instead, and one that touches too many tiles takes everything.
    """
    half = max(joining_reach_m(rules) for rules in all_rules(policy)) / 2
    known = {(int(x // CELL_M), int(y // CELL_M)) for x, y in points}
    corners = [(column * CELL_M, row * CELL_M) for column, row in known]
    if len(known) <= MOST_LOCKS:
        tiles = _touched(points, half, half, TILE_M, 0)
        _take(tx, [_EVERYWHERE, *tiles], _touched(points, half, half, CELL_M, 1))
    elif len(tiles := _touched(corners, half, half + CELL_M, TILE_M, 0)) <= MOST_LOCKS:
        _take(tx, [_EVERYWHERE], tiles)
    else:
        _take(tx, [], [_EVERYWHERE])


def _take(tx: WriteTx, shared: Sequence[int], exclusive: Sequence[int]) -> None:
    for statement, keys in ((_SHARED, shared), (_EXCLUSIVE, exclusive)):
        if keys:
            tx.execute(statement, {"keys": listed(keys)})


def _touched(points: Iterable[tuple[float, float]], before: float, after: float, size: float, kind: int) -> list[int]:
    """Keys of the squares touched by boxes that begin so far before each point and end so far after it, sorted."""
    keys = {
        _key(kind, column, row)
        for x, y in points
        for column in range(int((x - before) // size), int((x + after) // size) + 1)
        for row in range(int((y - before) // size), int((y + after) // size) + 1)
    }
    return sorted(keys)


def _key(kind: int, column: int, row: int) -> int:
    """One number for a square: kind, column and row side by side in 63 bits. No other lock uses numbers so large."""
    return (1 << 61) | (kind << 60) | ((column & 0x3FFFFFFF) << 30) | (row & 0x3FFFFFFF)


class Known(NamedTuple):
    """What is known of a defect that is locked: since when, and its size in mm; -1 where nobody measured it, infinite
    where a person did: no machine knows better."""

    known_at: datetime
    depth_mm: float
    width_mm: float


BY_A_PERSON = "coalesce(defect.assessed_by, 'worker:') NOT LIKE 'worker:%'"
"""In SQL: a person measured it, and no machine says otherwise."""
_UNMEASURED = f"CASE WHEN {BY_A_PERSON} THEN 'infinity' ELSE coalesce(defect.{{}}, -1) END"
_OPEN_LOCKED = text(
    f"""
    SELECT id, state, known_at,
           {_UNMEASURED.format("depth_mm")} AS depth_mm, {_UNMEASURED.format("width_mm")} AS width_mm
    FROM defect WHERE id = ANY(CAST(:ids AS bigint[])) ORDER BY id FOR NO KEY UPDATE
    """
)
_LOCKED_WITH = text(
    f"""
    WITH locked AS MATERIALIZED ({_OPEN_LOCKED.text.replace(":ids", ":all")})
    SELECT * FROM locked WHERE id = ANY(CAST(:ids AS bigint[])) OR state <> ALL(CAST(:open AS text[]))
    """
)


def lock_open(tx: WriteTx, defects: Sequence[int]) -> dict[int, Known]:
    """Those of the defects that are open, locked in the order of their ids until the transaction ends."""
    rows = map(tuple, tx.execute(_OPEN_LOCKED, {"ids": listed(defects)}).all())
    return {number: Known(*facts) for number, state, *facts in rows if state in OPEN_DEFECT}


def lock_open_with(tx: WriteTx, defects: Sequence[int], more: Sequence[int]) -> dict[int, Known] | None:
    """The same, when `more` are to be locked in the same order, of which nothing is asked. None: one of those is not
    open any more."""
    asked = {"all": listed(sorted({*defects, *more})), "ids": listed(defects), "open": OPEN}
    rows = [tuple(row) for row in tx.execute(_LOCKED_WITH, asked).all()]
    ended = {number for number, state, *_ in rows if state not in OPEN_DEFECT}
    if not ended.isdisjoint(more):
        return None
    return {number: Known(*facts) for number, _, *facts in rows if number not in ended}
