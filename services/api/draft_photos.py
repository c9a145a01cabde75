"""Photos of a draft, as a form sends them and a page shows them: a bad one loses neither the good nor the answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, File, Request, UploadFile

from services.api.drafts import Writing
from services.api.rate import count
from shared.domain.drafts import MOST_PHOTOS, Place
from shared.domain.place import Point, distance_m
from shared.domain.whereabouts import away
from shared.errors import Refusal
from shared.flows import write_draft
from shared.store import photos
from shared.store.engine import ReadTx, WriteTx
from shared.store.photos import OfDraft

WORTH_ASKING_M = 20.0
"""A photo that was taken nearer to the pin than this says nothing new of the place: people step back to take one."""
FARTHEST_M = 2000.0
"""One from farther away was taken another time, or of something else."""
PHOTO_M = 10.0
"""How well a telephone knows where it takes a photo."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A photo that says where it was taken, and how far from the pin that is, in words."""

    reference: str
    away: str


@dataclass(frozen=True, slots=True)
class Photos:
    """Those that the draft has, by reference, how many may be added, and the place that one of them offers."""

    references: Sequence[str]
    room: int
    offer: Offer | None


def thumbnails(tx: ReadTx, draft: Writing) -> Photos:
    """What is shown of a draft's photos."""
    rows = [] if draft.row is None else photos.of(tx, OfDraft(draft.row.hash))
    return Photos([row.reference for row in rows], MOST_PHOTOS - len(rows), _offer(rows, draft.answers.place))


def _offer(rows: Sequence[Any], place: Place | None) -> Offer | None:
    """The photo farthest from the pin, if it is far enough to ask and near enough to be of the same thing."""
    if place is None:
        return None
    pin = Point(place.lat, place.lon, place.accuracy_m)
    said = [(distance_m(pin, at), row.reference) for row in rows if (at := taken_at(row)) is not None]
    far = [one for one in said if max(WORTH_ASKING_M, place.accuracy_m) < one[0] <= FARTHEST_M]
    return Offer(max(far)[1], away(max(far)[0])) if far else None


def taken_at(row: Any) -> Point | None:
    """Where a photo says that it was taken."""
    return None if row.taken_lat is None else Point(row.taken_lat, row.taken_lon, PHOTO_M)


async def _sent(request: Request, photo: Annotated[Sequence[UploadFile | str], File()] = ()) -> Sequence[UploadFile]:
    """The files of a form's field `photo`, which a form without one sends as an empty text.

    Each counts, as far as it will be looked at.

    Raises:
        TooMany: this address sends more photos than the setting allows.
    """
    files = [one for one in photo if not isinstance(one, str) and one.filename]
    await count(request, "photo", times=min(max(len(files), 1), MOST_PHOTOS))
    return files


SentPhotos = Annotated[Sequence[UploadFile], Depends(_sent)]


def take_photos(tx: WriteTx, secret: str, sent: Sequence[UploadFile], now: datetime) -> Mapping[str, str]:
    """Keep the photos of a form, as many as are good: one that is refused has written nothing.

    No more are looked at than a draft may have: to decode one that is bad takes as long as one that is good. Returns
    what is wrong with the others, for the field `photo`.
    """
    wrong = []
    for one in sent[:MOST_PHOTOS]:
        try:
            write_draft.add_photo(tx, secret, one.file.read(), now)
        except Refusal as refused:
            wrong.append(f"{one.filename}: {refused.detail}")
    if len(sent) > MOST_PHOTOS:
        wrong.append(f"You can send up to {MOST_PHOTOS} photos: we have not looked at the others.")
    return {"photo": " ".join(wrong)} if wrong else {}
