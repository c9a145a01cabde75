"""Messages on their way out: taken by one worker for a while, written as letters, marked when they have left.

The sending itself happens outside any transaction (services/workers/outbound.py). A worker that dies in between leaves
its messages taken until the lease ends; then another asks the provider first, where the provider can tell.
"""

import base64
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from shared.domain import reaching
from shared.errors import NotFound
from shared.flows.follow_place import follow_secret
from shared.flows.receive_report import tracking_secret
from shared.letters.render import Frame, Letter, render
from shared.settings import settings
from shared.store import follows, messages, policies
from shared.store.engine import ReadTx, WriteTx
from shared.store.follows import CONFIRM, Reach
from shared.store.messages import TRIES, Claimed

LEASE = timedelta(seconds=90)
"""How long a worker has what it took. Longer than one run of it may last."""
STALE = timedelta(days=7)
"""News that could not be told for so long is not told: the page has it."""
FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to be sent: to which address, and what. `again`: an earlier try may have left; ask before sending."""

    id: int
    key: str
    channel: str
    to: str
    template: str
    values: Mapping[str, Any]
    frame: Frame
    tries: int
    again: bool

    def letter(self, now: datetime) -> Letter:
        """What it says, written now."""
        return render(self.template, self.values, self.frame, now)


def claim(tx: WriteTx, now: datetime, most: int) -> list[Outgoing]:
    """Take due messages for this worker alone. What nobody wants any more is dropped.

    Whoever asks must commit before sending.
    """
    taken = messages.claim(tx, channels(), now, now + LEASE, most)
    unwanted = [one.id for one in taken if not _is_wanted(one, now)]
    messages.drop(tx, unwanted, now)
    frame = _frame(tx, now)
    return [_outgoing(tx, one, frame) for one in taken if one.id not in set(unwanted)]


def channels() -> list[str]:
    """The channels that leave."""
    known = settings()
    return [name for name, by in (("email", known.mail_provider), ("sms", known.sms_provider)) if by != "none"]


def _is_wanted(one: Claimed, now: datetime) -> bool:
    if address(one) is None or now - one.made_at > STALE:
        return False
    if one.follow_id is not None and one.template != CONFIRM:
        return one.confirmed_at is not None and one.ended_at is None
    return True


def address(one: Claimed) -> str | None:
    """Where it goes now; None when its reader is forgotten or cannot be reached so."""
    return one.email if one.channel == "email" else reaching.texts(one.phone or "")


def _frame(tx: ReadTx, now: datetime) -> Frame:
    try:
        rules = policies.in_force(tx, now)
    except NotFound:
        return Frame(settings().public_url, settings().council_name or "Roadmend", ZoneInfo("Europe/London"), {})
    titles = {code: kind.title for code, kind in rules.policy.classes.items()}
    name = settings().council_name or rules.policy.meta.authority
    return Frame(settings().public_url, name, rules.calendar.tz, titles)


def _outgoing(tx: ReadTx, one: Claimed, frame: Frame) -> Outgoing:
    values = {**_links(one, frame), **_values(tx, one, frame)}
    return Outgoing(
        id=one.id,
        key=one.key,
        channel=one.channel,
        to=address(one) or "",
        template=one.template,
        values=values,
        frame=frame,
        tries=one.tries,
        again=one.tries > 1,
    )


def written(tx: ReadTx, one: Claimed, now: datetime) -> Letter:
    """A message as its reader would have it, but for the reader's own links, which nobody else may see."""
    outgoing = _outgoing(tx, one, _frame(tx, now))
    links = {"link": _NO_LINK, "manage": _NO_LINK, "unsubscribe": _NO_LINK}
    return replace(outgoing, values={**outgoing.values, **links}).letter(now)


_NO_LINK = "(their own link)"


def _links(one: Claimed, frame: Frame) -> dict[str, Any]:
    """Where the message leads, and where it is stopped: by a page, and by one click of a mail program (RFC 8058)."""
    if one.report is not None:
        page = f"{frame.url}/reports/{one.report}?token={tracking_secret(one.report)}"
        stop = f"{frame.url}/follow/{stop_token(one.report)}"
        return {"link": page, "manage": stop, "unsubscribe": f"{stop}/unsubscribe"}
    assert one.follow_id is not None  # noqa: S101 (narrows a type)
    manage = f"{frame.url}/follow/{follow_secret(one.follow_id)}"
    defect = one.values.get("defect")
    page = f"{frame.url}/defects/{defect}" if defect else manage
    return {"link": page, "manage": manage, "unsubscribe": f"{manage}/unsubscribe"}


def _values(tx: ReadTx, one: Claimed, frame: Frame) -> dict[str, Any]:
    """What the message says: what was kept with it, and what is so now."""
    known: dict[str, Any] = {
        "reader": "follow" if one.follow_id is not None else "report",
        "report": one.report,
        "street": one.street,
        "what": frame.titles.get(one.class_code or "", "Defect"),
        "look_by": one.triage_due_at,
        "danger": bool(one.danger),
        "joined": one.joined,
        "follow": one.follow_name,
        "follow_kind": one.follow_kind,
        "rhythm": one.rhythm,
        "confirmed": one.confirmed_at is not None,
    }
    if one.template == CONFIRM:
        standing = follows.standing(tx, Reach(one.email, None) if one.email else Reach(None, one.phone))
        known["also"] = [row.name for row in standing if row.confirmed_at is None and row.id != one.follow_id]
    return {**{name: value for name, value in known.items() if value is not None}, **one.values}


def stop_token(report: str) -> str:
    """Ends what a report's contact is told, and opens nothing: it stands in headers that mail programs show around."""
    made = hmac.digest(settings().secret().encode(), f"stop:{report}".encode(), "sha256")
    return f"{report}.{base64.urlsafe_b64encode(made[:18]).decode()}"


def report_of(token: str) -> str | None:
    """The report whose messages a token stops; None when it is none of ours."""
    report, _, _ = token.partition(".")
    return report if report.startswith("R-") and hmac.compare_digest(stop_token(report), token) else None


# --- what became of it -----------------------------------------------------------------------------------------------


def sent(tx: WriteTx, one: Outgoing, sent_as: str, now: datetime) -> None:
    """It has left; `sent_as` is the provider's own name for it."""
    messages.sent(tx, one.id, sent_as, now)


def failed(
    tx: WriteTx, one: Outgoing, error: str, now: datetime, *, for_good: bool, wait: timedelta | None = None
) -> bool:
    """It could not be sent now: it waits longer each time, or as long as the provider said. True when it was parked."""
    parked = for_good or one.tries >= TRIES
    due = now + (wait or wait_after(one.tries))
    messages.put_back(tx, one.id, one.tries, error, due, now if parked else None)
    return parked


def wait_after(tries: int) -> timedelta:
    """5 s, 15 s, 45 s … up to four hours: ten tries take some eight hours."""
    longer: int = 3 ** (tries - 1)
    return min(FIRST_WAIT * longer, LONGEST_WAIT)


def let_go(tx: WriteTx, unsent: Sequence[Outgoing], due_at: datetime) -> None:
    """The rest of what was taken, not tried: due again then, and no try of it counts."""
    messages.let_go(tx, [one.id for one in unsent], due_at)
