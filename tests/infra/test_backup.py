"""A backup is whole or it is none: what it keeps, what a restore refuses, and what a restored database is."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import Result
from sqlalchemy import URL
from typer.testing import CliRunner

from infra.native.layout import ROOT, VENV
from infra.native.postgres import binaries
from services.cli.main import app
from shared.domain.events import Consumer
from shared.domain.terms import ReportId, Role
from shared.flows import manage_access, project_feed, receive_photo
from shared.settings import settings
from shared.store import migrations, photo_files
from shared.store.engine import transaction
from tests import databases
from tests.factories import a_picture, a_report, adopt_default_policy, hear

NOW = datetime.now(UTC)
PASSWORD = "roadmend-test-Pa55word"


class Deployment:
    """A database and a photos' folder, and the command on them."""

    def __init__(self, url: URL, photo_dir: Path) -> None:
        self.url, self.photo_dir = url, photo_dir

    def command(self, *words: str | Path, **given: str) -> Result:
        """`roadmend …` to its end, in this process. `given`: further settings, in lower case."""
        variables = {
            "photo_dir": str(self.photo_dir),
            "secret_key": "0123456789abcdef0123456789abcdef",
            "log_level": "WARNING",
            **given,
        }
        with pytest.MonkeyPatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(f"ROADMEND_{name.upper()}", value)
            with databases.in_force(self.url):
                done = CliRunner().invoke(app, [str(word) for word in words])
        settings.cache_clear()
        return done

    def done(self, *words: str | Path, **given: str) -> str:
        """The same, where it must go well: what it said."""
        done = self.command(*words, **given)
        assert done.exit_code == 0, f"{done.output}{done.exception!r}"
        return done.stdout

    def refused(self, *words: str | Path, **given: str) -> str:
        """The same, where it must be refused: why."""
        done = self.command(*words, **given)
        assert done.exit_code == 2, f"{done.output}{done.exception!r}"
        return done.stderr

    def ask(self, statement: str, *values: Any) -> Any:
        """The first column of the first row."""
        with psycopg.connect(databases.as_driver(self.url), autocommit=True) as db:
            row = db.execute(statement, values).fetchone()
            return None if row is None else row[0]

    def tell(self, *statements: str) -> None:
        """Statements that change something."""
        with psycopg.connect(databases.as_driver(self.url), autocommit=True) as db:
            for statement in statements:
                db.execute(statement)

    def tables(self) -> int:
        """How many tables there are in it."""
        return int(self.ask("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"))


