"""Makes drafts of the rows of files: what a column is usually called, what its values mean, and what is no good."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import isfinite
from zoneinfo import ZoneInfo

import shapely
from pyproj import Transformer

from services.cli.loading import BadRow
from services.cli.sources import Row
from shared.domain.policy import HIERARCHIES, Policy
from shared.domain.roads import MAINTAINERS, hierarchy_of, maintainer_of, plain
from shared.errors import Invalid
from shared.flows.load_network import AreaRow, PostcodeRow, StreetRow
from shared.flows.load_reports import HistoricReport
from shared.store.network import area_of_use

STREET_FIELDS: Mapping[str, Sequence[str]] = {
    "id": ("network_id", "id", "identifier", "gml_id", "toid", "usrn", "fid", "osm_id"),
    "usrn": ("usrn",),
    "name": ("name", "name1", "name_1", "street_name", "designated_name", "roadname1"),
    "number": ("road_number", "roadnumber", "road_classification_number", "roadclassificationnumber", "ref"),
    "class": ("class", "road_classification", "roadclassification", "road_function", "function", "highway", "class_"),
    "hierarchy": ("hierarchy",),
    "maintainer": ("maintainer",),
    "trunk": ("trunk", "trunk_road", "trunkroad"),
    "level": ("level", "layer"),
    "rural": ("rural",),
}
AREA_FIELDS: Mapping[str, Sequence[str]] = {
    "code": ("code", "gss_code", "ons_code", "lad25cd", "lad24cd", "lad23cd", "ctyua23cd"),
    "name": ("name", "lad25nm", "lad24nm", "lad23nm", "ctyua23nm"),
    "tier": ("tier",),
    "contact": ("contact",),
    "parent": ("parent_code", "district_code", "county"),
}
POSTCODE_FIELDS: Mapping[str, Sequence[str]] = {
    "postcode": ("postcode", "pcds", "pcd"),
    "quality": ("positional_quality", "positional_quality_indicator", "quality"),
    "easting": ("easting", "eastings", "oseast1m"),
    "northing": ("northing", "northings", "osnrth1m"),
    "lat": ("lat", "latitude"),
    "lon": ("lon", "long", "longitude"),
}
REPORT_FIELDS: Mapping[str, Sequence[str]] = {
    "id": ("enquiry_id", "external_id", "reference", "report_id", "id"),
    "recorded_at": ("recorded_at", "observed_at", "reported_at", "created_at", "created"),
    "easting": ("easting", "eastings", "x"),
    "northing": ("northing", "northings", "y"),
    "lat": ("lat", "latitude"),
    "lon": ("lon", "long", "longitude"),
    "accuracy": ("accuracy_m", "accuracy"),
    "class": ("class_code", "category", "class"),
    "description": ("description", "detail", "text"),
    "address": ("address", "street"),
    "status": ("status", "state"),
}
TIERS = {
    "county": "authority",
    "unitary": "authority",
    "metropolitan": "authority",
    "london": "authority",
    "authority": "authority",
    "district": "district",
    "division": "division",
    "ward": "ward",
}
"""What the tiers of ONS files are here: counties and single-tier councils look after roads, districts do not."""

_YES = frozenset({"1", "true", "t", "yes", "y"})


class _Columns:
    """A row's values by field, as text without blanks around it; "" where there is none."""

    def __init__(self, columns: Mapping[str, str], needed: Sequence[str]) -> None:
        for field in needed:
            if field not in columns:
                raise Invalid(f"Which column holds the {field}? Say it: --map {field}=COLUMN")
        self.names = columns

    def text(self, row: Row, field: str) -> str:
        value = row.values.get(self.names.get(field, ""))
        if value is None or value != value or (isinstance(value, str) and "\0" in value):
            return ""
        return f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value).strip()

    def number(self, row: Row, field: str) -> float | None:
        told = self.text(row, field)
        if not told:
            return None
        try:
            value = float(told)
        except ValueError:
            raise BadRow(f"{field}: {told!r} is not a number") from None
        if not isfinite(value):
            raise BadRow(f"{field}: {told!r} is not a number")
        return value

    def whole(self, row: Row, field: str, least: int, most: int) -> int | None:
        value = self.number(row, field)
        if value is not None and (value != int(value) or not least <= value <= most):
            raise BadRow(f"{field}: {value:g} is not a whole number from {least} to {most}")
        return None if value is None else int(value)

    def yes(self, row: Row, field: str) -> bool:
        return self.text(row, field).lower() in _YES

    def both(self, row: Row, one: str, other: str) -> tuple[float, float] | None:
        first, second = self.number(row, one), self.number(row, other)
        return None if first is None or second is None else (first, second)


