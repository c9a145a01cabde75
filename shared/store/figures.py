"""What the published figures are made of, read from the record: plain rows for `domain/kpi.py`.

Everything is asked by when it happened (`occurred_at`), so that a past quarter can be computed again at any time and
comes out the same, unless facts arrived late.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Text, bindparam, func, insert, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from shared.domain.kpi import Repair, Response
from shared.domain.terms import OPEN_DEFECT, Band, VisitOutcome
from shared.store.engine import ReadTx, WriteTx
from shared.store.tables import event, kpi_snapshot

_SQL = Path(__file__).parent / "sql"
_REPAIRS = text((_SQL / "kpi_repairs.sql").read_text())
_CLOCKS = text((_SQL / "kpi_clocks.sql").read_text())
_BACKLOG = text((_SQL / "kpi_backlog.sql").read_text()).bindparams(bindparam("open", type_=ARRAY(Text)))
LATE_KINDS = ("RepairVerified", "VisitRecorded", "RecallDecided", "RepairClaimed", "DefectMadeSafe", "DefectMerged")
"""Kinds that can change a past quarter's figures when they arrive late."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, from `first` up to and without `past`, aware; days are told in `zone`."""

    first: datetime
    past: datetime
    zone: Any

    def day(self, moment: datetime) -> date:
        """The local day of a moment."""
        return moment.astimezone(self.zone).date()

    def bounds(self) -> dict[str, datetime]:
        return {"first": self.first, "past": self.past}

    @property
    def written(self) -> str:
        """As PostgreSQL writes a range."""
        return f'["{self.first.isoformat()}","{self.past.isoformat()}")'


@dataclass(frozen=True, slots=True)
class Standing:
    """What was open in a band at a moment. `band` None: not graded yet."""

    band: Band | None
    open: int
    overdue: int
    made_safe_at: tuple[datetime, ...]


def repairs(tx: ReadTx, spans: Sequence[Span], as_of: datetime) -> list[Repair]:
    """Permanent repairs verified in the spans, with the failures of them that were seen by `as_of`."""
    day = spans[0].day
    return [
        Repair(
            contractor=row.contractor,
            band=Band(row.band),
            verified_on=day(row.verified_at),
            visits=row.visits,
            recalled_on=tuple(day(seen) for seen in row.recalled_at if seen <= as_of),
        )
        for row in tx.execute(_REPAIRS, {"first": min(span.first for span in spans), "spans": _written(spans)})
    ]


def clocks(
    tx: ReadTx, spans: Sequence[Span], as_of: datetime, longest: timedelta | None = None
) -> dict[str, list[Response]]:
    """The clocks due in the spans, by their name; what was done after `as_of` counts as not done.

    `longest`: no clock that any policy set is longer, so that earlier months of the record need not be looked through.
    """
    found: dict[str, list[Response]] = {"make_safe": [], "permanent": []}
    since = None if longest is None else min(span.first for span in spans) - longest
    for row in tx.execute(_CLOCKS, {"spans": _written(spans), "since": since or _EVER}):
        done = row.done_at if row.done_at is not None and row.done_at <= as_of else None
        found[row.clock].append(Response(Band(row.band), row.due_at, spans[0].day(row.due_at), done))
    return found


_EVER = datetime(1900, 1, 1, tzinfo=UTC)


def _written(spans: Sequence[Span]) -> str:
    return f"{{{','.join(span.written for span in spans)}}}"


def backlog(tx: ReadTx, moment: datetime) -> list[Standing]:
    """What was open at a moment, by band."""
    rows = tx.execute(_BACKLOG, {"moment": moment, "open": sorted(OPEN_DEFECT)})
    return [
        Standing(None if row.band is None else Band(row.band), row.open, row.overdue, tuple(row.made_safe_at or ()))
        for row in rows
    ]


