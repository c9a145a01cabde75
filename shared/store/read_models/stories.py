"""All that is on record about a defect or a report, for people who decide: every event in words, with who and when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

from sqlalchemy import Row, TextClause, text

from shared.domain.event_words import Said, sentence
from shared.store.engine import ReadTx
from shared.store.read_models.history import said

_SQL = Path(__file__).parent.parent / "sql"
_DEFECT, _REPORT = (text((_SQL / f"{name}_story.sql").read_text()) for name in ("defect", "report"))
_NAMES = ("report", "works_order", "recall", "other")
_MACHINES: Mapping[str, str] = {
    "public": "The public",
    "worker": "Roadmend",
    "policy": "The policy",
    "reporter": "The reporter",
    "command": "A command",
    "system": "Roadmend",
}


@dataclass(frozen=True, slots=True)
class Told:
    """One event. `at`: when it was recorded; `occurred_at`: when it happened, where that was earlier."""

    at: datetime
    occurred_at: datetime | None
    kind: str
    by: str
    words: str
    why: str


def of_defect(tx: ReadTx, defect_id: int, zone: tzinfo, most: int = 300) -> list[Told]:
    """What happened to a defect, its orders, warranties, recalls and reports, the newest first."""
    return _told(tx, _DEFECT, defect_id, zone, most)


def of_report(tx: ReadTx, report_id: int, zone: tzinfo, most: int = 300) -> list[Told]:
    """What happened to a report, the newest first."""
    return _told(tx, _REPORT, report_id, zone, most)


def _told(tx: ReadTx, story: TextClause, subject_id: int, zone: tzinfo, most: int) -> list[Told]:
    return [_line(row, zone) for row in tx.execute(story, {"id": subject_id, "most": most})]


def _line(row: Row[Any], zone: tzinfo) -> Told:
    names = {name: row._mapping[name] for name in _NAMES if row._mapping[name]}
    one = sentence(Said(row.kind, row.before, row.after, said(row.data), names, zone))
    earlier = row.occurred_at if row.occurred_at != row.at else None
    return Told(row.at, earlier, row.kind, row.by or actor_words(row.actor), one.words, one.why)


def actor_words(actor: str) -> str:
    """Who did it, where it was nobody with a name: "worker:grade" is Roadmend, at its grading."""
    kind, _, which = actor.partition(":")
    known = _MACHINES.get(kind, kind.capitalize())
    return f"{known} ({which})" if which and kind in ("worker", "policy", "command") else known
