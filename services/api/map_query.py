"""What somebody asks the county's map for: filters, a place, a page of the list. The map's address holds all of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import Depends, Query

from services.api.defect_filters import StatusCode
from services.api.schemas import Words
from shared.domain.public import public_status
from shared.domain.terms import DefectState
from shared.errors import Invalid
from shared.store.read_models import defect_map
from shared.store.read_models.defect_map import Box, Wanted

Days = Literal["", "7", "30", "365"]
SINCE: Mapping[str, str] = {"": "Any time", "7": "Last 7 days", "30": "Last 30 days", "365": "Last 12 months"}
_PROGRESS = (
    "investigating",
    "action_scheduled",
    "in_progress",
    "planned",
    "not_councils_responsibility",
    "fixed",
    "no_further_action",
)
A_PAGE = 20
FURTHEST_PAGE = 50


@dataclass(frozen=True, slots=True)
class Choice:
    """A status that the map can be filtered by. `to_be_done`: shown unless somebody chooses otherwise."""

    code: str
    label: str
    to_be_done: bool


def choices() -> list[Choice]:
    """One for each code that the public's map knows, in the order of progress."""
    found: dict[str, Choice] = {}
    for state in DefectState:
        status = public_status(state)
        if state not in defect_map.HIDDEN and status.code not in found:
            found[status.code] = Choice(status.code, status.label, status.is_open)
    return sorted(found.values(), key=lambda one: _PROGRESS.index(one.code))


@dataclass(frozen=True, slots=True, kw_only=True)
class MapQuery:
    """Query parameters of the page and of its list."""

    status: Annotated[list[StatusCode] | None, Query(max_length=20)] = None
    class_code: Annotated[str, Query(alias="class", max_length=60, pattern=r"^[a-z0-9_]*$")] = ""
    since: Annotated[Days, Query()] = ""
    near: Annotated[Words, Query(max_length=100)] = ""
    lat: Annotated[float | None, Query(ge=-90, le=90, allow_inf_nan=False)] = None
    lon: Annotated[float | None, Query(ge=-180, le=180, allow_inf_nan=False)] = None
    z: Annotated[float | None, Query(ge=0, le=22, allow_inf_nan=False)] = None
    defect: Annotated[str, Query(max_length=20)] = ""
    page: Annotated[int, Query(ge=1, le=FURTHEST_PAGE)] = 1
    bbox: Annotated[str, Query(max_length=100)] = ""

    @property
    def statuses(self) -> list[str]:
        """The codes that are shown."""
        return list(self.status or [one.code for one in choices() if one.to_be_done])

    @property
    def point(self) -> tuple[float, float] | None:
        """The middle of what is looked at, latitude and longitude."""
        return None if self.lat is None or self.lon is None else (self.lat, self.lon)

    def wanted(self, now: datetime) -> Wanted:
        """The defects that are asked for.

        Raises:
            Invalid: the box is none.
        """
        states = defect_map.states_of(self.statuses) - defect_map.HIDDEN
        return Wanted(
            box=_box(self.bbox),
            states=sorted(states),
            class_code=self.class_code or None,
            updated_since=now - timedelta(days=int(self.since)) if self.since else None,
        )

    def address(self, path: str, **changed: object) -> str:
        """The address of the same map with something changed; what is as it is by itself is left out."""
        kept: dict[str, object] = {
            "near": self.near,
            "status": self.status,
            "class": self.class_code,
            "since": self.since,
            "lat": self.lat,
            "lon": self.lon,
            "z": self.z,
            "bbox": self.bbox,
            **changed,
        }
        said = urlencode({name: value for name, value in kept.items() if value not in (None, "", [])}, doseq=True)
        return f"{path}?{said}" if said else path


def _box(written: str) -> Box | None:
    if not written:
        return None
    try:
        west, south, east, north = (float(part) for part in written.split(","))
    except ValueError:
        west = south = east = north = float("nan")
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise Invalid("bbox is west,south,east,north in degrees.", {"bbox": "is not west,south,east,north"})
    return Box(west, south, east, north)


Asked = Annotated[MapQuery, Depends()]
