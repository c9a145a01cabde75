"""What the law asks a council to say: the accessibility statement, the privacy notice, and what this service is."""

from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from services.api import templates
from services.api.deps import PUBLIC, Asker, Now, requires
from shared.domain.policy import Policy, parse
from shared.errors import NotFound
from shared.settings import settings
from shared.store import policies
from shared.store.engine import LOST, reading

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

ANYBODY = requires(PUBLIC)


@router.get("/accessibility")
def accessibility(_: Annotated[Asker, ANYBODY]) -> HTMLResponse:
    """After the model statement of the Public Sector Bodies Accessibility Regulations 2018."""
    return templates.page("accessibility.html", reviewed=settings().accessibility_reviewed)


@router.get("/privacy")
def privacy(now: Now, _: Annotated[Asker, ANYBODY]) -> HTMLResponse:
    """With the times that the policy in force keeps things for, and what it shows to everybody."""
    policy = _policy(now)
    return templates.page("privacy.html", kept=policy.retention, shown=policy.privacy)


@router.get("/about")
def about(now: Now, _: Annotated[Asker, ANYBODY]) -> HTMLResponse:
    """What happens to a report, with the times that the policy in force promises."""
    policy = _policy(now)
    return templates.page("about.html", triage=policy.triage, policy=policy.meta)


def _policy(now: Now) -> Policy:
    """The one in force; the one of the settings' file while none is, or while the database is away."""
    try:
        with reading() as tx:
            return policies.in_force(tx, now).policy
    except (*LOST, NotFound):
        file = settings().policy_file
        return parse(file.read_text(), file.name)
