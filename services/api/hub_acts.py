"""Acts as the hub's pages show them: what each is called, those that are lawful first, the others with their reason."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.flows.weigh_acts import Act

TITLES: Mapping[str, str] = {
    "confirm": "Confirm and grade",
    "monitor": "Watch it",
    "no_defect": "No defect",
    "third_party": "Somebody else's",
    "defer": "Leave to a scheme",
    "mended": "Mended by others",
    "reopen": "Look at it again",
    "made_safe": "Made safe",
    "order": "Order the repair",
    "cancel_order": "Cancel its works order",
    "reissue_order": "Give its order to another",
    "merge": "Merge with another",
    "take_in": "Take another in",
    "unmerge": "Undo the merge",
    "split": "Split",
    "unlink": "Unlink a report",
    "link": "Link to a defect",
    "new_defect": "A defect of its own",
    "ask": "Ask the reporter",
    "refer": "Pass it on",
    "reject": "Reject it",
    "restore": "Take the rejection back",
}
KEYS: Mapping[str, str] = {"confirm": "c", "order": "a", "merge": "m", "split": "x", "link": "l", "ask": "q"}
"""Single keys for what is done most."""
REPORT_TITLES: Mapping[str, str] = {"no_defect": "Nothing found", "unlink": "Unlink from a defect"}


@dataclass(frozen=True, slots=True)
class Shown:
    """One act on a page. `key` is pressed for it; None: it has none."""

    name: str
    title: str
    key: str | None
    why_not: str | None


def listed(acts: Sequence[Act], names: Mapping[str, str], titles: Mapping[str, str] | None = None) -> list[Shown]:
    """The lawful ones first. `names`: of people, by what stands for them in reasons ("person:7")."""
    own = {**TITLES, **(titles or {})}
    shown = [Shown(one.name, own[one.name], KEYS.get(one.name), _named(one.why_not, names)) for one in acts]
    return sorted(shown, key=lambda one: one.why_not is not None)


_PERSON, _CODE = re.compile(r"person:\d+"), re.compile(r"\b[a-z]+(?:_[a-z]+)+\b")


def _named(why: str | None, names: Mapping[str, str]) -> str | None:
    """With people by their names, and states as people write them."""
    if why is None:
        return None
    named = _PERSON.sub(lambda found: names.get(found[0], "somebody"), why)
    return _CODE.sub(lambda found: found[0].replace("_", " "), named)
