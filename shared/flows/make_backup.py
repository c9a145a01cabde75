"""Backs up database and photos as one: the database first, by one view of it, then the files that this view names.

A photo's files are written whole before its row is committed, never change, and are only swept away where no row names
them. So every row that the dump's view sees has its files already, whatever is received meanwhile; what comes after the
view belongs to the next backup. The other order would lose the photos that came between the two.
"""

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from shared.errors import Conflict
from shared.logs import logger
from shared.settings import settings
from shared.store import photo_files, postgres_programs, whole_database
from shared.store.backup_folder import DUMP, FORMAT, MOST_SHOWN, PHOTOS, Manifest, Unfinished
from shared.store.engine import ReadTx
from shared.store.photo_files import Copy
from shared.store.whole_database import Facts, PhotoKept

log = logger(__name__)

EXTENSIONS = ("postgis", "pg_trgm")
"""What the migrations make; who owns the database may make the second."""


@dataclass(frozen=True, slots=True)
class Dumped:
    """The database's part of a backup: what it held then, and the photos that it names."""

    at: datetime
    facts: Facts
    photos: Sequence[PhotoKept]
    dumped_by: int


def dump_database(tx: ReadTx, made: Unfinished, now: datetime) -> Dumped:
    """Dump what this transaction sees, and count it in the same view.

    Only the schema public and the extensions that the migrations make: what else an image or an administrator put into
    the database is not ours to restore. No owners and no rights: the one who restores owns it all.

    Raises:
        NotFound: there is no pg_dump that fits the server, or nothing of Roadmend in the database.
        ProgramFailed: pg_dump said no.
    """
    program = postgres_programs.find("pg_dump", whole_database.server(tx))
    view = whole_database.share_view(tx)
    dumped = Dumped(now, whole_database.facts(tx), whole_database.photos(tx), _version(program))
    others = [f'--exclude-schema="{schema}"' for schema in whole_database.other_schemas(tx)]
    # PostGIS brings its own rows; a role that is no superuser may not write them.
    others.append("--exclude-table-data=public.spatial_ref_sys")
    options = ["--format=custom", "--compress=1", "--no-owner", "--no-privileges", "--no-comments"]
    extensions = [f"--extension={name}" for name in EXTENSIONS]
    postgres_programs.run(program, *options, *extensions, *others, f"--snapshot={view}", f"--file={made.folder / DUMP}")
    made.note(DUMP)
    return dumped


def _version(program: Path) -> int:
    return postgres_programs.major_version(program) or 0


def copy_photos(made: Unfinished, photos: Sequence[PhotoKept], each: Callable[[], None]) -> list[str]:
    """Copy the files of these photos, and call `each` after every one. Returns which lack a file or were changed."""
    unfit = []
    for photo in photos:
        if not _copied(made, photo):
            unfit.append(photo.reference)
        each()
    return unfit


def _copied(made: Unfinished, photo: PhotoKept) -> bool:
    """Whether every file was there, and the original is what was received."""
    digests = {}
    for copy in Copy:
        try:
            name = f"{PHOTOS}/{copy.value}/{photo.reference[:2]}/{photo.reference}"
            digests[copy] = made.keep(name, photo_files.path(photo.reference, copy))
        except FileNotFoundError:
            return False
    return digests[Copy.ORIGINAL] == photo.sha256


def finish(made: Unfinished, dumped: Dumped, unfit: Sequence[str], *, without_missing: bool) -> Manifest:
    """Write the manifest. `without_missing`: photos may lack files, and the manifest names them.

    Raises:
        Conflict: a photo lacks a file or its original was changed, and that was not allowed.
    """
    if unfit and not without_missing:
        shown = ", ".join(unfit[:MOST_SHOWN])
        raise Conflict(
            f"{len(unfit)} photos have a row but lack a file, or their original is not what was received: {shown}. "
            "Is ROADMEND_PHOTO_DIR right? To back up what there is all the same: --without-missing."
        )
    manifest = _manifest(made, dumped, unfit)
    made.finish(manifest)
    log.info("backup_made", feed_number=manifest.feed_number, photos=manifest.photos, missing=len(unfit))
    return manifest


def _manifest(made: Unfinished, dumped: Dumped, unfit: Sequence[str]) -> Manifest:
    facts = dumped.facts
    return Manifest(
        format=FORMAT,
        made_at=dumped.at.astimezone(UTC).isoformat(timespec="seconds"),
        migration=facts.migration,
        grid_epsg=facts.grid_epsg,
        server=facts.server,
        dumped_by=dumped.dumped_by,
        feed_number=facts.feed_number,
        feed_hash=facts.feed_hash,
        counts=facts.counts,
        photos=len(dumped.photos),
        files=made.files,
        missing=list(unfit),
        key_check=key_check(),
    )


def key_check() -> str:
    """Tells one secret key from another without telling what it is; "" where this process has none."""
    try:
        key = settings().secret()
    except ValueError:
        return ""
    return hmac.new(key.encode(), b"roadmend.backup", "sha256").hexdigest()[:16]
