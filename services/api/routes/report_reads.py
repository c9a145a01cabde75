"""Reports are read: by anybody in plain words, by their reporter with a little more, by operators as a list."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.api.deps import PUBLIC, STAFF, Asker, Now, Read, Role, requires
from services.api.schemas import EventTold, Moment, Position, PublicPhoto, Status
from shared.domain.place import Point, photo_disagrees
from shared.domain.public import public_status
from shared.domain.public_words import public_words
from shared.domain.terms import ReportState
from shared.store import policies, references
from shared.store.read_models import dangers, reports
from shared.store.read_models import photos as public_photos

router = APIRouter(prefix="/api/v1/reports", tags=["reports"])

FOLLOWER = requires(PUBLIC, Role.REPORTER, *STAFF, scope="reports")


class ReportPhoto(BaseModel):
    url: str
    width_px: int
    height_px: int
    taken_at: datetime | None
    disagrees: str | None = Field(None, description="For staff: when the photo's own place is not that of the pin")


class Note(BaseModel):
    kind: Literal["question", "answer", "challenge"]
    words: str
    at: datetime


class OwnReport(BaseModel):
    """What the reporter sees beside what everybody sees; and staff."""

    description: str
    address: str | None
    danger: bool
    outcome: str | None = Field(description="What is asked, or why it was passed on or not taken up")
    look_by: datetime | None = Field(description="By when somebody reads it, while nobody has")
    photos: list[ReportPhoto]
    notes: list[Note]


class LinkTold(BaseModel):
    defect: str
    verdict: str
    why: str = Field(examples=["11 m away, same street and side, same class, opened 3 days ago"])
    linked_at: datetime
    unlinked_at: datetime | None


class StaffReport(BaseModel):
    """What staff see beside all that."""

    state: ReportState
    channel: str
    accuracy_m: float
    street_key: str | None
    observed_at: datetime
    triage_due_at: datetime
    taken_at: datetime | None = Field(description="When somebody took the danger that it told of")
    taken_by: str | None = Field(description="Who took it")
    seen: int = Field(description="What to send with an act that rests on this answer: see `seen` of the acts")
    has_contact: bool = Field(description="Whether the reporter can be reached: POST …/contact tells how, on record")
    links: list[LinkTold]
    events: list[EventTold]


class ReportTold(BaseModel):
    reference: str = Field(examples=["R-7K3M-9QXF"])
    category: str = Field(examples=["pothole"])
    status: Status
    place: Position
    street: str | None = Field(examples=["Fishergate"])
    received_at: datetime
    updated_at: datetime
    words: str | None = Field(description="What was said, without what reaches or names a person")
    photos: list[PublicPhoto] = Field(description="Those that everybody may see")
    defects: list[str] = Field(description="What it was found to be: follow these too", examples=[["D-7K3M-9QXF"]])
    timeline: list[Moment]
    own: OwnReport | None = Field(None, description="For the reporter and for staff")
    staff: StaffReport | None = Field(None, description="For staff")


class ReportLine(BaseModel):
    reference: str
    category: str
    state: ReportState
    status: Status
    place: Position
    street: str | None
    description: str
    danger: bool
    received_at: datetime
    triage_due_at: datetime
    question_waits: bool = Field(description="A person is asked whether it is one of the defects nearby")


class ReportList(BaseModel):
    reports: list[ReportLine]
    next: str | None


@router.get("/{reference}")
def follow_report(reference: str, tx: Read, now: Now, asker: Annotated[Asker, FOLLOWER]) -> ReportTold:
    """Where a report stands and what happened. Who sent it, and as it was typed, is told to the reporter and staff."""
    told = reports.told(tx, references.read(reference))
    row = told.row
    is_own = asker.is_staff or asker.report_id == row.id
    return ReportTold(
        reference=row.reference,
        category=row.class_code,
        status=Status.of(told.status),
        place=Position(lat=row.lat, lon=row.lon),
        street=row.street or None,
        received_at=row.received_at,
        updated_at=row.updated_at,
        words=_public_words(tx, row, now),
        photos=[PublicPhoto.of(one) for one in public_photos.public_of_report(tx, row.id)],
        defects=told.defects,
        timeline=[Moment.of(one) for one in told.timeline],
        own=_own(tx, told, asker, now) if is_own else None,
        staff=_staff(tx, told) if asker.is_staff else None,
    )


def _public_words(tx: Read, row: Any, now: datetime) -> str | None:
    rules = policies.in_force(tx, now).policy.privacy
    state = ReportState(row.state)
    return public_words(row.description, state, rules, released=row.words_released, withheld=row.words_withheld)


def _own(tx: Read, told: reports.Told, asker: Asker, now: datetime) -> OwnReport:
    row = told.row
    unread = row.state in (ReportState.RECEIVED, ReportState.TRIAGE, ReportState.CHALLENGED)
    return OwnReport(
        description=row.description,
        address=row.address,
        danger=row.danger,
        outcome=row.outcome,
        look_by=row.triage_due_at if unread else None,
        photos=_photos(tx, told, asker, now),
        notes=[Note(kind=one.kind, words=one.words, at=one.at) for one in reports.notes(tx, row.id)],
    )


def _photos(tx: Read, told: reports.Told, asker: Asker, now: datetime) -> list[ReportPhoto]:
    pin = Point(told.row.lat, told.row.lon, told.row.accuracy_m)
    rules = policies.in_force(tx, now).policy.place if asker.is_staff else None
    shown = []
    for one in reports.photos(tx, told.row.id):
        disagrees = None
        if rules is not None and one.taken_lat is not None:
            disagrees = photo_disagrees(pin, Point(one.taken_lat, one.taken_lon, rules.default_accuracy_m), rules)
        url = f"/api/v1/photos/{one.reference}"
        shown.append(
            ReportPhoto(
                url=url, width_px=one.width_px, height_px=one.height_px, taken_at=one.taken_at, disagrees=disagrees
            )
        )
    return shown


def _staff(tx: Read, told: reports.Told) -> StaffReport:
    row = told.row
    return StaffReport(
        state=ReportState(row.state),
        channel=row.channel,
        accuracy_m=row.accuracy_m,
        street_key=row.street_key,
        observed_at=row.observed_at,
        triage_due_at=row.triage_due_at,
        taken_at=row.taken_at,
        taken_by=None if row.taken_by is None else dangers.who_took(tx, row.id),
        seen=reports.seen(tx, row.id),
        has_contact=reports.reach(tx, row.id) is not None,
        links=[LinkTold(**one._mapping) for one in reports.links(tx, row.id)],
        events=[EventTold(**one) for one in reports.events(tx, row.id)],
    )


@router.get("")
def list_reports(
    tx: Read,
    now: Now,
    _: Annotated[Asker, requires(*STAFF, scope="reports")],
    state: Annotated[list[ReportState] | None, Query(description="May be given several times")] = None,
    category: Annotated[str | None, Query(max_length=60)] = None,
    danger: bool | None = None,
    street: Annotated[str | None, Query(max_length=200, description="The street's key")] = None,
    overdue: Annotated[bool, Query(description="Only those that should have been read by now")] = False,
    sort: Annotated[Literal["newest", "due"], Query(description="due: what waits, by when it must be read")] = "newest",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    after: Annotated[str | None, Query(max_length=80, description="`next` of the page before")] = None,
) -> ReportList:
    """Reports as operators work through them."""
    wanted = reports.Wanted(
        states=None if state is None else [one.value for one in state],
        class_code=category,
        danger=danger,
        street_key=street,
        overdue_at=now if overdue else None,
        due=sort == "due",
    )
    page = reports.page(tx, wanted, after, limit)
    return ReportList(reports=[_line(row) for row in page.rows], next=page.next)


def _line(row: Any) -> ReportLine:
    state = ReportState(row.state)
    return ReportLine(
        reference=row.reference,
        category=row.class_code,
        state=state,
        status=Status.of(public_status(state)),
        place=Position(lat=row.lat, lon=row.lon),
        street=row.street or None,
        description=row.description,
        danger=row.danger,
        received_at=row.received_at,
        triage_due_at=row.triage_due_at,
        question_waits=row.question_waits,
    )
