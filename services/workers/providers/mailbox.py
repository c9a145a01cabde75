"""The mailbox of this machine: nothing leaves it. A message is kept once, by its key."""

from services.workers.providers.mime import written
from shared.letters.render import Letter
from shared.settings import settings
from shared.store import mailbox


class Mailbox:
    """See `kinds.Provider`."""

    def send(self, key: str, channel: str, to: str, letter: Letter) -> str:
        """Keep it; texts too, as what they would say."""
        if channel == "sms":
            return self._keep_text(key, to, letter)
        return mailbox.keep(settings().mailbox_dir, key, written(key, to, letter).as_bytes())

    @staticmethod
    def _keep_text(key: str, to: str, letter: Letter) -> str:
        made = written(key, "text@localhost", letter)
        del made["To"]
        made["To"] = to
        made["X-Roadmend-Channel"] = "sms"
        made.set_content(letter.sms)
        return mailbox.keep(settings().mailbox_dir, key, made.as_bytes())

    def sent_before(self, key: str, channel: str) -> str | None:
        del channel
        return mailbox.name_of(key) if mailbox.has(settings().mailbox_dir, key) else None

    def close(self) -> None:
        """Nothing is held open."""
