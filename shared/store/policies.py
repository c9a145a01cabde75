"""Policy versions: adopted once, kept for ever, and the one in force."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy import Row, func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from shared.calendars import load
from shared.domain.deadlines import WorkingCalendar
from shared.domain.policy import Policy, parse
from shared.domain.terms import PolicyVersionId
from shared.errors import NotFound
from shared.store.engine import ReadTx, WriteTx
from shared.store.tables import contractor, policy_version


@dataclass(frozen=True, slots=True)
class InForce:
    """The policy that decides now, its version, and its working days."""

    id: PolicyVersionId
    policy: Policy
    calendar: WorkingCalendar


_NAMED = select(policy_version.c.id, policy_version.c.sha256, policy_version.c.name)


def in_force(tx: ReadTx, now: datetime) -> InForce:
    """The newest version whose effective date has come.

    Raises:
        NotFound: none was adopted; `roadmend policy adopt FILE` does it.
    """
    newest = (
        _NAMED.where(policy_version.c.effective_from <= now)
        .order_by(policy_version.c.effective_from.desc(), policy_version.c.id.desc())
        .limit(1)
    )
    found = tx.execute(newest).one_or_none()
    if found is None:
        raise NotFound("No policy is in force. Adopt one: roadmend policy adopt shared/policy/lancashire.toml")
    return _cached(tx, found)


def version(tx: ReadTx, policy_id: PolicyVersionId) -> InForce:
    """A version by its id: what was decided stays decided under its own."""
    return _cached(tx, tx.execute(_NAMED.where(policy_version.c.id == policy_id)).one())


def decides_since(tx: ReadTx, policy_id: PolicyVersionId) -> datetime:
    """From when a version decides: its effective date, or its adoption where that came later."""
    both = select(func.greatest(policy_version.c.effective_from, policy_version.c.adopted_at))
    at: datetime = tx.scalar(both.where(policy_version.c.id == policy_id))
    return at


def _cached(tx: ReadTx, row: Row[tuple[int, str, str]]) -> InForce:
    known = _parsed.get((row.sha256, row.id))
    if known is None:
        written = tx.scalar(select(policy_version.c.text).where(policy_version.c.id == row.id))
        known = _parsed[(row.sha256, row.id)] = _read(written, row.name, PolicyVersionId(row.id))
    return known


_parsed: dict[tuple[str, int], InForce] = {}


@lru_cache(maxsize=32)
def _read(written: str, name: str, policy_id: PolicyVersionId) -> InForce:
    policy = parse(written, name)
    return InForce(policy_id, policy, load(policy.calendar))


def adopt(tx: WriteTx, written: str, policy: Policy, now: datetime) -> PolicyVersionId | None:
    """Store a version and its contractors. Returns its id, or None when this very text is already stored."""
    stored = tx.scalar(
        upsert(policy_version)
        .values(
            name=policy.meta.name,
            sha256=policy.sha256,
            text=written,
            approver=policy.meta.approver,
            effective_from=policy.meta.effective_from,
            adopted_at=now,
        )
        .on_conflict_do_nothing()
        .returning(policy_version.c.id)
    )
    named = [{"code": code, "name": one.name, "since": now.date()} for code, one in policy.contractors.items()]
    if named:
        add = upsert(contractor).values(named)
        tx.execute(add.on_conflict_do_update(index_elements=["code"], set_={"name": add.excluded.name}))
    return None if stored is None else PolicyVersionId(stored)
