"""Where things lie: the project's folder, and one private folder under .run/ for each instance ("up", "test", …)."""

import fcntl
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
RUN = ROOT / ".run"


class SetupError(Exception):
    """Something that a person has to put right; the message says what and how."""


@dataclass(frozen=True)
class Instance:
    """One private set of servers and children. Its folder is readable by its owner only."""

    name: str
    durable: bool = True
    """False for tests: a crash of the machine may lose data, a crash of a process may not."""

    @property
    def folder(self) -> Path:
        return RUN / self.name

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def env_file(self) -> Path:
        return self.folder / "env"

    def make(self) -> None:
        """Make the folders. The way to the data stays open for PostgreSQL's own user, what lies there does not."""
        RUN.mkdir(exist_ok=True)
        for folder in (self.folder, self.logs):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o711 if folder == self.folder else 0o700)


class Lock:
    """Held by the process that runs an instance; it holds that process's id for `make down`."""

    def __init__(self, instance: Instance) -> None:
        self._path = instance.folder / "lock"
        self._file: IO[str] | None = None

    def take(self) -> bool:
        """Take it, or say that another process has it."""
        file = self._path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._file = file
        self.hand_over(os.getpid())
        return True

    def hand_over(self, pid: int) -> None:
        """Write down who stops this instance when asked."""
        if self._file is None:
            raise RuntimeError("the lock is not held")
        self._file.seek(0)
        self._file.truncate()
        self._file.write(f"{pid}\n")
        self._file.flush()

    def release(self) -> None:
        """Let it go."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def holder(self) -> int | None:
        """The process that has it, or None when nobody has."""
        if not self._path.exists():
            return None
        with self._path.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                text = file.read().strip()
                return int(text) if text.isdigit() else None
        return None

    def stop_holder(self, seconds: float = 60) -> bool:
        """Ask the holder to stop and wait until it has. False when there was none.

        Raises:
            SetupError: it is still there after that time.
        """
        pid = self.holder()
        if pid is None:
            return False
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + seconds
        while self.holder() is not None:
            if time.monotonic() > deadline:
                raise SetupError(f"Process {pid} has not stopped within {seconds:.0f} s.")
            time.sleep(0.05)
        return True
