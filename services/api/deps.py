"""What routes ask for: a transaction, the time, and who asks. `requires` is a route's rule of who may call it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from services.api.credentials import Credentials, shows_nothing, told_by
from shared import bus
from shared.domain.access import ANYBODY, STAFF, Asker
from shared.domain.terms import Role
from shared.errors import NotAllowed, SignInNeeded
from shared.flows import manage_access
from shared.store.engine import ReadTx, UnkeptTx, WriteTx, foreseeing, reading, transaction
from shared.store.read_models import as_of

__all__ = [
    "PUBLIC",
    "STAFF",
    "AsOf",
    "Asker",
    "Foresee",
    "Known",
    "Now",
    "Read",
    "Role",
    "Rule",
    "Write",
    "for_everybody",
    "known",
    "requires",
]

PUBLIC = Role.PUBLIC
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


async def _now() -> datetime:
    """One time for the whole request. A coroutine, so that it costs no thread."""
    return datetime.now(UTC)


Now = Annotated[datetime, Depends(_now)]


async def known(request: Request) -> Asker:
    """Who asks. Asked of the database on every request, so that a revoked key or session ends at once.

    A coroutine, so that a request without credentials costs neither thread nor query; kept with the request, and not
    a dependency of a rule, because each dependency costs a request 20 µs.
    """
    if shows_nothing(request):
        return ANYBODY
    found: Asker | None = getattr(request.state, "asker", None)
    if found is None:
        told = told_by(request)
        found = ANYBODY if told is None else await run_in_threadpool(_looked_up, told)
        request.state.asker = found
    return found


def _looked_up(told: Credentials) -> Asker:
    with reading() as tx:
        return manage_access.who(tx, told.kind, told.secret, datetime.now(UTC))


Known = Annotated[Asker, Depends(known)]
"""Who asks, whoever it is. A route's rule is `requires`."""


def _reading() -> Iterator[ReadTx]:
    with reading() as tx:
        yield tx


def _as_of() -> datetime:
    with reading() as tx:
        return as_of.as_of(tx)


AsOf = Annotated[datetime, Depends(_as_of)]
"""Up to when what follows in this request sees every change. It stands before `Read` in a route: one at a time."""


def _writing(asker: Known) -> Iterator[WriteTx]:
    """Commits when the route has returned and before its answer leaves; then tells the workers."""
    with transaction(asker.actor) as tx:
        yield tx
    bus.nudge(tx.woken)


def _foreseeing(asker: Known) -> Iterator[UnkeptTx]:
    """For a preview: it is rolled back, and nobody is woken."""
    with foreseeing(asker.actor) as tx:
        yield tx


Read = Annotated[ReadTx, Depends(_reading, scope="function")]
Write = Annotated[WriteTx, Depends(_writing, scope="function")]
Foresee = Annotated[UnkeptTx, Depends(_foreseeing, scope="function")]


class Rule:
    """Who may call a route: one of the roles, and for an API key the scope.

    PUBLIC lets everybody in. Roles beside it are told more than the public, by a key only if it carries the scope:
    whoever does not is the public here.
    """

    def __init__(self, roles: tuple[Role, ...], scope: str | None) -> None:
        self.roles = roles
        self.scope = scope

    async def __call__(self, request: Request) -> Asker:
        asker = await known(request)
        if Role.PUBLIC in self.roles:
            return asker if asker.holds(self.scope) else ANYBODY
        if asker.role is Role.PUBLIC:
            raise SignInNeeded(
                "Sign in, or send an API key as a Bearer token. A cookie counts with the header X-CSRF-Token."
            )
        if asker.role not in self.roles:
            raise NotAllowed(f"This is for: {', '.join(self.roles)}. You are known as {asker.role}.")
        if not asker.holds(self.scope):
            raise NotAllowed(f"This key does not carry the scope {self.scope}.")
        return asker


def requires(*roles: Role, scope: str | None = None) -> Any:
    """A route's rule: `asker: Annotated[Asker, requires(Role.OPERATOR, scope="defects:write")]`."""
    if not roles:
        raise ValueError("A route's rule names at least one role; PUBLIC is one.")
    return Depends(Rule(roles, scope))


def for_everybody(endpoint: Endpoint) -> Endpoint:
    """The rule `requires(PUBLIC)` for a busy route, without what a dependency costs each request."""
    endpoint.__dict__["rule"] = Rule((Role.PUBLIC,), None)
    return endpoint