class _Shapes:
    """Checks shapes: there, whole, of the right kind, and in the country."""

    def __init__(self, srid: int, kinds: frozenset[int], called: str) -> None:
        self.kinds, self.called, self.bounds = kinds, called, area_of_use()
        self.to_degrees = Transformer.from_crs(srid, 4326, always_xy=True).transform

    def check(self, wkb: bytes | None) -> bytes:
        if wkb is None:
            raise BadRow("it has no shape")
        shape = shapely.from_wkb(wkb, on_invalid="ignore")
        if shape is None or shapely.get_type_id(shape) not in self.kinds or shapely.is_empty(shape):
            raise BadRow(f"its shape is no {self.called}")
        west, south, east, north = shapely.bounds(shape)
        for x, y in ((west, south), (east, north)):
            lon, lat = self.to_degrees(x, y)
            inside = self.bounds["west"] <= lon <= self.bounds["east"]
            if not (inside and self.bounds["south"] <= lat <= self.bounds["north"]):
                raise BadRow("its shape is outside the country; are the axes the wrong way round?")
        return bytes(shapely.to_wkb(shape, output_dimension=2))


def grades(given: Sequence[str]) -> dict[str, str]:
    """Hierarchies of classes, as given on the command line: "Minor Road=3b".

    Raises:
        Invalid: no such hierarchy.
    """
    found = {}
    for pair in given:
        road_class, _, hierarchy = pair.rpartition("=")
        if not road_class or hierarchy not in HIERARCHIES:
            raise Invalid(f"--grade {pair}: say CLASS=HIERARCHY, with one of {', '.join(sorted(HIERARCHIES))}")
        found[plain(road_class)] = hierarchy
    return found


class StreetReader:
    """A feature as a street."""

    def __init__(self, columns: Mapping[str, str], graded: Mapping[str, str], srid: int) -> None:
        self.of = _Columns(columns, ("id",))
        self.graded = graded
        self.lines = _Shapes(srid, frozenset({1, 5}), "line")

    def __call__(self, row: Row) -> StreetRow:
        network_id = self.of.text(row, "id")
        if not network_id:
            raise BadRow("it has no id")
        road_class = self.of.text(row, "class")
        return StreetRow(
            line=row.line,
            network_id=network_id,
            usrn=self.of.whole(row, "usrn", 1, 99_999_999),
            name=self.of.text(row, "name") or self.of.text(row, "number"),
            road_class=road_class,
            hierarchy=self._hierarchy(row, road_class),
            maintainer=self._maintainer(row, road_class),
            level=self.of.whole(row, "level", -9, 9) or 0,
            rural=self.of.yes(row, "rural"),
            wkb=self.lines.check(row.wkb),
        )

    def _hierarchy(self, row: Row, road_class: str) -> str:
        told = self.of.text(row, "hierarchy").lower()
        if told and told not in HIERARCHIES:
            raise BadRow(f"hierarchy: {told!r} is not one of {', '.join(sorted(HIERARCHIES))}")
        if told:
            return told
        if graded := self.graded.get(plain(road_class)):
            return graded
        return "2" if self.of.yes(row, "trunk") else hierarchy_of(road_class)

    def _maintainer(self, row: Row, road_class: str) -> str:
        told = self.of.text(row, "maintainer").lower()
        if told and told not in MAINTAINERS:
            raise BadRow(f"maintainer: {told!r} is not one of {', '.join(MAINTAINERS)}")
        return told or maintainer_of(road_class, trunk=self.of.yes(row, "trunk"))


