"""What the pages of reports and defects show: one shape for both, made of the read models."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.api.dates import Dates
from shared.domain.public import PublicStatus
from shared.domain.terms import DefectState
from shared.domain.timeline import Moment
from shared.store.policies import InForce
from shared.store.read_models import defects, following, photos
from shared.store.read_models.following import Measured

PUBLIC = {"Cache-Control": "public, max-age=60", "Vary": "Cookie"}
"""A page without anything private. Whoever has the report's cookie asks anew."""
PRIVATE = {"Cache-Control": "private, no-store"}

TAGS = {
    "fixed": "govuk-tag--green",
    "in_progress": "govuk-tag--yellow",
    "action_scheduled": "govuk-tag--blue",
    "planned": "govuk-tag--blue",
    "reopen": "govuk-tag--orange",
    "no_further_action": "govuk-tag--grey",
    "cancelled": "govuk-tag--grey",
    "duplicate": "govuk-tag--grey",
    "internal_referral": "govuk-tag--purple",
    "not_councils_responsibility": "govuk-tag--purple",
}
"""Colours of the statuses; the words say it all without them."""


@dataclass(frozen=True, slots=True)
class Found:
    """A defect as a page shows it."""

    reference: str
    title: str
    street: str | None
    status: PublicStatus
    timeline: Sequence[Moment]
    photos: Sequence[Any]
    measured: Measured | None
    warranted_until: date | None
    same_as: str | None
    recurs: str | None
    again: Sequence[str]
    row: Any

    @property
    def shots(self) -> dict[str, list[Any]]:
        """The photos by what they show: report, before, after."""
        return {role: [one for one in self.photos if one.role == role] for role in ("report", "before", "after")}

    @property
    def is_mended(self) -> bool:
        """By us, verified and under warranty: a failure is a recall."""
        return self.warranted_until is not None and self.row.state == DefectState.IN_WARRANTY


def found(tx: Any, reference: str, rules: InForce) -> Found:
    """One defect; a duplicate with its original's photos.

    Raises:
        NotFound: there is no such defect.
    """
    told = defects.told(tx, reference)
    row = told.row
    stands = row.merged_into or row.id
    return Found(
        reference=row.reference,
        title=title_of(row.class_code, rules),
        street=row.street or None,
        status=told.status,
        timeline=told.timeline,
        photos=photos.public_of_defect(tx, stands),
        measured=following.measured(row, rules.policy),
        warranted_until=following.warranted_until(tx, stands),
        same_as=row.same_as,
        recurs=row.recurs,
        again=following.came_again(tx, row.id),
        row=row,
    )


def title_of(class_code: str, rules: InForce) -> str:
    """What the public calls this class."""
    rule = rules.policy.classes.get(class_code)
    return rule.title if rule else "Problem"


def dates_of(rules: InForce) -> Dates:
    return Dates(rules.policy.calendar.timezone)
