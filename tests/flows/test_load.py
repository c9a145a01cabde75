"""`roadmend load …`: files come in whole, bad rows are listed, and a load that was killed goes on where it was."""

import csv
import gzip
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pyogrio.raw
import pytest
import shapely
from sqlalchemy import URL, func, make_url, select
from typer.testing import CliRunner, Result

from infra.native.layout import ROOT
from services.cli.main import app
from shared.store import network
from shared.store.engine import reading, transaction
from shared.store.tables import area, event, postcode, report, street
from tests import databases
from tests.factories import adopt_default_policy
from tests.waiting import until

DATA = ROOT.parent / "shared" / "data"
Load = Callable[..., Result]


@pytest.fixture
def load(own_db: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """`roadmend load …` in this process, in an empty folder; the policy is in force."""
    with transaction("test") as tx:
        adopt_default_policy(tx)
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, ["load", *map(str, arguments)])


def rows_of(file: Path) -> list[list[str]]:
    return list(csv.reader(file.read_text().splitlines()))


def count(table: Any) -> int:
    with reading() as tx:
        return int(tx.scalar(select(func.count()).select_from(table)))


def a_map(file: Path, *features: dict[str, Any]) -> Path:
    """A GeoJSON file."""
    whole = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    file.write_bytes(gzip.compress(whole) if file.suffix == ".gz" else whole)
    return file


def a_road(road_id: str | None, name: str, *corners: tuple[float, float], **more: Any) -> dict[str, Any]:
    line = {"type": "LineString", "coordinates": corners or ((-2.70, 53.76), (-2.69, 53.76))}
    return {"type": "Feature", "properties": {"id": road_id, "name": name, **more}, "geometry": line}


# --- areas and postcodes ---------------------------------------------------------------------------------------------


def test_lancashires_areas_and_postcodes_come_in(load: Load) -> None:
    areas = load("areas", DATA / "lancashire_boundaries" / "authorities.geojson")
    postcodes = load("postcodes", DATA / "lancashire_postcodes" / "postcodes.csv.gz")

    assert (areas.exit_code, postcodes.exit_code) == (0, 0), areas.output + postcodes.output
    assert (count(area), count(postcode)) == (15, 38_722)
    with reading() as tx:
        served = list(tx.scalars(select(area.c.code).where(area.c.served)))
        found = network.postcode_at(tx, "BB1 1AB")
    assert served == ["E10000017"]
    assert found is not None
    assert (found.lat, found.lon) == pytest.approx((53.7491, -2.4599), abs=1e-4)


def test_areas_of_which_none_is_ours_are_refused(load: Load) -> None:
    told = load("areas", DATA / "lancashire_boundaries" / "authorities.geojson", "--served", "E99999999")

    assert told.exit_code == 2
    assert "--served CODE" in told.stderr


# --- streets ---------------------------------------------------------------------------------------------------------


def test_a_real_network_comes_in_with_hierarchy_and_one_key_a_street(load: Load) -> None:
    told = load("streets", DATA / "road_network_bath" / "roads.geojson.gz")

    assert told.exit_code == 0, told.output
    assert "9,015 streets loaded, 0 refused" in told.stdout
    with reading() as tx:
        graded = tx.execute(select(street.c.hierarchy, func.count()).group_by(street.c.hierarchy))
        hierarchies = {hierarchy: pieces for hierarchy, pieces in graded}
        unkeyed = tx.scalar(select(func.count()).where(street.c.street_key == ""))
    assert hierarchies["3a"] == 536
    assert unkeyed == 0


def test_columns_are_mapped_and_classes_graded_as_said(load: Load, tmp_path: Path) -> None:
    file = a_map(tmp_path / "own.geojson", a_road("1", "", strasse="Weg", art="Track", wer="private"))

    told = load(
        *("streets", file, "--map", "name=strasse", "--map", "class=art"),
        *("--map", "maintainer=wer", "--grade", "track=3b"),
    )

    assert told.exit_code == 0, told.output
    with reading() as tx:
        row = tx.execute(select(street.c.name, street.c.hierarchy, street.c.maintainer)).one()
    assert tuple(row) == ("Weg", "3b", "private")


def test_a_mapping_that_fits_nothing_names_the_columns_there_are(load: Load, tmp_path: Path) -> None:
    file = a_map(tmp_path / "own.geojson", a_road("1", "East Road"))

    told = load("streets", file, "--map", "name=street_nam")

    assert told.exit_code == 2
    assert "no column 'street_nam'. Its columns are: id, name" in told.stderr


