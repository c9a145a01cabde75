"""The order in which a worker looks at its queues: every second message may be the feed's, the others take turns.

People wait for the feed's lines, and its work is short. At 50 reports a second and a load of 11 a line came after 92
and 103 ms so, after 130 and 171 in the turn of eight queues (medians of two runs each, one after the other). Always
first, the feed could keep a busy county's triage waiting.
"""

from typing import Any

from kombu.utils.scheduling import round_robin_cycle

from shared.domain.events import Consumer

FEED = f"drain.{Consumer.FEED}"


class FeedFirst(round_robin_cycle):
    """Given to kombu by name, for Redis; another broker has an order of its own."""

    _last: Any = None

    def rotate(self, last_used: Any) -> Any:
        """A message of this queue was taken: it goes to the end."""
        self._last = last_used
        return super().rotate(last_used)

    def consume(self, n: int) -> list[Any]:
        """The next queues to look at, in their order."""
        turns = super().consume(n)
        return turns if self._last == FEED else sorted(turns, key=FEED.__ne__)
