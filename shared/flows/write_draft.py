"""A report is written page by page: begun, answered, given photos and relieved of them, until it is sent."""

from datetime import datetime

from shared.domain.drafts import Answers
from shared.errors import Conflict, NotFound
from shared.flows import receive_photo
from shared.flows.receive_photo import OfDraft, PhotoIn, PhotoTaken
from shared.store import drafts, photos
from shared.store.drafts import DraftRow
from shared.store.engine import ReadTx, WriteTx

__all__ = ["AlreadySent", "DraftGone", "DraftRow", "add_photo", "answer", "begin", "find", "remove_photo"]


class DraftGone(NotFound):
    """There is no draft with this secret, or it was left for too long."""

    code = "draft-gone"
    title = "We no longer have this draft"


class AlreadySent(Conflict):
    """The draft was sent: there is nothing left to change in it."""

    code = "draft-sent"
    title = "This report has been sent"


def begin(tx: WriteTx, answers: Answers, now: datetime) -> str:
    """Begin a draft. Returns its secret, for the writer's browser alone."""
    return drafts.make(tx, answers, now)


def find(tx: ReadTx, secret: str, now: datetime) -> DraftRow | None:
    """The draft of a secret, sent or not; None when there is none that is young enough."""
    return drafts.find(tx, secret, now)


def answer(tx: WriteTx, secret: str, answers: Answers, now: datetime) -> None:
    """Keep the answers so far. Locks the draft.

    Raises:
        DraftGone: there is none.
        AlreadySent: it was sent meanwhile, from another tab.
    """
    drafts.keep(tx, _locked(tx, secret, now).hash, answers, now)


def add_photo(tx: WriteTx, secret: str, data: bytes, now: datetime) -> PhotoTaken:
    """Keep a photo with the draft. Locks the draft, so that two tabs cannot pass the limit together.

    Raises:
        DraftGone, AlreadySent: see `answer`.
        TooLarge, NotAPhoto, TooManyPhotos, StorageFull: see `receive_photo.receive`.
    """
    row = _locked(tx, secret, now)
    return receive_photo.receive(tx, PhotoIn(data, OfDraft(row.hash)), now)


def remove_photo(tx: WriteTx, secret: str, reference: str, now: datetime) -> None:
    """Take a photo out of the draft; one that is not there is gone already.

    Raises:
        DraftGone, AlreadySent: see `answer`.
    """
    photos.drop(tx, _locked(tx, secret, now).hash, reference)


def _locked(tx: WriteTx, secret: str, now: datetime) -> DraftRow:
    row = drafts.lock(tx, secret, now)
    if row is None:
        raise DraftGone("We keep a report that is not finished for 7 days. Start again.")
    if row.is_sent:
        raise AlreadySent("This report has been sent. Start a new one to tell us of something else.")
    return row
