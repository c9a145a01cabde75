"""Drafts of historic reports: what a column is usually called, what its values mean, what is no good."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import isfinite
from zoneinfo import ZoneInfo

from pyproj import Transformer

from services.cli.columns import Columns
from services.cli.loading import BadRow
from services.cli.sources import Row
from shared.domain.policy import Policy
from shared.errors import Invalid
from shared.flows.load_reports import HistoricReport

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


class ReportReader:
    """A line as a historic report. A local time is in the policy's time zone."""

    def __init__(
        self, columns: Mapping[str, str], policy: Policy, class_code: str, accuracy_m: float | None, srid: int
    ) -> None:
        self.of = Columns(columns, ("id", "recorded_at"))
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
