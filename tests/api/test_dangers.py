"""A danger that was reported calls everybody until somebody takes it; of two who do, the second is told who has it."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from shared.domain.terms import Role
from shared.store.engine import transaction
from shared.store.tables import report
from tests.api.test_recalls import As, as_
from tests.factories import a_report

__all__ = ["as_"]


def a_danger(api: TestClient, **more: Any) -> str:
    del api
    with transaction("test") as tx:
        made = a_report(tx, **{"danger": True, "state": "triage", **more})
        return str(tx.scalar(select(report.c.reference).where(report.c.id == made)))


def shown(api: Any) -> list[str]:
    return [one["reference"] for one in api.get("/dangers").json()["dangers"]]


def test_a_danger_stands_until_somebody_takes_it(api: TestClient, as_: As) -> None:
    ada, reference = as_(Role.OPERATOR), a_danger(api)
    assert shown(ada) == [reference]

    said = ada.post(f"/reports/{reference}/take")

    assert (said.status_code, said.json()["by"]) == (200, "operator of a test")
    assert shown(ada) == []
    assert ada.get(f"/reports/{reference}").json()["staff"]["taken_by"] == "operator of a test"


def test_who_takes_it_second_is_told_who_has_it(api: TestClient, as_: As) -> None:
    ada, ben, reference = as_(Role.OPERATOR), as_(Role.SUPERVISOR), a_danger(api)
    ada.post(f"/reports/{reference}/take")

    refused = ben.post(f"/reports/{reference}/take")

    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/already-taken")
    assert refused.json()["detail"] == f"operator of a test has taken {reference} already."
    assert ada.post(f"/reports/{reference}/take").status_code == 200


def test_what_is_given_back_calls_everybody_again(api: TestClient, as_: As) -> None:
    ada, reference = as_(Role.OPERATOR), a_danger(api)
    ada.post(f"/reports/{reference}/take")

    said = ada.post(f"/reports/{reference}/give-back")

    assert said.json() == {"reference": reference, "by": None, "at": None}
    assert shown(ada) == [reference]
    events = ada.get(f"/reports/{reference}").json()["staff"]["events"]
    assert [one["kind"] for one in events][-2:] == ["ReportTaken", "ReportGivenBack"]


@pytest.mark.parametrize("more", [{"danger": False}, {"state": "rejected"}, {"external_id": "311-7"}], ids=str)
def test_what_calls_nobody_is_not_shown(api: TestClient, as_: As, more: Any) -> None:
    a_danger(api, **more)

    assert shown(as_(Role.OPERATOR)) == []


def test_a_report_without_danger_is_not_taken(api: TestClient, as_: As) -> None:
    refused = as_(Role.OPERATOR).post(f"/reports/{a_danger(api, danger=False)}/take")

    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/conflict")


def test_of_many_the_newest_are_listed_and_all_are_counted(api: TestClient, as_: As) -> None:
    *_, last = [a_danger(api) for _ in range(3)]

    said = as_(Role.OPERATOR).get("/dangers", limit=1).json()

    assert [one["reference"] for one in said["dangers"]] == [last]
    assert said["total"] == 3
