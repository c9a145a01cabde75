"""The policy's versions over HTTP: what each says, what changed, and adopting the next one."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from services.api.deps import STAFF, Asker, Now, Read, Role, Write, requires
from services.api.schemas import Input, Whole, Words
from shared import calendars
from shared.domain import policy_diff
from shared.domain.policy import Policy, PolicyError, parse
from shared.errors import NotFound
from shared.flows import adopt_policy
from shared.store import policies as rules
from shared.store.engine import ReadTx
from shared.store.policies import InForce
from shared.store.read_models import policies

router = APIRouter(prefix="/api/v1/policies", tags=["policy"])

READER = requires(*STAFF, scope="policy:read")
ADMIN = requires(Role.ADMIN, scope="policy:write")
Id = Annotated[int, Path(ge=1, le=2**62, description="A version's number", examples=[3])]


class Version(BaseModel):
    id: int
    name: str
    sha256: str = Field(description="Of its text")
    approver: str = Field(description="As the text says")
    effective_from: datetime
    adopted_at: datetime
    adopted_by: str | None


class Versions(BaseModel):
    in_force: int = Field(description="The version that decides now")
    versions: list[Version] = Field(description="The newest first")


class VersionText(BaseModel):
    id: int
    text: str = Field(description="TOML")


class ChangeOut(BaseModel):
    section: str = Field(examples=["bands.P5"])
    key: str = Field(examples=["permanent"])
    was: str | None = Field(description="Nothing: not given", examples=['"5wd"'])
    now: str | None = Field(examples=['"7wd"'])


class Changes(BaseModel):
    """What differs, by meaning and line by line."""

    changes: list[ChangeOut]
    lines: list[str] = Field(description="A unified diff")


class Draft(Input):
    text: Words = Field(min_length=1, max_length=500_000, description="TOML")
    source: Words = Field("policy.toml", max_length=200, description="The file's name, for errors")


class Fault(BaseModel):
    line: int
    key: str = Field(examples=["bands.P5.permanent"])
    words: str


class Checked(BaseModel):
    """With a `fault` there is nothing else to tell."""

    fault: Fault | None = None
    name: str = ""
    approver: str = ""
    effective_from: datetime | None = None
    instead_of: int = Field(description="The version in force, against which the changes are told")
    warnings: list[str] = []
    changes: list[ChangeOut] = []
    lines: list[str] = []


class Adoption(Draft):
    instead_of: Whole = Field(ge=1, le=2**62, description="As the check told it: it must still be in force")


class AdoptedOut(BaseModel):
    id: int
    name: str
    effective_from: datetime


@router.get("")
def list_policies(tx: Read, now: Now, _: Annotated[Asker, READER]) -> Versions:
    """Every version that was adopted, and which decides now."""
    found = [Version(**asdict(one)) for one in policies.versions(tx)]
    return Versions(in_force=rules.in_force(tx, now).id, versions=found)


@router.get("/{policy_id}")
def read_policy(policy_id: Id, tx: Read, _: Annotated[Asker, READER]) -> VersionText:
    """What a version says."""
    return VersionText(id=policy_id, text=_text(tx, policy_id))


@router.get("/{policy_id}/changes")
def read_changes(
    policy_id: Id,
    tx: Read,
    _: Annotated[Asker, READER],
    against: Annotated[int, Query(ge=1, le=2**62, description="The version to hold it against", examples=[2])],
) -> Changes:
    """What a version changed against another."""
    return _changes(_text(tx, against), _text(tx, policy_id), f"version {against}", f"version {policy_id}")


@router.post("/check")
def check_policy(given: Draft, tx: Read, now: Now, _: Annotated[Asker, ADMIN]) -> Checked:
    """Say whether a text could be adopted, in which line not, and what it would change. Nothing is kept."""
    current = rules.in_force(tx, now)
    try:
        policy = parse(given.text, given.source)
    except PolicyError as wrong:
        return Checked(fault=Fault(line=wrong.line, key=wrong.key, words=wrong.words), instead_of=current.id)
    calendars.load(policy.calendar)
    told = _changes(_text(tx, current.id), given.text, f"version {current.id}", given.source)
    return Checked(
        name=policy.meta.name,
        approver=policy.meta.approver,
        effective_from=policy.meta.effective_from,
        instead_of=current.id,
        warnings=_warnings(policy, current, now),
        changes=told.changes,
        lines=told.lines,
    )


@router.post("", status_code=201)
def adopt(given: Adoption, tx: Write, now: Now, asker: Annotated[Asker, ADMIN]) -> AdoptedOut:
    """Adopt a version, as a person under the own name. What was decided stays decided under its own version."""
    try:
        adopted = adopt_policy.approve(tx, given.text, given.source, given.instead_of, asker.person_id, now)
    except PolicyError as wrong:
        wrong.errors["text"] = f"line {wrong.line}: {wrong.words}"
        raise
    meta = adopted.policy.meta
    return AdoptedOut(id=adopted.id or 0, name=meta.name, effective_from=meta.effective_from)


def _text(tx: ReadTx, policy_id: int) -> str:
    found = policies.text_of(tx, policy_id)
    if found is None:
        raise NotFound(f"There is no version {policy_id} of the policy.")
    return found


def _changes(old: str, new: str, was: str, now: str) -> Changes:
    told = [ChangeOut(**asdict(one)) for one in policy_diff.changes(old, new)]
    return Changes(changes=told, lines=policy_diff.lines(old, new, was, now))


def _warnings(policy: Policy, current: InForce, now: datetime) -> list[str]:
    begins = policy.meta.effective_from
    if policy.sha256 == current.policy.sha256:
        return ["This is the very text that is in force."]
    if begins < current.policy.meta.effective_from:
        return ["It begins before the version in force, so it would never decide. Give it a later effective_from."]
    if begins < now:
        return ["Its effective_from has passed: it decides from the moment that you adopt it."]
    return []
