"""Detections become defects on a real PostGIS: joined, founded, waiting, kept, stale; never a finished repair again."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import and_, case, func, insert, select

from shared.domain.events import Consumer, DetectionsReceived
from shared.flows import detections_to_defects, report_to_defect, sweeps
from shared.store import deliveries, event_log, references
from shared.store.engine import WriteTx
from shared.store.read_models import defects
from shared.store.tables import (
    GRID,
    defect,
    detection,
    detection_batch,
    event,
    recall,
    recall_sighting,
    sighting,
    source,
)
from tests.factories import a_defect, a_report, a_verified_repair, adopt_default_policy, an_order, hear

NOW = datetime.now(UTC)
EASTING, NORTHING = 353_000.0, 430_000.0


@pytest.fixture
def survey(tx: WriteTx) -> Callable[..., list[int]]:
    """Send detections, each a dict of what is unusual in it, in one batch; gives their ids once they are matched."""
    adopt_default_policy(tx)

    def send(*seen: dict[str, Any]) -> list[int]:
        ids = a_batch(tx, *seen)
        hear(tx, Consumer.DETECTIONS, detections_to_defects.run, datetime.now(UTC))
        return ids

    return send


def a_batch(tx: WriteTx, *seen: dict[str, Any]) -> list[int]:
    now = datetime.now(UTC)
    known = select(source.c.id).where(source.c.code == "van").scalar_subquery()
    if tx.scalar(select(known)) is None:
        tx.execute(insert(source).values(code="van", name="The van"))
    batch = {"reference": references.fresh("B"), "received_at": now, "accepted": len(seen), "repeated": 0, "refused": 0}
    batch_id = tx.scalar(insert(detection_batch).values(source_id=known, **batch).returning(detection_batch.c.id))
    ids = []
    for one in seen:
        easting, northing = one.pop("easting", EASTING), one.pop("northing", NORTHING)
        where = func.ST_SetSRID(func.ST_MakePoint(easting, northing), GRID)
        values = {
            "received_at": now,
            "batch_id": batch_id,
            "source_id": known,
            "external_id": references.secret(),
            "survey_pass_id": "monday",
            "captured_at": now - timedelta(hours=1),
            "class_code": "pothole",
            "confidence": 0.9,
            "lat": 53.7642175,
            "lon": -2.7144562,
            "accuracy_m": 2.0,
            "geom": where,
            "street_key": "high-street",
            **one,
        }
        ids.append(tx.scalar(insert(detection).values(values).returning(detection.c.id)))
    told = DetectionsReceived(batch_id=batch_id, accepted=len(seen), repeated=0, refused=0)
    event_log.append(tx, told, now)
    return ids


def row(tx: WriteTx, detection_id: int) -> Any:
    """A detection with the defect of its standing sighting, and what became of it."""
    own = [column for column in detection.c if column.name not in ("defect_id", "verdict")]
    said = case((sighting.c.verdict == "new", "founded"), (sighting.c.id.is_not(None), "joined"), else_="received")
    became = case((detection.c.verdict == "received", said), else_=detection.c.verdict).label("verdict")
    linked = and_(sighting.c.detection_id == detection.c.id, sighting.c.unlinked_at.is_(None))
    both = select(*own, became, sighting.c.defect_id).select_from(detection.outerjoin(sighting, linked))
    return tx.execute(both.where(detection.c.id == detection_id)).one()


def defect_row(tx: WriteTx, defect_id: int) -> Any:
    where = func.ST_X(defect.c.geom).label("x")
    return tx.execute(select(defect, where).where(defect.c.id == defect_id)).one()


def verdicts(tx: WriteTx, ids: list[int]) -> list[str]:
    return [row(tx, one).verdict for one in ids]


def test_a_sure_detection_founds_a_candidate_and_tells_it_quietly(
    tx: WriteTx, survey: Callable[..., list[int]]
) -> None:
    (seen,) = survey({"depth_mm": 60.0, "width_mm": 300.0})

    found = defect_row(tx, row(tx, seen).defect_id)
    assert row(tx, seen).verdict == "founded"
    assert (found.state, found.detections, found.survey_passes, found.reports) == ("candidate", 1, 1, 0)
    assert (found.depth_mm, found.width_mm, found.danger) == (60.0, 300.0, False)
    kinds = select(event.c.kind).where(event.c.subject == "defect", event.c.subject_id == found.id)
    assert list(tx.scalars(kinds)) == ["DefectDetected"]


def test_the_vendors_picture_of_what_was_seen_is_told_to_staff(tx: WriteTx, survey: Callable[..., list[int]]) -> None:
    address = "https://vendor.example/frames/7.jpg"

    seen, _ = survey({"more": {"image_url": address}}, {"survey_pass_id": "tuesday"})

    told = defects.whole(tx, row(tx, seen).defect_id)["sightings"]
    assert sorted(str(one["image_url"]) for one in told) == ["None", address]


def test_a_batch_says_what_became_of_it(tx: WriteTx, survey: Callable[..., list[int]]) -> None:
    survey(
        {},
        {"easting": EASTING + 1, "survey_pass_id": "tuesday"},
        {"easting": EASTING + 200, "confidence": 0.6},
        {"easting": EASTING + 300, "confidence": 0.3},
        {"easting": EASTING + 400, "class_code": "longitudinal_crack", "confidence": 0.99},
    )

    batch = tx.execute(select(detection_batch).order_by(detection_batch.c.id.desc()).limit(1)).one()
    assert batch.matched_at is not None
    assert batch.outcome == {"joined": 1, "founded": 1, "recalled": 0, "stale": 0, "kept": 2, "waiting": 1}


def test_many_detections_of_one_hole_in_one_batch_are_one_defect_at_their_mean(
    tx: WriteTx, survey: Callable[..., list[int]]
) -> None:
    seen = survey(*({"easting": EASTING + step, "survey_pass_id": f"pass-{step}"} for step in range(5)))

    assert len({row(tx, one).defect_id for one in seen}) == 1
    found = defect_row(tx, row(tx, seen[0]).defect_id)
    assert (found.detections, found.survey_passes) == (5, 5)
    assert found.x == pytest.approx(EASTING + 2, abs=0.01)
    links = select(func.count()).select_from(sighting).where(sighting.c.defect_id == found.id)
    assert tx.scalar(links) == 5


def test_a_batch_that_is_matched_after_a_later_report_dates_the_knowledge_back(tx: WriteTx) -> None:
    # After an outage: the batch was received first, and the report's delivery was heard first.
    adopt_default_policy(tx)
    (seen,) = a_batch(tx, {})
    a_report(tx, received_at=NOW + timedelta(minutes=190))
    hear(tx, Consumer.TRIAGE, report_to_defect.run, NOW + timedelta(minutes=191))
    hear(tx, Consumer.DETECTIONS, detections_to_defects.run, NOW + timedelta(minutes=192))

    found = defect_row(tx, row(tx, seen).defect_id)
    assert (found.reports, found.detections) == (1, 1)
    assert found.known_at == found.clock_from == row(tx, seen).received_at
    kinds = select(event.c.kind).where(event.c.subject == "defect", event.c.subject_id == found.id)
    assert list(tx.scalars(kinds.order_by(event.c.id))) == ["DefectRecorded", "DefectSighted"]


def test_two_holes_of_one_pass_four_metres_apart_stay_two_also_across_batches(
    tx: WriteTx, survey: Callable[..., list[int]]
) -> None:
    first, near = survey({}, {"easting": EASTING + 4})
    (again,) = survey({"easting": EASTING + 4.5})

    assert row(tx, first).defect_id != row(tx, near).defect_id
    assert row(tx, again).defect_id == row(tx, near).defect_id


def test_less_sure_detections_wait_and_a_second_pass_founds_with_them(
    tx: WriteTx, survey: Callable[..., list[int]]
) -> None:
    (first,) = survey({"confidence": 0.6})
    assert verdicts(tx, [first]) == ["waiting"]
    (same_pass,) = survey({"confidence": 0.6, "easting": EASTING + 1})
    assert verdicts(tx, [same_pass]) == ["waiting"]

    (second,) = survey({"confidence": 0.55, "survey_pass_id": "tuesday", "easting": EASTING + 2})

    assert verdicts(tx, [first, same_pass, second]) == ["founded"] * 3
    found = defect_row(tx, row(tx, second).defect_id)
    assert {row(tx, one).defect_id for one in (first, same_pass)} == {found.id}
    assert (found.detections, found.survey_passes) == (3, 2)
    assert found.known_at == row(tx, first).received_at


def test_after_ninety_days_a_detection_waits_no_longer(tx: WriteTx, survey: Callable[..., list[int]]) -> None:
    (seen,) = survey({"confidence": 0.6})

    sweeps.let_waiting_go(tx, datetime.now(UTC) + timedelta(days=89))
    before = verdicts(tx, [seen])
    sweeps.let_waiting_go(tx, datetime.now(UTC) + timedelta(days=91))

    assert (before, verdicts(tx, [seen])) == (["waiting"], ["kept"])


def test_below_the_level_and_condition_classes_are_kept_and_join_nothing(
    tx: WriteTx, survey: Callable[..., list[int]]
) -> None:
    standing = a_defect(tx)

    seen = survey({"confidence": 0.49}, {"class_code": "transverse_crack", "confidence": 0.95})

    assert verdicts(tx, seen) == ["kept", "kept"]
    assert defect_row(tx, standing).detections == 0


def test_detections_join_what_a_resident_reported_and_the_other_way_round(
    tx: WriteTx, survey: Callable[..., list[int]]
) -> None:
    reported = a_report(tx)
    hear(tx, Consumer.TRIAGE, report_to_defect.run, datetime.now(UTC))
    (seen,) = survey({"easting": EASTING + 3})
    (elsewhere,) = survey({"easting": EASTING + 500})
    later = a_report(tx, easting=EASTING + 503)
    hear(tx, Consumer.TRIAGE, report_to_defect.run, datetime.now(UTC))

    of = {one.report_id: one.defect_id for one in tx.execute(select(sighting.c.report_id, sighting.c.defect_id))}
    assert of[reported] == row(tx, seen).defect_id
    assert of[later] == row(tx, elsewhere).defect_id


def test_machines_never_make_it_an_emergency_nor_change_what_a_person_measured(
    tx: WriteTx, survey: Callable[..., list[int]]
) -> None:
    measured = a_defect(tx, depth_mm=50.0, assessed_by="person:7", band="P10")
    unmeasured = a_defect(tx, easting=EASTING + 300, depth_mm=50.0)

    survey({"depth_mm": 150.0}, {"depth_mm": 150.0, "easting": EASTING + 300})

    assert (defect_row(tx, measured).depth_mm, defect_row(tx, measured).band) == (50.0, "P10")
    assert defect_row(tx, unmeasured).depth_mm == 150.0
    kinds = select(event.c.kind).where(event.c.subject == "defect", event.c.subject_id == unmeasured)
    assert list(tx.scalars(kinds.order_by(event.c.id)))[-1] == "DefectSighted"


def test_what_measures_a_little_wider_is_kept_and_told_only_when_a_grade_looks_at_it(
    tx: WriteTx, survey: Callable[..., list[int]]
) -> None:
    known = a_defect(tx, state="candidate", width_mm=120.0, band=None)
    kinds = select(event.c.kind).where(event.c.subject == "defect", event.c.subject_id == known).order_by(event.c.id)
    before = list(tx.scalars(kinds))

    survey({"width_mm": 149.0})
    between = defect_row(tx, known).width_mm, list(tx.scalars(kinds))
    survey({"width_mm": 150.0, "survey_pass_id": "tuesday"})

    assert between == (149.0, before)
    assert (defect_row(tx, known).width_mm, list(tx.scalars(kinds))) == (150.0, [*before, "DefectSighted"])


def test_a_batch_is_matched_part_by_part_and_comes_out_as_if_at_once(
    tx: WriteTx, survey: Callable[..., list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detections_to_defects, "MOST", 2)

    seen = survey(
        {"confidence": 0.6},
        {"easting": EASTING + 200},
        {"easting": EASTING + 201, "survey_pass_id": "tuesday"},
        {"easting": EASTING + 400, "confidence": 0.3},
        {"confidence": 0.6, "survey_pass_id": "tuesday"},
        {"confidence": 0.6, "survey_pass_id": "wednesday"},
    )

    assert verdicts(tx, seen) == ["founded", "founded", "joined", "kept", "founded", "joined"]
    batch = tx.execute(select(detection_batch).order_by(detection_batch.c.id.desc()).limit(1)).one()
    assert batch.outcome == {"joined": 2, "founded": 2, "recalled": 0, "stale": 0, "kept": 1, "waiting": 1}
    told = select(func.count()).select_from(event).where(event.c.kind == "DetectionsMatched")
    assert tx.scalar(told) == 1


def test_what_comes_after_a_part_stays_due(
    tx: WriteTx, survey: Callable[..., list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detections_to_defects, "MOST", 2)
    ids = a_batch(tx, {}, {"easting": EASTING + 200}, {"easting": EASTING + 400})
    due = deliveries.take(tx, Consumer.DETECTIONS, datetime.now(UTC), 500)

    begun = detections_to_defects.run(tx, due, datetime.now(UTC))
    first = verdicts(tx, ids)
    over = detections_to_defects.run(tx, due, datetime.now(UTC))

    assert (begun, over) == ([due[0].event_id], [])
    assert (first, verdicts(tx, ids)) == (["founded", "founded", "received"], ["founded"] * 3)


def test_a_batch_heard_twice_is_matched_once(tx: WriteTx, survey: Callable[..., list[int]]) -> None:
    (seen,) = survey({})
    batch = detections_to_defects.detections_due.lock_batches(tx, [row(tx, seen).batch_id])

    assert batch == []
    assert tx.scalar(select(func.count()).select_from(sighting).where(sighting.c.detection_id == seen)) == 1


# --- after a repair --------------------------------------------------------------------------------------------------


@pytest.fixture
def repaired(tx: WriteTx) -> int:
    """A defect whose permanent repair was completed an hour ago and verified: it is under warranty."""
    adopt_default_policy(tx)
    defect_id = a_defect(tx, known_at=NOW - timedelta(days=3))
    an_order(tx, defect_id, now=NOW - timedelta(days=2))
    a_verified_repair(tx, defect_id, datetime.now(UTC))
    assert defect_row(tx, defect_id).state == "in_warranty"
    return defect_id


def test_imagery_taken_before_the_repair_never_raises_the_hole_again(
    tx: WriteTx, repaired: int, survey: Callable[..., list[int]]
) -> None:
    """Case 13: a vendor sends last month again."""
    (seen,) = survey({"captured_at": NOW - timedelta(days=20), "easting": EASTING + 2})

    assert verdicts(tx, [seen]) == ["stale"]
    assert tx.scalar(select(func.count()).select_from(defect)) == 1
    assert tx.scalar(select(func.count()).select_from(recall)) == 0


def test_what_waited_since_before_a_repair_does_not_help_to_raise_the_hole_again(
    tx: WriteTx, survey: Callable[..., list[int]]
) -> None:
    (before,) = survey({"captured_at": NOW - timedelta(days=20), "confidence": 0.6})
    a_defect(tx, state="closed", repaired_at=NOW - timedelta(days=10), known_at=NOW - timedelta(days=19))
    since = {"captured_at": NOW - timedelta(hours=1), "confidence": 0.55, "easting": EASTING + 6}

    (patch,) = survey({**since, "survey_pass_id": "tuesday"})

    assert verdicts(tx, [before, patch]) == ["stale", "waiting"]
    (again,) = survey({**since, "survey_pass_id": "wednesday"})
    assert verdicts(tx, [before, patch, again]) == ["stale", "founded", "founded"]
    assert defect_row(tx, row(tx, again).defect_id).known_at == row(tx, patch).received_at


def test_what_waited_beside_a_repair_that_it_cannot_be_of_helps_as_before(
    tx: WriteTx, survey: Callable[..., list[int]]
) -> None:
    (first,) = survey({"captured_at": NOW - timedelta(days=20), "confidence": 0.6})
    a_defect(tx, state="closed", repaired_at=NOW - timedelta(days=10), easting=EASTING - 20)
    a_defect(tx, state="closed", repaired_at=NOW - timedelta(days=21))

    (second,) = survey({"confidence": 0.55, "survey_pass_id": "tuesday", "easting": EASTING + 2})

    assert verdicts(tx, [first, second]) == ["founded", "founded"]


def test_imagery_taken_after_it_proposes_a_recall_and_joins_nothing(
    tx: WriteTx, repaired: int, survey: Callable[..., list[int]]
) -> None:
    """Case 6."""
    (seen,) = survey({"captured_at": datetime.now(UTC) - timedelta(minutes=5)})

    assert verdicts(tx, [seen]) == ["recalled"]
    assert tx.scalar(select(recall.c.defect_id)) == repaired
    assert tx.scalar(select(recall_sighting.c.detection_id)) == seen
    assert tx.scalar(select(func.count()).select_from(sighting)) == 0
    assert defect_row(tx, repaired).state == "in_warranty"


def test_beside_a_repair_said_to_have_failed_another_pass_is_a_witness_and_the_same_pass_saw_another_hole(
    tx: WriteTx, repaired: int, survey: Callable[..., list[int]]
) -> None:
    since = datetime.now(UTC) - timedelta(minutes=5)
    (first,) = survey({"captured_at": since})

    (another,) = survey({"captured_at": since, "easting": EASTING + 7, "survey_pass_id": "tuesday"})
    (again,) = survey({"captured_at": since, "easting": EASTING - 7})

    assert verdicts(tx, [first, another, again]) == ["recalled", "recalled", "founded"]
    assert list(tx.scalars(select(recall_sighting.c.detection_id).order_by(recall_sighting.c.id))) == [first, another]
    assert row(tx, again).defect_id != repaired


def test_a_report_on_the_repair_proposes_a_recall_and_waits_for_the_decision(tx: WriteTx, repaired: int) -> None:
    report_id = a_report(tx, received_at=datetime.now(UTC))
    hear(tx, Consumer.TRIAGE, report_to_defect.run, datetime.now(UTC) + timedelta(seconds=1))

    assert tx.scalar(select(recall.c.defect_id)) == repaired
    assert tx.scalar(select(recall_sighting.c.report_id)) == report_id
    assert tx.scalar(select(func.count()).select_from(sighting)) == 0


def test_a_report_seen_before_the_repair_and_told_after_it_is_a_persons_to_settle(tx: WriteTx, repaired: int) -> None:
    report_id = a_report(tx, received_at=datetime.now(UTC), observed_at=NOW - timedelta(days=1))
    hear(tx, Consumer.TRIAGE, report_to_defect.run, datetime.now(UTC) + timedelta(seconds=1))

    kinds = select(event.c.kind).where(event.c.subject == "report", event.c.subject_id == report_id)
    assert list(tx.scalars(kinds.order_by(event.c.id)))[-1] == "ReportTriaged"
    assert tx.scalar(select(func.count()).select_from(recall)) == 0
