"""The hub's settings of who may come in: people, their passwords, and API keys."""

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from services.api.deps import Asker, Now, Read, Role, requires
from services.api.documentation import every_route, rule_of
from services.api.hub import WHOLE, Operator
from services.api.pages.hub_settings import settings_page
from shared.flows.manage_access import PASSWORD_MIN
from shared.store.read_models import access

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

Admin = Annotated[Asker, requires(Role.ADMIN, scope=WHOLE)]
OF_PEOPLE = (Role.OPERATOR, Role.SUPERVISOR, Role.ADMIN, Role.CONTRACTOR)
OF_KEYS = (Role.VENDOR, Role.CONTRACTOR, Role.OPERATOR, Role.SUPERVISOR, Role.ADMIN)
MAY = {
    Role.OPERATOR: "work in the hub: triage, grade, order, verify",
    Role.SUPERVISOR: "also rule on disputes, downgrade, set streets, and see what is parked",
    Role.ADMIN: "also manage people, keys and the policy",
    Role.CONTRACTOR: "see and tell of the own company's orders",
    Role.VENDOR: "send detections of one fleet",
}
MOST = 10_000


@router.get("/hub/settings/people")
def people(request: Request, asker: Admin, tx: Read, now: Now) -> HTMLResponse:
    """Everybody who may sign in, or once might."""
    return settings_page(
        "people.html",
        request,
        asker,
        tx,
        now,
        people=access.staff_list(tx, now),
        contractors=access.contractors(tx),
        roles=OF_PEOPLE,
        may=MAY,
        least=PASSWORD_MIN,
    )


@router.get("/hub/settings/keys")
def keys(request: Request, asker: Admin, tx: Read, now: Now) -> HTMLResponse:
    """Every API key, the newest first, and what a new one may carry."""
    return settings_page(
        "keys.html",
        request,
        asker,
        tx,
        now,
        keys=list(reversed(access.keys(tx, most=MOST).rows)),
        contractors=access.contractors(tx),
        roles=OF_KEYS,
        may=MAY,
        scopes=_scopes(request),
    )


@router.get("/hub/settings/password")
def password(request: Request, asker: Operator, tx: Read, now: Now) -> HTMLResponse:
    """One's own."""
    return settings_page("password.html", request, asker, tx, now, least=PASSWORD_MIN)


def _scopes(request: Request) -> list[tuple[str, list[str]]]:
    """Every scope that a route asks a key for, with the roles that have use for it; not that which stands for all."""
    found: dict[str, set[str]] = {}
    for route in every_route(request.app):
        rule = rule_of(route)
        if rule is not None and rule.scope not in (None, WHOLE):
            found.setdefault(rule.scope, set()).update(role.value for role in rule.roles if role in OF_KEYS)
    return [(scope, sorted(roles)) for scope, roles in sorted(found.items())]
