"""Which of a report's words and photos everybody sees (DOMAIN 8; policy [privacy])."""

from enum import StrEnum

from shared.domain.policy_sections import PrivacyRules
from shared.domain.screening import screen
from shared.domain.terms import ReportState

NEVER_SHOWN = frozenset({ReportState.REJECTED, ReportState.WITHDRAWN})
"""Spam is not published, and what its reporter takes back is not shown on."""


class Shown(StrEnum):
    """How a report's words are shown: without what reaches or names a person, as they stand, or not at all."""

    SCREENED = "screened"
    RELEASED = "released"
    WITHHELD = "withheld"


def public_words(
    description: str, state: ReportState, rules: PrivacyRules, *, released: bool, withheld: bool
) -> str | None:
    """What everybody reads of a description; None: nothing."""
    if withheld or state in NEVER_SHOWN or not description.strip():
        return None
    if released:
        return description
    return screen(description).words if rules.words == "screened" else None
