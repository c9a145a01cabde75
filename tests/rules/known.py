"""The shipped policy, its calendar and times as a test writes them."""

from datetime import datetime
from functools import cache
from pathlib import Path

from shared import calendars
from shared.domain.deadlines import WorkingCalendar, at_local
from shared.domain.policy import Policy, parse
from shared.settings import ROOT

LONDON = "Europe/London"


def policy_file(name: str) -> Path:
    return ROOT / "shared" / "policy" / f"{name}.toml"


@cache
def shipped(name: str = "lancashire") -> Policy:
    return parse(policy_file(name).read_text(), f"{name}.toml")


@cache
def calendar(name: str = "lancashire") -> WorkingCalendar:
    return calendars.load(shipped(name).calendar)


def changed(old: str, new: str, name: str = "lancashire") -> Policy:
    """The shipped policy with one piece of its text replaced."""
    text = policy_file(name).read_text()
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the policy"
    return parse(text.replace(old, new), f"{name}.toml")


def local(text: str) -> datetime:
    """A moment by the local clock in England."""
    return at_local(datetime.fromisoformat(text), LONDON)
