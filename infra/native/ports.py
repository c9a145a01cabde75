"""Ports of this machine: each instance keeps its own, moves away from those that are taken, and says so."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.native import say


def _socket(host: str) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return made


@contextmanager
def held(port: int, host: str) -> Iterator[None]:
    """Keep a port that was chosen until its server starts: what is set up beside us meanwhile takes another.

    Raises:
        OSError: somebody listens there already.
    """
    with _socket(host) as ours:
        ours.bind((host, port))
        ours.listen()
        yield


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """True when a server could listen there now."""
    with _socket(host) as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


class Ports:
    """The ports of one instance, remembered in a file so that addresses stay the same from start to start."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}

    def choose(self, name: str, wanted: int, host: str = "127.0.0.1", insist: bool = False) -> int:
        """The remembered port unless we insist on the wanted one; when that is taken, the next that is free."""
        first = wanted if insist else self._known.get(name, wanted)
        taken = set(self._known.values()) - {self._known.get(name)}
        port = next(p for p in range(first, 65536) if p not in taken and is_free(p, host))
        if port != first:
            say.line(f"Port {first} is taken; {name} uses {port}.")
        self._known[name] = port
        self._file.write_text(json.dumps(self._known, indent=1) + "\n")
        return port
