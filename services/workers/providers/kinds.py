"""What a provider is, and how it says that it could not take a message."""

from datetime import timedelta
from typing import Protocol

from shared.letters.render import Letter


class Away(Exception):
    """The provider cannot be reached or is busy: nothing else need be tried now. `wait`: as long as it said."""

    def __init__(self, why: str, wait: timedelta | None = None) -> None:
        super().__init__(why)
        self.wait = wait


class NotNow(Exception):
    """It does not take this message now; another it may."""


class Never(Exception):
    """It will never take this message: the address is none, or it is refused for good."""


class Provider(Protocol):
    """Not shared between threads."""

    def send(self, key: str, channel: str, to: str, letter: Letter) -> str:
        """Send one message. Returns the provider's own name for it.

        Raises:
            Away, NotNow, Never: it did not leave, as far as is known.
        """

    def sent_before(self, key: str, channel: str) -> str | None:
        """The provider's name for a message that left by this key; None when it did not, or this provider cannot tell.

        Raises:
            Away: it cannot be asked now.
        """

    def close(self) -> None:
        """Let go of what was held open."""
