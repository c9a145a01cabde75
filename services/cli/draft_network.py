"""Drafts of streets, areas and postcodes: what a column is usually called, what its values mean, what is no good."""

from collections.abc import Mapping, Sequence

from services.cli.columns import Columns, Shapes
from services.cli.loading import BadRow
from services.cli.sources import Row
from shared.domain.policy import HIERARCHIES
from shared.domain.roads import MAINTAINERS, hierarchy_of, maintainer_of, plain
from shared.errors import Invalid
from shared.flows.load_network import AreaRow, PostcodeRow, StreetRow

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
        self.of = Columns(columns, ("id",))
        self.graded = graded
        self.lines = Shapes(srid, frozenset({1, 5}), "line")

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
        self.of = Columns(columns, ("code", "name") if kind else ("code", "name", "tier"))
        if kind is not None and kind not in TIERS.values():
            raise Invalid(f"--kind {kind}: say one of {', '.join(sorted(set(TIERS.values())))}")
        self.ours, self.kind = ours, kind
        self.polygons = Shapes(srid, frozenset({3, 6}), "polygon")

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
        self.of = Columns(columns, ("postcode",))
        self.on_grid = "easting" in columns and "northing" in columns
        if not self.on_grid:
            self.of = Columns(columns, ("lat", "lon"))

    def __call__(self, row: Row) -> PostcodeRow:
        written = "".join(self.of.text(row, "postcode").upper().split())
        if not (5 <= len(written) <= 7 and written.isalnum()):
            raise BadRow(f"postcode: {written!r} is none")
        place = self.of.both(row, *(("easting", "northing") if self.on_grid else ("lon", "lat")))
        if place is None or place == (0, 0):
            raise BadRow("it has no position")
        quality = self.of.whole(row, "quality", 0, 99)
        return PostcodeRow(row.line, written, 10 if quality is None else quality, *place)
