"""Finds the reports of an e-mail address for staff, and records that somebody looked (docs/decisions/0059)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.domain.events import ReporterLookedUp
from shared.domain.looked_up import mark, whole_address
from shared.errors import Invalid
from shared.settings import settings
from shared.store import contacts, event_log
from shared.store.engine import WriteTx


@dataclass(frozen=True, slots=True)
class LookedUp:
    """How many reports there are, and the ids of the newest."""

    found: int
    newest: Sequence[int]


def look_up(tx: WriteTx, typed: str, most: int, now: datetime) -> LookedUp:
    """The newest reports whose reporter is reached by exactly this address, in any case; who asks stands in `tx`.

    Raises:
        Invalid: it is not a whole address: by a part of one nobody is looked up.
    """
    address = whole_address(typed)
    if address is None:
        raise Invalid(
            "Type the whole address, such as ada@example.org: nobody is looked up by a part of one.",
            {"email": "is not a whole e-mail address"},
        )
    found = contacts.of_address(tx, address)
    told = ReporterLookedUp(deployment_id=1, address_mark=mark(address, settings().secret()), reports=len(found))
    event_log.append(tx, told, now)
    return LookedUp(len(found), found[:most])
