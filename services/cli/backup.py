"""`roadmend backup`: database and photos into one folder, while everything runs."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli.run import now, progress, say
from shared.flows import make_backup
from shared.store import backup_folder
from shared.store.engine import reading

app = typer.Typer(help="Back up database and photos.")


@app.command()
def backup(
    folder: Annotated[Path, typer.Argument(help="The folder to make; it must not be there yet")],
    without_missing: Annotated[
        bool, typer.Option("--without-missing", help="Go on where a photo's file is lost, and note which")
    ] = False,
) -> None:
    """Back up database and photos as one whole, while everything runs."""
    with backup_folder.writing(folder.absolute()) as made, progress() as bars:
        dumping = bars.add_task("Dumping the database", total=1)
        with reading() as tx:
            dumped = make_backup.dump_database(tx, made, now())
        bars.advance(dumping)
        copying = bars.add_task("Copying photos", total=len(dumped.photos))
        unfit = make_backup.copy_photos(made, dumped.photos, lambda: bars.advance(copying))
        manifest = make_backup.finish(made, dumped, unfit, without_missing=without_missing)
    say(
        f"Backed up as of {manifest.made_at}: {manifest.counts['report']:,} reports, {manifest.counts['defect']:,} "
        f"defects, the feed up to line {manifest.feed_number:,}, {manifest.photos - len(unfit):,} photos."
    )
    if unfit:
        say(f"{len(unfit)} photos lack a file or were changed; the manifest names them.")
    say(f"{folder} is whole. The secret key is not in it: keep that beside it (docs/backup.md).")
