"""The bank holidays, from the copy of GOV.UK's list that is installed with us. The network is never asked."""

from datetime import date
from functools import lru_cache

from govuk_bank_holidays.bank_holidays import BankHolidays

from shared.domain.deadlines import WorkingCalendar
from shared.domain.policy import CalendarRules


def load(rules: CalendarRules) -> WorkingCalendar:
    """The working calendar that a policy asks for: its division's holidays and the late announced ones it adds.

    The years known are those of the list, unless the policy says otherwise (`first_year`, `last_year`).
    """
    days = _published(rules.division)
    return WorkingCalendar(
        holidays=(days | frozenset(rules.extra_holidays)) - frozenset(rules.not_holidays),
        first_year=rules.first_year or min(day.year for day in days),
        last_year=rules.last_year or max(day.year for day in days),
        cutoff=rules.cutoff,
        zone=rules.timezone,
        due_at=rules.due_at,
    )


@lru_cache
def _published(division: str) -> frozenset[date]:
    published = BankHolidays(use_cached_holidays=True)
    return frozenset(holiday["date"] for holiday in published.get_holidays(division=division))
