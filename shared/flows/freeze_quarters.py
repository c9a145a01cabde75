"""Keeps each quarter's figures as they were published, and states them anew when late facts change them."""

from datetime import datetime, timedelta
from typing import Any

from shared.domain.events import FiguresFrozen
from shared.domain.kpi import Quarter
from shared.errors import NotFound
from shared.store import event_log, figures, policies
from shared.store.engine import WriteTx
from shared.store.figures import Snapshot
from shared.store.policies import InForce
from shared.store.read_models import kpis

LOOKED_BACK = 8
"""So many of the last frozen quarters are looked at again when something is told late."""


def freeze_quarters(tx: WriteTx, now: datetime) -> None:
    """Freeze every quarter that ended long enough ago; restate those that late facts changed. One run at a time."""
    try:
        rules = policies.in_force(tx, now)
    except NotFound:
        return
    figures.only_one_at_a_time(tx)
    frozen = {one.quarter: one for one in reversed(figures.snapshots(tx))}
    for quarter in _ended(tx, rules, now):
        if str(quarter) not in frozen:
            _keep(tx, quarter, 1, kpis.published(tx, quarter.period, now, rules), "", now)
    for known in sorted(frozen.values(), key=lambda one: one.quarter)[-LOOKED_BACK:]:
        _restate(tx, known, rules, now)


def _ended(tx: WriteTx, rules: InForce, now: datetime) -> list[Quarter]:
    """The quarters of the record that ended so many days ago as the policy says, the oldest first."""
    began = figures.first_event_at(tx)
    today = now.astimezone(rules.calendar.tz).date() - timedelta(days=rules.policy.kpi.freeze_after_days)
    found: list[Quarter] = []
    quarter = Quarter.of(today).before
    while began is not None and quarter.period.last >= began.astimezone(rules.calendar.tz).date():
        found.append(quarter)
        quarter = quarter.before
    return found[::-1]


def _restate(tx: WriteTx, known: Snapshot, rules: InForce, now: datetime) -> None:
    """A new revision, computed as of the same moment as the first, when it differs."""
    as_of = datetime.fromisoformat(known.figures["as_of"])
    if not figures.told_late(tx, known.frozen_at, as_of):
        return
    quarter = Quarter.parse(known.quarter)
    anew = kpis.published(tx, quarter.period, as_of, rules)
    if changed := differences(known.figures, anew):
        _keep(tx, quarter, known.revision + 1, anew, "Told late: " + "; ".join(changed) + ".", now)


def _keep(tx: WriteTx, quarter: Quarter, revision: int, told: dict[str, Any], why: str, now: datetime) -> None:
    kept = figures.freeze(tx, str(quarter), revision, told, why, now)
    event_log.append(tx, FiguresFrozen(snapshot_id=kept, quarter=str(quarter), restated=revision > 1), now)


def differences(was: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What changed between two statements of the same period, one phrase each."""
    before, after = _values(was), _values(now)
    return [
        f"{name} was {before.get(name)}, is {after.get(name)}"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


def _values(told: dict[str, Any]) -> dict[str, str]:
    """Every figure as it is compared: what was counted, of how many."""
    shares = {one["name"]: f"{one['counted']} of {one['of']}" for one in told["figures"]}
    ages = {one["name"]: f"{one['count']} (median {one['median']})" for one in told["ages"]}
    counted = {f"{one['name']}_counted": str(one["count"]) for one in told["counts"]}
    by_firm = {
        f"{name}_{one['name']}": f"{one['counted']} of {one['of']}"
        for name, listed in told["contractors"].items()
        for one in listed
    }
    return {**shares, **ages, **counted, **by_firm}
