"""The published figures of a period, each with its definition; computed from the record whenever they are asked for."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date, datetime, time, timedelta
from typing import Any

from shared.domain import kpi
from shared.domain.kpi import Ages, Figure, Period, Repair, share
from shared.store import figures
from shared.store.engine import ReadTx
from shared.store.figures import Span
from shared.store.policies import InForce

COUNTED = {
    "reports": "Reports received in the period.",
    "dangerous": "Reports received in the period that the reporter called dangerous.",
    "detections": "Detections of survey vehicles accepted in the period.",
    "defects": "Defects recorded in the period, by people or by machines.",
    "repairs": "Permanent repairs verified in the period.",
    "recalls": "Recalls proposed in the period.",
}


def published(tx: ReadTx, period: Period, as_of: datetime, rules: InForce) -> dict[str, Any]:
    """All figures of a period as they stand at a moment, ready to be printed: plain values only."""
    zone = rules.calendar.tz
    span = Span(_midnight(period.first, zone), _midnight(period.last + timedelta(days=1), zone), zone)
    repairs = figures.repairs(tx, [span], as_of)
    counted = figures.counts(tx, span)
    told = [
        *_of_repairs(repairs, period, span.day(as_of), rules),
        kpi.first_visit_permanent(figures.first_visits(tx, span)),
        kpi.dispute_rate(figures.disputed(tx, span, as_of)),
        *_in_time(tx, span, period, as_of),
        *_of_reports(tx, span, as_of),
    ]
    open_then, ages = _backlog(tx, span, as_of)
    return {
        "from": period.first.isoformat(),
        "to": period.last.isoformat(),
        "as_of": as_of.isoformat(),
        "counts": [{"name": name, "count": counted[name], "definition": words} for name, words in COUNTED.items()],
        "figures": [asdict(one) for one in (*told, *open_then)],
        "ages": [asdict(one) for one in (*ages, kpi.days_to_repair(figures.known_and_repaired(tx, span)))],
        "contractors": _by_contractor(repairs, period, span.day(as_of), rules),
    }


def _midnight(day: date, zone: Any) -> datetime:
    return datetime.combine(day, time(), zone)


def _of_repairs(repairs: Iterable[Repair], period: Period, today: date, rules: InForce) -> list[Figure]:
    done = list(repairs)
    right = [kpi.rft(done, days, period, today) for days in rules.policy.kpi.rft_days]
    return [*right, kpi.recall_rate(done, period)]


def _by_contractor(repairs: list[Repair], period: Period, today: date, rules: InForce) -> dict[str, Any]:
    names = sorted({one.contractor for one in repairs})
    return {
        name: [
            asdict(figure)
            for figure in _of_repairs([one for one in repairs if one.contractor == name], period, today, rules)
        ]
        for name in names
    }


def _in_time(tx: ReadTx, span: Span, period: Period, as_of: datetime) -> list[Figure]:
    clocks = figures.clocks(tx, [span], as_of)
    return [figure for clock, rows in clocks.items() for figure in kpi.in_time(rows, period, as_of, clock)]


def _of_reports(tx: ReadTx, span: Span, as_of: datetime) -> list[Figure]:
    told = figures.of_reports(tx, span, as_of)
    return [
        share(
            "duplicates",
            told["duplicates"],
            told["linked"],
            "Reports received in the period that were of a defect known already, as a share of those linked to one.",
        ),
        share(
            "not_a_defect",
            told["no_defect"],
            told["received"],
            "Reports received in the period that were found to be of no defect or not taken up, of all received.",
        ),
        share(
            "in_time_triage",
            told["triaged_in_time"],
            told["triaged_due"],
            "Reports received in the period that were decided about by their due time, of those decided or due.",
        ),
    ]


def _backlog(tx: ReadTx, span: Span, as_of: datetime) -> tuple[list[Figure], list[Ages]]:
    moment = min(span.past, as_of)
    standing = figures.backlog(tx, moment)
    graded = [(one.band, late) for one in standing if one.band for late in _each(one.open, one.overdue)]
    ungraded = sum(one.open for one in standing if one.band is None)
    total = sum(one.open for one in standing)
    waiting = share("backlog_ungraded", ungraded, total, "Open defects that nobody has graded yet, of all open ones.")
    safe = [span.day(at) for one in standing for at in one.made_safe_at]
    return [*kpi.backlog(graded), waiting], [kpi.make_safe_ageing(safe, span.day(moment))]


def _each(number: int, overdue: int) -> Iterable[bool]:
    return (position < overdue for position in range(number))
