"""What a run says at its end: a table for a person, JSON for a file."""

import dataclasses
import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from chaos.canary import Recovery
from infra.native.layout import ROOT

RESULTS = ROOT / "bench" / "results"


@dataclass
class Run:
    """One run. `broken`: sentences; nothing when every promise was kept."""

    seed: int
    minutes: float
    conditions: dict[str, Any]
    faults: Mapping[str, int] = field(default_factory=dict)
    recoveries: Mapping[str, Sequence[Recovery]] = field(default_factory=dict)
    clients: Mapping[str, Sequence[float]] = field(default_factory=dict)
    promises: Mapping[str, int] = field(default_factory=dict)
    readers: Mapping[str, str] = field(default_factory=dict)
    drained_seconds: float = 0.0
    load: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


def told(run: Run) -> str:
    """All of it, as lines."""
    machine = run.conditions["machine"]
    versions = run.conditions["versions"]
    return "\n".join(
        [
            f"{run.conditions['at']}, commit {run.conditions['commit']}, seed {run.seed}, {run.minutes:g} minutes",
            ", ".join(f"{name} {value}" for name, value in machine.items()),
            ", ".join(f"{name} {value}" for name, value in versions.items()),
            "",
            *_columns([("fault", "times", "answered", "told live", "drained"), *_faults(run)]),
            "Seconds since the cause was taken away (a process: since it is started again), median / longest, of",
            "faults that struck alone: a new report answered, its line at a reader who came back, all work caught up.",
            "",
            "Promised: " + ", ".join(f"{number} {name}" for name, number in run.promises.items()),
            "Readers: " + "; ".join(f"{name} {said}" for name, said in run.readers.items()),
            f"Drained {run.drained_seconds:.1f} s after the last fault was mended.",
            "By the county's own truth: "
            + ", ".join(f"{name} {number}" for name, number in run.load.get("matching", {}).items()),
            *(f"* {note}" for note in run.notes),
            *(f"BROKEN: {sentence}" for sentence in run.broken),
            "Promises were broken." if run.broken else "Every promise was kept.",
        ]
    )


def _faults(run: Run) -> list[tuple[str, ...]]:
    rows = []
    for kind, times in sorted(run.faults.items()):
        alone = run.recoveries.get(kind, ())
        spreads = [_spread([getattr(one, name) for one in alone]) for name in ("answered", "told", "drained")]
        if kind in run.clients:
            spreads[0] = _spread(run.clients[kind])
        rows.append((kind, str(times), *spreads))
    return rows


def _spread(seconds: Sequence[float]) -> str:
    return f"{median(seconds):.1f} / {max(seconds):.1f}" if seconds else "-"


def _columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def write(run: Run, folder: Path, logs: Path) -> Path:
    """Keep the run as JSON, and the logs of every process beside it where something was broken. Returns the file."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"chaos-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{run.seed}.json"
    file.write_text(json.dumps(dataclasses.asdict(run), indent=1, default=str) + "\n")
    if run.broken:
        kept = file.with_suffix(".logs")
        kept.mkdir(exist_ok=True)
        for log in logs.glob("*.log"):
            shutil.copy(log, kept)
    return file
