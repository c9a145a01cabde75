"""Holds the database and the photos against every promise. Each check yields sentences: what is broken, where to look.

A check is a statement of the database as it is and of what was promised; it knows nothing of how it came about.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import psycopg

from chaos.promises import Promises
from chaos.readers import Seen
from shared.store.photo_files import Copy

Db = psycopg.Connection[Any]
Check = Callable[[Db, Promises], Iterator[str]]
RIGHT_SECONDS = 900.0
"""A visit told by a wrong clock is set right to within this: crews are out of signal for a while, clocks are off by
more."""


def broken(db: Db, promises: Promises, photos: Path) -> list[str]:
    """Every promise that is not kept."""
    found = [sentence for check in CHECKS for sentence in check(db, promises)]
    return found + list(_photo_files(promises, photos))


def _reports(db: Db, promises: Promises) -> Iterator[str]:
    wanted = set(promises.reports) | set(promises.keys.values())
    held = {row[0]: row[1:] for row in _rows(db, _REPORTS, list(wanted))}
    for reference in sorted(wanted - held.keys()):
        yield f"report {reference} was answered 201 and is not there: table report, and its event ReportReceived"
    for reference, (state, standing) in sorted(held.items()):
        if standing > 1:
            yield f"report {reference} is linked {standing} times: table sighting"
        if standing == 0 and state in ("received", "linked", "resolved"):
            yield f"report {reference} is {state} and linked to nothing: tables sighting and delivery (triage)"


_REPORTS = """
SELECT report.reference, report.state, count(sighting.id)
FROM report LEFT JOIN sighting ON sighting.report_id = report.id AND sighting.unlinked_at IS NULL
WHERE report.reference = ANY(%s)
GROUP BY report.id
"""


def _keys(db: Db, promises: Promises) -> Iterator[str]:
    """Every client of ours sends a key: as many reports as keys, and each key leads to what was promised under it."""
    keyed = {row[0]: row[1] for row in _rows(db, _KEYS)}
    for key, reference in sorted(promises.keys.items()):
        if keyed.get(key) != reference:
            yield f"key {key} was promised {reference} and leads to {keyed.get(key)}: table idempotency_key"
    for (extra,) in _rows(db, _KEYLESS, list(keyed.values())):
        yield f"report {extra} was made without a key of its own, twice for one request: table report"


_KEYS = "SELECT key, answer->>'reference' FROM idempotency_key WHERE scope LIKE 'reports:%%'"
_KEYLESS = "SELECT reference FROM report WHERE reference <> ALL(%s) ORDER BY id"


def _batches(db: Db, promises: Promises) -> Iterator[str]:
    held = {row[0]: row[1:] for row in _rows(db, _BATCHES, list(promises.batches))}
    for reference, accepted in sorted(promises.batches.items()):
        if reference not in held:
            yield f"batch {reference} was answered 202 and is not there: table detection_batch"
            continue
        stored, matched, limbo = held[reference]
        if stored != accepted:
            yield f"batch {reference} had {accepted} accepted and holds {stored}: table detection"
        if not matched or limbo:
            yield f"batch {reference} is not matched to its end ({limbo} received): deliveries of consumer detections"
    for source, external_id, times in _rows(db, _DOUBLED_DETECTIONS):
        yield f"detection {external_id} of source {source} is stored {times} times: table detection"


_BATCHES = """
SELECT batch.reference, count(detection.id), batch.matched_at IS NOT NULL,
       count(detection.id) FILTER (
           WHERE detection.verdict = 'received'
             AND NOT EXISTS (SELECT FROM sighting WHERE sighting.detection_id = detection.id))
