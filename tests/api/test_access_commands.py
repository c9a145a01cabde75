"""`roadmend people` and `roadmend keys`: what they add is let in, and what they revoke is not."""

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from services.cli.main import app

PASSWORD = "a long enough password"


def _run(*words: str) -> str:
    answer = CliRunner().invoke(app, list(words))
    assert answer.exit_code == 0, answer.output
    return answer.stdout


def test_a_person_added_by_command_signs_in_until_disabled(api: TestClient) -> None:
    _run("people", "add", "ada@roadmend.example", "--name", "Ada", "--role", "operator", "--password", PASSWORD)
    body = {"email": "ada@roadmend.example", "password": PASSWORD}

    before = api.post("/api/v1/sign-in", json=body).status_code
    listed = _run("people", "list")
    _run("people", "disable", "ada@roadmend.example")

    assert (before, api.post("/api/v1/sign-in", json=body).status_code) == (200, 401)
    assert "ada@roadmend.example" in listed
    assert PASSWORD not in listed


def test_a_key_made_by_command_works_until_revoked(api: TestClient) -> None:
    told = _run("keys", "make", "Fleet", "--role", "vendor", "--scope", "detections:write", "--source", "fleet").strip()
    headers = {"Authorization": f"Bearer {told}"}

    before = api.get("/api/v1/me", headers=headers).json()["role"]
    listed = _run("keys", "list")
    _run("keys", "revoke", told.split("_")[1])

    assert before == "vendor"
    assert told not in listed
    assert api.get("/api/v1/me", headers=headers).status_code == 401


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize(
    "words",
    [
        ("people", "add", "a@b.example", "--name", "A", "--role", "operator", "--password", "short"),
        ("people", "add", "a@b.example", "--name", "A", "--role", "contractor", "--password", PASSWORD),
        ("people", "disable", "nobody@b.example"),
        ("keys", "make", "Fleet", "--role", "vendor", "--scope", "*"),
        ("keys", "revoke", "00000000"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence_with_exit_code_2(words: tuple[str, ...]) -> None:
    answer = CliRunner().invoke(app, list(words))

    assert answer.exit_code == 2
    assert "Traceback" not in answer.output
