"""Messages in a Maildir on this machine, where none leaves: kept once by their key, and read by the page /mailbox."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

_NAME_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Kept:
    """One message of the mailbox. `name` says which."""

    name: str
    at: datetime
    channel: str
    to: str
    subject: str
    text: str
    html: str


def name_of(key: str) -> str:
    """A message's file is named by its key: so it is kept once, however often it is sent."""
    return hashlib.sha256(key.encode()).hexdigest()[:_NAME_LENGTH]


def has(folder: Path, key: str) -> bool:
    """Whether the message of this key is there."""
    return any((folder / part / name_of(key)).exists() for part in ("new", "cur"))


def keep(folder: Path, key: str, written: bytes) -> str:
    """Put a message there, whole and for good, unless it is there already. Returns its name."""
    for part in ("tmp", "new", "cur"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    name = name_of(key)
    begun = folder / "tmp" / f"{name}.{os.getpid()}"
    with begun.open("wb") as file:
        file.write(written)
        file.flush()
        os.fsync(file.fileno())
    begun.replace(folder / "new" / name)
    return name


def newest(folder: Path, most: int = 200) -> list[Kept]:
    """The newest messages first."""
    found = sorted(_files(folder), key=lambda file: file.stat().st_mtime_ns, reverse=True)
    return [_read(file) for file in found[:most]]


def find(folder: Path, name: str) -> Kept | None:
    """The message of this name."""
    return next((_read(file) for file in _files(folder) if file.name == name), None)


def _files(folder: Path) -> Iterator[Path]:
    for part in ("new", "cur"):
        if (folder / part).is_dir():
            yield from (folder / part).iterdir()


def _read(file: Path) -> Kept:
    read = message_from_bytes(file.read_bytes(), policy=policy.default)
    return Kept(
        name=file.name,
        at=datetime.fromtimestamp(file.stat().st_mtime, UTC),
        channel=str(read.get("X-Roadmend-Channel", "email")),
        to=str(read.get("To", "")),
        subject=str(read.get("Subject", "")),
        text=_part(read, "plain"),
        html=_part(read, "html"),
    )


def _part(read: EmailMessage, kind: str) -> str:
    body = read.get_body((kind,))
    return "" if body is None else str(body.get_content())
