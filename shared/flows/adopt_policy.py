"""Adopts a version of the policy: from its effective date it decides; what was decided stays under the old one."""

from dataclasses import dataclass
from datetime import datetime

from shared import calendars
from shared.domain.events import PolicyAdopted
from shared.domain.policy import Policy, parse
from shared.domain.terms import PolicyVersionId
from shared.store import event_log, loads, policies
from shared.store.engine import WriteTx


@dataclass(frozen=True, slots=True)
class Adopted:
    """`id` is None when this very text was adopted before: nothing was changed."""

    id: PolicyVersionId | None
    policy: Policy


def adopt(tx: WriteTx, written: str, source: str, now: datetime) -> Adopted:
    """Check and store a policy; the authorities that it names are served from now on. `source` names the file.

    Raises:
        PolicyError: it is not valid; says in which line.
    """
    policy = parse(written, source)
    calendars.load(policy.calendar)
    version = policies.adopt(tx, written, policy, now)
    if version is None:
        return Adopted(None, policy)
    if policy.meta.served_authorities:
        loads.serve(tx, policy.meta.served_authorities)
    event = PolicyAdopted(policy_id=version, name=policy.meta.name, sha256=policy.sha256, approver=policy.meta.approver)
    event_log.append(tx, event, now)
    return Adopted(version, policy)
