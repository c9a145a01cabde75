"""Photo files on disk: written whole and durable before the row that names them is committed, never changed after."""

import errno
import filecmp
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from shared.errors import Conflict, Unavailable
from shared.settings import settings


class Copy(StrEnum):
    """Original: as it came, with all that it says of the sender. The others are made from it and say nothing."""

    ORIGINAL = "original"
    PUBLIC = "public"
    SMALL = "small"


class StorageFull(Unavailable):
    """There is no room for a photo now; nothing of it was kept."""

    code = "storage-full"
    title = "No room for photos now"


_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""The disk is full, our share of it is, or files may not be so large here."""


def path(reference: str, copy: Copy) -> Path:
    """Where a copy lies. The folder's name is the beginning of the reference, so that no folder grows large."""
    return settings().photo_dir / copy.value / reference[:2] / reference


def write(reference: str, copies: Mapping[Copy, bytes]) -> None:
    """Write every copy, each to its disk before it gets its name.

    Raises:
        StorageFull: the disk is full. What was written of these copies is taken away again.
    """
    try:
        for copy, data in copies.items():
            _write(path(reference, copy), data)
    except OSError as error:
        remove(reference)
        if error.errno in _FULL:
            raise StorageFull("There is no room for photos now. Keep the photo and send it again later.") from error
        raise


def _write(target: Path, data: bytes) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    try:
        with part.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """The name itself is only durable once its folder is."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def adopt(source: Path, reference: str, copy: Copy) -> None:
    """Take a copy from a file elsewhere; the very same file may be here already. Durable once the disk is synchronised.

    Raises:
        Conflict: another file bears this name.
        StorageFull: the disk is full.
    """
    target = path(reference, copy)
    if target.exists():
        if filecmp.cmp(source, target, shallow=False):
            return
        raise Conflict(f"{target} is there already and is another file. Give an empty folder as ROADMEND_PHOTO_DIR.")
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    try:
        shutil.copyfile(source, part)
        part.chmod(0o600)
        part.rename(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        if error.errno in _FULL:
            raise StorageFull(f"There is no room for the photos in {settings().photo_dir}.") from error
        raise


def remove(reference: str) -> None:
    """Take away every copy; none need be there."""
    for copy in Copy:
        path(reference, copy).unlink(missing_ok=True)


def are_there(reference: str) -> bool:
    """Whether every copy of a photo is there."""
    return all(path(reference, copy).is_file() for copy in Copy)


def are_whole(reference: str, sha256: bytes) -> bool:
    """Whether every copy is there and the original is what was received. Reads the original."""
    if not are_there(reference):
        return False
    with path(reference, Copy.ORIGINAL).open("rb") as original:
        return hashlib.file_digest(original, "sha256").digest() == sha256


def older_than(moment: datetime) -> Iterator[str]:
    """References of originals that were written before a moment: a row names each, or it is an orphan."""
    for file in (settings().photo_dir / Copy.ORIGINAL.value).glob("*/*"):
        try:
            written = file.stat().st_mtime
        except FileNotFoundError:
            continue
        if written < moment.timestamp():
            yield file.name
