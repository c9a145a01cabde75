"""`roadmend privacy`: what it forgets is gone, and what it says names nobody."""

from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import select, update
from typer.testing import CliRunner

from services.cli.main import app
from shared.store.engine import reading, transaction
from shared.store.tables import contact, report
from tests.factories import a_report

SENT: dict[str, Any] = {
    "category": "pothole",
    "location": {"lat": 53.7632, "lon": -2.7031, "accuracy_m": 8},
    "description": "Outside my door, I am Sam Lee",
    "contact": {"name": "Sam Lee", "email": "sam@example.org"},
}


def _said(*words: str, **more: str) -> str:
    answer = CliRunner().invoke(app, ["privacy", *words], **more)
    assert answer.exit_code == 0, answer.output
    return answer.stdout


def test_the_sweep_by_command_goes_on_until_all_is_forgotten(api: TestClient) -> None:
    told = api.post("/api/v1/reports", json=SENT).json()
    long_ago = datetime.now(UTC) - timedelta(days=800)
    with transaction("test") as tx:
        tx.execute(update(report).values(state="rejected", updated_at=long_ago))
        a_report(tx)

    said = _said("sweep")

    assert "1 contact details deleted" in said
    with reading() as tx:
        assert list(tx.scalars(select(contact.c.report_id))) == []
    assert api.get(f"/api/v1/reports/{told['reference']}").status_code == 200


def test_an_erasure_asks_first_and_names_nobody(api: TestClient) -> None:
    told = api.post("/api/v1/reports", json=SENT).json()

    refused = CliRunner().invoke(app, ["privacy", "erase", "--email", "sam@example.org"], input="n\n")
    said = _said("erase", "--email", "sam@example.org", "--yes")

    assert refused.exit_code == 1
    assert "1 contact details deleted" in said
    assert "Sam" not in said
    assert told["reference"] not in said
    answer = api.get(f"/api/v1/reports/{told['reference']}").json()
    assert answer["words"] is None


def test_an_erasure_of_nobody_in_particular_is_refused(api: TestClient) -> None:
    del api

    answer = CliRunner().invoke(app, ["privacy", "erase", "--yes"])

    assert answer.exit_code == 2
