"""Until when something may be kept: what began before this moment has run out its time (DOMAIN 8)."""

from datetime import UTC, datetime, timedelta

from shared.domain.deadlines import Clock, Unit, WorkingCalendar, due

_LONGEST_DAYS = {Unit.DAYS: 1, Unit.WORKING_DAYS: 3, Unit.MONTHS: 31}
"""Days that one of each may take; working days with the bank holidays among them."""


def ran_out(clock: Clock, now: datetime, calendar: WorkingCalendar) -> datetime:
    """The moment before which the clock of whatever began then has run out. Begun at it or after: it runs still.

    Days and months run to the end of their last local day, so the answer is a local midnight, in UTC.
    """
    if clock.unit is Unit.HOURS:
        return now - timedelta(hours=clock.count)
    today = now.astimezone(calendar.tz).date()
    ended, running = clock.count * _LONGEST_DAYS[clock.unit] + 10, 0
    while ended - running > 1:
        middle = (ended + running) // 2
        began = datetime.combine(today - timedelta(days=middle), datetime.min.time(), tzinfo=calendar.tz)
        if due(began, clock, calendar).at < now:
            ended = middle
        else:
            running = middle
    first = today - timedelta(days=running)
    return datetime.combine(first, datetime.min.time(), tzinfo=calendar.tz).astimezone(UTC)
