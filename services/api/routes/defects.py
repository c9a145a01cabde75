"""Defects are read: a map as GeoJSON, and each with its history; the public in plain words, staff with all of it."""

from datetime import date, datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from services.api.defect_filters import Filters
from services.api.deps import PUBLIC, STAFF, Asker, AsOf, Read, requires
from services.api.schemas import EventTold, Moment, Position, PublicPhoto, Status
from shared.domain.terms import Band, DefectState
from shared.errors import Invalid
from shared.store import references
from shared.store.read_models import defect_map, defects, neighbours, photos
from shared.store.read_models.defect_map import Box

router = APIRouter(prefix="/api/v1/defects", tags=["defects"])

READER = requires(PUBLIC, *STAFF, scope="defects:read")

GEOJSON = "application/geo+json"
_EXAMPLE = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "id": "D-7K3M-9QXF",
            "geometry": {"type": "Point", "coordinates": [-2.7031, 53.7632]},
            "properties": {
                "reference": "D-7K3M-9QXF",
                "class": "pothole",
                "status": {"code": "investigating", "label": "Investigating", "words": "…", "is_open": True},
                "same_as": None,
                "street": "Fishergate",
                "area": "E07000123",
                "reports": 3,
                "opened_at": "2026-11-20T09:12:00+00:00",
                "updated_at": "2026-11-21T10:00:00+00:00",
            },
        }
    ],
    "next": None,
    "as_of": "2026-11-21T10:04:30Z",
}


@router.get(
    "",
    response_class=Response,
    responses={
        200: {"description": "A GeoJSON FeatureCollection", "content": {GEOJSON: {"example": _EXAMPLE}}},
        403: {"description": "state, band and overdue are for staff"},
    },
)
def map_defects(
    asker: Annotated[Asker, READER],
    as_of: AsOf,
    tx: Read,
    filters: Filters,
    bbox: Annotated[
        str | None,
        Query(max_length=100, description="west,south,east,north in degrees", examples=["-2.8,53.7,-2.6,53.8"]),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=5000)] = 500,
    after: Annotated[str | None, Query(max_length=80, description="`next` of the page before")] = None,
) -> Response:
    """Defects as GeoJSON, in the order of their last change.

    To hear of what changes later, keep the first page's `as_of` and ask with it as `updated_since`: nothing is missed,
    and what changed shortly before may come twice.
    """
    wanted = filters.wanted(asker, None if bbox is None else _box(bbox))
    found = defect_map.features(tx, wanted, staff=asker.is_staff, after=after, most=limit)
    more = f'"next":{_json(found.next)},"as_of":{_json(as_of)}'
    body = f'{{"type":"FeatureCollection","features":[{",".join(found.texts)}],{more}}}'
    return Response(body, media_type=GEOJSON)


def _json(value: str | datetime | None) -> str:
    return orjson.dumps(value, option=orjson.OPT_UTC_Z).decode()


def _box(written: str) -> Box:
    try:
        west, south, east, north = (float(part) for part in written.split(","))
    except ValueError:
        west = south = east = north = float("nan")
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise Invalid("bbox is west,south,east,north in degrees.", {"bbox": "is not west,south,east,north"})
    return Box(west, south, east, north)


class Sighting(BaseModel):
    report: str | None
    report_state: str | None
    detection: int | None = Field(description="By which a split names what a machine saw")
    by_machine: bool
    image_url: str | None = Field(description="The vendor's picture of what a machine saw, where the vendor keeps it")
    verdict: str
    why: str
    survey_pass: str | None
    class_code: str
    lat: float
    lon: float
    accuracy_m: float
    seen_at: datetime
    known_at: datetime
    danger: bool
    linked_at: datetime
    unlinked_at: datetime | None


class OrderOf(BaseModel):
    reference: str
    contractor: str
    state: str
    kind: str
    band: str
    charge_to: str
    issued_at: datetime
    scheduled_for: datetime | None
    completed_at: datetime | None
    verified_at: datetime | None
    verifier: str | None
    ended_at: datetime | None
    seen: int = Field(description="What to send to cancel it, or to give it to another")


class VisitOf(BaseModel):
    order: str
    outcome: str
    reason: str | None
    note: str
    repair_type: str | None
    started_at: datetime
    ended_at: datetime
    received_at: datetime
    evidence: dict[str, Any] | None
    applied: bool


class WarrantyOf(BaseModel):
    order: str
    contractor: str
    state: str
    repair_type: str
    repaired_at: datetime
    starts_on: date
    ends_on: date
    void_reason: str | None