@pytest.fixture(scope="module")
def lived(template: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A deployment with two reports, a photo of each, somebody signed in, and a feed."""
    url = databases.create(template, str(template.database))
    made = Deployment(url, tmp_path_factory.mktemp("photos"))
    with databases.in_force(url), pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROADMEND_PHOTO_DIR", str(made.photo_dir))
        settings.cache_clear()
        with transaction("test") as tx:
            adopt_default_policy(tx)
            for number in range(2):
                report_id = ReportId(a_report(tx, northing=430_000.0 + 50 * number))
                photo = receive_photo.PhotoIn(a_picture(number), receive_photo.OfReport(report_id))
                receive_photo.receive(tx, photo, NOW)
            manage_access.add_person(tx, "ann@example.org", "Ann", Role.OPERATOR, NOW, password=PASSWORD)
            manage_access.sign_in(tx, "ann@example.org", PASSWORD, NOW)
            hear(tx, Consumer.FEED, project_feed.run, NOW + timedelta(hours=3))
    settings.cache_clear()
    yield made
    databases.drop(url)


@pytest.fixture(scope="module")
def backup(lived: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of it. Tests that change it take a copy."""
    folder = tmp_path_factory.mktemp("backups") / "monday"
    lived.done("backup", folder)
    return folder


@pytest.fixture
def damaged(backup: Path, tmp_path: Path) -> Path:
    """A copy of the backup, to be damaged."""
    return Path(shutil.copytree(backup, tmp_path / "damaged"))


@pytest.fixture
def new(server: URL, tmp_path: Path) -> Iterator[Deployment]:
    """A new deployment: an empty database and no photos."""
    url = databases.create(server)
    yield Deployment(url, tmp_path / "new-photos")
    databases.drop(url)


@pytest.fixture(scope="module")
def restored(server: URL, backup: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The backup in a new deployment."""
    url = databases.create(server)
    made = Deployment(url, tmp_path_factory.mktemp("restored") / "photos")
    assert "secret key" not in made.done("restore", backup)
    yield made
    databases.drop(url)


# --- what is restored ------------------------------------------------------------------------------------------------


def test_a_backup_comes_back_as_it_was_and_the_doctor_finds_it_so(lived: Deployment, restored: Deployment) -> None:
    everything = "SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM {} AS t"

    for table in ("report", "photo", "event", "delivery", "feed_line", "policy_version", "person", "defect"):
        assert restored.ask(everything.format(table)) == lived.ask(everything.format(table)), table
    assert "Clean" in restored.done("doctor", "--audit", "--photos")


def test_the_restored_photos_are_the_bytes_that_were_received(restored: Deployment) -> None:
    with psycopg.connect(databases.as_driver(restored.url)) as db:
        rows = db.execute("SELECT reference, sha256 FROM photo").fetchall()

    assert len(rows) == 2
    for reference, digest in rows:
        files = [restored.photo_dir / copy.value / reference[:2] / reference for copy in photo_files.Copy]
        assert sha256(files[0].read_bytes()).digest() == digest
        assert all(file.stat().st_mode & 0o077 == 0 for file in files)


def test_the_restored_schema_is_the_same_to_the_letter(lived: Deployment, restored: Deployment) -> None:
    def schema(url: URL) -> list[str]:
        told = [f"{binaries()}/pg_dump", "--schema-only", "--no-owner", f"--dbname={databases.as_driver(url)}"]
        written = subprocess.run(told, capture_output=True, text=True, check=True).stdout
        return [line for line in written.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))]

    assert schema(restored.url) == schema(lived.url)
    assert any("CREATE TRIGGER event_is_append_only" in line for line in schema(restored.url))


def test_the_record_still_refuses_to_be_changed(restored: Deployment) -> None:
    for statement in ("UPDATE event SET kind = 'X'", "DELETE FROM event", "TRUNCATE event"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
            restored.ask(statement)
    partition = restored.ask("SELECT tableoid::regclass::text FROM event LIMIT 1")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
        restored.ask(f"TRUNCATE {partition}")


def test_numbers_go_on_where_they_were(lived: Deployment, restored: Deployment) -> None:
    for sequence in ("defect_id_seq", "report_id_seq", "photo_id_seq", "detection_id_seq"):
        assert restored.ask(f"SELECT last_value FROM {sequence}") == lived.ask(f"SELECT last_value FROM {sequence}")


def test_the_ids_of_lost_events_are_not_given_out_again(lived: Deployment, restored: Deployment) -> None:
    """They stand in the keys of messages that were sent: the same key must not mean another event."""
    last = "SELECT last_value FROM event_id_seq"

    assert restored.ask(last) >= lived.ask(last) + 10_000_000


def test_places_and_likenesses_are_computed_as_before(restored: Deployment) -> None:
    near = "SELECT count(*) FROM report WHERE ST_DWithin(geom, ST_SetSRID(ST_MakePoint(353000, 430000), 27700), 1)"

    assert restored.ask(near) == 1
    assert restored.ask("SELECT count(*) FROM photo WHERE phash_parts = phash_parts(phash)") == 2


def test_nobody_stays_signed_in(lived: Deployment, restored: Deployment) -> None:
    live = "SELECT count(*) FROM session WHERE revoked_at IS NULL"

    assert lived.ask(live) == 1
    assert restored.ask(live) == 0


@pytest.mark.parametrize("revision", migrations.known())
def test_a_backup_of_any_earlier_release_is_brought_to_this_one(server: URL, new: Deployment, revision: str) -> None:
    old = Deployment(databases.create(server), new.photo_dir.with_name("old-photos"))
    alembic = [VENV / "bin" / "alembic", "-c", "infra/migrations/alembic.ini", "upgrade", revision]
    address = {"ROADMEND_DATABASE_URL": databases.as_setting(old.url)}
    subprocess.run(alembic, cwd=ROOT, env={**os.environ, **address}, check=True, capture_output=True)
    backup = new.photo_dir.with_name("old")
    old.done("backup", backup)
    databases.drop(old.url)

    new.done("restore", backup)

    assert new.ask("SELECT version_num FROM alembic_version") == migrations.known()[0]


def test_what_an_image_brings_along_is_left_out(template: URL, new: Deployment, tmp_path: Path) -> None:
    """The PostGIS image puts further schemas and extensions into its database, and into the one to restore into."""
    crowded = Deployment(databases.create(template, str(template.database)), tmp_path / "photos")
    crowded.tell("CREATE SCHEMA topology", "CREATE TABLE topology.theirs (id int)", "CREATE EXTENSION fuzzystrmatch")
    crowded.done("backup", tmp_path / "crowded")
    databases.drop(crowded.url)
    new.tell("CREATE SCHEMA topology", "CREATE EXTENSION postgis")

    new.done("restore", tmp_path / "crowded")

    assert new.ask("SELECT to_regclass('topology.theirs')") is None


def test_it_takes_no_superuser_where_postgis_is_there(backup: Path, new: Deployment, tmp_path: Path) -> None:
    """As a managed PostgreSQL is: its administrator makes the extension, the deployment's role owns the rest."""
    role = f"plain_{new.url.database}"
    new.tell(
        "CREATE EXTENSION postgis",
        f"CREATE ROLE {role} LOGIN PASSWORD 'plain'",
        f"ALTER DATABASE {new.url.database} OWNER TO {role}",
    )
    plain = Deployment(new.url.set(username=role, password="plain"), new.photo_dir)

    plain.done("restore", backup)
    plain.done("restore", backup, "--overwrite", str(new.url.database))
    plain.done("backup", tmp_path / "plain")

    assert plain.ask("SELECT count(*) FROM report") == 2
    new.tell(f"REASSIGN OWNED BY {role} TO {new.url.username}", f"DROP OWNED BY {role}", f"DROP ROLE {role}")


# --- what a backup is ------------------------------------------------------------------------------------------------


def test_a_backup_can_be_checked_without_roadmend(backup: Path) -> None:
    checked = subprocess.run(
        ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=backup, capture_output=True, check=False
    )

    assert checked.returncode == 0, checked.stdout


def test_a_backup_is_for_its_owner_only(backup: Path) -> None:
    assert backup.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in backup.rglob("*") if file.is_file()} == {0o600}


def test_the_manifest_says_what_is_in_it(lived: Deployment, backup: Path) -> None:
    manifest = json.loads((backup / "manifest.json").read_text())

    assert manifest["grid_epsg"] == 27700
    assert manifest["migration"] == migrations.known()[0]
    assert manifest["photos"] == 2
    assert manifest["counts"]["report"] == 2
    assert manifest["feed_number"] == lived.ask("SELECT max(number) FROM feed_line")
    assert manifest["feed_hash"] == lived.ask("SELECT encode(hash, 'hex') FROM feed_line ORDER BY number DESC LIMIT 1")


def test_dump_and_manifest_are_of_one_instant(lived: Deployment, new: Deployment, tmp_path: Path) -> None:
    meanwhile = f"{binaries()}/psql -qc \"INSERT INTO source (code, name) VALUES ('late', 'Late')\""
    version_only = '[ "$1" = --version ] ||'
    _program(tmp_path / "bin", "pg_dump", f'{version_only} {meanwhile}; exec {binaries()}/pg_dump "$@"')

    lived.done("backup", tmp_path / "tuesday", postgres_bin=str(tmp_path / "bin"))
    new.done("restore", tmp_path / "tuesday")

    assert lived.ask("SELECT count(*) FROM source WHERE code = 'late'") == 1
    assert new.ask("SELECT count(*) FROM source WHERE code = 'late'") == 0
    lived.tell("DELETE FROM source WHERE code = 'late'")


def test_the_password_is_on_no_command_line(lived: Deployment, tmp_path: Path) -> None:
    told = tmp_path / "told"
    real = binaries()
    _program(tmp_path / "bin", "pg_dump", f'echo "$@" >> {told}; exec {real}/pg_dump "$@"')

    lived.done("backup", tmp_path / "tuesday", postgres_bin=str(tmp_path / "bin"))

    assert "--snapshot" in told.read_text()
    assert str(lived.url.password) not in told.read_text()


def test_the_image_has_programs_as_new_as_its_server() -> None:
    image = (ROOT / "infra" / "Dockerfile").read_text()

    server = re.search(r"FROM postgis/postgis:(\d+)-", image)
    client = re.search(r"postgresql-client-(\d+)", image)
    assert server is not None
    assert client is not None
    assert int(client[1]) >= int(server[1])


# --- what is refused -------------------------------------------------------------------------------------------------


def test_a_name_is_given_once(lived: Deployment, backup: Path, tmp_path: Path) -> None:
    (tmp_path / "tuesday.unfinished").mkdir()

    assert "is there already" in lived.refused("backup", backup)
    assert "tuesday.unfinished is there already" in lived.refused("backup", tmp_path / "tuesday")


def test_a_folder_that_cannot_be_written_is_named(lived: Deployment, backup: Path, new: Deployment) -> None:
    new.photo_dir.write_text("a file")

    assert "The backup cannot be made" in lived.refused("backup", new.photo_dir / "tuesday")
    assert "Photos cannot be placed" in new.refused("restore", backup)
    assert new.tables() == 0


def test_without_pg_dump_it_is_said_what_to_install(lived: Deployment, tmp_path: Path) -> None:
    said = lived.refused("backup", tmp_path / "tuesday", postgres_bin=str(tmp_path))

    assert "There is no pg_dump of PostgreSQL" in said
    assert "postgresql-client-" in said
    assert list(tmp_path.iterdir()) == []


def test_a_pg_dump_older_than_the_server_is_not_taken(lived: Deployment, tmp_path: Path) -> None:
    _program(tmp_path / "bin", "pg_dump", "echo 'pg_dump (PostgreSQL) 9.6.1'")

    assert "(there is 9)" in lived.refused("backup", tmp_path / "tuesday", postgres_bin=str(tmp_path / "bin"))


def test_a_dump_that_fails_leaves_nothing(lived: Deployment, tmp_path: Path) -> None:
    fails = "[ $1 = --version ] && exec echo 'pg_dump (PostgreSQL) 99.1'; echo 'pg_dump: error: no room' >&2; exit 1"
    _program(tmp_path / "bin", "pg_dump", fails)

    assert "pg_dump: error: no room" in lived.refused(
        "backup", tmp_path / "tuesday", postgres_bin=str(tmp_path / "bin")
    )
    assert [one.name for one in tmp_path.iterdir()] == ["bin"]


def test_a_photo_without_a_file_is_named(lived: Deployment, new: Deployment, tmp_path: Path) -> None:
    poorer = Deployment(lived.url, Path(shutil.copytree(lived.photo_dir, tmp_path / "poorer")))
    lost, changed = sorted((poorer.photo_dir / "original").glob("*/*"))
    (poorer.photo_dir / "small" / lost.name[:2] / lost.name).unlink()
    changed.write_bytes(b"another picture")

    said = poorer.refused("backup", tmp_path / "tuesday")
    assert lost.name in said
    assert changed.name in said
    assert not (tmp_path / "tuesday").exists()

    poorer.done("backup", tmp_path / "tuesday", "--without-missing")
    assert "2 photos were lost" in new.done("restore", tmp_path / "tuesday")


def test_the_doctor_misses_a_photo_that_is_lost_and_one_that_was_changed(lived: Deployment, tmp_path: Path) -> None:
    poorer = Deployment(lived.url, Path(shutil.copytree(lived.photo_dir, tmp_path / "poorer")))
    lost, changed = sorted((poorer.photo_dir / "original").glob("*/*"))
    (poorer.photo_dir / "public" / lost.name[:2] / lost.name).unlink()
    changed.write_bytes(b"another picture")

    told = poorer.command("doctor", "--photos")

    assert told.exit_code == 1
    assert "NOT Every photo has its files" in told.stdout
    assert lost.name in told.stdout
    assert changed.name in told.stdout


def _changed(folder: Path) -> str:
    with (folder / "database.dump").open("r+b") as file:
        file.seek(5_000)
        before = file.read(4)
        file.seek(5_000)
        # Turned over: four bytes of a dump may well be the zeros that were written here once.
        file.write(bytes(255 - one for one in before))
    return "database.dump was changed"


def _lost_photo(folder: Path) -> str:
    photo = next((folder / "photos" / "public").glob("*/*"))
    photo.unlink()
    return f"photos/public/{photo.name[:2]}/{photo.name} is missing"


def _added(folder: Path) -> str:
    (folder / "photos" / "more").write_text("?")
    return "photos/more is not listed"


def _cut_short(folder: Path) -> str:
    sums = folder / "SHA256SUMS"
    lines = sums.read_text().splitlines(keepends=True)
    sums.write_text("".join(lines[:2] + lines[-1:]))
    return "SHA256SUMS lists 3 files"


def _edited(folder: Path) -> str:
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace("27700", "29902"))
    return "The manifest of"


