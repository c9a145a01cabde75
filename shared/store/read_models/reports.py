"""Reports as they are read: by anybody, by their reporter, by staff; and the list that operators work through."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select, tuple_
from sqlalchemy.orm import aliased

from shared.domain.promises import Clock, Fact, Promise
from shared.domain.public import PublicStatus, public_status
from shared.domain.terms import OPEN_REPORT, DefectState, ReportState
from shared.domain.timeline import Link, Moment, Step, of_report
from shared.errors import NotFound
from shared.store import meanwhile
from shared.store.engine import ReadTx
from shared.store.read_models import history, list_place
from shared.store.tables import contact, defect, merge, photo, question, report, report_note, sighting, street

_HEAD: list[ColumnElement[Any]] = [
    report.c[name]
    for name in (
        "id",
        "reference",
        "class_code",
        "state",
        "outcome",
        "lat",
        "lon",
        "accuracy_m",
        "address",
        "description",
        "danger",
        "channel",
        "street_key",
        "observed_at",
        "received_at",
        "triage_due_at",
        "updated_at",
        "words_released",
        "words_withheld",
        "taken_at",
        "taken_by",
    )
]
_HEAD.append(street.c.name.label("street"))


@dataclass(frozen=True, slots=True)
class Told:
    """A report with what anybody may know of it. `row` has more: the caller shows it to whom it concerns.

    `since`: when it came into its state.
    """

    row: Row[Any]
    status: PublicStatus
    timeline: list[Moment]
    defects: list[str]
    since: datetime


def told(tx: ReadTx, reference: str) -> Told:
    """A report, where it stands, and what happened, in plain words.

    Raises:
        NotFound: there is no such report.
    """
    row = tx.execute(_heads().where(report.c.reference == reference)).one_or_none()
    if row is None:
        raise NotFound("There is no report with this reference. Letters and digits as in R-7K3M-9QXF.")
    linked = _linked(tx, [row.id])
    own = history.steps(tx, "report", [row.id])[row.id]
    facts = [*_read_by(row, own), *history.facts(tx, "report", [row.id])[row.id]]
    states = [DefectState(one.state) for one in linked]
    status = public_status(ReportState(row.state), states)
    timeline = of_report(own, _links(tx, linked), facts)
    since = own[-1].at if own else row.received_at
    return Told(row, status, timeline, list(dict.fromkeys(one.reference for one in linked)), since)


def _read_by(row: Row[Any], own: Sequence[Step]) -> list[Fact]:
    """By when somebody reads it: what was said when it last came to wait for a person."""
    waits, back = {ReportState.RECEIVED, ReportState.CHALLENGED}, {ReportState.NEEDS_INFO, ReportState.REJECTED}
    since = [
        step.at
        for before, step in zip([None, *own], own, strict=False)
        if step.state in waits or (before is not None and before.state in back)
    ]
    return [Promise(since[-1], Clock.TRIAGE, row.triage_due_at)] if since else []


def _links(tx: ReadTx, linked: Sequence[Row[Any]]) -> list[Link]:
    """What each defect went through while the report was its; a duplicate's own news come before its original's."""
    ids = {one.defect_id for one in linked} | {one.merged_from for one in linked if one.merged_from is not None}
    steps, facts = history.steps(tx, "defect", sorted(ids)), history.facts(tx, "defect", sorted(ids))
    links = []
    for one in linked:
        since = one.linked_at
        if one.merged_from is not None and one.merged_at is not None and one.merged_at > since:
            links.append(Link(since, steps[one.merged_from], facts[one.merged_from], until=one.merged_at))
            since = one.merged_at
        links.append(Link(since, steps[one.defect_id], facts[one.defect_id]))
    return links


def _heads() -> Select[Any]:
    return select(*_HEAD).outerjoin(street, street.c.id == report.c.street_id)


_merged_at = (
    select(func.max(merge.c.at))
    .where(merge.c.defect_id == sighting.c.merged_from, merge.c.undone_at.is_(None))
    .scalar_subquery()
)
"""When the merge took place that brought a sighting where it is."""


def _linked(tx: ReadTx, report_ids: Sequence[int]) -> Sequence[Row[Any]]:
    """The defects that reports belong to now; the original where one was merged away."""
    shown = aliased(defect)
    return tx.execute(
        select(
            sighting.c.report_id,
            sighting.c.linked_at,
            shown.c.id.label("defect_id"),
            shown.c.reference,
            shown.c.state,
            sighting.c.merged_from,
            _merged_at.label("merged_at"),
        )
        .join(defect, defect.c.id == sighting.c.defect_id)
        .join(shown, shown.c.id == func.coalesce(defect.c.merged_into, defect.c.id))
        .where(sighting.c.report_id == func.any(list(report_ids)), sighting.c.unlinked_at.is_(None))
        .order_by(sighting.c.linked_at, sighting.c.id)
    ).all()


# --- for the reporter and for staff ----------------------------------------------------------------------------------


def photos(tx: ReadTx, report_id: int) -> list[Row[Any]]:
    """The photos that came with it, oldest first."""
    columns = [photo.c[name] for name in ("reference", "width_px", "height_px", "taken_at", "taken_lat", "taken_lon")]
    return list(tx.execute(select(*columns).where(photo.c.report_id == report_id).order_by(photo.c.id)))


def notes(tx: ReadTx, report_id: int) -> list[Row[Any]]:
    """What was asked of the reporter and what the reporter said later, oldest first."""
    columns = select(report_note.c.kind, report_note.c.words, report_note.c.at)
    return list(tx.execute(columns.where(report_note.c.report_id == report_id).order_by(report_note.c.id)))


def reach(tx: ReadTx, report_id: int) -> Row[Any] | None:
    """How to reach the reporter, where it was told and is not forgotten."""
    columns = select(contact.c.name, contact.c.email, contact.c.phone)
    return tx.execute(columns.where(contact.c.report_id == report_id)).one_or_none()


def links(tx: ReadTx, report_id: int) -> list[Row[Any]]:
    """Every defect that the report was ever linked to, why, and until when."""
    return list(
        tx.execute(
            select(
                defect.c.reference.label("defect"),
                sighting.c.verdict,
                sighting.c.why,
                sighting.c.linked_at,
                sighting.c.unlinked_at,
            )
            .join(defect, defect.c.id == sighting.c.defect_id)
            .where(sighting.c.report_id == report_id)
            .order_by(sighting.c.id)
        )
    )


def events(tx: ReadTx, report_id: int) -> list[dict[str, Any]]:
    """Every event of it, oldest first."""
    return history.events(tx, "report", report_id)


def seen(tx: ReadTx, report_id: int) -> int:
    """The newest event of it that may stand against somebody's decision."""
    return meanwhile.newest(tx, "report", [report_id])[report_id]


