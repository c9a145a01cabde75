"""How much memory a process came to need: its peak, which Linux lets us set back."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MB = 1024 * 1024


class Peak:
    """`grown` is, after the block, by how many bytes the peak passed what was resident before it."""

    grown = 0


def _resident(pid: int, what: str) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith(f"{what}:"))
    return int(line.split()[1]) * 1024


@contextmanager
def watched(pid: int) -> Iterator[Peak]:
    """Watch a process while the block runs."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    before, peak = _resident(pid, "VmRSS"), Peak()
    yield peak
    peak.grown = max(0, _resident(pid, "VmHWM") - before)
