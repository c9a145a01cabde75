"""A person looks at a photo and says whether everybody may see it. Each undoes the other."""

from datetime import datetime

from shared.domain.events import PhotoReleased, PhotoWithheld
from shared.store import event_log, public_photos
from shared.store.engine import WriteTx


def release(tx: WriteTx, reference: str, why: str, now: datetime) -> None:
    """Show a photo to everybody: nobody can be told by it. Safe to repeat.

    Raises:
        NotFound: there is no such photo, or its report is not sent yet.
    """
    found = public_photos.lock(tx, reference)
    if not found.released:
        public_photos.release(tx, found.id, now)
        event_log.append(tx, PhotoReleased(photo_id=found.id, why=why), now)


def withhold(tx: WriteTx, reference: str, why: str, now: datetime) -> None:
    """Show a photo only to those whom it concerns; no machine releases it again. Safe to repeat.

    Raises:
        NotFound: there is no such photo, or its report is not sent yet.
    """
    found = public_photos.lock(tx, reference)
    public_photos.withhold(tx, [found.id])
    event_log.append(tx, PhotoWithheld(photo_id=found.id, why=why), now)
