"""Adopts a version of the policy: from its effective date it decides; what was decided stays under the old one."""

from dataclasses import dataclass
from datetime import datetime

from shared import calendars
from shared.domain.events import PolicyAdopted
from shared.domain.policy import Policy, parse
from shared.domain.terms import PersonId, PolicyVersionId
from shared.errors import Conflict, NotAllowed
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


def approve(
    tx: WriteTx, written: str, source: str, instead_of: int, person_id: PersonId | None, now: datetime
) -> Adopted:
    """Adopt a policy as a person who has seen what it changes against the version that was in force then.

    Raises:
        NotAllowed: a key asks; a person adopts under the own name.
        Conflict: another version is in force by now, or this very text was adopted before.
        PolicyError: it is not valid; says in which line.
    """
    if person_id is None:
        raise NotAllowed("A policy is adopted by a person under the own name, not by a key: sign in.")
    policies.one_at_a_time(tx)
    if policies.in_force(tx, now).id != instead_of:
        raise Conflict("Another version came in force meanwhile: look at what changes once more.")
    adopted = adopt(tx, written, source, now)
    if adopted.id is None:
        raise Conflict("This very text was adopted before: nothing is changed.", {"text": "was adopted before"})
    return adopted
