"""Dates as pages say them, on the council's clock: "Monday 30 November 2026", "4:30pm on 3 November 2026"."""

from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Dates:
    """Given to templates as `dates`. Times go in aware."""

    zone: str

    def day(self, at: datetime) -> str:
        """The day with its year."""
        local = self._local(at)
        return f"{local.day} {local:%B %Y}"

    def weekday(self, at: datetime) -> str:
        """The day, with which day of the week it is."""
        return f"{self._local(at):%A} {self.day(at)}"

    def clock(self, at: datetime) -> str:
        """The hour: 4:30pm, 9am, midday, midnight."""
        local = self._local(at)
        if (local.hour, local.minute) in ((0, 0), (12, 0)):
            return "midday" if local.hour else "midnight"
        minutes = f":{local:%M}" if local.minute else ""
        return f"{local.hour % 12 or 12}{minutes}{'pm' if local.hour >= 12 else 'am'}"

    def moment(self, at: datetime) -> str:
        """Day and hour."""
        return f"{self.day(at)} at {self.clock(at)}"

    def promised(self, at: datetime) -> str:
        """A date that was promised: the day, where it runs to the day's end, else with the hour."""
        return self.weekday(at) if self._is_end(at) else f"{self.clock(at)} on {self.weekday(at)}"

    def by(self, at: datetime) -> str:
        """The same after the word "by": "the end of Monday 30 November 2026"."""
        return f"the end of {self.weekday(at)}" if self._is_end(at) else self.promised(at)

    def _is_end(self, at: datetime) -> bool:
        return self._local(at).time().replace(second=0, microsecond=0) == time(23, 59)

    def short(self, at: datetime) -> str:
        """For a page that is looked at all day: Tue 24 Nov 2026 14:05."""
        local = self._local(at)
        return f"{local:%a} {local.day} {local:%b %Y %H:%M}"

    def _local(self, at: datetime) -> datetime:
        return at.astimezone(ZoneInfo(self.zone))
