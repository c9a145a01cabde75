"""Does the visit show what it claims? Photos, places and times against the order (DOMAIN 10.3, cases 11 and 12)."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import product
from typing import Literal

from shared.domain.policy import EvidenceRules, Policy
from shared.domain.terms import Band, VisitOutcome
from shared.errors import Refusal


class VerifierIsCompleter(Refusal):
    """Nobody verifies their own repair, nor that of their own company."""

    code = "verifier-is-completer"
    title = "Another person must verify"


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo of a visit. `phash`: 64 bits in hex. `distance_m`: from its EXIF place to the nearest defect."""

    reference: str
    role: Literal["before", "after"]
    phash: str
    taken_at: datetime | None = None
    distance_m: float | None = None


@dataclass(frozen=True, slots=True)
class OtherPhoto:
    """A photo that came with another visit or a report, which this visit may have used again."""

    reference: str
    phash: str
    came_with: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A visit as it was told. `sent_at` and all but `issued_at` and `received_at` are by the phone's clock; all aware.

    `distance_m`: from the phone's place to the nearest defect of the order; None: no place was sent. `last_seen_at`:
    when anybody, or a camera, last saw what it was about.
    """

    outcome: VisitOutcome
    issued_at: datetime
    started_at: datetime
    ended_at: datetime
    received_at: datetime
    sent_at: datetime | None = None
    distance_m: float | None = None
    accuracy_m: float = 0.0
    last_seen_at: datetime | None = None
    photos: tuple[Photo, ...] = ()


@dataclass(frozen=True, slots=True)
class Missing:
    """What is missing or wrong. `code` is stable, `sentence` tells the crew what to do."""

    code: str
    sentence: str


SEEN_AGAIN = Missing("seen_again", "It was seen again after the work: read what was told of it since.")


@dataclass(frozen=True, slots=True)
class EvidenceOk:
    """The evidence passes. `flags` are what a person should know when looking; any of them has the repair sampled."""

    why: str
    flags: tuple[Missing, ...] = ()


@dataclass(frozen=True, slots=True)
class EvidenceFailed:
    missing: tuple[Missing, ...]
    flags: tuple[Missing, ...] = ()


def judge(visit: Visit, others: Sequence[OtherPhoto], rules: EvidenceRules) -> EvidenceOk | EvidenceFailed:
    """Whether a visit's evidence passes, or all that is missing.

    `others` are photos that came with something else and might look like this visit's; they are compared here. A phone
    whose clock is wrong by more than the policy allows is set right by the difference first, and flagged. An aborted
    visit needs times only.
    """
    set_right = _set_right(visit, rules)
    missing = [*_times(set_right, rules)]
    if visit.outcome is not VisitOutcome.ABORTED:
        missing += [*_photos(set_right, rules), *_places(set_right, rules), *_used_again(set_right, others, rules)]
    flags = tuple(_flags(visit, set_right, rules))
    if missing:
        return EvidenceFailed(tuple(missing), flags)
    return EvidenceOk(f"{len(visit.photos)} photos, the place and the times agree with the order.", flags)


def skew(sent_at: datetime | None, received_at: datetime, rules: EvidenceRules) -> timedelta:
    """By how much the phone's clock was slow (positive) or fast; nothing within what the policy allows."""
    wrong = timedelta(0) if sent_at is None else received_at - sent_at
    return wrong if abs(wrong) > timedelta(minutes=rules.max_skew_minutes) else timedelta(0)


def _set_right(visit: Visit, rules: EvidenceRules) -> Visit:
    wrong = skew(visit.sent_at, visit.received_at, rules)
    photos = tuple(replace(one, taken_at=one.taken_at and one.taken_at + wrong) for one in visit.photos)
    return replace(visit, started_at=visit.started_at + wrong, ended_at=visit.ended_at + wrong, photos=photos)


def _times(visit: Visit, rules: EvidenceRules) -> Iterator[Missing]:
    allowed = timedelta(minutes=rules.max_skew_minutes)
    if visit.ended_at < visit.started_at:
        yield Missing("ended_before_started", "The visit ends before it starts: correct the times.")
    if visit.ended_at > visit.received_at + allowed:
        yield Missing("in_the_future", "The visit ends in the future: correct the times.")
    if visit.ended_at < visit.issued_at - allowed:
        yield Missing("before_issue", "The work ends before the order was issued: it cannot be for this order.")


def _photos(visit: Visit, rules: EvidenceRules) -> Iterator[Missing]:
    needed = {"before": rules.min_before, "after": rules.min_after}
    if visit.outcome is VisitOutcome.MADE_SAFE:
        # In an emergency the danger goes first, the camera second.
        needed["before"] = 0
    for role, least in needed.items():
        sent = sum(photo.role == role for photo in visit.photos)
        if sent < least:
            yield Missing(f"no_{role}_photo", f"Send a photo from {role} the work ({sent} of {least} here).")
    for photo in visit.photos:
        yield from _photo(photo, visit, rules)