_FIRST_VISITS = text(
    """
    SELECT outcome FROM (
        SELECT DISTINCT ON (works_order_id) outcome, ended_at FROM visit ORDER BY works_order_id, ended_at, id
    ) AS first_visit
    WHERE ended_at >= :first AND ended_at < :past
    """
)
_DISPUTED = text(
    """
    SELECT EXISTS (
        SELECT FROM event AS said
        WHERE said.subject = 'recall' AND said.subject_id = proposed.subject_id AND said.kind = 'RecallDecided'
          AND said.data->>'decision' = 'disputed' AND said.occurred_at <= :as_of) AS disputed
    FROM event AS proposed
    WHERE proposed.kind = 'RecallProposed' AND proposed.occurred_at >= :first AND proposed.occurred_at < :past
    """
)
_REPAIRED = text(
    """
    SELECT least(defect.known_at, claimed.occurred_at) AS known_at, claimed.occurred_at AS repaired_at
    FROM event AS verified
    JOIN defect ON defect.id = verified.subject_id
    CROSS JOIN LATERAL (
        SELECT occurred_at FROM event
        WHERE subject = 'defect' AND subject_id = verified.subject_id AND kind = 'RepairClaimed' AND id < verified.id
        ORDER BY id DESC LIMIT 1) AS claimed
    WHERE verified.kind = 'RepairVerified' AND claimed.occurred_at >= :first AND claimed.occurred_at < :past
    """
)
_COUNTS = text(
    """
    SELECT (SELECT count(*) FROM report WHERE received_at >= :first AND received_at < :past) AS reports,
           (SELECT count(*) FROM report WHERE received_at >= :first AND received_at < :past AND danger) AS dangerous,
           (SELECT coalesce(sum(accepted), 0) FROM detection_batch
            WHERE received_at >= :first AND received_at < :past) AS detections,
           (SELECT count(*) FROM event WHERE kind IN ('DefectRecorded', 'DefectDetected')
            AND occurred_at >= :first AND occurred_at < :past) AS defects,
           (SELECT count(*) FROM event WHERE kind = 'RepairVerified'
            AND occurred_at >= :first AND occurred_at < :past) AS repairs,
           (SELECT count(*) FROM event WHERE kind = 'RecallProposed'
            AND occurred_at >= :first AND occurred_at < :past) AS recalls
    """
)
_OF_REPORTS = text(
    """
    SELECT count(*) AS received,
           count(*) FILTER (WHERE linked.verdict = 'same') AS duplicates,
           count(*) FILTER (WHERE linked.verdict IS NOT NULL) AS linked,
           count(*) FILTER (WHERE ended.after IN ('no_defect_found', 'rejected')) AS no_defect,
           count(*) FILTER (WHERE report.triage_due_at < :as_of OR decided.at IS NOT NULL) AS triaged_due,
           count(*) FILTER (WHERE decided.at <= report.triage_due_at) AS triaged_in_time
    FROM report
    LEFT JOIN LATERAL (
        SELECT data->>'verdict' AS verdict FROM event
        WHERE subject = 'report' AND subject_id = report.id AND kind = 'ReportLinked' AND occurred_at <= :as_of
        ORDER BY id LIMIT 1) AS linked ON true
    LEFT JOIN LATERAL (
        SELECT after FROM event
        WHERE subject = 'report' AND subject_id = report.id AND after IS NOT NULL AND occurred_at <= :as_of
        ORDER BY id DESC LIMIT 1) AS ended ON true
    LEFT JOIN LATERAL (
        SELECT min(occurred_at) AS at FROM event
        WHERE subject = 'report' AND subject_id = report.id AND occurred_at <= :as_of
          AND after IN ('linked', 'referred', 'rejected', 'no_defect_found', 'withdrawn', 'needs_info')
    ) AS decided ON true
    WHERE report.received_at >= :first AND report.received_at < :past
    """
)


def first_visits(tx: ReadTx, span: Span) -> list[VisitOutcome]:
    """The outcome of the first attendance of each order that was first attended in the span."""
    return [VisitOutcome(outcome) for outcome in tx.scalars(_FIRST_VISITS, span.bounds())]


def disputed(tx: ReadTx, span: Span, as_of: datetime) -> list[bool]:
    """For each recall proposed in the span, whether the contractor had disputed it by `as_of`."""
    return list(tx.scalars(_DISPUTED, {**span.bounds(), "as_of": as_of}))


def known_and_repaired(tx: ReadTx, span: Span) -> list[tuple[date, date]]:
    """For each verified repair that was completed in the span: the days of first knowledge and of completion."""
    return [(span.day(row.known_at), span.day(row.repaired_at)) for row in tx.execute(_REPAIRED, span.bounds())]


def counts(tx: ReadTx, span: Span) -> dict[str, int]:
    """How many reports, detections, defects, verified repairs and recalls the span saw."""
    return {name: int(value) for name, value in tx.execute(_COUNTS, span.bounds()).one()._mapping.items()}


def of_reports(tx: ReadTx, span: Span, as_of: datetime) -> dict[str, int]:
    """What became of the reports received in the span, by `as_of`."""
    row = tx.execute(_OF_REPORTS, {**span.bounds(), "as_of": as_of}).one()
    return {name: int(value) for name, value in row._mapping.items()}


# --- frozen quarters -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A quarter's figures as they were published. `why` says what late facts changed against the revision before."""

    id: int
    quarter: str
    revision: int
    frozen_at: datetime
    figures: dict[str, Any]
    why: str


def snapshots(tx: ReadTx, quarter: str | None = None) -> list[Snapshot]:
    """All revisions, or those of one quarter, the newest first."""
    rows = select(kpi_snapshot).order_by(kpi_snapshot.c.quarter.desc(), kpi_snapshot.c.revision.desc())
    if quarter is not None:
        rows = rows.where(kpi_snapshot.c.quarter == quarter)
    return [Snapshot(**row._mapping) for row in tx.execute(rows)]


def freeze(tx: WriteTx, quarter: str, revision: int, figures: dict[str, Any], why: str, now: datetime) -> int:
    """Keep a revision. Returns its id."""
    kept = insert(kpi_snapshot).values(quarter=quarter, revision=revision, frozen_at=now, figures=figures, why=why)
    return int(tx.scalar(kept.returning(kpi_snapshot.c.id)))


def first_event_at(tx: ReadTx) -> datetime | None:
    """When the record begins."""
    at: datetime | None = tx.scalar(select(func.min(event.c.at)))
    return at


def told_late(tx: ReadTx, since: datetime, happened_before: datetime) -> bool:
    """Whether anything that can change figures was recorded since then, of what had happened before."""
    late = select(event.c.id).where(
        event.c.at > since,
        event.c.kind.in_(LATE_KINDS),
        (event.c.occurred_at < happened_before) | (event.c.kind == "RecallDecided"),
    )
    return tx.scalar(late.limit(1)) is not None


def only_one_at_a_time(tx: WriteTx, names: Sequence[str] = ("freeze_quarters",)) -> None:
    """Hold off another run of the same sweep to the end of the transaction."""
    tx.execute(select(*(func.pg_advisory_xact_lock(func.hashtext(name)) for name in names)))
