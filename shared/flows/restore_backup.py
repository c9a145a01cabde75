"""Puts a backup into an empty database and the photos' folder: photos first, then the database in one transaction.

Files before rows, as when they are received: a restore that stops half-way leaves files that no row names, which are
swept away, and never rows without files. What is checked before and after stands in each function.
"""

import os
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from shared.errors import Conflict, Invalid, Unavailable
from shared.flows.make_backup import key_check
from shared.logs import logger
from shared.settings import settings
from shared.store import access, migrations, partitions, photo_files, postgres_programs, whole_database
from shared.store.backup_folder import DUMP, MOST_SHOWN, Manifest
from shared.store.engine import ReadTx, WriteTx
from shared.store.photo_files import Copy

log = logger(__name__)

MONTHS_AHEAD = 3
LOST_EVENTS = 10_000_000
"""More events than can have been lost: their ids, which stand in the keys of messages sent, are not used again."""
_TO_THE_DATABASE = "--dbname=application_name=roadmend-restore"
"""pg_restore wants this option before it connects at all; the address is in its environment."""


def refuse_unfit(tx: ReadTx, manifest: Manifest, overwrite: str | None) -> None:
    """Refuse what could not be right afterwards. `overwrite`: the database's name, where it need not be empty.

    Raises:
        Invalid: the backup is of another grid, a newer migration or a newer PostgreSQL; the name is another one.
        Conflict: the database is not empty, or somebody is connected to it.
    """
    _refuse_unknown(manifest, whole_database.server(tx))
    name = whole_database.name(tx)
    if overwrite is not None and overwrite != name:
        raise Invalid(f"The database is {name}, not {overwrite}: nothing was restored.")
    if others := whole_database.others_connected(tx):
        raise Conflict(f"{others} others are connected to the database {name}. Stop the API, workers and beat first.")
    if overwrite is None and (there := whole_database.ours(tx)):
        raise Conflict(
            f"The database {name} is not empty: it has {len(there)} tables. Restore into an empty one, or throw away "
            f"all that is in it: --overwrite {name}."
        )


def _refuse_unknown(manifest: Manifest, server: int) -> None:
    if manifest.grid_epsg != settings().grid_epsg:
        raise Invalid(
            f"The backup lies on the grid EPSG:{manifest.grid_epsg}, this deployment on EPSG:{settings().grid_epsg}. "
            f"Set ROADMEND_GRID_EPSG={manifest.grid_epsg}: a grid cannot be changed."
        )
    known = migrations.known()
    if manifest.migration not in known:
        raise Invalid(
            f"The backup stands at migration {manifest.migration}, which this release does not know: its newest is "
            f"{known[0]}. Restore it with the release that made it, or a newer one."
        )
    if server < manifest.server:
        raise Invalid(f"The backup is of PostgreSQL {manifest.server}, the server here is {server}: use a newer one.")


def place_photos(folder: Path, names: Sequence[str], each: Callable[[], None]) -> None:
    """Copy the photos' files into the deployment's folder, and call `each` after every one.

    Raises:
        Invalid: a file's name is no photo's.
        Conflict: another file bears a photo's name there.
        StorageFull, Unavailable: there is no room for them, or no right to write them.
    """
    for name in names:
        copy, reference = _named(name)
        try:
            photo_files.adopt(folder / name, reference, copy)
        except OSError as error:
            raise Unavailable(f"Photos cannot be placed in {settings().photo_dir}: {error.strerror}.") from error
        each()
    os.sync()


def _named(name: str) -> tuple[Copy, str]:
    """`photos/original/9f/9f1c…`: the copy and the reference."""
    parts = name.split("/")
    if len(parts) == 4 and parts[1] in set(Copy) and parts[3].isalnum() and parts[2] == parts[3][:2]:
        return Copy(parts[1]), parts[3]
    raise Invalid(f"{name} in the backup is not the name of a photo's file.")


def fill_database(folder: Path, manifest: Manifest, server: int) -> None:
    """Restore the dump in one transaction: all of it, or nothing.

    Raises:
        NotFound: there is no pg_restore that fits.
        ProgramFailed: pg_restore said no; the database is as it was.
    """
    program = postgres_programs.find("pg_restore", max(server, manifest.dumped_by))
    options = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", "--no-comments"]
    postgres_programs.run(program, *options, _TO_THE_DATABASE, folder / DUMP)


def refuse_other(tx: ReadTx, manifest: Manifest) -> None:
    """Hold what was restored against what the backup says that it holds.

    Raises:
        Invalid: they differ; the detail says where.
    """
    found = whole_database.facts(tx)
    differ = [
        f"{name} has {found.counts.get(name, 0):,} rows, not {rows:,}"
        for name, rows in manifest.counts.items()
        if found.counts.get(name) != rows
    ]
    if (found.feed_number, found.feed_hash) != (manifest.feed_number, manifest.feed_hash):
        differ.append(f"the feed ends with line {found.feed_number:,} of another hash or number")
    if differ:
        raise Invalid(f"What was restored is not what was backed up; do not use it: {'; '.join(differ[:MOST_SHOWN])}.")


def make_ready(tx: WriteTx, now: datetime) -> int:
    """What a restored database needs before it is used. Returns how many sessions were ended.

    Every session ends: one that was revoked after the backup would live again. The ids of lost events are skipped,
    partitions are made for the months since, and the planner learns the tables anew.
    """
    whole_database.skip_event_ids(tx, LOST_EVENTS)
    partitions.make_ahead(tx, MONTHS_AHEAD)
    ended = access.end_all_sessions(tx, now)
    whole_database.gather_statistics(tx)
    return ended


def without_files(tx: ReadTx) -> list[str]:
    """References of photos that lack a file in the deployment's folder."""
    return [photo.reference for photo in whole_database.photos(tx) if not photo_files.are_there(photo.reference)]


def has_another_key(manifest: Manifest) -> bool:
    """Whether the deployment that was backed up had another secret key than this process, where both have one."""
    ours = key_check()
    return "" not in (ours, manifest.key_check) and ours != manifest.key_check
