"""Photos of reports: added by the reporter or by staff, shown to those whom they concern."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, File, Query, Response, UploadFile
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from services.api.deps import STAFF, Asker, Now, Read, Role, Write, requires
from services.api.rate import PhotoLimit
from shared.domain.terms import ReportId
from shared.errors import NotFound
from shared.flows.receive_photo import OfReport, PhotoIn, PhotoTaken, receive
from shared.store import photo_files, references
from shared.store.photo_files import Copy
from shared.store.read_models import photos

router = APIRouter(prefix="/api/v1", tags=["photos"])


class Photo(BaseModel):
    reference: str = Field(examples=["9f1c3a5e7b2d4c6e8f0a1b2c3d4e5f60"])
    url: str = Field(examples=["/api/v1/photos/9f1c3a5e7b2d4c6e8f0a1b2c3d4e5f60"])
    width_px: int
    height_px: int
    taken_at: datetime | None = Field(description="As the photo itself says; None, when it does not")

    @classmethod
    def of(cls, taken: PhotoTaken) -> "Photo":
        return cls(
            reference=taken.reference,
            url=f"/api/v1/photos/{taken.reference}",
            width_px=taken.width_px,
            height_px=taken.height_px,
            taken_at=taken.taken_at,
        )


PhotoFile = Annotated[UploadFile, File(description="JPEG, PNG, WebP or HEIC; 15 MB and 60 million pixels at most")]


@router.post(
    "/reports/{reference}/photos",
    status_code=201,
    responses={
        200: {"description": "These very bytes came before"},
        413: {"description": "More bytes or pixels than the limits"},
        422: {"description": "Not a photo that can be read"},
        503: {"description": "No room for photos now"},
    },
)
def add_photo(
    reference: str,
    photo: PhotoFile,
    tx: Write,
    now: Now,
    asker: Annotated[Asker, requires(Role.REPORTER, *STAFF, scope="reports")],
    _limit: PhotoLimit,
    response: Response,
) -> Photo:
    """Add a photo to a report. Its place and time are kept as evidence; only a copy without them is ever shown."""
    report_id = photos.report_id(tx, references.read(reference))
    if report_id is None or (asker.role is Role.REPORTER and asker.report_id != report_id):
        raise NotFound("There is no such report, or it is not the one that this secret opens.")
    taken = receive(tx, PhotoIn(photo.file.read(), OfReport(ReportId(report_id))), now)
    if taken.repeated:
        response.status_code = 200
    return Photo.of(taken)


@router.get(
    "/photos/{reference}",
    response_class=FileResponse,
    responses={200: {"description": "The photo", "content": {"image/jpeg": {}}}},
)
def show_photo(
    reference: str,
    tx: Read,
    asker: Annotated[Asker, requires(Role.REPORTER, Role.CONTRACTOR, *STAFF, scope="photos")],
    copy: Annotated[Copy, Query(description="The original is for staff only: it tells where its sender was")] = (
        Copy.PUBLIC
    ),
) -> FileResponse:
    """Show a photo: to staff, to its reporter, and to the contractor whose visit or whose order it concerns."""
    found = photos.visible(tx, reference, asker)
    if found is None or (copy is Copy.ORIGINAL and not asker.is_staff):
        raise NotFound("There is no such photo, or it is not for you.")
    return FileResponse(
        photo_files.path(found.reference, copy),
        media_type=found.media_type if copy is Copy.ORIGINAL else "image/jpeg",
        headers={"Cache-Control": "private, max-age=86400, immutable", "Content-Security-Policy": "sandbox"},
    )
