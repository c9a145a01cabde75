"""The record of one thing as readers see it: its steps for the public, every event with its actor's name for staff."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, Row, String, Text, bindparam, cast, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from shared.domain.promises import Attempt, Clock, Fact, Promise, Questioned, Scheduled, Slip, Upheld
from shared.domain.terms import AbortReason, DefectState, ReportState
from shared.domain.timeline import Step
from shared.store.engine import ReadTx
from shared.store.tables import event, person

_STATES: Mapping[str, Callable[[str], ReportState | DefectState]] = {"report": ReportState, "defect": DefectState}
_FACTS = text((Path(__file__).parent.parent / "sql" / "story_facts.sql").read_text()).bindparams(
    bindparam("subject", type_=Text), bindparam("ids", type_=ARRAY(BigInteger))
)


def steps(tx: ReadTx, subject: str, ids: Sequence[int]) -> dict[int, list[Step]]:
    """When each report or defect came into which state, in order, by its id."""
    wanted = select(event.c.subject_id, event.c.at, event.c.after, event.c.occurred_at).where(
        event.c.subject == subject, event.c.subject_id == func.any(list(ids)), event.c.after.is_not(None)
    )
    found: dict[int, list[Step]] = {one: [] for one in ids}
    for row in tx.execute(wanted.order_by(event.c.id)):
        found[row.subject_id].append(Step(row.at, _STATES[subject](row.after), row.occurred_at))
    return found


def facts(tx: ReadTx, subject: str, ids: Sequence[int]) -> dict[int, list[Fact]]:
    """What a timeline tells of each beside its states, in order, by its id."""
    found: dict[int, list[Fact]] = {one: [] for one in ids}
    if ids:
        for row in tx.execute(_FACTS, {"subject": subject, "ids": list(ids)}):
            found[row.id] += _TOLD[row.kind](row)
    return found


def _graded(row: Row[Any]) -> Iterator[Fact]:
    for clock in (Clock.MAKE_SAFE, Clock.PERMANENT, Clock.INSPECT):
        yield Promise(row.at, clock, _time(row.data.get(f"{clock}_due")))


def _moved(row: Row[Any]) -> Iterator[Fact]:
    yield Promise(row.at, Clock(row.data["clock"]), _time(row.data["due_at"]), holidays=True)


def _missed(row: Row[Any]) -> Iterator[Fact]:
    due_at = _time(row.data["due_at"])
    if due_at is not None:
        yield Slip(row.at, Clock(row.data.get("clock", Clock.TRIAGE)), due_at)


def _scheduled(row: Row[Any]) -> Iterator[Fact]:
    for_ = _time(row.data["for"])
    if for_ is not None:
        yield Scheduled(row.at, for_)


_TOLD: Mapping[str, Callable[[Row[Any]], Iterator[Fact]]] = {
    "DefectGraded": _graded,
    "DeadlineMoved": _moved,
    "DeadlineMissed": _missed,
    "TriageMissed": _missed,
    "attempt": lambda row: iter([Attempt(row.at, AbortReason(row.data["reason"]))]),
    "scheduled": _scheduled,
    "questioned": lambda row: iter([Questioned(row.at)]),
    "upheld": lambda row: iter([Upheld(row.at)]),
}


def _time(written: str | None) -> datetime | None:
    return None if written is None else datetime.fromisoformat(written)


def events(tx: ReadTx, subject: str, subject_id: int, most: int = 500) -> list[dict[str, Any]]:
    """Every event of one thing, oldest first, for staff: who did it by name, and what it says, without internal ids."""
    actor = func.coalesce(person.c.name, event.c.actor).label("by")
    wanted = (
        select(event.c.at, event.c.occurred_at, event.c.kind, event.c.before, event.c.after, actor, event.c.correlation)
        .add_columns(event.c.data)
        .outerjoin(person, event.c.actor == func.concat("person:", cast(person.c.id, String)))
        .where(event.c.subject == subject, event.c.subject_id == subject_id)
        .order_by(event.c.id)
        .limit(most)
    )
    return [{**row._mapping, "data": said(row.data)} for row in tx.execute(wanted)]


def said(data: Mapping[str, Any]) -> dict[str, Any]:
    """What an event says beside its ids, which are ours."""
    return {name: value for name, value in data.items() if not name.endswith(("_id", "_ids", "_of"))}
