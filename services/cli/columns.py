"""Values of a file's rows by field, and shapes that may be taken."""

from collections.abc import Mapping, Sequence
from math import isfinite

import shapely
from pyproj import Transformer

from services.cli.loading import BadRow
from services.cli.sources import Row
from shared.errors import Invalid
from shared.store.network import area_of_use

_YES = frozenset({"1", "true", "t", "yes", "y"})


class Columns:
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


class Shapes:
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
