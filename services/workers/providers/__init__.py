"""Who takes messages out of the building: SMTP, GOV.UK Notify, or a mailbox on this machine. Chosen by settings."""

from collections.abc import Callable, Mapping

from services.workers.providers.kinds import Provider
from services.workers.providers.mailbox import Mailbox
from services.workers.providers.notify import Notify
from services.workers.providers.smtp import Smtp
from shared.settings import settings

_MADE: Mapping[str, Callable[[], Provider]] = {"mailbox": Mailbox, "smtp": Smtp, "notify": Notify}


def providers() -> dict[str, Provider]:
    """By channel, those that are set; one object where both channels have the same."""
    known = settings()
    chosen = {"email": known.mail_provider, "sms": known.sms_provider}
    made = {name: _MADE[name]() for name in set(chosen.values()) if name != "none"}
    return {channel: made[name] for channel, name in chosen.items() if name != "none"}
