"""`roadmend load …`: streets, areas, postcodes and historic reports from files; stopped, it goes on from there."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from services.cli import draft_network, draft_reports, run
from services.cli.loading import Load, load
from services.cli.sources import MapFile, TableFile, digest, mapping
from shared.errors import Invalid, NotFound
from shared.flows import load_network, load_reports
from shared.settings import settings
from shared.store import policies
from shared.store.engine import reading

app = typer.Typer(no_args_is_help=True, help="Load streets, areas, postcodes or historic reports from a file.")

File = Annotated[Path, typer.Argument(help="The file; .gz is read as it is")]
Map = Annotated[list[str] | None, typer.Option("--map", help="Which column holds a field: --map name=street_nam")]
Layer = Annotated[str | None, typer.Option(help="The layer, in a file that has several")]
Epsg = Annotated[int | None, typer.Option(help="EPSG code of the coordinates, where the file does not say it")]
Rejects = Annotated[Path | None, typer.Option(help="Where bad rows are listed; NAME.rejected.csv here otherwise")]


@app.command()
def streets(
    file: File,
    map_: Map = None,
    layer: Layer = None,
    epsg: Epsg = None,
    grade: Annotated[list[str] | None, typer.Option(help='Hierarchy of a class: --grade "Minor Road=3b"')] = None,
    rejects: Rejects = None,
) -> None:
    """Load streets from GeoPackage, GeoJSON or Shapefile: OS Open Roads, OS Open USRN, the council's own."""
    source = MapFile(file, layer, epsg)
    columns = mapping(map_ or [], draft_network.STREET_FIELDS, source.columns)
    read = draft_network.StreetReader(columns, draft_network.grades(grade or []), source.srid)
    told = digest(file, "streets", repr(sorted(columns.items())), repr(grade), str(layer), str(source.srid))
    load(
        Load(
            "streets",
            source,
            told,
            read,
            lambda tx, rows: load_network.streets(tx, rows, source.srid),
            _rejects(file, rejects),
        )
    )


@app.command()
def areas(
    file: File,
    map_: Map = None,
    layer: Layer = None,
    epsg: Epsg = None,
    served: Annotated[
        list[str] | None, typer.Option(help="Code of an authority whose roads are ours; the policy's otherwise")
    ] = None,
    kind: Annotated[str | None, typer.Option(help="What they all are: authority, district, division, ward")] = None,
    rejects: Rejects = None,
) -> None:
    """Load areas: whose roads (counties and unitary authorities), and the districts, divisions or wards within."""
    source = MapFile(file, layer, epsg)
    ours = tuple(served or _served_by_policy())
    columns = mapping(map_ or [], draft_network.AREA_FIELDS, source.columns)
    read = draft_network.AreaReader(columns, ours, kind, source.srid)
    told = digest(file, "areas", repr(sorted(columns.items())), repr(ours), str(kind), str(layer), str(source.srid))
    load(
        Load(
            "areas",
            source,
            told,
            read,
            lambda tx, rows: load_network.areas(tx, rows, source.srid),
            _rejects(file, rejects),
        )
    )


@app.command()
def postcodes(
    file: File,
    map_: Map = None,
    epsg: Annotated[int, typer.Option(help="EPSG code of eastings and northings")] = 27700,
    rejects: Rejects = None,
) -> None:
    """Load postcodes from a table, such as Code-Point Open with a heading."""
    source = TableFile(file)
    columns = mapping(map_ or [], draft_network.POSTCODE_FIELDS, source.columns)
    read = draft_network.PostcodeReader(columns)
    srid = epsg if read.on_grid else 4326
    load(
        Load(
            "postcodes",
            source,
            digest(file, "postcodes", repr(sorted(columns.items())), str(srid)),
            read,
            lambda tx, rows: load_network.postcodes(tx, rows, srid),
            _rejects(file, rejects),
        )
    )


@app.command()
def reports(
    file: File,
    map_: Map = None,
    class_code: Annotated[str, typer.Option("--class", help="Class of reports that name none")] = "pothole",
    epsg: Annotated[int | None, typer.Option(help="EPSG code of eastings and northings; the deployment's grid")] = None,
    accuracy: Annotated[float | None, typer.Option(help="Accuracy in metres of those that give none")] = None,
    rejects: Rejects = None,
) -> None:
    """Load historic reports from a table. They keep their own times and go through triage like any other."""
    source = TableFile(file)
    with reading() as tx:
        policy = policies.in_force(tx, run.now()).policy
    columns = mapping(map_ or [], draft_reports.REPORT_FIELDS, source.columns)
    read = draft_reports.ReportReader(columns, policy, class_code, accuracy, epsg or settings().grid_epsg)
    load(
        Load(
            "reports",
            source,
            digest(file, "reports", repr(sorted(columns.items())), class_code, str(epsg), str(accuracy)),
            read,
            lambda tx, rows: load_reports.run(tx, rows, run.now()),
            _rejects(file, rejects),
        )
    )


def _rejects(file: Path, given: Path | None) -> Path:
    return given or Path(f"{file.name}.rejected.csv")


def _served_by_policy() -> Sequence[str]:
    try:
        with reading() as tx:
            ours = policies.in_force(tx, run.now()).policy.meta.served_authorities
    except NotFound:
        ours = ()
    if not ours:
        raise Invalid("The policy does not say which authorities are ours. Say it: --served CODE")
    return ours
