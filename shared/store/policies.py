"""Policy versions: adopted once, kept for ever, and the one in force."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy import DateTime, Row, bindparam, func, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from shared.calendars import load
from shared.domain.deadlines import WorkingCalendar
from shared.domain.policy import Policy, parse
from shared.domain.terms import PolicyVersionId
from shared.errors import NotFound
from shared.store.engine import Ask, ReadTx, Steps, WriteTx
from shared.store.tables import contractor, policy_version


@dataclass(frozen=True, slots=True)
class InForce:
    """The policy that decides now, its version, and its working days."""

    id: PolicyVersionId
    policy: Policy
    calendar: WorkingCalendar


_NAMED = select(policy_version.c.id, policy_version.c.sha256, policy_version.c.name)
_NEWEST = (
    _NAMED.where(policy_version.c.effective_from <= bindparam("now", type_=DateTime(timezone=True)))
    .order_by(policy_version.c.effective_from.desc(), policy_version.c.id.desc())
    .limit(literal_column("1"))
)
_ONE = _NAMED.where(policy_version.c.id == bindparam("policy_id"))
_TEXT = select(policy_version.c.text).where(policy_version.c.id == bindparam("policy_id"))


def in_force(tx: ReadTx, now: datetime) -> InForce:
    """The newest version whose effective date has come.

    Raises:
        NotFound: none was adopted; `roadmend policy adopt FILE` does it.
    """
    return tx.run(finding(now))


def finding(now: datetime) -> Steps[InForce]:
    """The same in steps."""
    found = yield Ask(_NEWEST, {"now": now})
    if not found:
        raise NotFound("No policy is in force. Adopt one: roadmend policy adopt shared/policy/lancashire.toml")
    return (yield from _cached(found[0]))


def version(tx: ReadTx, policy_id: PolicyVersionId) -> InForce:
    """A version by its id: what was decided stays decided under its own."""
    return tx.run(_cached(tx.execute(_ONE, {"policy_id": policy_id}).one()))


def adopted(tx: ReadTx, now: datetime) -> list[InForce]:
    """The versions whose effective date has come, in that order: the last one is in force."""
    come = _NAMED.where(policy_version.c.effective_from <= now)
    rows = tx.execute(come.order_by(policy_version.c.effective_from, policy_version.c.id)).all()
    return [tx.run(_cached(row)) for row in rows]


def decides_since(tx: ReadTx, policy_id: PolicyVersionId) -> datetime:
    """From when a version decides: its effective date, or its adoption where that came later."""
    both = select(func.greatest(policy_version.c.effective_from, policy_version.c.adopted_at))
    at: datetime = tx.scalar(both.where(policy_version.c.id == policy_id))
    return at


def has_moved_holidays(tx: ReadTx, policy_id: PolicyVersionId) -> bool:
    """Whether every due time has followed the holidays of a version."""
    moved = select(policy_version.c.holidays_moved_at.is_not(None)).where(policy_version.c.id == policy_id)
    return bool(tx.scalar(moved))


def note_holidays_moved(tx: WriteTx, policy_id: PolicyVersionId, now: datetime) -> None:
    """Every due time has followed the holidays of a version."""
    tx.execute(update(policy_version).where(policy_version.c.id == policy_id).values(holidays_moved_at=now))


def _cached(row: Row[tuple[int, str, str]]) -> Steps[InForce]:
    known = _parsed.get((row.sha256, row.id))
    if known is None:
        written = yield Ask(_TEXT, {"policy_id": row.id})
        known = _parsed[(row.sha256, row.id)] = _read(written[0].text, row.name, PolicyVersionId(row.id))
    return known


_parsed: dict[tuple[str, int], InForce] = {}


@lru_cache(maxsize=32)
def _read(written: str, name: str, policy_id: PolicyVersionId) -> InForce:
    policy = parse(written, name)
    return InForce(policy_id, policy, load(policy.calendar))


def one_at_a_time(tx: WriteTx) -> None:
    """Hold off another adoption to the end of the transaction."""
    tx.execute(select(func.pg_advisory_xact_lock(func.hashtext("adopt policy"))))


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