class RecallOf(BaseModel):
    reference: str
    state: str
    why: str
    proposed_at: datetime
    decided_at: datetime | None
    decision_why: str | None
    disputed_at: datetime | None
    ruled_at: datetime | None


class PhotoOf(BaseModel):
    reference: str
    role: str
    taken_at: datetime | None
    received_at: datetime
    report: str | None = Field(description="The report that it came with")
    order: str | None = Field(description="The works order on whose visit it was taken")
    public: bool = Field(description="Whether everybody may see it")


class StaffDefect(BaseModel):
    """What staff see beside what everybody sees."""

    state: DefectState
    band: Band | None
    band_why: list[str]
    likelihood: int | None
    impact: int | None
    depth_mm: float | None
    width_mm: float | None
    facts: dict[str, Any]
    danger: bool
    hierarchy: str | None
    area_code: str | None
    street_key: str | None
    street_side: str | None
    accuracy_m: float
    detections: int
    survey_passes: int
    known_at: datetime
    clock_from: datetime
    last_seen_at: datetime
    make_safe_due_at: datetime | None
    permanent_due_at: datetime | None
    inspect_due_at: datetime | None
    due_why: list[str]
    made_safe_at: datetime | None
    repaired_at: datetime | None
    ended_at: datetime | None
    overdue: bool
    assessed_by: str | None
    seen: int = Field(description="What to send with an act that rests on this answer: see `seen` of the acts")
    sightings: list[Sighting]
    orders: list[OrderOf]
    visits: list[VisitOf]
    warranties: list[WarrantyOf]
    recalls: list[RecallOf]
    photos: list[PhotoOf]
    events: list[EventTold]


class DefectTold(BaseModel):
    reference: str = Field(examples=["D-7K3M-9QXF"])
    class_code: str = Field(examples=["pothole"])
    status: Status
    same_as: str | None = Field(description="The defect that this one was found to be")
    recurs: str | None = Field(description="The earlier defect at this place, which had ended")
    place: Position
    street: str | None
    reports: int = Field(description="Reports that told of it")
    opened_at: datetime
    updated_at: datetime
    photos: list[PublicPhoto] = Field(description="Those that everybody may see: of it, and before and after repairs")
    timeline: list[Moment]
    staff: StaffDefect | None = Field(None, description="For staff")


class Neighbour(BaseModel):
    """An open defect near another one, for staff."""

    reference: str
    class_code: str
    state: DefectState
    band: Band | None
    lat: float
    lon: float
    accuracy_m: float
    street: str | None
    street_side: str | None
    distance_m: float
    known_at: datetime
    reports: int
    detections: int
    works_order: str | None = Field(description="The order that covers it")
    told_apart: bool = Field(description="Somebody said before that they are two")
    photos: list[str] = Field(description="References of its newest photos, four at most")


class Neighbours(BaseModel):
    defects: list[Neighbour] = Field(description="The nearest first")


@router.get("/{reference}/neighbours")
def show_neighbours(
    reference: Annotated[str, Path(max_length=20, examples=["D-7K3M-9QXF"])],
    tx: Read,
    asker: Annotated[Asker, requires(*STAFF, scope="defects:write")],
    within: Annotated[float, Query(gt=0, le=1000, description="Metres on the ground")] = 150.0,
) -> Neighbours:
    """Open defects near this one: what it may be merged with."""
    del asker
    return Neighbours.model_validate({"defects": neighbours.around(tx, references.read(reference), within)})


@router.get("/{reference}")
def follow_defect(reference: str, tx: Read, asker: Annotated[Asker, READER]) -> DefectTold:
    """Where a defect stands and what happened; for staff with every sighting, order, visit, warranty and event."""
    told = defects.told(tx, references.read(reference))
    row = told.row
    return DefectTold(
        reference=row.reference,
        class_code=row.class_code,
        status=Status.of(told.status),
        same_as=row.same_as,
        recurs=row.recurs,
        place=Position(lat=row.lat, lon=row.lon),
        street=row.street or None,
        reports=row.reports,
        opened_at=row.opened_at,
        updated_at=row.updated_at,
        photos=[PublicPhoto.of(one) for one in photos.public_of_defect(tx, row.id)],
        timeline=[Moment.of(one) for one in told.timeline],
        staff=_staff(tx, row) if asker.is_staff else None,
    )


def _staff(tx: Read, row: Any) -> StaffDefect:
    return StaffDefect.model_validate({**row._mapping, **defects.whole(tx, row.id)})
