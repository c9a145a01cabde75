"""What the database settles by itself is what the domain's judge says of it, whatever stands, waits or lies around."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from shared.domain.events import Consumer
from shared.flows import detections_to_defects, link_report, report_to_defect
from shared.store import detections_due, plain_matches, policies
from shared.store.engine import WriteTx
from shared.store.tables import defect, detection, detection_batch, event, recall_sighting, report, sighting, warranty
from tests.factories import a_defect, a_report, a_verified_repair, adopt_default_policy, an_order, hear
from tests.flows.test_matching_detections import a_batch

NOW = datetime.now(UTC)
EAST, NORTH = 353_000.0, 430_000.0
KINDS = ("failed_patch", "depression", "cracking")
SHARPNESS = (1.0, 1.5, 3.0, 4.0, 4.5, 9.0)

Outcome = Mapping[str, Any]


class County:
    """A few crowded streets, drawn by chance."""

    def __init__(self, seed: int, metres: float) -> None:
        self.chance = random.Random(seed)
        self.metres = metres

    def somewhere(self) -> dict[str, float]:
        return {axis: start + self.chance.uniform(0, self.metres) for axis, start in self._axes()}

    def _axes(self) -> tuple[tuple[str, float], ...]:
        return (("easting", EAST), ("northing", NORTH))

    def beside(self, where: Mapping[str, float]) -> dict[str, float]:
        """Some metres from there."""
        away = self.chance.choice((0.3, 1.0, 3.0, 8.0, 12.0))
        return {axis: at + self.chance.uniform(-away, away) for axis, at in where.items()}

    def mostly(self, usual: Any, *others: Any) -> Any:
        """Nine times of ten the usual: of a dozen such facts, one or the other is mostly odd."""
        return usual if self.chance.random() < 0.9 else self.chance.choice(others)

    def standing(self, tx: WriteTx, where: Mapping[str, float]) -> int:
        """A defect in any state, seen at any time."""
        mostly = self.mostly
        known = NOW - timedelta(days=self.chance.choice((0.1, 2, 3, 40, 364)))
        state = mostly("candidate", "confirmed", "ordered", "closed", "no_defect")
        return a_defect(
            tx,
            **where,
            class_code=mostly("pothole", *KINDS),
            state=state,
            repaired_at=known + timedelta(hours=1) if state == "closed" else None,
            band=None,
            street_key=mostly("high-street", "low-road", "high-street / low-road", None),
            street_side=mostly("left", "right", None),
            level=mostly(0, 1),
            accuracy_m=mostly(2.0, *SHARPNESS),
            depth_mm=self.chance.choice((None, 10.0, 39.0, 60.0)),
            width_mm=self.chance.choice((None, 90.0, 149.0, 300.0)),
            assessed_by=mostly(None, "person:7"),
            last_seen_at=mostly(known, NOW - timedelta(days=366)),
            known_at=known,
        )

    def seen(self, where: Mapping[str, float]) -> dict[str, Any]:
        """A detection there, as a camera tells of it."""
        mostly = self.mostly
        return {
            **where,
            "class_code": mostly("pothole", *KINDS, "longitudinal_crack"),
            "confidence": mostly(0.9, 0.6, 0.3),
            "accuracy_m": mostly(1.5, 0.0, *SHARPNESS),
            "street_key": mostly("high-street", "low-road", "high-street / low-road", None),
            "street_side": mostly("left", "right", None),
            "level": mostly(0, 1),
            "survey_pass_id": mostly("monday", "tuesday", None),
            "captured_at": NOW - timedelta(hours=self.chance.uniform(0.5, 30)),
            "depth_mm": self.chance.choice((None, 20.0, 45.0, 80.0)),
            "width_mm": self.chance.choice((None, 120.0, 210.0, 310.0)),
        }


def drawn(tx: WriteTx, seed: int, metres: float) -> list[int]:
    """A county with a batch that is still to be matched: the ids of its detections."""
    county = County(seed, metres)
    places = [county.somewhere() for _ in range(70)]
    for place in places[:50]:
        county.standing(tx, place)
    for place in places[40:55]:
        kind, accuracy = county.mostly("pothole", *KINDS), county.mostly(4.0, *SHARPNESS)
        a_report(tx, **county.beside(place), class_code=kind, accuracy_m=accuracy)
    hear(tx, Consumer.TRIAGE, report_to_defect.run, NOW)
    _mended(tx, places[60])
    earlier = [{**county.seen(county.beside(place)), "confidence": 0.6} for place in places[55:65]]
    a_batch(tx, *earlier, *(county.seen(county.beside(place)) for place in places[::9]))
    hear(tx, Consumer.DETECTIONS, detections_to_defects.run, datetime.now(UTC))
    again = [*county.chance.sample(places, 50), *county.chance.sample(places, 10)]
    return a_batch(tx, *(county.seen(county.beside(place)) for place in again))


def _mended(tx: WriteTx, where: Mapping[str, float]) -> None:
    """A repair under warranty, with its patch where the defect was."""
    known = a_defect(tx, **where, known_at=NOW - timedelta(days=9), last_seen_at=NOW - timedelta(days=9))
    an_order(tx, known, now=NOW - timedelta(days=8))
    a_verified_repair(tx, known, NOW - timedelta(days=6))
    patch = func.ST_Buffer(select(defect.c.geom).where(defect.c.id == known).scalar_subquery(), 1)
    tx.execute(update(warranty).where(warranty.c.defect_id == known).values(footprint=patch))


def matched(tx: WriteTx, ids: Sequence[int]) -> Outcome:
    """Match the batch, say all that came of it, and undo it. Defects that it founds go by their first detection."""
    savepoint = tx.connection.begin_nested()
    before, known = tx.scalar(select(func.max(event.c.id))), tx.scalars(select(defect.c.id)).all()
    hear(tx, Consumer.DETECTIONS, detections_to_defects.run, datetime.now(UTC))
    rows = tx.execute(select(sighting).where(sighting.c.detection_id.is_not(None))).all()
    first = {number: str(number) for number in known}
    for row in sorted(rows, key=lambda row: row.detection_id):
        first.setdefault(row.defect_id, f"as {row.detection_id} saw it")
    said = select(event.c.kind, event.c.subject_id).where(event.c.id > before, event.c.subject == "defect")
    outcome = {
        "sightings": {row.detection_id: (first[row.defect_id], *_of_sighting(row)) for row in rows},
        "verdicts": dict(map(tuple, tx.execute(select(detection.c.id, detection.c.verdict)))),
        "claims": sorted(map(tuple, tx.execute(select(recall_sighting.c.detection_id, recall_sighting.c.why)))),
        "defects": {first[row.id]: _of_defect(row) for row in tx.execute(_DEFECTS)},
        "told": Counter((row.kind, first[row.subject_id]) for row in tx.execute(said)),
        "counted": tx.scalar(select(detection_batch.c.outcome).order_by(detection_batch.c.id.desc()).limit(1)),
    }
    savepoint.rollback()
    return outcome


_DEFECTS = select(defect, func.ST_X(defect.c.geom).label("x"), func.ST_Y(defect.c.geom).label("y"))
_NAMES = ("id", "linked_at", "defect_id", "geom", "reference", "updated_at", "policy_id")


def _of_sighting(row: Any) -> tuple[Any, ...]:
    return tuple(value for name, value in row._mapping.items() if name not in _NAMES)


def _of_defect(row: Any) -> dict[str, Any]:
    own = {name: value for name, value in row._mapping.items() if name not in (*_NAMES, "recurrence_of")}
    return {name: round(value, 6) if isinstance(value, float) else value for name, value in own.items()}


def plain_ones(tx: WriteTx, ids: Sequence[int]) -> int:
    """How many of a batch the database settles."""
    batch_id = tx.scalar(select(detection.c.batch_id).where(detection.c.id == ids[0]))
    (batch,) = detections_due.lock_batches(tx, [batch_id])
    due = detections_due.next_of(tx, batch, len(ids))
    assert due is not None
    now = datetime.now(UTC)
    rules = policies.in_force(tx, now).policy
    return len(plain_matches.find(tx, batch, due, rules, now - detections_to_defects.WAITS, now))


@pytest.mark.parametrize("metres", [60.0, 400.0, 1200.0], ids=lambda metres: f"{metres:.0f} m")
@pytest.mark.parametrize("seed", range(8))
def test_the_database_says_what_the_judge_says(
    tx: WriteTx, monkeypatch: pytest.MonkeyPatch, seed: int, metres: float
) -> None:
    adopt_default_policy(tx)
    ids = drawn(tx, seed, metres)

    both = matched(tx, ids)
    monkeypatch.setattr(detections_to_defects, "PLAINLY", False)
    judged = matched(tx, ids)

    for what, found in judged.items():
        assert both[what] == found, what


def test_what_is_drawn_by_chance_is_not_all_left_to_the_judge(tx: WriteTx) -> None:
    adopt_default_policy(tx)
    ids = drawn(tx, 1, 1200.0)

    assert plain_ones(tx, ids) >= 5


HOLE = {"easting": EAST, "northing": NORTH}
NEAR_IT = {"easting": EAST + 2, "northing": NORTH}


@pytest.mark.parametrize(
    ("known", "seen"),
    [
        ({"street_key": "low-road"}, {}),
        ({"street_side": "left"}, {"street_side": "right"}),
        ({"level": 1}, {}),
        ({"class_code": "failed_patch"}, {}),
        ({"accuracy_m": 9.0}, {}),
        ({"state": "closed", "repaired_at": NOW}, {}),
        ({"last_seen_at": NOW - timedelta(days=366)}, {}),
        ({}, {"accuracy_m": 9.0}),
        ({}, {"easting": EAST + 8.1}),
        ({}, {"confidence": 0.4}),
        ({}, {"street_key": None}),
    ],
)
def test_what_is_not_plain_is_left_to_the_judge(tx: WriteTx, known: dict[str, Any], seen: dict[str, Any]) -> None:
    adopt_default_policy(tx)
    a_defect(tx, **HOLE, **{"accuracy_m": 2.0, **known})

    assert plain_ones(tx, a_batch(tx, {**NEAR_IT, **seen})) == 0


def test_one_defect_by_itself_is_plain(tx: WriteTx) -> None:
    adopt_default_policy(tx)
    a_defect(tx, **HOLE, accuracy_m=2.0)

    assert plain_ones(tx, a_batch(tx, {**NEAR_IT})) == 1


@pytest.mark.parametrize("other", [{"northing": NORTH + 10}, {"northing": NORTH + 40, "accuracy_m": 9.0}])
def test_two_of_a_batch_that_may_meet_are_left_to_the_judge(tx: WriteTx, other: dict[str, Any]) -> None:
    adopt_default_policy(tx)
    a_defect(tx, **HOLE, accuracy_m=2.0)

    assert plain_ones(tx, a_batch(tx, {**NEAR_IT}, {**NEAR_IT, **other})) == 0


def test_what_may_agree_with_one_that_waits_is_left_to_the_judge(tx: WriteTx) -> None:
    adopt_default_policy(tx)
    a_batch(tx, {"northing": NORTH + 10, "confidence": 0.6})
    hear(tx, Consumer.DETECTIONS, detections_to_defects.run, datetime.now(UTC))
    a_defect(tx, **HOLE, accuracy_m=2.0)

    assert plain_ones(tx, a_batch(tx, {**NEAR_IT})) == 0


def test_what_its_own_pass_has_seen_is_left_to_the_judge(tx: WriteTx) -> None:
    adopt_default_policy(tx)
    a_defect(tx, **HOLE, accuracy_m=2.0)
    a_batch(tx, {**NEAR_IT})
    hear(tx, Consumer.DETECTIONS, detections_to_defects.run, datetime.now(UTC))

    assert plain_ones(tx, a_batch(tx, {**NEAR_IT})) == 0
    assert plain_ones(tx, a_batch(tx, {**NEAR_IT, "survey_pass_id": "tuesday"})) == 1


def test_what_lies_by_a_patch_under_warranty_is_left_to_the_judge(tx: WriteTx) -> None:
    adopt_default_policy(tx)
    _mended(tx, {"easting": EAST + 20, "northing": NORTH})
    a_defect(tx, **HOLE, accuracy_m=2.0)

    assert plain_ones(tx, a_batch(tx, {**NEAR_IT})) == 0


def test_a_defect_that_a_plain_one_and_another_join_is_left_to_the_judge_altogether(
    tx: WriteTx, monkeypatch: pytest.MonkeyPatch
) -> None:
    adopt_default_policy(tx)
    known = a_defect(tx, **HOLE, accuracy_m=2.0)
    # A person's place of the same defect, far from its mean and not sharp: it draws the second one.
    told = a_report(tx, easting=EAST + 30, accuracy_m=9.0, street_side="left")
    names = [
        tx.scalar(select(table.c.reference).where(table.c.id == n)) for table, n in ((report, told), (defect, known))
    ]
    link_report.link(tx, *names, "It is the same one.", NOW)
    ids = a_batch(tx, {**NEAR_IT, "easting": EAST - 2}, {"easting": EAST + 40, "survey_pass_id": "tuesday"})

    assert plain_ones(tx, ids) == 1
    both = matched(tx, ids)
    monkeypatch.setattr(detections_to_defects, "PLAINLY", False)
    assert both == matched(tx, ids)
    assert {found[0] for found in both["sightings"].values()} == {str(known)}
