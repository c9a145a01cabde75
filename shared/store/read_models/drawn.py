"""Which repairs were drawn for a person to check, by what rule and why: the sample, which anybody can draw again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row as SqlRow
from sqlalchemy import Select, case, func, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on

from shared.domain.evidence import NOT_DRAWN, draw
from shared.domain.terms import OrderState, PolicyVersionId
from shared.store import policies
from shared.store.engine import ReadTx
from shared.store.read_models import list_place
from shared.store.tables import contractor, event, policy_version, visit, works_order

Row = Mapping[str, Any]
_WHY = event.c.data["why"].astext
_PASSED = (event.c.kind == "OrderStepped", event.c.after == OrderState.EVIDENCE_OK)
"""The step by which evidence passes says whether a person checks, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which of them; None: whichever."""

    checked: bool | None = None
    contractor: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """The newest first, and where the next page begins; None when there is no more."""

    rows: list[Row]
    next: str | None


def of_orders(tx: ReadTx, order_ids: Sequence[int]) -> dict[int, Row]:
    """By order, how the repair was drawn when its evidence last passed; nothing for one whose evidence has not."""
    rows = (
        select(event.c.subject_id, event.c.at, _WHY.label("why"), works_order.c.reference, visit.c.evidence)
        .ext(distinct_on(event.c.subject_id))
        .join(works_order, works_order.c.id == event.c.subject_id)
        .outerjoin(visit, visit.c.id == works_order.c.visit_id)
        .where(event.c.subject == "works_order", event.c.subject_id == func.any(list(order_ids)), *_PASSED)
        .order_by(event.c.subject_id, event.c.id.desc())
    )
    found = tx.execute(rows).all()
    deciding = _policies(tx) if found else []
    return {row.subject_id: _drawing(tx, row, deciding) for row in found}


def page(tx: ReadTx, wanted: Wanted, *, after: str | None, most: int) -> Page:
    """Repairs whose evidence passed, the newest first, each with how it was drawn and what became of it.

    Raises:
        Invalid: `after` is not from an answer of ours.
    """
    tx.plan_for_values()
    rows = _drawings().where(*_filters(wanted))
    if after is not None:
        at, step = _place(after)
        # The time once more by itself: the record's parts go by it.
        rows = rows.where(event.c.at <= at, tuple_(event.c.at, event.c.id) < tuple_(at, step))
    found = tx.execute(rows.order_by(event.c.at.desc(), event.c.id.desc()).limit(most + 1)).all()
    deciding = _policies(tx)
    shown: list[Row] = [{**row._mapping, **_drawing(tx, row, deciding)} for row in found[:most]]
    last = found[most - 1] if len(found) > most else None
    return Page(shown, None if last is None else list_place.written(last.at, str(last.id)))


def _place(after: str) -> tuple[datetime, int]:
    at, step = list_place.read(after)
    if not (step.isascii() and step.isdigit() and len(step) < 19):
        raise list_place.unknown()
    return at, int(step)


def shares(tx: ReadTx, since: datetime) -> list[Row]:
    """By contractor, of how many repairs the evidence passed since, and how many of them a person checks."""
    rows = (
        select(
            contractor.c.code,
            contractor.c.name,
            func.count().label("repairs"),
            func.sum(case((_WHY.contains(NOT_DRAWN), 0), else_=1)).label("checked"),
        )
        .select_from(event)
        .join(works_order, works_order.c.id == event.c.subject_id)
        .join(contractor, contractor.c.id == works_order.c.contractor_id)
        .where(*_PASSED, event.c.at >= since)
        .group_by(contractor.c.code, contractor.c.name)
        .order_by(contractor.c.name)
    )
    return [dict(row._mapping) for row in tx.execute(rows)]


def _drawings() -> Select[Any]:
    return (
        select(
            event.c.id,
            event.c.at,
            _WHY.label("why"),
            works_order.c.reference,
            works_order.c.band,
            works_order.c.kind,
            works_order.c.state,
            contractor.c.code.label("contractor"),
            contractor.c.name.label("contractor_name"),
            visit.c.evidence,
        )
        .join(works_order, works_order.c.id == event.c.subject_id)
        .join(contractor, contractor.c.id == works_order.c.contractor_id)
        .outerjoin(visit, visit.c.id == works_order.c.visit_id)
        .where(*_PASSED)
    )


def _filters(wanted: Wanted) -> list[Any]:
    rules = []
    if wanted.checked is not None:
        drawn = ~_WHY.contains(NOT_DRAWN)
        rules.append(drawn if wanted.checked else ~drawn)
    if wanted.contractor is not None:
        rules.append(contractor.c.code == wanted.contractor)
    if wanted.since is not None:
        rules.append(event.c.at >= wanted.since)
    return rules


def _policies(tx: ReadTx) -> Sequence[SqlRow[Any]]:
    """Every version with the time from which it decides, the newest first."""
    since = func.greatest(policy_version.c.effective_from, policy_version.c.adopted_at).label("since")
    named = select(policy_version.c.id, policy_version.c.name, policy_version.c.sha256, since)
    return tx.execute(named.order_by(policy_version.c.effective_from.desc(), policy_version.c.id.desc())).all()


def _drawing(tx: ReadTx, row: SqlRow[Any], deciding: Sequence[SqlRow[Any]]) -> Row:
    """Whether it was drawn, the rule's own words, and the number that the rule drew under the policy of that time."""
    ruling = next((one for one in deciding if one.since <= row.at), None)
    share = None
    if ruling is not None:
        rules = policies.version(tx, PolicyVersionId(ruling.id)).policy.verification
        share = max(rules.share, rules.floor)
    return {
        "checked": NOT_DRAWN not in row.why,
        "why": _rule(row.why, row.evidence),
        "at": row.at,
        "number": None if ruling is None else draw(row.reference, ruling.sha256),
        "share": share,
        "policy": None if ruling is None else ruling.name,
    }


def _rule(why: str, evidence: Row | None) -> str:
    """What the step says beside the evidence's own sentence, which comes first in it."""
    for sentence in (evidence or {}).get("why", ()):
        why = why.removeprefix(sentence)
    return why.strip()
