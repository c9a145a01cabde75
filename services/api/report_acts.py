"""What a reporter may do with a report as it stands now."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.domain.deadlines import due
from shared.domain.terms import OPEN_REPORT, ReportState
from shared.store.policies import InForce
from shared.store.read_models.reports import Told

CHALLENGEABLE = frozenset({ReportState.RESOLVED, ReportState.REFERRED, ReportState.NO_DEFECT_FOUND})


@dataclass(frozen=True, slots=True)
class Acts:
    """`challenge_until`: it may be said until then that it is not settled; None: not (any more).

    `hears`: messages go to the reporter; None: there is no address that they could go to. `is_known`: there are
    contact details that can be deleted.
    """

    challenge_until: datetime | None = None
    answer: bool = False
    withdraw: bool = False
    hears: bool | None = None
    is_known: bool = False


def acts_of(told: Told, rules: InForce, reached: Any, now: datetime) -> Acts:
    """`reached`: how the reporter is reached, None when nothing is known."""
    state = ReportState(told.row.state)
    until = due(told.since, rules.policy.triage.challenge, rules.calendar).at
    return Acts(
        challenge_until=until if state in CHALLENGEABLE and now <= until else None,
        answer=state is ReportState.NEEDS_INFO,
        withdraw=state in OPEN_REPORT,
        hears=None if reached is None or not (reached.email or reached.phone) else reached.hears,
        is_known=reached is not None,
    )
