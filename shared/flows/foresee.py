"""What would follow if a person merged, unmerged or split: it is done, those hear of it who would, and it is not kept.

No rule is written a second time here: the flows and the consumers themselves run, in a transaction that rolls back.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import hypot

from shared.domain.events import Consumer
from shared.errors import NotFound
from shared.flows import assign_works, grade_defects, merge_defects, send_messages, tell_people
from shared.store import deliveries, event_log, glances, merges, messages
from shared.store.deliveries import Delivery
from shared.store.engine import UnkeptTx, WriteTx
from shared.store.glances import Glance, Standing
from shared.store.messages import Claimed

WHY = "To see what would follow."
_HEARING: tuple[tuple[Consumer, Callable[[WriteTx, Sequence[Delivery], datetime], object]], ...] = (
    (Consumer.GRADE, grade_defects.run),
    (Consumer.ASSIGN, assign_works.run),
    (Consumer.TELL, tell_people.run),
)
"""Who changes a defect, its order, or what people are told, when they hear of it."""
_ROUNDS = 5
"""So often what they themselves did is heard in turn; more than it ever took."""


@dataclass(frozen=True, slots=True)
class Change:
    """A defect before and after. None: it is not there yet. `moved_m`: how far its position goes, metres."""

    before: Glance | None
    after: Glance
    moved_m: float


@dataclass(frozen=True, slots=True)
class Moving:
    """What goes from one defect to another. `reports` are references; of `unreached` of them nobody can be told."""

    reports: tuple[str, ...]
    detections: int
    passers_by: int
    unreached: int


@dataclass(frozen=True, slots=True)
class Order:
    """A works order whose state or cover changes."""

    reference: str
    before: str | None
    after: str


@dataclass(frozen=True, slots=True)
class Told:
    """A message that would be written to so many people. `who`: reporters, followers (of the defect), place.

    `leaves_at`: when it would be sent, the earliest of them. The words are those that one of them would read.
    """

    template: str
    who: str
    by_email: int
    by_text: int
    leaves_at: datetime
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Foreseen:
    """All that would follow. `stands`: the defect that has the sightings then; None: the new one, not named yet."""

    stands: str | None
    changes: tuple[Change, ...]
    moving: Moving
    orders: tuple[Order, ...]
    told: tuple[Told, ...]


def merge(tx: UnkeptTx, reference: str, into: str, now: datetime) -> Foreseen:
    """What follows if the one becomes a duplicate of the other.

    Raises:
        NotFound, Conflict: as the merge itself would.
    """

    def act() -> None:
        merge_defects.merge(tx, reference, into, WHY, now)

    return _foreseen(tx, [reference, into], act, now)


def unmerge(tx: UnkeptTx, reference: str, now: datetime) -> Foreseen:
    """What follows if the merge of a duplicate is undone.

    Raises:
        NotFound, Conflict: as undoing it would.
    """
    return _foreseen(tx, [reference], lambda: merge_defects.unmerge(tx, reference, WHY, now), now)


def split(tx: UnkeptTx, reference: str, reports: Sequence[str], detections: Sequence[int], now: datetime) -> Foreseen:
    """What follows if these reports and detections saw another defect.

    Raises:
        NotFound, Conflict, Invalid: as the split itself would.
    """

    def act() -> str:
        return merge_defects.split(tx, reference, reports, WHY, now, detections=detections)

    return _foreseen(tx, [reference], act, now)


def _foreseen(tx: UnkeptTx, named: Sequence[str], act: Callable[[], str | None], now: datetime) -> Foreseen:
    ids = _concerned(tx, named)
    before, seen, orders = glances.glance(tx, ids), glances.standing(tx, ids), glances.orders(tx, ids)
    event, message = event_log.newest(tx), messages.newest(tx)
    made = act()
    hear(tx, event, now)
    new = merges.ids(tx, made) if made else []
    ids = [*ids, *new]
    after, sees = glances.glance(tx, ids), glances.standing(tx, ids)
    return Foreseen(
        stands=None if made else _stands(after, named),
        changes=tuple(_change(before.get(one), after[one]) for one in ids),
        moving=_moving(sees - seen),
        orders=tuple(_orders(orders, glances.orders(tx, ids))),
        told=tuple(_told(tx, messages.own(tx, message), now)),
    )


def _concerned(tx: UnkeptTx, named: Sequence[str]) -> list[int]:
    """The defects that were named, and those that stand for them."""
    ids = list(merges.ids(tx, *named))
    holders = [holder for one in ids if (holder := merges.holder_of(tx, one)) is not None]
    return list(dict.fromkeys([*ids, *holders]))


def _stands(after: Mapping[int, Glance], named: Sequence[str]) -> str:
    first = next((one for one in after.values() if one.same_as is None and one.reference in named), None)
    return (first or next(iter(after.values()))).reference


def hear(tx: WriteTx, event: int, now: datetime) -> None:
    """Let those hear of the events after this one who would change something, as far as this transaction wrote them.

    Raises:
        NotFound: they never come to an end.
    """
    for _ in range(_ROUNDS):
        heard = [_heard(tx, consumer, flow, event, now) for consumer, flow in _HEARING]
        if not any(heard):
            return
    raise NotFound("What would follow does not come to an end: tell whoever looks after this service.")


def _heard(
    tx: WriteTx,
    consumer: Consumer,
    flow: Callable[[WriteTx, Sequence[Delivery], datetime], object],
    event: int,
    now: datetime,
) -> bool:
    due = deliveries.own(tx, consumer, event)
    if due:
        flow(tx, due, now)
        deliveries.done(tx, due)
    return bool(due)


def _change(before: Glance | None, after: Glance) -> Change:
    moved = 0.0 if before is None else hypot(after.x - before.x, after.y - before.y)
    return Change(before, after, moved)


def _moving(come: set[tuple[str, Standing]]) -> Moving:
    """Of what stands with another defect than before."""
    seen = [one for _, one in come]
    reports = sorted({one.report for one in seen if one.report is not None})
    return Moving(
        reports=tuple(reports),
        detections=sum(one.by_machine for one in seen),
        passers_by=sum(one.report is None and not one.by_machine for one in seen),
        unreached=len({one.report for one in seen if one.report is not None and not one.reached}),
    )


def _orders(before: Mapping[str, str], after: Mapping[str, str]) -> list[Order]:
    return [
        Order(reference, before.get(reference), state)
        for reference, state in sorted(after.items())
        if before.get(reference) != state
    ]


def _told(tx: WriteTx, written: Sequence[Claimed], now: datetime) -> list[Told]:
    """The messages, those with the same words for the same kind of reader as one."""
    alike: dict[tuple[str, str], list[Claimed]] = {}
    for one in written:
        alike.setdefault((one.template, _who(one)), []).append(one)
    return [_together(tx, who, same, now) for (_, who), same in alike.items()]


def _who(one: Claimed) -> str:
    if one.follow_id is None:
        return "reporters"
    return "followers" if one.follow_kind == "defect" else "place"


def _together(tx: WriteTx, who: str, same: Sequence[Claimed], now: datetime) -> Told:
    letter = send_messages.written(tx, same[0], now)
    return Told(
        template=same[0].template,
        who=who,
        by_email=sum(one.channel == "email" for one in same),
        by_text=sum(one.channel == "sms" for one in same),
        leaves_at=min(one.due_at for one in same),
        subject=letter.subject,
        text=letter.text if same[0].channel == "email" else letter.sms,
    )
