"""The OpenAPI document against the running API: schemathesis, all checks, stateful, as everybody who may ask."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from infra.native.layout import ROOT, VENV
from shared.domain.terms import Role
from tests.probe.conftest import Answered
from tests.probe.house import House

pytestmark = [pytest.mark.slow, pytest.mark.timeout(0)]

CONFIG = ROOT / "tests" / "probe" / "schemathesis.toml"
AT_LENGTH = "PROBE_EXAMPLES" in os.environ
EXAMPLES = os.environ.get("PROBE_EXAMPLES", "2")
MINUTES = float(os.environ.get("PROBE_MINUTES", "0"))
ASKERS = {
    Role.PUBLIC: "public",
    Role.REPORTER: "reporter",
    Role.CONTRACTOR: "alder",
    Role.VENDOR: "van",
    Role.OPERATOR: "operator",
    Role.SUPERVISOR: "supervisor",
    Role.ADMIN: "admin",
}
"""By role, who asks as it. In a short run each operation is asked by the first of its roles alone."""


def _is_asked_by(role: Role, operation: dict[str, Any]) -> bool:
    roles = [one for one in ASKERS if one in operation["x-roles"]]
    return role in roles if AT_LENGTH else roles[0] is role


def _asked_by(house: House, role: Role) -> list[str]:
    """The ids of the operations that this role asks for."""
    document: dict[str, Any] = house.ask("GET", "/api/openapi.json").json()
    operations = [one for path in document["paths"].values() for one in path.values()]
    return [one["operationId"] for one in operations if _is_asked_by(role, one)]


@pytest.mark.parametrize("role", ASKERS)
def test_every_answer_is_one_that_the_document_foretells(
    house: House, role: Role, tmp_path: Path, answered: Answered
) -> None:
    options = ["--max-examples", EXAMPLES]
    options += [word for name in _asked_by(house, role) for word in ("--include-operation-id", name)]
    options += [word for name, value in house.bearer(ASKERS[role]).items() for word in ("--header", f"{name}: {value}")]
    options += ["--max-time", str(int(MINUTES * 60 / len(ASKERS)))] if MINUTES else []
    options += [] if AT_LENGTH else ["--generation-deterministic"]

    tool = [str(VENV / "bin" / "st"), "--no-color", "--config-file", str(CONFIG)]
    said = subprocess.run(
        [*tool, "run", f"{house.stack.url}/api/openapi.json", *options],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )

    ending = said.stdout.partition("Test cases:")[2].split("\n\n")[0].strip() or said.stdout[-300:]
    answered(ending)
    assert said.returncode == 0, said.stdout + said.stderr
    assert "request_failed" not in house.log("api")
