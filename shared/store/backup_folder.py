"""A backup on disk: the database's dump, the photos' files, a manifest, and SHA256SUMS over all of it.

It is written under another name and renamed at the end, so that a folder of its name is whole. `sha256sum --check
SHA256SUMS` checks it without Roadmend. All of it is for its owner only: it holds reporters' addresses.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import orjson

from shared.errors import Conflict, Invalid, NotFound, Unavailable
from shared.store.photo_files import sync_folder

FORMAT = 1
MANIFEST, SUMS, DUMP, PHOTOS = "manifest.json", "SHA256SUMS", "database.dump", "photos"
UNFINISHED = ".unfinished"
"""Ends the name of a backup that is being written, or was when its process died."""
MOST_SHOWN = 20

_SUM = re.compile(r"([0-9a-f]{64})  (\S.*)")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds. What was answered before `made_at` (ISO 8601, UTC) is in it.

    `counts`: rows by table. `files`: how many there are beside the manifest and SHA256SUMS. `missing` names photos that
    had a row and not all of their files. `key_check` tells one secret key from another.
    """

    format: int
    made_at: str
    migration: str
    grid_epsg: int
    server: int
    dumped_by: int
    feed_number: int
    feed_hash: str
    counts: Mapping[str, int]
    photos: int
    files: int
    missing: list[str]
    key_check: str


class Unfinished:
    """A backup that is being written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = 0
        self._sums = _new(folder / SUMS).open("w")

    def keep(self, name: str, source: Path) -> bytes:
        """Copy a file in under a name. Returns the SHA-256 of what was copied.

        Raises:
            FileNotFoundError: the source is not there; nothing is kept.
        """
        digest = hashlib.sha256()
        with source.open("rb") as whole:
            target = self.folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with _new(target).open("wb") as copy:
                while chunk := whole.read(_CHUNK):
                    digest.update(chunk)
                    copy.write(chunk)
        self._note(name, digest.digest())
        return digest.digest()

    def note(self, name: str) -> None:
        """Count a file in that lies in the folder already."""
        self._note(name, _digest(self.folder / name))

    def _note(self, name: str, digest: bytes) -> None:
        self._sums.write(f"{digest.hex()}  {name}\n")
        self.files += 1

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest, which makes it whole, and see that all of it is on the disk."""
        written = orjson.dumps(asdict(manifest), option=orjson.OPT_INDENT_2)
        _new(self.folder / MANIFEST).write_bytes(written)
        self._note(MANIFEST, hashlib.sha256(written).digest())
        self._sums.close()
        os.sync()

    def close(self) -> None:
        """Let go of what is open."""
        self._sums.close()


def _new(file: Path) -> Path:
    """Make an empty file that only its owner may read."""
    file.touch(mode=0o600, exist_ok=False)
    return file


@contextmanager
def writing(folder: Path) -> Iterator[Unfinished]:
    """A backup that gets its name when the block ends, and leaves nothing when it raises.

    Raises:
        Conflict: something bears the name already, or a backup of this name was begun and not finished.
        Unavailable: it cannot be written, for want of room or of rights.
    """
    begun = folder.with_name(folder.name + UNFINISHED)
    try:
        with _begun(folder, begun) as made:
            yield made
        begun.rename(folder)
        sync_folder(folder.parent)
    except OSError as error:
        raise Unavailable(f"The backup cannot be made: {error.filename or folder}: {error.strerror}.") from error


@contextmanager
def _begun(folder: Path, begun: Path) -> Iterator[Unfinished]:
    if folder.exists() or begun.exists():
        there = folder if folder.exists() else begun
        raise Conflict(f"{there} is there already. Give a backup a name of its own, or remove what is there.")
    begun.mkdir(mode=0o700, parents=True)
    made = Unfinished(begun)
    try:
        yield made
    except BaseException:
        shutil.rmtree(begun, ignore_errors=True)
        raise
    finally:
        made.close()


def read(folder: Path) -> Manifest:
    """The manifest of a whole backup.

    Raises:
        NotFound: there is no such folder.
        Invalid: it is no finished backup, or one of a form that this release does not know.
    """
    if not folder.is_dir():
        raise NotFound(f"There is no folder {folder}.")
    if folder.name.endswith(UNFINISHED) or not (folder / MANIFEST).is_file() or not (folder / SUMS).is_file():
        raise Invalid(f"{folder} is not a finished backup: a manifest or SHA256SUMS is missing, or its name says so.")
    try:
        written = (folder / MANIFEST).read_bytes()
        if hashlib.sha256(written).hexdigest() != _sums(folder).get(MANIFEST):
            raise TypeError
        said = orjson.loads(written)
        known = {one.name for one in fields(Manifest)}
        manifest = Manifest(**{name: value for name, value in said.items() if name in known})
    except (orjson.JSONDecodeError, AttributeError, TypeError) as error:
        raise Invalid(f"The manifest of {folder} cannot be read: it is damaged, or no backup's.") from error
    if manifest.format != FORMAT:
        raise Invalid(f"{folder} is a backup of form {manifest.format}; this release reads form {FORMAT}.")
    return manifest


def verify(folder: Path, manifest: Manifest, each: Callable[[], None]) -> list[str]:
    """Hold every file against its SHA-256. Returns the names of the photos' files; calls `each` after every file.

    Raises:
        Invalid: a file is missing, was changed, or is not listed; the detail names the first of them.
    """
    sums = _sums(folder)
    wrong = [] if len(sums) == manifest.files + 1 else [f"{SUMS} lists {len(sums)} files, not {manifest.files + 1}"]
    for name, expected in sums.items():
        wrong += _wrong(folder, name, expected)
        each()
    wrong += [f"{name} is not listed" for name in sorted(_lying_in(folder) - sums.keys() - {SUMS})]
    if wrong:
        more = f"; and {len(wrong) - MOST_SHOWN} more" if len(wrong) > MOST_SHOWN else ""
        raise Invalid(f"The backup is damaged, nothing was restored: {'; '.join(wrong[:MOST_SHOWN])}{more}.")
    return [name for name in sums if name.startswith(f"{PHOTOS}/")]


def _sums(folder: Path) -> dict[str, str]:
    lines = (folder / SUMS).read_text(errors="replace").splitlines()
    found = [_SUM.fullmatch(line) for line in lines]
    return {match[2]: match[1] for match in found if match is not None}


def _wrong(folder: Path, name: str, expected: str) -> list[str]:
    try:
        return [] if _digest(folder / name).hex() == expected else [f"{name} was changed"]
    except OSError as error:
        return [f"{name} is missing" if isinstance(error, FileNotFoundError) else f"{name} cannot be read"]


def _digest(file: Path) -> bytes:
    with file.open("rb") as whole:
        return hashlib.file_digest(whole, "sha256").digest()


def _lying_in(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if not file.is_dir()}