# --- the operators' list ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Filters; None does not filter. `due`: those that wait to be read, sorted by when they must be."""

    states: Sequence[str] | None = None
    class_code: str | None = None
    danger: bool | None = None
    street_key: str | None = None
    overdue_at: datetime | None = None
    due: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Reports, and where the next page begins; None when there is no more."""

    rows: list[Row[Any]]
    next: str | None


def page(tx: ReadTx, wanted: Wanted, after: str | None, most: int) -> Page:
    """Reports newest first, or by when they must be read; `after` is the `next` of the page before.

    Raises:
        Invalid: `after` is not from an answer of ours.
    """
    tx.plan_for_values()
    waiting = select(question.c.id).where(question.c.report_id == report.c.id, question.c.settled_at.is_(None)).exists()
    rows = _heads().add_columns(waiting.label("question_waits")).where(*_filters(wanted))
    if after is not None:
        rows = rows.where(_beyond(tx, after, due=wanted.due))
    order = (report.c.triage_due_at, report.c.id) if wanted.due else (report.c.id.desc(),)
    found = list(tx.execute(rows.order_by(*order).limit(most + 1)))
    shown = found[:most]
    last = shown[-1] if len(found) > most else None
    if last is None:
        return Page(shown, None)
    return Page(shown, list_place.written(last.triage_due_at if wanted.due else last.received_at, last.reference))


_UNREAD = sorted(OPEN_REPORT - {ReportState.LINKED})


def _beyond(tx: ReadTx, after: str, *, due: bool) -> ColumnElement[bool]:
    """Reports that come after a place. It carries the time by which its report had to be read, for that may change."""
    at, reference = list_place.read(after)
    last: int | None = tx.scalar(select(report.c.id).where(report.c.reference == reference))
    if last is None:
        raise list_place.unknown()
    return tuple_(report.c.triage_due_at, report.c.id) > tuple_(at, last) if due else report.c.id < last


def _filters(wanted: Wanted) -> list[ColumnElement[bool]]:
    rules: list[ColumnElement[bool]] = []
    if wanted.states is not None:
        rules.append(report.c.state.in_(wanted.states))
    if wanted.class_code is not None:
        rules.append(report.c.class_code == wanted.class_code)
    if wanted.danger is not None:
        rules.append(report.c.danger == wanted.danger)
    if wanted.street_key is not None:
        rules.append(report.c.street_key == wanted.street_key)
    if wanted.due or wanted.overdue_at is not None:
        rules.append(report.c.state.in_(_UNREAD))
    if wanted.overdue_at is not None:
        rules.append(report.c.triage_due_at < wanted.overdue_at)
    return rules
