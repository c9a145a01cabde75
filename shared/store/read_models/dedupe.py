"""How often people and the machine agree on what is one defect, of any period: `roadmend dedupe report`."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import distinct_on

from shared.domain.agreement import COUNTS, Agreement, Line
from shared.domain.kpi import Period
from shared.store.engine import ReadTx
from shared.store.tables import label, question

_SQL = Path(__file__).parent.parent / "sql"
_MACHINE = text((_SQL / "dedupe_machine.sql").read_text())
_ASKED = text((_SQL / "dedupe_asked.sql").read_text())


def agreement(tx: ReadTx, period: Period, zone: tzinfo) -> Agreement:
    """The verdicts of a period's days and what people said of them until now. Reads all sightings of the period."""
    span = {"since": _midnight(period.first, zone), "past": _midnight(period.last + timedelta(days=1), zone)}
    found: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for row in tx.execute(_MACHINE, span):
        found[row.source, row.model] |= _counts(dict(row._mapping))
    for row in tx.execute(_ASKED, span):
        found[row.source, ""] |= _counts(dict(row._mapping))
    lines = [Line(source=source, model=model, **counts) for (source, model), counts in found.items()]
    lines.sort(key=lambda one: (-one.verdicts, one.source, one.model))
    since: datetime | None = tx.scalar(select(func.min(label.c.at)))
    return Agreement(period.first, period.last, lines, since and since.astimezone(zone).date())


def _counts(row: Mapping[str, Any]) -> dict[str, int]:
    return {name: row[name] for name in COUNTS if name in row}


def _midnight(day: Any, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone)


@dataclass(frozen=True, slots=True)
class Answers:
    """What operators said in a time: of questions, and against the machine. Read from what they said alone."""

    same: int
    different: int
    cannot_tell: int
    joined_wrongly: int
    parted_wrongly: int

    @property
    def answered(self) -> int:
        return self.same + self.different + self.cannot_tell


def answers(tx: ReadTx, since: datetime) -> Answers:
    """What was said since then. Of a pair the newest counts."""
    asked = select(question.c.answer, func.count().label("times")).where(question.c.settled_at >= since)
    times = {row.answer: row.times for row in tx.execute(asked.group_by(question.c.answer))}
    pair = (label.c.report_id, label.c.detection_id, label.c.defect_id)
    newest = (
        select(label.c.machine, label.c.answer)
        .where(label.c.at >= since, label.c.machine.in_(("same", "different")))
        .ext(distinct_on(*pair))
        .order_by(*pair, label.c.id.desc())
        .subquery()
    )
    against = select(newest.c.machine, func.count().label("times")).where(
        newest.c.machine != newest.c.answer, newest.c.answer.in_(("same", "different"))
    )
    wrong = {row.machine: row.times for row in tx.execute(against.group_by(newest.c.machine))}
    return Answers(
        times.get("same", 0),
        times.get("different", 0),
        times.get("cannot_tell", 0),
        wrong.get("same", 0),
        wrong.get("different", 0),
    )
