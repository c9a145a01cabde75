"""Reports in groups: one that cannot be stored harms no other, and each keeps its own answer, actor and correlation."""

import asyncio
from collections.abc import Sequence

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from services.api.intake import Intake
from shared.errors import Invalid
from shared.flows.receive_report import Draft, Received
from shared.logs import correlated
from shared.store.engine import reading
from shared.store.tables import event

pytestmark = pytest.mark.usefixtures("api")


def _draft(description: str = "", class_code: str = "pothole") -> Draft:
    return Draft(class_code=class_code, lat=53.7632, lon=-2.7031, description=description)


def _taken(drafts: Sequence[tuple[Draft, str]]) -> list[Received | BaseException]:
    """What becomes of reports that wait together for the writer to start. The actor is the correlation too."""

    async def take(intake: Intake, draft: Draft, actor: str) -> Received:
        with correlated(f"of-{actor}"):
            return await intake.take(draft, actor)

    async def together() -> list[Received | BaseException]:
        intake = Intake()
        waiting = [asyncio.create_task(take(intake, draft, actor)) for draft, actor in drafts]
        await asyncio.sleep(0)
        intake.start()
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        await intake.stop()
        return outcomes

    return asyncio.run(together())


def test_a_report_that_cannot_be_stored_harms_no_other_of_its_group(api: TestClient) -> None:
    del api
    outcomes = _taken([(_draft("one"), "a"), (_draft("no text of PostgreSQL's: \x00"), "a"), (_draft("two"), "a")])

    assert [isinstance(outcome, Received) for outcome in outcomes] == [True, False, True]


def test_a_refused_report_is_refused_alone() -> None:
    outcomes = _taken([(_draft(), "a"), (_draft(class_code="unicorn"), "a"), (_draft(), "a")])

    assert [type(outcome) for outcome in outcomes] == [Received, Invalid, Received]


def test_each_report_of_a_group_is_recorded_under_its_own_actor_and_correlation() -> None:
    _taken([(_draft(), "public"), (_draft(), "person:7"), (_draft(), "public")])

    with reading() as tx:
        said = {(row.actor, row.correlation) for row in tx.execute(select(event.c.actor, event.c.correlation))}
    assert {("public", "of-public"), ("person:7", "of-person:7")} <= said


def test_those_who_wait_when_the_api_stops_are_answered_first() -> None:
    outcomes = _taken([(_draft(str(number)), "a") for number in range(150)])

    assert all(isinstance(outcome, Received) for outcome in outcomes)
    assert len({outcome.reference for outcome in outcomes if isinstance(outcome, Received)}) == 150