def _unfinished(folder: Path) -> str:
    (folder / "manifest.json").unlink()
    return "is not a finished backup"


@pytest.mark.parametrize("damage", [_changed, _lost_photo, _added, _cut_short, _edited, _unfinished])
def test_a_damaged_backup_is_not_restored(damaged: Path, new: Deployment, damage: Callable[[Path], str]) -> None:
    wrong = damage(damaged)

    assert wrong in new.refused("restore", damaged)
    assert new.tables() == 0
    assert not new.photo_dir.exists()


def _said_otherwise(folder: Path, **facts: object) -> None:
    """Let a whole backup say something else of itself."""
    file = folder / "manifest.json"
    before = file.read_bytes()
    file.write_text(json.dumps({**json.loads(before), **facts}))
    sums = folder / "SHA256SUMS"
    sums.write_text(sums.read_text().replace(sha256(before).hexdigest(), sha256(file.read_bytes()).hexdigest()))


REFUSED: Mapping[str, tuple[dict[str, object], str]] = {
    "another grid": ({"grid_epsg": 29902}, "lies on the grid EPSG:29902, this deployment on EPSG:27700"),
    "a newer migration": ({"migration": "9999"}, "migration 9999, which this release does not know"),
    "a newer server": ({"server": 99}, "The backup is of PostgreSQL 99"),
    "a newer form": ({"format": 2}, "is a backup of form 2"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_right_here_is_refused(damaged: Path, new: Deployment, what: str) -> None:
    facts, why = REFUSED[what]
    _said_otherwise(damaged, **facts)

    assert why in new.refused("restore", damaged)
    assert new.tables() == 0


def test_what_was_restored_is_counted(damaged: Path, new: Deployment) -> None:
    counts = json.loads((damaged / "manifest.json").read_text())["counts"]
    _said_otherwise(damaged, counts={**counts, "report": 3}, feed_hash="00")

    said = new.refused("restore", damaged)

    assert "report has 2 rows, not 3" in said
    assert "do not use it" in said
    assert "the feed ends with line" in said


def test_a_database_in_use_is_overwritten_by_name_only(backup: Path, new: Deployment, restored: Deployment) -> None:
    new.tell("CREATE TABLE theirs (id int)", "CREATE FUNCTION theirs() RETURNS int LANGUAGE sql RETURN 1")

    assert "is not empty" in new.refused("restore", backup)
    assert f"not {restored.url.database}" in new.refused("restore", backup, "--overwrite", str(restored.url.database))
    assert new.tables() == 1

    new.done("restore", backup, "--overwrite", str(new.url.database))
    new.done("restore", backup, "--overwrite", str(new.url.database))
    assert new.ask("SELECT to_regclass('theirs')") is None
    assert new.ask("SELECT count(*) FROM report") == 2


def test_another_secret_key_is_noticed(backup: Path, new: Deployment) -> None:
    said = new.done("restore", backup, secret_key="another-key-of-thirty-two-letters")

    assert "The secret key is not the one of the backup" in said


def test_nothing_is_restored_under_the_feet_of_others(backup: Path, new: Deployment) -> None:
    with psycopg.connect(databases.as_driver(new.url)):
        assert "1 others are connected" in new.refused("restore", backup)


def test_photos_of_another_deployment_are_not_overwritten(backup: Path, new: Deployment) -> None:
    kept = next((backup / "photos" / "original").glob("*/*"))
    theirs = new.photo_dir / "original" / kept.name[:2] / kept.name
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b"theirs")

    assert "is another file" in new.refused("restore", backup)
    assert theirs.read_bytes() == b"theirs"
    assert new.tables() == 0


def _program(folder: Path, name: str, script: str) -> None:
    folder.mkdir()
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
