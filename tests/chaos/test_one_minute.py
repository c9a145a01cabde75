"""One minute of chaos on real processes, with a fixed seed: whatever breaks, every promise is kept."""

import json
import subprocess
from pathlib import Path

import pytest

from infra.native.layout import PYTHON, ROOT

pytestmark = pytest.mark.slow

SEED = 1
PATIENCE = 3
"""Recovery is not judged by the clock of a busy machine here; `make chaos` judges it."""


@pytest.mark.timeout(600)
def test_a_minute_of_chaos_breaks_no_promise(tmp_path: Path) -> None:
    words = ["--minutes", "1", "--seed", str(SEED), "--patience", str(PATIENCE), "--results", str(tmp_path)]

    ended = subprocess.run(
        [str(PYTHON), "-m", "chaos", *words], cwd=ROOT, capture_output=True, text=True, timeout=580, check=False
    )

    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
    (file,) = tmp_path.glob("*.json")
    run = json.loads(file.read_text())
    assert run["broken"] == []
    assert min(run["promises"][kind] for kind in ("reports", "batches", "visits", "photos")) > 0
    assert len(run["faults"]) > 5
