"""Which defects the queue shows, as its address says it: the same for the page, for the list and for saved views."""

from dataclasses import dataclass, fields
from datetime import datetime, time, timedelta
from typing import Annotated, Literal
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

from fastapi import Depends, Query
from pydantic import Field

from services.api.schemas import Words
from shared.domain.terms import Band, DefectState
from shared.errors import Invalid
from shared.store.read_models.queue import Wanted

Code = Annotated[Words, Field(max_length=60)]
Codes = list[Code] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFilters:
    """Query parameters; what is left out does not filter. Of one that is given several times any may hold."""

    band: Annotated[list[Band | Literal["none"]] | None, Query(max_length=20, description="none: not graded")] = None
    class_code: Annotated[Codes, Query(alias="class", max_length=60)] = None
    area: Annotated[Codes, Query(max_length=60)] = None
    state: Annotated[list[DefectState] | None, Query(max_length=20, description="Open ones; others show nothing")] = (
        None
    )
    contractor: Annotated[Codes, Query(max_length=60, description="Who has its order; none: it has no order")] = None
    street: Annotated[Words | None, Query(max_length=200, description="The street's key")] = None
    q: Annotated[
        Words | None, Query(max_length=100, description="A reference, a street's name, or words of its reports")
    ] = None
    overdue: Annotated[bool | None, Query(description="A clock of its repair has run out")] = None
    due: Annotated[
        Literal["today", "repair", "late"] | None,
        Query(description="today: its next clock runs out then; repair: the next of its repair; late: one has run out"),
    ] = None
    danger: Annotated[bool | None, Query(description="Somebody said that it is dangerous")] = None
    unsure: Annotated[bool | None, Query(description="A report waits for a person to say whether it is this one")] = (
        None
    )

    def wanted(self, now: datetime, zone: ZoneInfo) -> Wanted:
        """What the store is asked for; days are those of the county's clock."""
        midnight = datetime.combine(now.astimezone(zone).date(), time(), tzinfo=zone)
        begin, end = {
            "late": (None, now),
            "today": (midnight, midnight + timedelta(days=1)),
        }.get(self.due or "", (None, None))
        return Wanted(
            bands=self.band or (),
            classes=self.class_code or (),
            areas=self.area or (),
            states=self.state or (),
            contractors=self.contractor or (),
            street_key=self.street or None,
            sought=(self.q or "").strip() or None,
            overdue=self.overdue,
            danger=self.danger,
            unsure=self.unsure,
            due_from=begin,
            due_before=end,
            repair_due=(midnight, midnight + timedelta(days=1)) if self.due == "repair" else None,
        )

    def values(self) -> list[tuple[str, str]]:
        """The filters that are set, as names and values of an address, in their order."""
        found: list[tuple[str, str]] = []
        for field in fields(self):
            value = getattr(self, field.name)
            found += [(_NAMES.get(field.name, field.name), _written(one)) for one in _each(value)]
        return found

    @property
    def query(self) -> str:
        """The same as the address has it after its question mark."""
        return urlencode(self.values())

    def without(self, name: str, value: str) -> str:
        """The query when this filter is taken away."""
        return urlencode([one for one in self.values() if one != (name, value)])


def _each(value: object) -> list[object]:
    if isinstance(value, list):
        return value
    return [] if value is None or value == "" else [value]


def _written(value: object) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


_NAMES = {"class_code": "class"}
_KNOWN = {_NAMES.get(field.name, field.name) for field in fields(QueueFilters)}

Filters = Annotated[QueueFilters, Depends()]


def tidied(query: str) -> str:
    """A query as somebody wants to keep it: the queue's own filters, with what else an address may carry left out.

    Raises:
        Invalid: it filters by nothing that the queue knows.
    """
    known = [(name, value) for name, value in parse_qsl(query.removeprefix("?")) if name in _KNOWN]
    if not known:
        raise Invalid("Filter the queue first, then save what it shows.", {"query": "has no filter of the queue"})
    return urlencode(known)
