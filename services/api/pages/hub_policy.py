"""The hub's settings of the policy: its versions, what changed between two, the next one; and the lots it draws."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from services.api.deps import Now, Read, Role
from services.api.hub import Operator
from services.api.pages.hub_settings import settings_page
from shared.domain import policy_diff
from shared.domain.policy import Lot, Policy
from shared.store import policies as rules
from shared.store.read_models import areas, policies
from shared.store.read_models.policies import Version

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

VersionId = Annotated[int, Query(ge=0, le=2**62)]


@router.get("/hub/settings/policy")
def versions(
    request: Request, asker: Operator, tx: Read, now: Now, was: VersionId = 0, then: VersionId = 0
) -> HTMLResponse:
    """The versions, and what changed from `was` to `then`; else from the one before to the one in force."""
    found, current = policies.versions(tx), rules.in_force(tx, now).id
    new = then or current
    old = was or _before(found, new)
    before, after = (policies.text_of(tx, one) for one in (old, new))
    both = before is not None and after is not None
    return settings_page(
        "policy.html",
        request,
        asker,
        tx,
        now,
        versions=found,
        current=current,
        old=old,
        new=new,
        changes=policy_diff.changes(before or "", after or "") if both else None,
        lines=policy_diff.lines(before or "", after or "", f"version {old}", f"version {new}") if both else [],
        may_adopt=asker.role is Role.ADMIN,
    )


def _before(found: list[Version], new: int) -> int:
    """The version adopted before that one; 0 for the first."""
    return next((one.id for one in found if one.id < new), 0)


@router.get("/hub/settings/lots")
def lots(request: Request, asker: Operator, tx: Read, now: Now) -> HTMLResponse:
    """Who mends what, where, from when, and what is open with each."""
    current = rules.in_force(tx, now)
    today = now.astimezone(current.calendar.tz).date()
    orders = {(one["contractor"], one["lot"]): one for one in policies.orders_by_lot(tx, now)}
    shown = [_shown(lot, current.policy, today, orders) for lot in current.policy.lots]
    drawn = {(lot.contractor, lot.code) for lot in current.policy.lots}
    return settings_page(
        "lots.html",
        request,
        asker,
        tx,
        now,
        lots=shown,
        contractors=_contractors(current.policy, orders),
        elsewhere=[one for key, one in sorted(orders.items()) if key not in drawn],
        names={code: one.name for code, one in current.policy.contractors.items()},
        area_names=areas.names(tx, sorted({code for lot in current.policy.lots for code in lot.areas if code != "*"})),
        version=current.id,
        may_adopt=asker.role is Role.ADMIN,
    )


Orders = Mapping[tuple[str, str], Mapping[str, Any]]
NONE: Mapping[str, Any] = {"open": 0, "late": 0}


def _shown(lot: Lot, policy: Policy, today: date, orders: Orders) -> dict[str, Any]:
    when = "ended" if lot.to is not None and lot.to < today else "to come" if lot.from_ > today else "now"
    return {
        "lot": lot,
        "contractor": policy.contractors[lot.contractor].name,
        "when": when,
        **{name: orders.get((lot.contractor, lot.code), NONE)[name] for name in NONE},
    }


def _contractors(policy: Policy, orders: Orders) -> list[dict[str, Any]]:
    """Each with what is open over all lots."""
    named = []
    for code, one in policy.contractors.items():
        own = [orders[key] for key in orders if key[0] == code]
        total = {name: sum(each[name] for each in own) for name in NONE}
        lots = [lot.code for lot in policy.lots if lot.contractor == code]
        named.append({"code": code, "name": one.name, "lots": lots, **total})
    return named
