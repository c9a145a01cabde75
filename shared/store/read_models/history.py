"""The record of one thing as readers see it: its steps for the public, every event with its actor's name for staff."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import String, cast, func, select

from shared.domain.terms import DefectState, ReportState
from shared.domain.timeline import Step
from shared.store.engine import ReadTx
from shared.store.tables import event, person

_STATES: Mapping[str, Callable[[str], ReportState | DefectState]] = {"report": ReportState, "defect": DefectState}


def steps(tx: ReadTx, subject: str, ids: Sequence[int]) -> dict[int, list[Step]]:
    """When each report or defect came into which state, in order, by its id."""
    wanted = select(event.c.subject_id, event.c.at, event.c.after).where(
        event.c.subject == subject, event.c.subject_id == func.any(list(ids)), event.c.after.is_not(None)
    )
    found: dict[int, list[Step]] = {one: [] for one in ids}
    for row in tx.execute(wanted.order_by(event.c.id)):
        found[row.subject_id].append(Step(row.at, _STATES[subject](row.after)))
    return found


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
