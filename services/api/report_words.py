"""What the report's pages show of the record: what is nearby as cards, classes in groups, times as people read them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from shared.domain.nearby import Near, where_in_words
from shared.domain.policy import Policy
from shared.domain.public import PublicStatus, public_status
from shared.flows.name_place import Around

COMMON = (
    "pothole",
    "footway_trip",
    "gully_blocked",
    "flooding",
    "ironwork_broken",
    "marking_worn",
    "sign_damaged",
    "lighting_fault",
)
"""What most people report, each with a picture; the others stand below, under "something else"."""
GROUPS = {
    "carriageway": "On the road",
    "footway": "On the pavement",
    "cycleway": "On a cycle track",
    "kerb": "Kerbs",
    "ironwork": "Covers in the road",
    "drainage": "Drains and water",
    "marking": "Road markings",
    "sign": "Signs, bollards and barriers",
    "verge": "Verges, hedges and trees",
    "structure": "Bridges and walls",
    "lighting": "Street lights",
    "signal": "Traffic lights",
}


@dataclass(frozen=True, slots=True)
class Card:
    """One of what is nearby. `choice` is what its button sends."""

    reference: str
    title: str
    where: str
    status: PublicStatus
    date: str
    photo: str | None
    is_open: bool
    choice: str


def near_cards(around: Around, policy: Policy, now: datetime) -> list[Card]:
    """What is shown of each defect and repair nearby."""
    zone = ZoneInfo(policy.calendar.timezone)
    return [_card(one, around.street_key, policy, zone, now) for one in around.near]


def _card(one: Near, street_key: str | None, policy: Policy, zone: ZoneInfo, now: datetime) -> Card:
    rule = policy.classes.get(one.class_code)
    mended = None if one.is_open else one.repaired_at
    date = f"Mended {day(mended, zone, now)}" if mended else f"First reported {day(one.known_at, zone, now)}"
    return Card(
        reference=one.reference,
        title=rule.title if rule else "A problem on the road",
        where=where_in_words(one, street_key),
        status=public_status(one.state),
        date=date,
        photo=one.photo,
        is_open=one.is_open,
        choice=f"{'same' if one.is_open else 'again'}:{one.reference}",
    )


@dataclass(frozen=True, slots=True)
class Class:
    """A class to choose. `drawing` is the name of its picture, where there is one."""

    code: str
    title: str
    words: str
    drawing: str | None = None


def common_classes(policy: Policy) -> list[Class]:
    """Those with a picture, in the order in which people report them."""
    known = [code for code in COMMON if code in policy.classes and policy.classes[code].public]
    return [Class(code, policy.classes[code].title, policy.classes[code].words, code) for code in known]


def other_classes(policy: Policy) -> list[tuple[str, Sequence[Class]]]:
    """All others that a resident may choose, by group."""
    listed: dict[str, list[Class]] = {}
    for code, rule in policy.classes.items():
        if rule.public and code not in COMMON:
            listed.setdefault(GROUPS.get(rule.group, "Other"), []).append(Class(code, rule.title, rule.words))
    return list(listed.items())


def day(at: datetime, zone: ZoneInfo, now: datetime) -> str:
    """A day as people say it: "today", "yesterday", "3 November 2026"."""
    days = (now.astimezone(zone).date() - at.astimezone(zone).date()).days
    if days in (0, 1):
        return ("today", "yesterday")[days]
    local = at.astimezone(zone)
    return f"{local.day} {local:%B %Y}"
