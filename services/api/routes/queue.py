"""The operators' queue: open defects, what breaks first at the top."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.api.deps import STAFF, Asker, Now, Read, requires
from services.api.queue_filters import Filters
from services.api.queue_shown import QueuePage, page_of
from shared.store import policies
from shared.store.read_models import queue

router = APIRouter(prefix="/api/v1/queue", tags=["queue"])


@router.get("")
def list_queue(
    tx: Read,
    now: Now,
    asker: Annotated[Asker, requires(*STAFF, scope="defects:read")],
    filters: Filters,
    after: Annotated[str | None, Query(max_length=80, description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> QueuePage:
    """Open defects by the clock that runs out next, overdue ones first: where, what, who has it, and until when.

    The clock is that of an inspection, of making safe, of the repair or of its verification, whichever is first.
    """
    del asker
    rules = policies.in_force(tx, now)
    found = queue.page(tx, filters.wanted(now, rules.calendar.tz), after=after, most=limit)
    return page_of(found, rules, now)
