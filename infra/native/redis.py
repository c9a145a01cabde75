"""A private Redis: Celery's broker and the rate limits. It keeps nothing; what must last is in PostgreSQL.

Debian's package redis-tools carries the whole server under another name; redis-server adds a service of the machine,
which is not wanted here. The program looks at the name it was called by.
"""

import secrets
import shutil
import signal
import socket
from pathlib import Path

from infra.native.child import Program
from infra.native.layout import SetupError


def binary() -> str | None:
    """The server's file, or None when it is not installed."""
    return shutil.which("redis-server") or shutil.which("redis-check-rdb")


class Broker:
    """A Redis with its own port and password."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def _config(self) -> Path:
        return self._folder / "redis.conf"

    @property
    def password(self) -> str:
        return (self._folder / "password").read_text().strip()

    def url(self, port: int, database: int = 0) -> str:
        """As Celery wants it."""
        return f"redis://:{self.password}@127.0.0.1:{port}/{database}"

    def make(self) -> None:
        """Make its folder and password unless they are there."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = self._folder / "password"
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(secrets.token_urlsafe(24) + "\n")

    def program(self, port: int) -> Program:
        """The server in the foreground."""
        executable = binary()
        if executable is None:
            raise SetupError("Redis is not installed.")
        self._config.touch(mode=0o600)
        self._config.write_text(
            f"bind 127.0.0.1\nport {port}\nrequirepass {self.password}\n"
            'save ""\nappendonly no\ndatabases 512\nmaxmemory 256mb\nmaxmemory-policy noeviction\n'
            f'dir "{self._folder}"\n'
        )
        return Program(
            name="redis",
            command=["redis-server", str(self._config)],
            executable=executable,
            environment={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            folder=self._folder,
            stop_with=signal.SIGTERM,
            is_server=True,
        )

    def is_ready(self, port: int) -> bool:
        """True when it answers our password."""
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=2) as link:
                link.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                answer = b""
                while not answer.endswith(b"+PONG\r\n"):
                    part = link.recv(100)
                    if not part or part.startswith(b"-"):
                        return False
                    answer += part
        except OSError:
            return False
        return True
