"""Takes residents' reports: place, danger and clock are judged, then report, contact, key and event are one commit."""

import base64
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct

from shared.domain.addresses import read_address
from shared.domain.clocks import sounds_dangerous, triage_due
from shared.domain.events import Event, ReportReceived, ReportReferred
from shared.domain.lifecycle import REPORT
from shared.domain.place import Ask, InCounty, Located, Point, Refer, Refuse, check_time, judge
from shared.domain.public import PublicStatus, public_status
from shared.domain.terms import ReportState
from shared.errors import Conflict, Invalid, Refusal
from shared.flows.tell_people import channel_of
from shared.settings import settings
from shared.store import idempotency, network, policies, references, reports
from shared.store.engine import Acting, Steps, WriteTx
from shared.store.idempotency import Key
from shared.store.policies import InForce
from shared.store.reports import NO_CONTACT, TO_COME, Contact, NewReport

__all__ = [
    "Contact",
    "Draft",
    "Key",
    "KeyReused",
    "PlaceRefused",
    "PlaceUnclear",
    "Received",
    "Referred",
    "receive",
    "receive_all",
    "receiving",
    "tracking_secret",
]


class PlaceUnclear(Invalid):
    """The place is not known well enough to send anybody there; the detail says what to give."""

    code = "better-place-needed"
    title = "We need a better place"


class PlaceRefused(Invalid):
    """The place cannot be, or nobody that we know of looks after it."""

    code = "place-refused"
    title = "Not a place that we can act on"


class KeyReused(Conflict):
    """An Idempotency-Key came again with another body."""

    code = "idempotency-key-reused"
    title = "This Idempotency-Key was used for another request"


class Draft(Struct, frozen=True, kw_only=True):
    """A report as it was sent. `accuracy_m` None: not known; `observed_at` None: now. Nothing is decided yet."""

    class_code: str
    lat: float
    lon: float
    accuracy_m: float | None = None
    address: str | None = None
    description: str = ""
    danger: bool = False
    observed_at: datetime | None = None
    contact: Contact = NO_CONTACT
    channel: str = "web"
    by_staff: bool = False
    key: Key | None = None


@dataclass(frozen=True, slots=True)
class Referred:
    """Who looks after the place, how to reach them, and why it is not ours."""

    name: str
    contact: str | None
    why: str


class Received(Struct, frozen=True, kw_only=True):
    """What the reporter is told. `repeated`: it is the answer to an earlier request with the same key."""

    reference: str
    secret: str
    status: PublicStatus
    danger: bool
    look_by: datetime
    referred: Referred | None = None
    repeated: bool = False


def receive(tx: WriteTx, draft: Draft, now: datetime) -> Received:
    """Take one report.

    Raises:
        Refusal: it is not taken, and why (see `receive_all`).
    """
    outcome = receive_all(tx, [draft], now)[0]
    if isinstance(outcome, Refusal):
        raise outcome
    return outcome


def receive_all(
    tx: WriteTx, drafts: Sequence[Draft], now: datetime, *, correlations: Sequence[str] | None = None
) -> list[Received | Refusal]:
    """Take reports, each by itself: what one of them is refused for touches no other. In their order.

    The refusals: Invalid (class or time), PlaceUnclear, PlaceRefused, KeyReused. A handful of statements, however many
    drafts. `correlations`: one for each draft, where one transaction serves several requests.
    """
    return tx.run(receiving(tx, drafts, now, correlations=correlations or [tx.correlation] * len(drafts)))


def receiving(
    tx: Acting, drafts: Sequence[Draft], now: datetime, *, correlations: Sequence[str]
) -> Steps[list[Received | Refusal]]:
    """The same in steps, for who waits on the event loop."""
    ruling = yield from policies.finding(now)
    places = yield from network.locating([_point(draft, ruling) for draft in drafts], ruling.policy.place)
    told = zip(drafts, places, correlations, strict=True)
    judged = [_judged(one, place, ruling, now, thread) for one, place, thread in told]
    accepted = [one for one in judged if isinstance(one, _Accepted)]
    stored = (yield from reports.adding(tx, [one.row for one in accepted], now)) if accepted else {}
    repeats = yield from _repeats([one for one in accepted if one.row.reference not in stored])
    return [one if isinstance(one, Refusal) else repeats.get(one.row.reference, one.told) for one in judged]


class _Accepted(Struct, frozen=True):
    """A report that will be stored, and what its reporter is told."""

    row: NewReport
    told: Received


def _point(draft: Draft, ruling: InForce) -> Point:
    accuracy = ruling.policy.place.default_accuracy_m if draft.accuracy_m is None else draft.accuracy_m
    return Point(draft.lat, draft.lon, accuracy)


def _judged(draft: Draft, place: Located, ruling: InForce, now: datetime, thread: str) -> _Accepted | Refusal:
    if (refusal := _refused(draft, ruling, now)) is not None:
        return refusal
    match judge(place, ruling.policy.place):
        case Ask(field, why):
            return PlaceUnclear(why, {_path(field): why})
        case Refuse(field, why):
            return PlaceRefused(why, {_path(field): why})
        case Refer(target, why, contact):
            return _accepted(draft, place, ruling, now, thread, Referred(target, contact, why))
        case InCounty():
            return _accepted(draft, place, ruling, now, thread, None)


def _path(field: str) -> str:
    return f"location.{field}" if field == "accuracy_m" else field


