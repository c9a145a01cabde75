"""What chaos verifies by can fail: each planted lie is named, and nothing else is."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, text

from chaos import verify
from chaos.mischief import same
from chaos.promises import DETECTIONS, REPORTS, VISITS, Promises
from chaos.readers import Seen, lies
from shared.domain.events import Consumer
from shared.domain.terms import VisitOutcome
from shared.flows import assign_works, project_feed, record_visit, report_to_defect
from shared.store import works
from shared.store.engine import WriteTx
from shared.store.photo_files import Copy
from shared.store.tables import report
from tests.factories import a_defect, a_report, a_visit, a_visit_photo, adopt_default_policy, hear

NOW = datetime.now(UTC) + timedelta(hours=3)
"""After everything that the tests append."""
DATA = b"a photo"
VISIT = uuid4()

Told = tuple[WriteTx, Promises, Path]


@pytest.fixture
def told(tx: WriteTx, tmp_path: Path) -> Told:
    """A report linked, a batch matched, an order visited with a photo, all told on the feed: every promise is kept."""
    adopt_default_policy(tx)
    promises = Promises()
    a_report(tx, received_at=NOW - timedelta(days=1))
    hear(tx, Consumer.TRIAGE, report_to_defect.run, NOW)
    reference = str(tx.scalar(select(report.c.reference)))
    tx.execute(text(_KEY), {"answer": f'{{"reference": "{reference}"}}'})
    tx.execute(text(_BATCH))
    hole = a_defect(tx, northing=430_500.0)
    (order_id,) = assign_works.assign(tx, [hole], NOW - timedelta(hours=5))
    order = works.lock_many(tx, [order_id])[0]
    ended = NOW - timedelta(hours=1)
    visit = a_visit(order, VisitOutcome.PERMANENT, ended - timedelta(days=1), client_id=VISIT, sent_at=ended)
    record_visit.record(tx, visit, order.contractor_id, NOW)
    a_visit_photo(tx, visit, order.contractor_id, "after", ended, reference="photo", sha256=_digest(DATA))
    hear(tx, Consumer.FEED, project_feed.run, NOW)
    promises.reports, promises.keys = {reference: None}, {"a key": reference}
    promises.batches, promises.visits = {"B-1": 1}, {str(VISIT): order.reference}
    promises.photos = {"photo": _digest(DATA).hex()}
    for copy in Copy:
        file = tmp_path / copy.value / "ph" / "photo"
        file.parent.mkdir(parents=True)
        file.write_bytes(DATA)
    return tx, promises, tmp_path


_KEY = """
    INSERT INTO idempotency_key (scope, key, body_sha256, answer, at)
    VALUES ('reports:public', 'a key', '', cast(:answer AS jsonb), now())
"""
_BATCH = """
    WITH vendor AS (INSERT INTO source (code, name) VALUES ('van', 'Van') RETURNING id),
    batch AS (INSERT INTO detection_batch (reference, source_id, received_at, matched_at, accepted, repeated, refused)
              SELECT 'B-1', id, now(), now(), 1, 0, 0 FROM vendor RETURNING id, source_id)
    INSERT INTO detection (received_at, batch_id, source_id, external_id, captured_at, class_code, confidence,
                           lat, lon, accuracy_m, geom, verdict)
    SELECT now(), id, source_id, 'one', now(), 'pothole', 0.9, 53.7, -2.7, 2,
           ST_SetSRID(ST_MakePoint(353000, 431000), 27700), 'kept' FROM batch
"""


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _broken(told: Told) -> list[str]:
    tx, promises, photos = told
    return verify.broken(tx.raw(), promises, photos)


def test_nothing_is_broken_where_every_promise_is_kept(told: Told) -> None:
    assert _broken(told) == []


_AGAIN = """
    INSERT INTO event (at, occurred_at, kind, subject, subject_id, before, after, actor, data)
    SELECT now(), occurred_at, kind, subject, subject_id, before, after, actor, data FROM event WHERE kind = '{}'
