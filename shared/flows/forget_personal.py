"""Forgets personal data: in the policy's time (`sweep`), and because somebody asks (`erase`). Evidence stays.

What a report says of the road, its place, its times and every event stay; what is forgotten is recorded by counts only.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from shared.domain.events import DataErased
from shared.domain.public_words import Shown
from shared.domain.retention import ran_out
from shared.domain.screening import screen
from shared.errors import Invalid, NotFound
from shared.logs import logger
from shared.store import contacts, event_log, policies, privacy, public_photos, reports_decisions
from shared.store.engine import WriteTx

log = logger(__name__)

DRAFTS_KEPT = timedelta(days=7)
FOLLOWS_KEPT = timedelta(days=7)
"""A follow that has ended may be taken up again by its link so long; one that nobody confirms is nobody's."""
MOST = 5_000
MOST_BATCHES = 20
"""One run takes so much; the next goes on."""


def sweep(tx: WriteTx, now: datetime) -> Mapping[str, int]:
    """Forget what the policy's time has run out for, and what somebody asked for that had to wait.

    Returns how many of each; safe to repeat.
    """
    try:
        ruling = policies.in_force(tx, now)
    except NotFound:
        return {}
    kept, calendar = ruling.policy.retention, ruling.calendar
    ended = ran_out(kept.contact, now, calendar)
    counts = {
        "contacts": len(privacy.forget_contacts(tx, ended, MOST)),
        "follows": privacy.forget_follows(tx, now - FOLLOWS_KEPT, now, MOST),
        "drafts": privacy.forget_drafts(tx, now - DRAFTS_KEPT, MOST),
        "messages": privacy.empty_messages(tx, ended, MOST),
        "detections": privacy.forget_detections(tx, ran_out(kept.raw_detections, now, calendar), now, MOST_BATCHES),
    }
    _record(tx, counts, "The policy's time is over.", now)
    waited = {"words_emptied": privacy.empty_words(tx, privacy.to_be_emptied(tx, MOST))}
    _record(tx, waited, _ASKED, now)
    return counts | waited


def erase(tx: WriteTx, now: datetime, *, email: str | None = None, phone: str | None = None) -> Mapping[str, int]:
    """Forget a person who asks, known by an e-mail address or a telephone number. Returns how many of each.

    Contact details, follows and drafts go at once; nothing of their reports' words and photos is shown to the public
    any more. The words go, too; of a report that is still open they stay for staff without what reaches or names a
    person, and where a claim on a repair is open they are evidence and stay as they are (DOMAIN 10.3, case 15), until
    the report has ended and no claim is open: nobody can ask a second time, since nothing says any more whose it was.

    Raises:
        Invalid: neither or both are given, or the number has fewer than nine digits.
    """
    digits = None if phone is None else "".join(letter for letter in phone if letter.isdigit())
    if (email is None) == (phone is None) or (digits is not None and len(digits) < _LEAST_DIGITS):
        raise Invalid("Name the person by one e-mail address, or by one telephone number of nine digits or more.")
    reports = privacy.reports_of(tx, email=email, digits=digits)
    evidence, over = privacy.under_claim(tx, reports), privacy.ended(tx, reports)
    still_open = [one for one in reports if one not in evidence | over]
    photos = privacy.photos_of(tx, reports)
    reports_decisions.show_words(tx, reports, Shown.WITHHELD)
    public_photos.withhold(tx, photos)
    privacy.empty_later(tx, [*evidence, *still_open], now)
    counts = {
        "contacts": contacts.forget(tx, reports, now),
        "follows": privacy.erase_follows(tx, now, email=email, digits=digits),
        "drafts": privacy.erase_drafts(tx, email=email, digits=digits),
        "words_emptied": privacy.empty_words(tx, [one for one in reports if one in over - evidence]),
        "words_screened": privacy.change_words(tx, still_open, lambda words: screen(words).words),
        "words_kept_as_evidence": len(evidence),
        "photos_withheld": len(photos),
    }
    _record(tx, counts, _ASKED, now)
    return counts


_ASKED = "Somebody asked to be forgotten."
_LEAST_DIGITS = 9


def _record(tx: WriteTx, counts: Mapping[str, int], why: str, now: datetime) -> None:
    if any(counts.values()):
        event_log.append(tx, DataErased(deployment_id=1, why=why, counts=counts), now)
        log.info("personal_data_forgotten", **counts)
