"""Takes a photo of a report, of a draft or of a visit: files first, whole and durable, then the row that names them."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Row

from shared import pictures
from shared.domain.drafts import MOST_PHOTOS
from shared.domain.events import ReportPhotoAdded
from shared.domain.policy import Policy
from shared.domain.terms import PhotoId
from shared.errors import Refusal
from shared.logs import logger
from shared.store import event_log, photo_files, photos, policies
from shared.store.engine import ReadTx, WriteTx
from shared.store.photo_files import Copy
from shared.store.photos import OfDraft, OfReport, OfVisit, Owner

__all__ = [
    "OfDraft",
    "OfReport",
    "OfVisit",
    "Owner",
    "PhotoIn",
    "PhotoTaken",
    "TooManyPhotos",
    "receive",
    "sweep_orphans",
]

log = logger(__name__)

MOST: Mapping[type[Owner], int] = {OfReport: 10, OfVisit: 40, OfDraft: MOST_PHOTOS}
ORPHAN_AGE = timedelta(hours=6)
"""A file so old without a row lost its transaction: it was refused, or the process died."""


class TooManyPhotos(Refusal):
    """A report or visit has as many photos as it may have."""

    code = "too-many-photos"
    title = "Too many photos"


@dataclass(frozen=True, slots=True)
class PhotoIn:
    """A photo as it was sent, and whose it is."""

    data: bytes
    owner: Owner


@dataclass(frozen=True, slots=True)
class PhotoTaken:
    """A photo that is kept. `repeated`: these very bytes came before, and this is the photo that they made."""

    id: PhotoId
    reference: str
    phash: str
    width_px: int
    height_px: int
    taken_at: datetime | None
    lat: float | None
    lon: float | None
    repeated: bool


def receive(tx: WriteTx, given: PhotoIn, now: datetime) -> PhotoTaken:
    """Keep a photo. The same bytes for the same owner again are the same photo.

    Raises:
        TooLarge, NotAPhoto: see `pictures.read`.
        TooManyPhotos: the report or visit has as many as it may have.
        StorageFull: there is no room for it now; nothing is kept of it.
    """
    sha256 = hashlib.sha256(given.data).digest()
    if (found := photos.same(tx, given.owner, sha256)) is not None:
        return _taken(found, repeated=True)
    _refuse_too_many(tx, given.owner)
    policy = policies.in_force(tx, now).policy
    picture = pictures.read(given.data, policy.calendar.timezone)
    reference = secrets.token_hex(16)
    copies = {Copy.ORIGINAL: given.data, Copy.PUBLIC: picture.public, Copy.SMALL: picture.small}
    photo_files.write(reference, copies)
    release = release_by_policy(policy, now) if isinstance(given.owner, OfReport) else {}
    values = _values(reference, sha256, given.data, picture)
    added = photos.add(tx, given.owner, values | release, now)
    if added is not None and isinstance(given.owner, OfReport):
        event_log.append(tx, ReportPhotoAdded(report_id=given.owner.report_id, photo_id=added), now)
    stored = photos.same(tx, given.owner, sha256)
    assert stored is not None  # noqa: S101 - it was added just now, here or by whom the insert waited for
    return _taken(stored, repeated=added is None)


def release_by_policy(policy: Policy, now: datetime) -> dict[str, Any]:
    """The release of a resident's photo where the policy shows them as soon as they are sent; else nothing."""
    return {"released_by": "policy", "released_at": now} if policy.privacy.photos == "at_once" else {}


def _refuse_too_many(tx: ReadTx, owner: Owner) -> None:
    most = MOST[type(owner)]
    if photos.count(tx, owner) >= most:
        raise TooManyPhotos(f"There are {most} photos already, and that is the most.")


def _values(reference: str, sha256: bytes, data: bytes, picture: pictures.Picture) -> dict[str, Any]:
    return {
        "reference": reference,
        "sha256": sha256,
        "phash": picture.phash,
        "media_type": picture.media_type,
        "width_px": picture.width_px,
        "height_px": picture.height_px,
        "size_bytes": len(data),
        "taken_at": picture.evidence.taken_at,
        "taken_lat": picture.evidence.lat,
        "taken_lon": picture.evidence.lon,
    }


def _taken(row: Row[Any], *, repeated: bool) -> PhotoTaken:
    return PhotoTaken(
        row.id,
        row.reference,
        row.phash,
        row.width_px,
        row.height_px,
        row.taken_at,
        row.taken_lat,
        row.taken_lon,
        repeated,
    )


def sweep_orphans(tx: ReadTx, now: datetime) -> int:
    """Take away old files that no row names: what a refused or lost transaction left. Returns how many photos."""
    removed = 0
    old = photo_files.older_than(now - ORPHAN_AGE)
    while references := list(islice(old, 1000)):
        for orphan in set(references) - photos.known(tx, references):
            photo_files.remove(orphan)
            removed += 1
    if removed:
        log.info("photo_orphans_removed", count=removed)
    return removed
