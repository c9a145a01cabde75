"""How a resident can be reached, as the last form asks for it; and the two traps for programs that fill in forms.

Contact details are never kept with a draft: they come with the very request that sends it (docs/decisions/0045).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from services.api.drafts import cleaned
from services.api.rate import count, count_one
from shared.domain import reaching
from shared.domain.reaching import NotAnAddress
from shared.flows.receive_report import Contact
from shared.flows.tell_people import person_of
from shared.settings import settings

BAIT = "website"
"""A field that nobody sees. Should a password manager fill it, it is shown, and whoever empties it goes on."""
REPORTER_LIMIT = "20/hour"
"""Reports with one and the same address: an address is somebody, whichever machine it is typed on."""


@dataclass(frozen=True, slots=True)
class Given:
    """What was typed, and what is wrong with it by field."""

    name: str
    email: str
    phone: str
    bait: str
    errors: Mapping[str, str]

    @property
    def contact(self) -> Contact:
        return Contact(self.name or None, self.email or None, self.phone or None)


NOTHING = Given("", "", "", "", {})


def read(name: str, email: str, phone: str, bait: str) -> Given:
    """What somebody typed, checked. All of it may be left empty."""
    typed = (cleaned(name, 200), cleaned(email, 254), cleaned(phone, 40), cleaned(bait, 200))
    return Given(*typed, errors=dict(_wrong(*typed)))


def _wrong(name: str, email: str, phone: str, bait: str) -> list[tuple[str, str]]:
    del name
    wrong = []
    if email:
        try:
            reaching.email(email)
        except NotAnAddress as refused:
            wrong.append(("email", refused.errors.get("email", refused.detail)))
    if phone and sum(letter.isdigit() for letter in phone) < 7:
        wrong.append(("phone", "Enter a telephone number, like 01632 960 001 or 07700 900 982"))
    if bait:
        wrong.append((BAIT, "Leave this empty. It is there to find programs that fill in every field"))
    return wrong


async def count_sending(request: Request) -> None:
    """Count a report of this address on the network.

    Raises:
        TooMany: it sends more than the setting allows.
    """
    await count(request, "report")


def count_reporter(contact: Contact) -> None:
    """Count a report of whoever gave this e-mail address or number; of it no more than a hash is kept, for an hour.

    Raises:
        TooMany: the limit is passed.
    """
    if contact.email or contact.phone:
        count_one("reporter", REPORTER_LIMIT, person_of(contact.email, contact.phone))


async def count_contact(contact: Contact) -> None:
    """The same on the event loop. A report that nobody is told of costs no thread.

    Raises:
        TooMany: the limit is passed.
    """
    if settings().rate_limit and (contact.email or contact.phone):
        await run_in_threadpool(count_reporter, contact)
