"""Takes a vendor's detections in bulk: each is kept, known already, or refused with its reason; none harms another."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.domain.detection import Detection, Fault, Item, Reader, Unreadable
from shared.domain.events import DetectionsReceived
from shared.domain.place import Ask, InCounty, Located, Refer, Refuse, judge
from shared.domain.policy_sections import PlaceRules
from shared.errors import NotFound, TooLarge
from shared.store import detections, event_log, policies
from shared.store.detections import Counts
from shared.store.engine import WriteTx

MOST = 100_000
"""Detections in one request."""


@dataclass(frozen=True, slots=True)
class Received:
    """What the vendor is told: the batch's reference, its figures, and why each refused one was, in their order."""

    reference: str
    received_at: datetime
    counts: Counts
    faults: Sequence[Fault]


def receive(tx: WriteTx, source_id: int, items: Sequence[Item | Unreadable], now: datetime) -> Received:
    """Take the detections of one request. The same ones again are counted as repeated and change nothing.

    Raises:
        TooLarge: more than MOST.
        NotFound: no such source.
    """
    if len(items) > MOST:
        raise TooLarge(f"{len(items):,} detections came; send {MOST:,} at most in one request.")
    code = detections.code_of(tx, source_id)
    if code is None:
        raise NotFound("This key belongs to no source of detections.")
    policy = policies.in_force(tx, now).policy
    batch, reference = detections.open_batch(tx, source_id, now)
    faults: list[Fault] = []
    detections.arrive(tx, _good(Reader(policy, code, now), items, faults), source_id)
    detections.place(tx, policy.place)
    faults += _leave_out(tx, policy.place)
    accepted = detections.put(tx, batch, source_id, now)
    counts = Counts(accepted, len(items) - accepted - len(faults), len(faults))
    detections.close_batch(tx, batch, counts, faults)
    said = DetectionsReceived(batch_id=batch, accepted=accepted, repeated=counts.repeated, refused=counts.refused)
    event_log.append(tx, said, now)
    return Received(reference, now, counts, sorted(faults))


def _good(reader: Reader, items: Sequence[Item | Unreadable], faults: list[Fault]) -> Iterator[Detection]:
    """The good ones one after the other, each key once; the faults of the others, one each, are added to `faults`.

    Read while they are written, so that the server takes in one while the next is looked at.
    """
    known: set[str] = set()
    for position, item in enumerate(items):
        read = reader.read(position, item)
        if isinstance(read, Fault):
            faults.append(read)
        elif read.external_id not in known:
            known.add(read.external_id)
            yield read


def _leave_out(tx: WriteTx, rules: PlaceRules) -> list[Fault]:
    """Judge those that are not plainly ours, as a report would be, and leave out what is not."""
    doubtful = detections.doubtful(tx, rules)
    judged = ((position, _fault(position, place, rules)) for position, place in doubtful.items())
    faults = [fault for _, fault in judged if fault is not None]
    if faults:
        detections.leave_out(tx, [fault.position for fault in faults])
    return faults


def _fault(position: int, place: Located, rules: PlaceRules) -> Fault | None:
    match judge(place, rules):
        case InCounty():
            return None
        case Refer(target, why):
            return Fault(position, "location", f"{why} ({target})")
        case Ask(field, why):
            return Fault(position, "h_accuracy_m" if field == "accuracy_m" else field, why)
        case Refuse(field, why):
            return Fault(position, field, why)