def test_bad_rows_are_listed_with_line_and_reason_and_the_good_ones_come_in(load: Load, tmp_path: Path) -> None:
    pointed = {"type": "Feature", "properties": {"id": "2"}, "geometry": {"type": "Point", "coordinates": [-2.7, 53.7]}}
    empty = {"type": "Feature", "properties": {"id": "3"}, "geometry": None}
    swapped = a_road("4", "Wrong Way", (53.76, -2.70), (53.76, -2.69))
    file = a_map(tmp_path / "own.geojson.gz", a_road("1", "East Road"), pointed, empty, swapped, a_road(None, "No Id"))

    told = load("streets", file)

    assert told.exit_code == 0, told.output
    assert "1 streets loaded, 4 refused: see own.geojson.gz.rejected.csv" in told.stdout
    listed = rows_of(tmp_path / "own.geojson.gz.rejected.csv")
    assert [row[0] for row in listed] == ["line", "2", "3", "4", "5"]
    assert listed[1][1] == "its shape is no line"
    assert "axes the wrong way round" in listed[3][1]


def test_a_geopackage_in_metres_of_the_grid_comes_in(load: Load, tmp_path: Path) -> None:
    file = tmp_path / "own.gpkg"
    lines = [shapely.LineString([(353_000 + at, 430_000), (353_090 + at, 430_000)]) for at in range(0, 500, 100)]
    write_geopackage(file, lines, ["Brook Street"] * 5)

    told = load("streets", file, "--map", "id=fid_of_ours")

    assert told.exit_code == 0, told.output
    with reading() as tx:
        assert tx.scalar(select(func.count(street.c.street_key.distinct()))) == 1
        assert tx.scalar(select(func.round(func.min(func.ST_XMin(street.c.geom))))) == 353_000


def write_geopackage(file: Path, lines: list[shapely.LineString], names: list[str]) -> None:
    pyogrio.raw.write(
        str(file),
        np.array([shapely.to_wkb(line) for line in lines], dtype=object),
        [np.array([str(n) for n in range(len(lines))], dtype=object), np.array(names, dtype=object)],
        ["fid_of_ours", "name"],
        geometry_type="LineString",
        crs="EPSG:27700",
        driver="GPKG",
    )


# --- again, and after a kill -----------------------------------------------------------------------------------------


def test_a_file_that_is_loaded_is_not_loaded_again(load: Load) -> None:
    file = DATA / "lancashire_postcodes" / "postcodes.csv.gz"
    load("postcodes", file)

    again = load("postcodes", file)

    assert again.exit_code == 0
    assert "This file was loaded before" in again.stdout


