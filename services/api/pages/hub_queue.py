"""The queue of the hub: made whole here, with its filters; its script keeps it true and acts on it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from services.api import hub, queue_views
from services.api.deps import Now, Read
from services.api.hub import Operator
from services.api.queue_filters import Filters, QueueFilters
from services.api.queue_shown import page_of
from shared.domain.policy import Policy
from shared.domain.terms import OPEN_DEFECT, Band, DefectState
from shared.store import policies
from shared.store.read_models import queue, queue_choices

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

A_PAGE = 100


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a filter, with its words."""

    value: str
    words: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Group:
    """A filter of which several values may be chosen."""

    name: str
    words: str
    choices: list[Choice]

    @property
    def chosen(self) -> int:
        return sum(one.chosen for one in self.choices)


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that holds, and the address without it."""

    words: str
    address: str


@router.get("/hub/queue")
def show(
    request: Request,
    asker: Operator,
    tx: Read,
    now: Now,
    filters: Filters,
    after: Annotated[str | None, Query(max_length=80)] = None,
) -> HTMLResponse:
    """Open defects, what breaks first at the top."""
    rules = policies.in_force(tx, now)
    found = queue.page(tx, filters.wanted(now, rules.calendar.tz), after=after, most=A_PAGE)
    contractors = queue_choices.contractors(tx)
    groups = _groups(filters, rules.policy, contractors, queue_choices.districts(tx))
    street = queue_choices.street_name(tx, filters.street) if filters.street else None
    return hub.page(
        "queue.html",
        request,
        asker,
        shown=page_of(found, rules, now),
        filters=filters,
        groups=groups,
        chips=_chips(filters, groups, street),
        shipped=queue_views.SHIPPED,
        own=queue_views.own(tx, asker),
        after=after,
        next_address=found.next and "/hub/queue?" + urlencode([*filters.values(), ("after", found.next)]),
        contractors=contractors,
        a_page=A_PAGE,
    )


def _groups(
    filters: QueueFilters, policy: Policy, contractors: dict[str, str], districts: dict[str, str]
) -> list[Group]:
    bands = {**{band.value: f"{band.value} {policy.bands[band].title}" for band in Band}, "none": "Without a band"}
    classes = {code: rule.title for code, rule in policy.classes.items() if not rule.condition_only}
    states = {state.value: state.value.replace("_", " ").capitalize() for state in DefectState if state in OPEN_DEFECT}
    holders = {**contractors, "none": "No order yet"}
    return [
        _group("band", "Band", bands, filters.band),
        _group("class", "Class", classes, filters.class_code),
        _group("area", "Area", districts, filters.area),
        _group("state", "State", states, filters.state),
        _group("contractor", "Contractor", holders, filters.contractor),
    ]


def _group(name: str, words: str, known: dict[str, str], chosen: Iterable[str] | None) -> Group:
    """What is chosen and not known stays: the address says it."""
    taken = [str(one) for one in chosen or ()]
    every = {**known, **{one: one for one in taken if one not in known}}
    return Group(name, words, [Choice(value, said, value in taken) for value, said in every.items()])


_FLAGS = {
    ("overdue", "true"): "Overdue",
    ("overdue", "false"): "Not overdue",
    ("danger", "true"): "Danger",
    ("danger", "false"): "No danger",
    ("unsure", "true"): "Unsure reports",
    ("unsure", "false"): "No unsure reports",
    ("due", "today"): "Due today",
    ("due", "repair"): "Repair due today",
    ("due", "late"): "Any clock late",
}


def _chips(filters: QueueFilters, groups: Iterable[Group], street: str | None) -> list[Chip]:
    words = {(group.name, one.value): f"{group.words}: {one.words}" for group in groups for one in group.choices}
    words |= _FLAGS
    if filters.street:
        words["street", filters.street] = f"Street: {street or filters.street}"
    if filters.q:
        words["q", filters.q] = f"“{filters.q}”"
    return [
        Chip(words[name, value], _address(filters.without(name, value)))
        for name, value in filters.values()
        if (name, value) in words
    ]


def _address(query: str) -> str:
    return f"/hub/queue?{query}" if query else "/hub/queue"