def _refused(draft: Draft, ruling: InForce, now: datetime) -> Refusal | None:
    kind = ruling.policy.classes.get(draft.class_code)
    if kind is None or not (kind.public or draft.by_staff):
        return Invalid(
            f"{draft.class_code} is not a category. GET /api/v1/categories lists them.",
            {"category": "is not one of the categories"},
        )
    late = None if draft.observed_at is None else check_time(draft.observed_at, now, ruling.policy.place)
    return None if late is None else Invalid(late.why, {late.field: late.why})


def _accepted(
    draft: Draft, place: Located, ruling: InForce, now: datetime, thread: str, referred: Referred | None
) -> _Accepted:
    reference = references.fresh("R")
    secret = tracking_secret(reference)
    danger = draft.danger or sounds_dangerous(draft.description, draft.class_code, ruling.policy) is not None
    state = ReportState.RECEIVED if referred is None else ReportState.REFERRED
    look_by = _look_by(now, ruling, danger)
    told = Received(
        reference=reference,
        secret=secret,
        status=public_status(state),
        danger=danger,
        look_by=look_by,
        referred=referred,
    )
    address = read_address(draft.address or "")
    row = NewReport(
        reference=reference,
        tracking_hash=references.digest(secret),
        channel=draft.channel,
        class_code=draft.class_code,
        located=place,
        street_key=place.street.key if place.street else address.street_key,
        house_number=address.house_number,
        address=draft.address,
        description=draft.description,
        danger=danger,
        state=state,
        outcome=referred.why if referred else None,
        observed_at=draft.observed_at or now,
        received_at=now,
        triage_due_at=look_by,
        contact=draft.contact,
        told_by=_told_by(draft.contact) if referred is None else None,
        key=draft.key,
        answer=_kept(told),
        events=_said(draft.class_code, danger, referred),
        correlation=thread,
    )
    return _Accepted(row, told)


def _told_by(contact: Contact) -> str | None:
    """How the reporter is told that it was received. That a report was passed on is told by its event."""
    return None if contact is NO_CONTACT else channel_of(contact.email, contact.phone)


@lru_cache(maxsize=64)
def _look_by(now: datetime, ruling: InForce, danger: bool) -> datetime:
    """By when it is read, in local time. The reports of one transaction share `now`, and so the answer."""
    due = triage_due(now, ruling.policy, ruling.calendar, danger=danger)
    return due.at.astimezone(ZoneInfo(ruling.policy.calendar.timezone))


def tracking_secret(reference: str) -> str:
    """The secret of a report's link, made from its reference and the deployment's key: 192 bits.

    So that the link can be told again (a repeated request, an e-mail) without being stored; what is stored is its hash.
    """
    key = settings().secret().encode()
    made = hmac.digest(key, f"tracking:{reference}".encode(), "sha256")
    return base64.urlsafe_b64encode(made[:24]).decode()


# --- the record ------------------------------------------------------------------------------------------------------


def _said(class_code: str, danger: bool, referred: Referred | None) -> list[Event]:
    received = ReportReceived(
        report_id=TO_COME, class_code=class_code, danger=danger, before=None, after=ReportState.RECEIVED
    )
    if referred is None:
        return [received]
    target, why = referred.name, referred.why
    REPORT.check(ReportState.RECEIVED, ReportState.REFERRED, {"target": target, "reason": why})
    passed_on = ReportReferred(
        report_id=TO_COME, target=target, why=why, before=ReportState.RECEIVED, after=ReportState.REFERRED
    )
    return [received, passed_on]


# --- the same request again ------------------------------------------------------------------------------------------


def _kept(told: Received) -> dict[str, Any]:
    """What is stored of an answer: all but the secret, which is made anew."""
    referred = told.referred
    return {
        "reference": told.reference,
        "state": (ReportState.REFERRED if referred else ReportState.RECEIVED).value,
        "danger": told.danger,
        "look_by": told.look_by,
        "referred": None if referred is None else [referred.name, referred.contact, referred.why],
    }


def _told_again(kept: dict[str, Any]) -> Received:
    referred = kept["referred"]
    return Received(
        reference=kept["reference"],
        secret=tracking_secret(kept["reference"]),
        status=public_status(ReportState(kept["state"])),
        danger=kept["danger"],
        look_by=datetime.fromisoformat(kept["look_by"]),
        referred=None if referred is None else Referred(*referred),
        repeated=True,
    )


def _repeats(unstored: Sequence[_Accepted]) -> Steps[dict[str, Received | Refusal]]:
    """For each that was not stored, by the reference it would have had: the earlier answer, or why it is refused."""
    keys = {one.row.reference: one.row.key for one in unstored if one.row.key is not None}
    known: dict[tuple[str, str], idempotency.Answered] = {}
    for scope in {key.scope for key in keys.values()}:
        values = [key.value for key in keys.values() if key.scope == scope]
        found = yield from idempotency.answering(scope, values)
        known |= {(scope, value): said for value, said in found.items()}
    return {reference: _again(key, known[key.scope, key.value]) for reference, key in keys.items()}


def _again(key: Key, said: idempotency.Answered) -> Received | Refusal:
    if said.body_sha256 != key.body_sha256:
        return KeyReused("This Idempotency-Key came before with another body. Use a new key for a new report.")
    return _told_again(dict(said.answer))
