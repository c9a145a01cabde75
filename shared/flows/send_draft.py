"""Sends a draft: as a report, or as a passer-by's "it is this one". The draft itself is the key: it is sent once.

However often the button is pressed, the draft's row is locked, and what was sent first is what everybody is told.
"""

from datetime import datetime
from typing import Any

from shared.domain.drafts import HASTE, Answers, Place
from shared.domain.events import ReportPhotoAdded
from shared.domain.place import Point
from shared.domain.sizes import with_size
from shared.domain.terms import ReportId
from shared.errors import Conflict
from shared.flows.follow_place import follow_defect
from shared.flows.pass_by import pass_by
from shared.flows.receive_photo import release_by_policy
from shared.flows.receive_report import Contact, Draft, receive
from shared.flows.write_draft import DraftGone
from shared.store import drafts, event_log, photos, policies
from shared.store.drafts import DraftRow
from shared.store.engine import WriteTx
from shared.store.photos import OfReport, OfSighting
from shared.store.read_models import photos as reports_photos


class NotFinished(Conflict):
    """A question of the draft is still open."""

    code = "draft-not-finished"
    title = "Something is still to be answered"


class TooQuick(Conflict):
    """The draft was sent faster than anybody writes one. Nothing is lost: sent again, it is taken."""

    code = "draft-too-quick"
    title = "That was very quick"


def send(tx: WriteTx, secret: str, contact: Contact, now: datetime) -> None:
    """Send a draft. One that was sent already stays as it was sent. Locks the draft.

    Raises:
        DraftGone: there is none.
        TooQuick: nobody writes so fast; sent again, it is taken.
        NotFinished: a question is open.
        NotOpenAnyMore: the defect that "it is this one" has ended meanwhile (see `pass_by`).
        NotAnAddress: a passer-by's e-mail or number cannot be one (see `follow_place.follow_defect`).
        Refusal: the report is not taken, and why (see `receive_report.receive_all`).
    """
    row = drafts.lock(tx, secret, now)
    if row is None:
        raise DraftGone("We keep a report that is not finished for 7 days. Start again.")
    if row.is_sent:
        return
    if now - row.made_at < HASTE:
        raise TooQuick("Check what you wrote, then send it again.")
    if row.answers.place is None:
        raise NotFinished("Say where it is first.")
    if row.answers.same_as is not None:
        _pass_by(tx, row, row.answers.same_as, row.answers.place, contact, now)
    else:
        _report(tx, row, row.answers.place, contact, now)


def _pass_by(tx: WriteTx, row: DraftRow, same_as: str, place: Place, contact: Contact, now: datetime) -> None:
    at = Point(place.lat, place.lon, place.accuracy_m)
    passed = pass_by(tx, same_as, at, now, danger=bool(row.answers.danger))
    photos.hand_over(tx, row.hash, OfSighting(passed.sighting_id), _release(tx, now))
    if contact.email or contact.phone:
        reached = {"email": contact.email} if contact.email else {"phone": contact.phone}
        follow_defect(tx, passed.defect_id, **reached, now=now)
    drafts.spend(tx, row.hash, _left(row.answers, contact), now, sighting_id=passed.sighting_id)


def _report(tx: WriteTx, row: DraftRow, place: Place, contact: Contact, now: datetime) -> None:
    told = receive(tx, _draft(row.answers, place, contact), now)
    report_id = reports_photos.report_id(tx, told.reference)
    assert report_id is not None  # noqa: S101 - it was stored just now
    added = photos.hand_over(tx, row.hash, OfReport(ReportId(report_id)), _release(tx, now))
    event_log.append(tx, [ReportPhotoAdded(report_id=report_id, photo_id=one) for one in added], now)
    drafts.spend(tx, row.hash, _left(row.answers, contact), now, report_id=report_id)


def _release(tx: WriteTx, now: datetime) -> dict[str, Any]:
    return release_by_policy(policies.in_force(tx, now).policy, now)


def _draft(answers: Answers, place: Place, contact: Contact) -> Draft:
    """The report that the answers make.

    Raises:
        NotFinished: its class was not chosen.
    """
    if answers.class_code is None:
        raise NotFinished("Say what is wrong first.")
    return Draft(
        class_code=answers.class_code,
        lat=place.lat,
        lon=place.lon,
        accuracy_m=place.accuracy_m,
        address=place.address,
        description=with_size(answers.size, answers.description),
        danger=bool(answers.danger),
        contact=contact,
    )


def _left(answers: Answers, contact: Contact) -> Answers:
    """What the last page still tells; the person's own words are with the report, and nowhere else."""
    news = bool(contact.email or contact.phone)
    return Answers(danger=answers.danger, place=answers.place, same_as=answers.same_as, again=answers.again, news=news)