def _photo(photo: Photo, visit: Visit, rules: EvidenceRules) -> Iterator[Missing]:
    allowed = timedelta(minutes=rules.max_skew_minutes)
    if photo.taken_at is None and rules.no_exif == "fail":
        yield Missing("no_photo_time", f"Photo {photo.reference} does not say when it was taken: send the original.")
    if photo.taken_at and photo.taken_at < visit.issued_at - allowed:
        yield Missing("photo_before_order", f"Photo {photo.reference} was taken before the order was issued.")
    if photo.taken_at and photo.taken_at > visit.received_at + allowed:
        yield Missing("photo_in_the_future", f"Photo {photo.reference} is dated in the future.")
    if photo.distance_m is not None and photo.distance_m > rules.max_distance_m:
        yield Missing("photo_too_far", f"Photo {photo.reference} was taken {photo.distance_m:.0f} m from the defect.")


def _places(visit: Visit, rules: EvidenceRules) -> Iterator[Missing]:
    if visit.distance_m is not None and visit.distance_m - visit.accuracy_m > rules.max_distance_m:
        yield Missing("too_far", f"The visit was told from {visit.distance_m:.0f} m away: send it from the place.")


def _used_again(visit: Visit, others: Sequence[OtherPhoto], rules: EvidenceRules) -> Iterator[Missing]:
    for photo, other in product(visit.photos, others):
        if alike(photo.phash, other.phash, rules):
            yield Missing("photo_used_again", f"Photo {photo.reference} is the one that came with {other.came_with}.")
    before = [photo for photo in visit.photos if photo.role == "before"]
    after = [photo for photo in visit.photos if photo.role == "after"]
    for first, second in product(before, after):
        if alike(first.phash, second.phash, rules):
            yield Missing(
                "after_equals_before", f"Photos {first.reference} and {second.reference} are the same picture."
            )


def alike(one: str, other: str, rules: EvidenceRules) -> bool:
    """Whether two perceptual hashes are of one picture, by the number of bits in which they differ."""
    return hamming(one, other) <= rules.same_photo_bits


def hamming(one: str, other: str) -> int:
    """In how many of their bits two hashes in hex differ."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


def _flags(told: Visit, visit: Visit, rules: EvidenceRules) -> Iterator[Missing]:
    """What does not fail the evidence, but makes a person look. `told` is the visit by the phone's own clock."""
    wrong = skew(told.sent_at, told.received_at, rules)
    if wrong:
        minutes = abs(wrong) // timedelta(minutes=1)
        yield Missing("clock_wrong", f"The phone's clock was wrong by {minutes} minutes; its times were set right.")
    if visit.received_at - visit.ended_at > timedelta(hours=rules.backdated_hours):
        yield Missing("backdated", f"The completion was told more than {rules.backdated_hours} hours after it.")
    if visit.outcome is VisitOutcome.ABORTED:
        return
    if _seen_again(visit):
        yield SEEN_AGAIN
    if visit.distance_m is None:
        yield Missing("no_place", "The phone sent no place.")
    if rules.no_exif == "warn" and any(photo.taken_at is None for photo in visit.photos):
        yield Missing("no_photo_time", "A photo does not say when it was taken.")
    taken = {role: [one.taken_at for one in visit.photos if one.role == role and one.taken_at] for role in _ROLES}
    if taken["before"] and taken["after"] and max(taken["after"]) < min(taken["before"]):
        yield Missing("photos_out_of_order", "The photo from after the work is older than the one from before it.")


_ROLES = ("before", "after")


def _seen_again(visit: Visit) -> bool:
    """What was only made safe is still to be seen there."""
    if visit.outcome is VisitOutcome.MADE_SAFE or visit.last_seen_at is None:
        return False
    return visit.last_seen_at > visit.ended_at


def check_verifier(
    verifier: str, completer: str, *, verifier_company: int | None = None, completer_company: int | None = None
) -> None:
    """Let somebody verify who has not done the work.

    Raises:
        VerifierIsCompleter: it is the same person, or somebody of the company that did it.
    """
    same_company = verifier_company is not None and verifier_company == completer_company
    if verifier == completer or same_company:
        raise VerifierIsCompleter("A repair is verified by somebody other than those who did it.")


NOT_DRAWN = "Not drawn"
"""So begins the only reason for which the rules alone verify; the record is read by it."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """`yes`: a person checks the repair; else the rules alone verify it."""

    yes: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToVerify:
    """What decides whether a person checks. `contractor_since`: its first day; `flagged`: the evidence has flags."""

    band: Band
    recall: bool
    contractor_since: date
    completed_on: date
    flagged: bool = False


def sampled(repair: ToVerify, policy: Policy, draw: float) -> Sampled:
    """Whether a person checks a repair whose evidence passes. `draw` is even between 0 and 1 (see `draw`)."""
    rules = policy.verification
    if repair.flagged:
        return Sampled(True, "The evidence has something that a person should see.")
    if repair.recall and rules.always_recalls:
        return Sampled(True, "Every repair after a recall is checked.")
    if repair.band in rules.always_bands:
        return Sampled(True, f"Every repair of band {repair.band} is checked.")
    days = (repair.completed_on - repair.contractor_since).days
    if days < rules.first_days:
        return Sampled(True, f"The contractor's first {rules.first_days} days: every repair is checked.")
    share = max(rules.share, rules.floor)
    drawn = draw < share
    return Sampled(drawn, f"{'Drawn' if drawn else NOT_DRAWN}: {share:.0%} of such repairs are checked.")


def draw(reference: str, seed: str) -> float:
    """A number in [0, 1) that anybody can draw again from the order's reference and the policy's sha256."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{reference}".encode()).digest()[:7]) / 2**56
