"""Reads map files and tables as GDAL and csv see them: a batch of rows at a time, each with its place in the file."""

import csv
import gzip
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TextIO, cast

import pyogrio
import pyogrio.raw
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj import CRS
from pyproj.exceptions import CRSError

from shared.errors import Invalid

BATCH = 5000
STREAMED = frozenset({".gpkg", ".shp", ".fgb"})
"""GDAL finds a row in the middle of these at once; of others it reads the whole file first, so that is done once."""


@dataclass(frozen=True, slots=True)
class Row:
    """`line` counts from 1: a feature of a map file, or the line of a table with its heading as line 1."""

    line: int
    values: Mapping[str, Any]
    wkb: bytes | None = None


class MapFile:
    """A GeoPackage, GeoJSON, Shapefile or the like, or one of these in gzip."""

    def __init__(self, path: Path, layer: str | None, epsg: int | None) -> None:
        self.path = readable(path)
        self._name = f"/vsigzip/{path.resolve()}" if path.suffix == ".gz" else str(path)
        self._layer = layer or self._only_layer()
        self._epsg = epsg

    @cached_property
    def _info(self) -> Mapping[str, Any]:
        try:
            info: Mapping[str, Any] = pyogrio.read_info(self._name, layer=self._layer, force_feature_count=True)
        except (DataLayerError, DataSourceError) as error:
            raise Invalid(f"{self.path} cannot be read: {error}") from None
        return info

    @property
    def columns(self) -> Sequence[str]:
        return [str(name) for name in self._info["fields"]]

    @property
    def total(self) -> int:
        return int(self._info["features"])

    @cached_property
    def srid(self) -> int:
        """The EPSG code of its coordinates."""
        if self._epsg:
            return self._epsg
        try:
            found = CRS(self._info["crs"]).to_epsg() if self._info["crs"] else None
        except CRSError:
            found = None
        if found is None:
            raise Invalid(f"{self.path} does not say what its coordinates are. Say it: --epsg 27700")
        return int(found)

    def batches(self, skip: int) -> Iterator[list[Row]]:
        """The rows after the first `skip`."""
        size = BATCH if self.path.suffix.lower() in STREAMED else max(self.total, 1)
        for first in range(skip - skip % size, self.total, size):
            rows = self._read(first, size)
            for at in range(0, len(rows), BATCH):
                fresh = [row for row in rows[at : at + BATCH] if row.line > skip]
                if fresh:
                    yield fresh

    def _read(self, first: int, size: int) -> list[Row]:
        _, _, shapes, columns = pyogrio.raw.read(
            self._name, layer=self._layer, skip_features=first, max_features=size, force_2d=True
        )
        names = self.columns
        rows = zip(*columns, strict=True) if columns else iter([()] * len(shapes))
        return [
            Row(line, dict(zip(names, values, strict=True)), shape)
            for line, (values, shape) in enumerate(zip(rows, shapes, strict=True), first + 1)
        ]

    def _only_layer(self) -> str | None:
        """The layer, where a file has one only, or only one with lines or polygons."""
        try:
            layers = [(str(name), str(kind)) for name, kind in pyogrio.list_layers(self._name)]
        except DataSourceError as error:
            raise Invalid(f"{self.path} cannot be read: {error}") from None
        drawn = [name for name, kind in layers if "Line" in kind or "Polygon" in kind]
        if len(layers) == 1:
            return layers[0][0]
        if len(drawn) == 1:
            return drawn[0]
        raise Invalid(f"{self.path} has several layers. Say which: --layer {' | '.join(drawn or dict(layers))}")


class TableFile:
    """A CSV file with a heading, or one in gzip."""

    def __init__(self, path: Path) -> None:
        self.path = readable(path)

    @cached_property
    def columns(self) -> Sequence[str]:
        with self._open() as lines:
            heading = next(csv.reader(lines), None)
        if not heading:
            raise Invalid(f"{self.path} is empty.")
        return heading

    @cached_property
    def total(self) -> int:
        with self._open() as lines:
            return max(sum(1 for _ in csv.reader(lines)) - 1, 0)

    def batches(self, skip: int) -> Iterator[list[Row]]:
        """The rows after the first `skip`."""
        with self._open() as lines:
            reader = csv.reader(lines)
            heading = next(reader, [])
            batch: list[Row] = []
            for count, cells in enumerate(reader, 1):
                if count <= skip:
                    continue
                batch.append(Row(count + 1, dict(zip(heading, cells, strict=False))))
                if len(batch) == BATCH:
                    yield batch
                    batch = []
            if batch:
                yield batch

    def _open(self) -> TextIO:
        opened = gzip.open if self.path.suffix == ".gz" else open
        return cast(TextIO, opened(self.path, "rt", encoding="utf-8-sig", errors="replace", newline=""))


def readable(path: Path) -> Path:
    """The path, if there is a file.

    Raises:
        Invalid: there is none.
    """
    if not path.is_file():
        raise Invalid(f"There is no file {path}.")
    return path


def digest(path: Path, *options: str) -> str:
    """Names this very file, loaded in this very way: SHA-256 of both."""
    told = hashlib.sha256("\0".join(options).encode())
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            told.update(chunk)
    return told.hexdigest()


def mapping(given: Sequence[str], fields: Mapping[str, Sequence[str]], columns: Sequence[str]) -> dict[str, str]:
    """Which column holds which field: as given ("name=street_nam"), else the first of the usual names that is there.

    Raises:
        Invalid: a field or a column that does not exist; says which do.
    """
    there = {column.lower(): column for column in columns}
    found = {field: there[name] for field, usual in fields.items() for name in reversed(usual) if name in there}
    for pair in given:
        field, _, column = pair.partition("=")
        if field not in fields:
            raise Invalid(f"--map {pair}: there is no field {field!r}. The fields are: {', '.join(fields)}")
        if column.lower() not in there:
            raise Invalid(f"--map {pair}: the file has no column {column!r}. Its columns are: {', '.join(columns)}")
        found[field] = there[column.lower()]
    return found
