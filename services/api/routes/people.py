"""People who may sign in, changed: by administrators, and one's own password by everybody who has one."""

from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import Field, SecretStr

from services.api import credentials
from services.api.deps import STAFF, Asker, Now, Role, Write, requires
from services.api.rate import SignInLimit
from services.api.routes.access import ADMIN, Ended, Named
from services.api.schemas import Input, Words
from shared.flows import manage_people

router = APIRouter(prefix="/api/v1", tags=["access"])

NEW_PASSWORD = Field(max_length=1000, description="12 characters or more", examples=["correct horse battery"])


class ChangedPerson(Named):
    name: Words = Field(min_length=1, max_length=200, examples=["Ada Fell"])
    role: Literal[Role.CONTRACTOR, Role.OPERATOR, Role.SUPERVISOR, Role.ADMIN]
    contractor: Words | None = Field(None, max_length=40, description="The contractor's code, for the role contractor")


class GivenPassword(Named):
    password: SecretStr = NEW_PASSWORD


class OwnPassword(Input):
    old: SecretStr = Field(max_length=1000, description="The password that it is now")
    new: SecretStr = NEW_PASSWORD


@router.post("/people/change", status_code=204)
def change_person(given: ChangedPerson, tx: Write, now: Now, _: Annotated[Asker, ADMIN]) -> None:
    """Give a person another name or role, which hold from the next request on. The last administrator stays one."""
    manage_people.change(tx, given.email, given.name, given.role, now, contractor=given.contractor)


@router.post("/people/enable", status_code=204)
def enable_person(given: Named, tx: Write, now: Now, _: Annotated[Asker, ADMIN]) -> None:
    """Let a person in again who was disabled."""
    manage_people.enable(tx, given.email, now)


@router.post("/people/password")
def set_password(given: GivenPassword, tx: Write, now: Now, _: Annotated[Asker, ADMIN]) -> Ended:
    """Give a person a new password, to be told to them; every session of theirs ends."""
    return Ended(ended=manage_people.set_password(tx, given.email, given.password.get_secret_value(), now))


@router.post("/me/password")
def change_own_password(
    given: OwnPassword,
    request: Request,
    tx: Write,
    now: Now,
    asker: Annotated[Asker, requires(Role.CONTRACTOR, *STAFF, scope="me")],
    _limit: SignInLimit,
) -> Ended:
    """Change one's own password. This session goes on; every other one ends."""
    old, new = given.old.get_secret_value(), given.new.get_secret_value()
    session = credentials.session_secret(request)
    return Ended(ended=manage_people.change_own_password(tx, asker.person_id, old, new, now, session=session))
