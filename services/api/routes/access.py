"""Sign-in and sign-out, who I am, and what an administrator does with people and keys."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field, SecretStr

from services.api import credentials
from services.api.deps import PUBLIC, STAFF, Asker, Now, Read, Role, Write, requires
from services.api.rate import SignInLimit, count_sign_in
from services.api.schemas import Input, Words
from shared.flows import manage_access
from shared.store.read_models import access as listed

router = APIRouter(prefix="/api/v1", tags=["access"])

SIGNED_IN = requires(Role.CONTRACTOR, *STAFF)
ADMIN = requires(Role.ADMIN, scope="access")
EMAIL = Field(max_length=254, examples=["operator@roadmend.example"])


class SignIn(Input):
    email: Words = EMAIL
    password: SecretStr = Field(max_length=1000, examples=["correct horse battery"])


class Me(BaseModel):
    """Who asks. `csrf_token` is None without a session; it goes into the header X-CSRF-Token of unsafe requests."""

    role: Role
    name: str
    scopes: list[str]
    csrf_token: str | None = None
    ends_at: datetime | None = None


class NewPerson(Input):
    email: Words = EMAIL
    name: Words = Field(min_length=1, max_length=200, examples=["Ada Fell"])
    role: Literal[Role.CONTRACTOR, Role.OPERATOR, Role.SUPERVISOR, Role.ADMIN]
    contractor: Words | None = Field(None, max_length=40, description="The contractor's code, for the role contractor")
    password: SecretStr | None = Field(
        None, max_length=1000, description="12 characters or more; without one the person signs in by another way"
    )


class Named(Input):
    email: Words = EMAIL


class Person(BaseModel):
    email: str
    name: str
    role: Role
    contractor: str | None
    made_at: datetime
    disabled_at: datetime | None


class People(BaseModel):
    people: list[Person]
    next: int | None


class NewKey(Input):
    name: Words = Field(min_length=1, max_length=200, examples=["Survey vehicle fleet"])
    role: Literal[Role.VENDOR, Role.CONTRACTOR, Role.OPERATOR, Role.SUPERVISOR, Role.ADMIN]
    scopes: list[Annotated[Words, Field(max_length=60)]] = Field(max_length=30, examples=[["detections:write"]])
    source: Words | None = Field(None, max_length=40, description="The fleet's code, for the role vendor")
    contractor: Words | None = Field(None, max_length=40, description="The contractor's code, for the role contractor")


class MadeKey(BaseModel):
    prefix: str
    key: str = Field(description="Shown this once; only its hash is kept", examples=["rmk_1a2b3c4d_…"])


class Key(BaseModel):
    prefix: str
    name: str
    role: Role
    scopes: list[str]
    source: str | None
    contractor: str | None
    made_at: datetime
    revoked_at: datetime | None


class Keys(BaseModel):
    keys: list[Key]
    next: int | None


class Ended(BaseModel):
    ended: int = Field(description="Sessions that were live until now")


@router.post("/sign-in")
def sign_in(
    given: SignIn,
    request: Request,
    response: Response,
    tx: Write,
    now: Now,
    _: Annotated[Asker, requires(PUBLIC)],
    _limit: SignInLimit,
) -> Me:
    """Begin a session: the cookie is set, and the answer holds the token for unsafe requests."""
    credentials.refuse_other_sites(request)
    count_sign_in(given.email)
    began = manage_access.sign_in(tx, given.email, given.password.get_secret_value(), now)
    credentials.set_cookie(response, began.secret)
    token = credentials.csrf_token(began.secret)
    return Me(role=began.role, name=began.name, scopes=["*"], csrf_token=token, ends_at=began.ends_at)


@router.post("/sign-out", status_code=204)
def sign_out(request: Request, response: Response, tx: Write, now: Now, asker: Annotated[Asker, SIGNED_IN]) -> None:
    """End this session for good, wherever its cookie may be. A key has no session to end."""
    if secret := credentials.session_secret(request):
        manage_access.sign_out(tx, asker, secret, now)
    credentials.drop_cookie(response)


@router.get("/me")
def me(request: Request, asker: Annotated[Asker, requires(PUBLIC)]) -> Me:
    """Who I am to Roadmend, and what I may do."""
    secret = credentials.session_secret(request) if asker.person_id else None
    token = credentials.csrf_token(secret) if secret else None
    return Me(role=asker.role, name=asker.name, scopes=sorted(asker.scopes), csrf_token=token)


@router.get("/people")
def people(
    tx: Read,
    _: Annotated[Asker, ADMIN],
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    after: Annotated[int, Query(ge=0, le=2**62)] = 0,
) -> People:
    """Everybody who may sign in, or once might."""
    page = listed.people(tx, after=after, most=limit)
    return People(people=[Person.model_validate(dict(one)) for one in page.rows], next=page.next)


@router.post("/people", status_code=201)
def add_person(given: NewPerson, tx: Write, now: Now, _: Annotated[Asker, ADMIN]) -> Person:
    """Add a person who may sign in."""
    password = given.password.get_secret_value() if given.password else None
    manage_access.add_person(
        tx, given.email, given.name, given.role, now, password=password, contractor=given.contractor
    )
    return Person(
        email=given.email.strip().lower(),
        name=given.name,
        role=given.role,
        contractor=given.contractor,
        made_at=now,
        disabled_at=None,
    )


@router.post("/people/disable", status_code=204)
def disable_person(given: Named, tx: Write, now: Now, _: Annotated[Asker, ADMIN]) -> None:
    """Let a person in no more; every session ends now."""
    manage_access.disable_person(tx, given.email, now)


@router.post("/people/end-sessions")
def end_sessions(given: Named, tx: Write, now: Now, _: Annotated[Asker, ADMIN]) -> Ended:
    """End every session of a person: a lost phone, a shared screen."""
    return Ended(ended=manage_access.end_sessions(tx, given.email, now))


@router.get("/keys")
def keys(
    tx: Read,
    _: Annotated[Asker, ADMIN],
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    after: Annotated[int, Query(ge=0, le=2**62)] = 0,
) -> Keys:
    """Every API key, live or revoked, by its prefix."""
    page = listed.keys(tx, after=after, most=limit)
    return Keys(keys=[Key.model_validate(dict(one)) for one in page.rows], next=page.next)


@router.post("/keys", status_code=201)
def make_key(given: NewKey, tx: Write, now: Now, _: Annotated[Asker, ADMIN]) -> MadeKey:
    """Make an API key. It is in this answer and nowhere else."""
    made = manage_access.make_key(
        tx, given.name, given.role, given.scopes, now, source=given.source, contractor=given.contractor
    )
    return MadeKey(prefix=made.prefix, key=made.told)


@router.post("/keys/{prefix}/revoke", status_code=204)
def revoke_key(prefix: str, tx: Write, now: Now, _: Annotated[Asker, ADMIN]) -> None:
    """Refuse a key from the next request on."""
    manage_access.revoke_key(tx, prefix, now)
