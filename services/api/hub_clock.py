"""Times as the hub writes them, on the council's clock: "Tue 24 Nov 2026 14:05"."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from shared.errors import NotFound
from shared.store import policies
from shared.store.engine import ReadTx

BEFORE_A_POLICY = ZoneInfo("Europe/London")


@dataclass(frozen=True, slots=True)
class HubClock:
    """Given to templates as `clock`. Times go in aware."""

    zone: ZoneInfo

    def day(self, at: datetime) -> str:
        local = at.astimezone(self.zone)
        return f"{local:%a} {local.day} {local:%b %Y}"

    def short(self, at: datetime) -> str:
        """The day without which day of the week it is."""
        local = at.astimezone(self.zone)
        return f"{local.day} {local:%b %Y}"

    def moment(self, at: datetime) -> str:
        return f"{self.day(at)} {at.astimezone(self.zone):%H:%M}"


def clock(tx: ReadTx, now: datetime) -> HubClock:
    """That of the policy in force."""
    try:
        return HubClock(policies.in_force(tx, now).calendar.tz)
    except NotFound:
        return HubClock(BEFORE_A_POLICY)