class AreaReader:
    """A feature as an area. `ours` are the codes of the authorities that this deployment is."""

    def __init__(self, columns: Mapping[str, str], ours: Sequence[str], kind: str | None, srid: int) -> None:
        self.of = _Columns(columns, ("code", "name") if kind else ("code", "name", "tier"))
        if kind is not None and kind not in TIERS.values():
            raise Invalid(f"--kind {kind}: say one of {', '.join(sorted(set(TIERS.values())))}")
        self.ours, self.kind = ours, kind
        self.polygons = _Shapes(srid, frozenset({3, 6}), "polygon")

    def __call__(self, row: Row) -> AreaRow:
        code, name, tier = (self.of.text(row, field) for field in ("code", "name", "tier"))
        kind = self.kind or TIERS.get(tier.lower())
        if not code or not name:
            raise BadRow("it has no code or no name")
        if kind is None:
            raise BadRow(f"tier: {tier!r} is not one of {', '.join(TIERS)}")
        return AreaRow(
            line=row.line,
            code=code,
            name=name,
            kind=kind,
            served=kind == "authority" and code in self.ours,
            contact=self.of.text(row, "contact") or None,
            parent_code=self.of.text(row, "parent") or None,
            wkb=self.polygons.check(row.wkb),
        )


class PostcodeReader:
    """A line as a postcode. `on_grid`: the file has eastings and northings, which are its own; degrees are derived."""

    def __init__(self, columns: Mapping[str, str]) -> None:
        self.of = _Columns(columns, ("postcode",))
        self.on_grid = "easting" in columns and "northing" in columns
        if not self.on_grid:
            self.of = _Columns(columns, ("lat", "lon"))

    def __call__(self, row: Row) -> PostcodeRow:
        written = "".join(self.of.text(row, "postcode").upper().split())
        if not (5 <= len(written) <= 7 and written.isalnum()):
            raise BadRow(f"postcode: {written!r} is none")
        place = self.of.both(row, *(("easting", "northing") if self.on_grid else ("lon", "lat")))
        if place is None or place == (0, 0):
            raise BadRow("it has no position")
        quality = self.of.whole(row, "quality", 0, 99)
        return PostcodeRow(row.line, written, 10 if quality is None else quality, *place)


class ReportReader:
    """A line as a historic report. A local time is in the policy's time zone."""

    def __init__(
        self, columns: Mapping[str, str], policy: Policy, class_code: str, accuracy_m: float | None, srid: int
    ) -> None:
        self.of = _Columns(columns, ("id", "recorded_at"))
        if class_code not in policy.classes:
            raise Invalid(f"--class {class_code}: the policy has no such class.")
        self.policy, self.class_code, self.srid = policy, class_code, srid
        self.accuracy_m = policy.place.default_accuracy_m if accuracy_m is None else accuracy_m
        self.zone = ZoneInfo(policy.calendar.timezone)
        self.to_degrees = Transformer.from_crs(srid, 4326, always_xy=True).transform

    def __call__(self, row: Row) -> HistoricReport:
        external_id = self.of.text(row, "id")
        if not external_id:
            raise BadRow("it has no id")
        lon, lat = self._place(row)
        return HistoricReport(
            line=row.line,
            external_id=external_id,
            recorded_at=self._time(row),
            class_code=self._class(row),
            lat=lat,
            lon=lon,
            accuracy_m=self.of.number(row, "accuracy") or self.accuracy_m,
            description=self.of.text(row, "description"),
            address=self.of.text(row, "address") or None,
            status=self.of.text(row, "status") or None,
        )

    def _place(self, row: Row) -> tuple[float, float]:
        """Longitude and latitude; from the grid where the file has both, because its degrees are derived from it."""
        on_grid = self.of.both(row, "easting", "northing")
        given = self.of.both(row, "lon", "lat")
        if on_grid is not None and on_grid != (0, 0):
            given = self.to_degrees(*on_grid)
        if given is None or given == (0, 0) or not isfinite(sum(given)):
            raise BadRow("it has no usable position")
        return given

    def _time(self, row: Row) -> datetime:
        told = self.of.text(row, "recorded_at")
        try:
            read = datetime.fromisoformat(told)
        except ValueError:
            raise BadRow(f"recorded_at: {told!r} is not a time in ISO form, such as 2015-04-01T09:30") from None
        return (read if read.tzinfo else read.replace(tzinfo=self.zone)).astimezone(UTC)

    def _class(self, row: Row) -> str:
        told = self.of.text(row, "class").lower().replace(" ", "_")
        return told if told in self.policy.classes else self.class_code
