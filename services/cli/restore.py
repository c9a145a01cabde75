"""`roadmend restore`: a backup into an empty database and the photos' folder, checked before and after."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from services.cli.run import now, progress, say, writing
from shared.errors import Conflict
from shared.flows import restore_backup
from shared.settings import settings
from shared.store import backup_folder, migrations, whole_database
from shared.store.backup_folder import Manifest
from shared.store.engine import reading

app = typer.Typer(help="Restore a backup.")


@app.command()
def restore(
    folder: Annotated[Path, typer.Argument(help="A folder that `roadmend backup` made")],
    overwrite: Annotated[
        str | None, typer.Option(metavar="NAME", help="Throw away all that is in the database; its name, to be sure")
    ] = None,
) -> None:
    """Restore database and photos from a backup, while nothing else runs."""
    manifest = backup_folder.read(folder)
    with progress() as bars:
        server = _refuse_unfit(manifest, overwrite)
        names = _verify(folder, manifest, bars)
        placing = bars.add_task("Placing photos", total=len(names))
        restore_backup.place_photos(folder, names, lambda: bars.advance(placing))
        filling = bars.add_task("Restoring the database", total=1)
        _fill(folder, manifest, server, overwrite)
        bars.advance(filling)
    _make_ready(manifest)


def _verify(folder: Path, manifest: Manifest, bars: Progress) -> list[str]:
    verifying = bars.add_task("Checking the backup", total=manifest.files + 1)
    return backup_folder.verify(folder, manifest, lambda: bars.advance(verifying))


def _refuse_unfit(manifest: Manifest, overwrite: str | None) -> int:
    with reading() as tx:
        restore_backup.refuse_unfit(tx, manifest, overwrite)
        return whole_database.server(tx)


def _fill(folder: Path, manifest: Manifest, server: int, overwrite: str | None) -> None:
    if overwrite is not None:
        with writing("command:restore") as tx:
            whole_database.empty(tx)
    restore_backup.fill_database(folder, manifest, server)
    with reading() as tx:
        restore_backup.refuse_other(tx, manifest)


def _make_ready(manifest: Manifest) -> None:
    migrations.upgrade()
    with writing("command:restore") as tx:
        ended = restore_backup.make_ready(tx, now())
    with reading() as tx:
        lacking = restore_backup.without_files(tx)
    _tell(manifest, ended)
    if set(lacking) - set(manifest.missing):
        raise Conflict(f"{len(lacking)} photos have no file in {settings().photo_dir}: {', '.join(lacking[:20])}.")


def _tell(manifest: Manifest, ended: int) -> None:
    say(
        f"Restored as of {manifest.made_at}: {manifest.counts['report']:,} reports, {manifest.counts['defect']:,} "
        f"defects, the feed up to line {manifest.feed_number:,}, {manifest.photos - len(manifest.missing):,} photos."
    )
    if manifest.missing:
        say(f"{len(manifest.missing)} photos were lost before the backup: its manifest names them.")
    if restore_backup.has_another_key(manifest):
        say("The secret key is not the one of the backup: docs/backup.md says what that changes.")
    say(f"{ended} sessions were ended: everybody signs in again. Keys revoked and people disabled since are back:")
    say("  roadmend keys list; roadmend people list")
    say(
        "Next: roadmend doctor --audit. Then start API, workers and beat, and tell senders to send again what they sent"
    )
    say(f"since {manifest.made_at} (docs/backup.md).")