FROM detection_batch AS batch LEFT JOIN detection ON detection.batch_id = batch.id
WHERE batch.reference = ANY(%s)
GROUP BY batch.id
"""
_DOUBLED_DETECTIONS = """
SELECT source_id, external_id, count(*) FROM detection GROUP BY source_id, external_id HAVING count(*) > 1
"""


def _visits(db: Db, promises: Promises) -> Iterator[str]:
    held = {str(row[0]): row[1:] for row in _rows(db, _VISITS, list(promises.visits))}
    for visit in sorted(promises.visits):
        times, off = held.get(visit, (0, None))
        if times != 1:
            yield f"visit {visit} to {promises.visits[visit]} was told and is there {times} times: table visit"
        elif visit in promises.skewed and (off is None or abs(off) > RIGHT_SECONDS):
            yield (
                f"visit {visit}, told by a clock {promises.skewed[visit]:.0f} s off, is placed {off} s before its "
                "arrival: event VisitRecorded, shared/domain/visits.py: set_right"
            )


_VISITS = """
SELECT visit.client_id, count(*), max(extract(epoch FROM visit.received_at - event.occurred_at))
FROM visit LEFT JOIN event ON event.kind = 'VisitRecorded' AND (event.data->>'visit_id')::bigint = visit.id
WHERE visit.client_id = ANY(%s::uuid[])
GROUP BY visit.client_id
"""


def _photos(db: Db, promises: Promises) -> Iterator[str]:
    held = {row[0]: row[1] for row in _rows(db, _PHOTOS, list(promises.photos))}
    for reference, sha256 in sorted(promises.photos.items()):
        if held.get(reference) != sha256:
            yield f"photo {reference} was answered 201 and is not there, or is another: table photo"


_PHOTOS = "SELECT reference, encode(sha256, 'hex') FROM photo WHERE reference = ANY(%s)"


def _photo_files(promises: Promises, folder: Path) -> Iterator[str]:
    for reference, sha256 in sorted(promises.photos.items()):
        for copy in Copy:
            file = folder / copy.value / reference[:2] / reference
            if not file.exists() or not file.stat().st_size:
                yield f"photo {reference} has no {copy.value} copy: {file.relative_to(folder)}"
            elif copy is Copy.ORIGINAL and hashlib.sha256(file.read_bytes()).hexdigest() != sha256:
                yield f"photo {reference} is not what was sent: {file.relative_to(folder)}"


def _orders(db: Db, _: Promises) -> Iterator[str]:
    for defect, one, other in _rows(db, _DOUBLED_ORDERS):
        yield f"defect {defect} was ordered twice at once, by {one} and {other}: events OrderIssued of both"


_DOUBLED_ORDERS = """
WITH issued AS (
    SELECT event.subject_id AS id, event.id AS event_id, event.at, named::bigint AS defect_id
    FROM event, jsonb_array_elements_text(event.data->'defect_ids') AS named
    WHERE event.kind = 'OrderIssued'
)
SELECT defect.reference, one.reference, other.reference
FROM issued AS later
JOIN issued AS earlier ON earlier.defect_id = later.defect_id AND earlier.event_id < later.event_id
JOIN works_order_defect AS covered
    ON covered.works_order_id = earlier.id AND covered.defect_id = earlier.defect_id
    AND (covered.ended_at IS NULL OR covered.ended_at > later.at)
JOIN defect ON defect.id = later.defect_id
JOIN works_order AS one ON one.id = earlier.id
JOIN works_order AS other ON other.id = later.id
WHERE earlier.id <> later.id
"""


def _events(db: Db, _: Promises) -> Iterator[str]:
    for kind, subject, times in _rows(db, _DOUBLED_EVENTS, list(ONCE)):
        yield f"{kind} of {subject} stands in the record {times} times: table event"
    for kind, number in _rows(db, _TOLD_TWICE):
        yield f"event {number} ({kind}) is told on the feed more than once: table feed_line"
    for number, kind in _rows(db, _BEFORE_IT_WAS):
        yield f"event {number} ({kind}) lies after its arrival: occurred_at of table event"


ONCE = {
    "ReportReceived": "report_id",
    "DefectRecorded": "defect_id",
    "OrderIssued": "works_order_id",
    "VisitRecorded": "visit_id",
    "VisitPhotoAdded": "photo_id",
    "ReportPhotoAdded": "photo_id",
    "DetectionsReceived": "batch_id",
    "DetectionsMatched": "batch_id",
    "WarrantyStarted": "warranty_id",
    "RecallProposed": "recall_id",
}
"""Events that happen once to the thing that this field of theirs names."""
_DOUBLED_EVENTS = """
SELECT kind, subject || ' ' || subject_id, count(*)
FROM event
WHERE kind = ANY(%s)
GROUP BY kind, subject, subject_id, coalesce(data->>'visit_id', ''), coalesce(data->>'photo_id', '')
HAVING count(*) > 1
"""
_TOLD_TWICE = "SELECT min(kind), event_id FROM feed_line GROUP BY event_id HAVING count(*) > 1"
_BEFORE_IT_WAS = "SELECT id, kind FROM event WHERE occurred_at > at + interval '1 second' ORDER BY id LIMIT 20"

CHECKS: Collection[Check] = (_reports, _keys, _batches, _visits, _photos, _orders, _events)


def record(db: Db, *, public: bool) -> list[Seen]:
    """The lines that a reader of the whole feed, or one of the public, must have seen."""
    rows = _rows(db, "SELECT number, encode(hash, 'hex'), public FROM feed_line ORDER BY number")
    before, lines = bytes(32).hex(), []
    for number, own, is_public in rows:
        if is_public or not public:
            lines.append((int(number), str(before), str(own)))
        before = own
    return lines


def _rows(db: Db, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    return db.execute(statement.encode(), values or None).fetchall()