@pytest.fixture
def process(fresh_db: str, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """`roadmend …` as a process on a database of its own; killed at the end if it still runs."""
    running: list[subprocess.Popen[str]] = []

    def start(*arguments: object, **settings: str) -> subprocess.Popen[str]:
        variables = {f"ROADMEND_{name.upper()}": value for name, value in settings.items()}
        child = subprocess.Popen(
            [sys.executable, "-m", "services.cli.main", *map(str, arguments)],
            cwd=tmp_path,
            env={**os.environ, "ROADMEND_DATABASE_URL": fresh_db, "PYTHONPATH": str(ROOT), **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(child)
        return child

    yield start
    for child in running:
        child.kill()
        child.communicate()


@pytest.mark.slow
def test_a_load_that_is_killed_in_mid_batch_goes_on_and_gives_each_row_once(
    process: Callable[..., subprocess.Popen[str]], fresh_db: str
) -> None:
    file = DATA / "lancashire_postcodes" / "postcodes.csv.gz"
    address = databases.as_driver(make_url(fresh_db))
    with psycopg.connect(address) as watching:
        first = process("load", "postcodes", file)
        until(lambda: done(watching) > 0, 60, "the first batch is in")
        watching.execute("LOCK TABLE postcode IN SHARE MODE")  # the next batch waits in the middle of its work
        first.send_signal(signal.SIGKILL)
        first.wait()
        killed_at = done(watching)
        watching.rollback()

    second = process("load", "postcodes", file)
    told, complaint = second.communicate(timeout=120)

    assert second.returncode == 0, complaint
    assert 0 < killed_at < 38_722
    assert f"Going on after row {killed_at:,}." in told
    assert "38,722 postcodes loaded, 0 refused" in told
    with psycopg.connect(address) as looking:
        assert looking.execute("SELECT count(*), count(DISTINCT postcode) FROM postcode").fetchone() == (38_722, 38_722)


def done(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute("SELECT coalesce(max(rows_done), 0) FROM load_progress").fetchone()
    assert row is not None
    return int(row[0])


# --- historic reports ------------------------------------------------------------------------------------------------

HISTORY = """enquiry_id,recorded_at,easting,northing,lat,lon,status,description
N-1,2025-06-01T09:30:00,353000,430000,,,New Enquiries,by the school
N-2,2025-06-01,353010.5,430001,53.7,-2.7,Completed Enquiries,
N-3,soon,353000,430000,,,New Enquiries,
N-4,2025-06-02T10:00:00,0.0,0.0,,,New Enquiries,
N-5,2035-06-02T10:00:00,353000,430000,,,New Enquiries,
,2025-06-02T10:00:00,353000,430000,,,New Enquiries,
N-7,2025-06-02T10:00:00+00:00,,,53.76,-2.71,New Enquiries,
"""


def test_historic_reports_keep_their_times_and_wait_for_triage(load: Load, tmp_path: Path) -> None:
    (tmp_path / "history.csv").write_text(HISTORY)

    told = load("reports", "history.csv")

    assert told.exit_code == 0, told.output
    assert "3 reports loaded, 4 refused" in told.stdout
    with reading() as tx:
        rows = tx.execute(
            select(report.c.external_id, report.c.received_at, report.c.outcome, report.c.channel).order_by(report.c.id)
        ).all()
        said = tx.execute(select(event.c.occurred_at, event.c.at).order_by(event.c.id)).all()
    assert [row.external_id for row in rows] == ["historic:N-1", "historic:N-2", "historic:N-7"]
    assert rows[0].received_at == datetime(2025, 6, 1, 8, 30, tzinfo=UTC)
    assert rows[1].outcome == "Completed Enquiries"
    assert {row.channel for row in rows} == {"historic"}
    received = said[-3:]
    assert [row.occurred_at for row in received] == [row.received_at for row in rows]
    assert all(row.at > row.occurred_at for row in received)
    assert [row[0] for row in rows_of(tmp_path / "history.csv.rejected.csv")] == ["line", "4", "5", "6", "7"]


def test_the_same_reports_in_another_file_are_not_doubled(load: Load, tmp_path: Path) -> None:
    (tmp_path / "history.csv").write_text(HISTORY)
    (tmp_path / "again.csv").write_text(HISTORY + "N-8,2025-06-03T10:00:00,353100,430000,,,New Enquiries,\n")
    load("reports", "history.csv")

    told = load("reports", "again.csv")

    assert told.exit_code == 0, told.output
    assert count(report) == 4


@pytest.mark.slow
def test_northern_irelands_enquiries_come_in_on_their_own_grid_and_policy(
    server: URL, process: Callable[..., subprocess.Popen[str]]
) -> None:
    url = databases.create(server)
    there = {"database_url": databases.as_setting(url), "grid_epsg": "29902"}
    try:
        migrate(there)
        told = [
            finished(process("policy", "adopt", ROOT / "shared/policy/northern-ireland.toml", **there)),
            finished(process("load", "reports", DATA / "ni_pothole_enquiries/pothole_enquiries_2015.csv.gz", **there)),
        ]
        with psycopg.connect(databases.as_driver(url)) as looking:
            found = looking.execute(
                "SELECT count(*), count(DISTINCT external_id), min(received_at) AT TIME ZONE 'UTC',"
                " (SELECT count(*) FROM delivery WHERE consumer = 'triage') FROM report"
            ).fetchone()
    finally:
        databases.drop(url)

    assert "6,295 reports loaded, 108 refused" in told[1]
    assert found == (6295, 6295, datetime(2015, 3, 31, 23, 0), 6295)  # noqa: DTZ001 (as PostgreSQL gives it)


def migrate(there: dict[str, str]) -> None:
    """All migrations, in a process of its own: the grid is fixed when a process starts."""
    subprocess.run(
        [sys.executable, "-m", "alembic", "-c", "infra/migrations/alembic.ini", "upgrade", "head"],
        cwd=ROOT,
        env={**os.environ, **{f"ROADMEND_{name.upper()}": value for name, value in there.items()}},
        check=True,
    )


def finished(child: subprocess.Popen[str]) -> str:
    told, complaint = child.communicate(timeout=120)
    assert child.returncode == 0, told + complaint
    return told
