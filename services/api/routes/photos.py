"""Photos: added by reporters and staff, shown to those whom they concern, and to everybody once they are released."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, File, Path, Query, Request, Response, UploadFile
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from services.api.deps import PUBLIC, STAFF, Asker, Now, Read, Role, Write, requires
from services.api.rate import PhotoLimit
from services.api.schemas import Input, Words
from services.api.turns import PhotoTurn
from shared.domain.terms import ReportId
from shared.errors import NotFound
from shared.flows import release_photo
from shared.flows.receive_photo import OfReport, PhotoIn, PhotoTaken, receive
from shared.store import photo_files, references
from shared.store.photo_files import Copy
from shared.store.read_models import photos

router = APIRouter(prefix="/api/v1", tags=["photos"])

OPERATOR = requires(*STAFF, scope="photos:write")
PUBLIC_SECONDS = 300
"""How long a cache may show a released photo without asking: withheld, it is gone so soon."""

Name = Annotated[str, Path(max_length=40, examples=["9f1c3a5e7b2d4c6e8f0a1b2c3d4e5f60"])]


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
    asker: Annotated[Asker, requires(Role.REPORTER, *STAFF, scope="reports")],
    _limit: PhotoLimit,
    _turn: PhotoTurn,
    tx: Write,
    now: Now,
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
    response_class=Response,
    responses={
        200: {"description": "The photo", "content": {"image/jpeg": {}}},
        304: {"description": "It is still the photo that the caller has, and still for the caller"},
    },
)
def show_photo(
    reference: Name,
    request: Request,
    tx: Read,
    asker: Annotated[Asker, requires(PUBLIC, Role.REPORTER, Role.CONTRACTOR, *STAFF, scope="photos")],
    copy: Annotated[Copy, Query(description="The original is for staff only: it tells where its sender was")] = (
        Copy.PUBLIC
    ),
) -> Response:
    """Show a photo: to everybody once it is released; before, to staff, its reporter, and the contractor concerned."""
    found = photos.visible(tx, reference, asker)
    if found is None or (copy is Copy.ORIGINAL and not asker.is_staff):
        raise NotFound("There is no such photo, or it is not for you.")
    headers = _headers(f'"{found.reference}-{copy}"', copy, is_public=found.is_public)
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    media_type = found.media_type if copy is Copy.ORIGINAL else "image/jpeg"
    return FileResponse(photo_files.path(found.reference, copy), media_type=media_type, headers=headers)


def _headers(etag: str, copy: Copy, *, is_public: bool) -> dict[str, str]:
    """What is not for everybody is asked for anew each time, so that a browser shows nothing of it once signed out."""
    if copy is Copy.ORIGINAL:
        kept = "no-store"
    else:
        kept = f"public, max-age={PUBLIC_SECONDS}" if is_public else "private, no-cache"
    return {
        "ETag": etag,
        "Cache-Control": kept,
        "Vary": "Authorization, Cookie",
        "Content-Security-Policy": "sandbox",
    }


# --- for everybody, or not -------------------------------------------------------------------------------------------


class Waiting(BaseModel):
    """A photo about which nobody has said yet whether everybody may see it: of a report, or of who passed a defect."""

    reference: str
    url: str
    report: str | None = Field(examples=["R-7K3M-9QXF"])
    defect: str | None = Field(None, examples=["D-7K3M-9QXF"])
    received_at: datetime


class WaitingPhotos(BaseModel):
    photos: list[Waiting]
    next: int | None


class Because(Input):
    why: Annotated[Words, Field(min_length=3, max_length=1000, examples=["No face and no number plate in it."])]


class PhotoShown(BaseModel):
    reference: str
    public: bool = Field(description="Whether everybody may see it now")


@router.get("/photos")
def waiting_photos(
    tx: Read,
    _: Annotated[Asker, requires(*STAFF, scope="photos")],
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    after: Annotated[int, Query(ge=0, le=2**62, description="`next` of the page before")] = 0,
) -> WaitingPhotos:
    """Photos of residents that a person has still to look at, oldest first: may everybody see them?"""
    page = photos.waiting(tx, after, limit)
    return WaitingPhotos(
        photos=[
            Waiting(
                reference=row.reference,
                url=f"/api/v1/photos/{row.reference}",
                report=row.report,
                defect=row.defect,
                received_at=row.received_at,
            )
            for row in page
        ],
        next=page[-1].id if len(page) == limit else None,
    )


@router.post("/photos/{reference}/release")
def release_a_photo(reference: Name, given: Because, tx: Write, now: Now, _: Annotated[Asker, OPERATOR]) -> PhotoShown:
    """Show a photo to everybody, after a look at faces and number plates. `withhold` undoes it."""
    release_photo.release(tx, reference, given.why, now)
    return PhotoShown(reference=reference, public=True)


@router.post("/photos/{reference}/withhold")
def withhold_a_photo(reference: Name, given: Because, tx: Write, now: Now, _: Annotated[Asker, OPERATOR]) -> PhotoShown:
    """Show a photo only to those whom it concerns. `release` undoes it."""
    release_photo.withhold(tx, reference, given.why, now)
    return PhotoShown(reference=reference, public=False)
