"""Detections: vendors send them in bulk, and see what became of each batch."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from services.api import detection_input
from services.api.deps import STAFF, Asker, Now, Read, Role, Write, requires
from services.api.detection_input import MOST_BYTES, Body
from shared.errors import Invalid, NotAllowed, NotFound, TooLarge
from shared.flows import receive_detections
from shared.flows.receive_detections import MOST
from shared.store.read_models import batches

router = APIRouter(prefix="/api/v1/detections", tags=["detections"])

SHOWN = 1000
"""Refused ones in the answer itself; all are at the batch."""

MaySend = Annotated[Asker, requires(Role.VENDOR, scope="detections:write")]


class Refused(BaseModel):
    """Why one was refused. `position` counts from 0 in the request; `field` is empty for the whole of it."""

    position: int = Field(examples=[17])
    field: str = Field(examples=["confidence"])
    reason: str = Field(examples=["expected float <= 1.0"])


class BatchReceived(BaseModel):
    reference: str = Field(examples=["B-7K3M-9QXF"])
    received_at: datetime
    accepted: int = Field(examples=[9990])
    repeated: int = Field(description="Known before by their external_id, or twice in this request", examples=[8])
    refused: int = Field(examples=[2])
    refused_items: list[Refused] = Field(description=f"The first {SHOWN:,} of them")
    ignored_fields: list[str] = Field(description="Fields that are not known here, and not kept")


class BatchProgress(BaseModel):
    """`state`: waiting until all are matched to defects, then matched."""

    reference: str = Field(examples=["B-7K3M-9QXF"])
    source: str = Field(examples=["van-fleet"])
    received_at: datetime
    state: str = Field(examples=["matched"])
    matched_at: datetime | None
    accepted: int
    repeated: int
    refused: int
    verdicts: dict[str, int] = Field(
        description="The accepted ones by what became of them: joined a defect, founded one, proposed a recall, "
        "stale (taken before the repair), waiting (for another pass), kept (below the policy's level), "
        "received (not matched yet)",
        examples=[{"joined": 7400, "founded": 90, "kept": 2500}],
    )
    outcome: dict[str, Any] = Field(description="Figures of the matching, once it is done")
    refused_items: list[Refused]
    next: int | None = Field(description="`after` of the next page of refused ones; null on the last")


async def _sent(request: Request, asker: MaySend) -> bytes:
    """The body as it came, no further than MOST_BYTES. Read before a transaction opens: a slow sender holds none."""
    del asker
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            raise TooLarge(f"The body is more than {MOST_BYTES // 1024 // 1024} MB. Send it in parts, or in gzip.")
    return bytes(body)


def _read(request: Request, body: Annotated[bytes, Depends(_sent)]) -> Body:
    headers = request.headers
    return detection_input.read(body, headers.get("content-type", ""), headers.get("content-encoding", ""), MOST)


_EXAMPLE = {
    "external_id": "van7-000123",
    "survey_pass_id": "2026-05-01-van7-a",
    "captured_at": "2026-05-01T09:30:00Z",
    "class_scheme": "rdd2022",
    "class_code": "D40",
    "confidence": 0.91,
    "lat": 53.7632,
    "lon": -2.7031,
    "h_accuracy_m": 1.5,
    "heading_deg": 271.5,
    "est_width_mm": 310,
    "est_depth_mm": 45,
    "depth_method": "stereo",
    "model_name": "roadnet",
    "model_version": "4.2",
    "conditions": {"wet": False},
}
_BODY = {
    "requestBody": {
        "required": True,
        "description": f"{MOST:,} detections and {MOST_BYTES // 1024 // 1024} MB at most; gzip is read.",
        "content": {
            "application/json": {
                "schema": {"type": "array", "maxItems": MOST, "items": detection_input.schema()},
                "example": [_EXAMPLE],
            },
            "application/x-ndjson": {"schema": {"type": "string", "description": "One detection a line"}},
            "application/geo+json": {
                "schema": {
                    "type": "object",
                    "description": "A FeatureCollection of points; the other fields are their properties",
                }
            },
        },
    }
}


@router.post(
    "",
    status_code=202,
    openapi_extra=_BODY,
    responses={
        413: {"description": "Too many detections, or too many bytes"},
        422: {"description": "It cannot be told where one detection ends and the next begins"},
    },
)
def send_detections(
    asker: MaySend, body: Annotated[Body, Depends(_read)], tx: Write, now: Now, response: Response
) -> BatchReceived:
    """Send detections. Each is kept, known already, or refused with its reason; a bad one harms no other.

    The same `external_id` of the same source is one detection, however often it is sent.
    """
    if asker.source_id is None:
        raise NotAllowed("This key belongs to no source of detections.")
    told = receive_detections.receive(tx, asker.source_id, body.items, now)
    response.headers["Location"] = f"/api/v1/detections/batches/{told.reference}"
    return BatchReceived(
        reference=told.reference,
        received_at=told.received_at,
        accepted=told.counts.accepted,
        repeated=told.counts.repeated,
        refused=told.counts.refused,
        refused_items=[Refused(**fault._asdict()) for fault in told.faults[:SHOWN]],
        ignored_fields=body.ignored,
    )


@router.get("/batches/{reference}")
def see_batch(
    reference: str,
    asker: Annotated[Asker, requires(Role.VENDOR, *STAFF, scope="detections:write")],
    tx: Read,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    after: Annotated[int, Query(ge=-1, description="Refused ones after this position")] = -1,
) -> BatchProgress:
    """How far a batch is, what became of it, and why some were refused. A vendor sees its own only."""
    if asker.role is Role.VENDOR and asker.source_id is None:
        raise Invalid("This key belongs to no source of detections.")
    seen = batches.batch(tx, reference, asker.source_id if asker.role is Role.VENDOR else None)
    if seen is None:
        raise NotFound(f"There is no batch {reference}.")
    refused = batches.refusals(tx, seen.id, after, limit)
    return BatchProgress(
        reference=seen.reference,
        source=seen.source,
        received_at=seen.received_at,
        state="waiting" if seen.matched_at is None else "matched",
        matched_at=seen.matched_at,
        accepted=seen.accepted,
        repeated=seen.repeated,
        refused=seen.refused,
        verdicts=seen.verdicts,
        outcome=seen.outcome,
        refused_items=[Refused(**one) for one in refused],
        next=refused[-1]["position"] if len(refused) == limit else None,
    )