"""
LIES = {
    "is not there: table report": "DELETE FROM sighting; DELETE FROM report",
    "is linked 2 times": """
        INSERT INTO sighting (defect_id, report_id, class_code, lat, lon, accuracy_m, geom, seen_at, known_at, verdict,
                              why, linked_at)
        SELECT other.id, sighting.report_id, sighting.class_code, sighting.lat, sighting.lon, sighting.accuracy_m,
               sighting.geom, seen_at, sighting.known_at, verdict, why, linked_at
        FROM sighting, defect AS other WHERE other.id <> sighting.defect_id
    """,
    "and linked to nothing": "UPDATE sighting SET unlinked_at = now()",
    "made without a key of its own": """
        CREATE TEMPORARY TABLE twice ON COMMIT DROP AS SELECT * FROM report;
        UPDATE twice SET id = id + 1, reference = 'R-TWICE', tracking_hash = 'twice';
        INSERT INTO report OVERRIDING SYSTEM VALUE SELECT * FROM twice
    """,
    "a key was promised": 'UPDATE idempotency_key SET answer = \'{"reference": "R-OTHER"}\'',
    "had 1 accepted and holds 0": "DELETE FROM detection",
    "detection one of source": "INSERT INTO detection SELECT * FROM (SELECT nextval('detection_id_seq'), received_at, "
    "batch_id, source_id, external_id, survey_pass_id, captured_at, class_code, confidence, lat, lon, accuracy_m, geom "
    "FROM detection) AS twice",
    "is not matched to its end": "UPDATE detection_batch SET matched_at = NULL",
    "is there 0 times: table visit": "UPDATE visit SET client_id = gen_random_uuid()",
    "is not there, or is another: table photo": "UPDATE photo SET sha256 = 'another'",
    "was ordered twice at once": """
        CREATE TEMPORARY TABLE twice ON COMMIT DROP AS SELECT * FROM works_order;
        UPDATE twice SET id = id + 1, reference = 'W-TWICE';
        INSERT INTO works_order OVERRIDING SYSTEM VALUE SELECT * FROM twice;
        INSERT INTO event (at, occurred_at, kind, subject, subject_id, before, after, actor, data)
        SELECT now(), now(), kind, subject, subject_id + 1, before, after, actor, data FROM event
        WHERE kind = 'OrderIssued'
    """,
    "ReportReceived of report": _AGAIN.format("ReportReceived"),
    "VisitRecorded of works_order": _AGAIN.format("VisitRecorded"),
    "is told on the feed more than once": """
        ALTER TABLE feed_line DROP CONSTRAINT uq_feed_line_event_id;
        INSERT INTO feed_line SELECT number + 1000, event_id, at, kind, body, area_code, class_code, state,
                                     contractor_id, public, hash FROM feed_line LIMIT 1
    """,
    "lies after its arrival": """
        INSERT INTO event (at, occurred_at, kind, subject, subject_id, actor)
        VALUES (now(), now() + interval '1 day', 'DefectGraded', 'defect', 1, 'test')
    """,
}


@pytest.mark.parametrize("named", LIES)
def test_a_lie_in_the_record_is_named(told: Told, named: str) -> None:
    told[0].raw().execute(LIES[named].encode())

    found = _broken(told)

    assert found
    assert any(named in sentence for sentence in found), found


def test_a_visit_whose_wrong_clock_was_believed_is_named(told: Told) -> None:
    told[1].skewed[str(VISIT)] = -86_400.0

    assert ["told by a clock -86400 s off" in sentence for sentence in _broken(told)] == [True]


def test_a_photo_that_is_cut_short_or_has_lost_a_copy_is_named(told: Told) -> None:
    (told[2] / "original" / "ph" / "photo").write_bytes(DATA[:3])
    (told[2] / "small" / "ph" / "photo").unlink()

    assert _broken(told) == [
        "photo photo is not what was sent: original/ph/photo",
        "photo photo has no small copy: small/ph/photo",
    ]


def test_the_record_is_what_each_reader_must_see(told: Told) -> None:
    whole, public = (verify.record(told[0].raw(), public=only) for only in (False, True))

    assert [line[0] for line in whole] == list(range(1, len(whole) + 1))
    assert [line[1] for line in whole[1:]] == [line[2] for line in whole[:-1]]
    assert set(public) < set(whole)


@pytest.mark.parametrize(
    ("path", "first", "again", "kept"),
    [
        (REPORTS, {"reference": "R-1"}, {"reference": "R-1"}, True),
        (REPORTS, {"reference": "R-1"}, {"reference": "R-2"}, False),
        (f"{REPORTS}/R-1/photos", {"reference": "a"}, {"reference": "b"}, False),
        (VISITS, {"client_id": "v", "new": True}, {"client_id": "v", "new": False}, True),
        (VISITS, {"client_id": "v", "new": True}, {"client_id": "v", "new": True}, False),
        (DETECTIONS, {"accepted": 3, "repeated": 1}, {"accepted": 0, "repeated": 4}, True),
        (DETECTIONS, {"accepted": 3, "repeated": 1}, {"accepted": 1, "repeated": 3}, False),
    ],
)
def test_an_answer_to_the_same_request_again_that_makes_something_anew_is_named(
    path: str, first: dict[str, Any], again: dict[str, Any], kept: bool
) -> None:
    assert same(path, first, again) is kept


RECORD: list[Seen] = [(1, "", "a"), (2, "a", "b"), (3, "b", "c")]


def test_a_reader_who_saw_each_line_once_in_order_has_nothing_to_tell() -> None:
    assert lies("she", RECORD, RECORD) == []


@pytest.mark.parametrize(
    ("seen", "named"),
    [
        (lambda lines: [lines[0], lines[2]], "she never saw line 2 (1 such of 3)"),
        (lambda lines: [lines[0], lines[1], lines[1], lines[2]], "she saw line 2 twice or out of order (1 such)"),
        (lambda lines: [lines[1], lines[0], lines[2]], "she saw line 1 twice or out of order (1 such)"),
        (lambda lines: [*lines[:2], (3, "x", "c")], "she saw another line 3 than is kept (1 such)"),
        (lambda lines: [*lines, (4, "c", "d")], "she saw another line 4 than is kept (1 such)"),
    ],
)
def test_a_reader_who_missed_doubled_or_swapped_a_line_is_named(
    seen: Callable[[list[Seen]], list[Seen]], named: str
) -> None:
    assert lies("she", seen(RECORD), RECORD) == [named]
