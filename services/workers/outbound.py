"""Sends what is due to leave: taken in one transaction, sent outside any, marked in another; one run at a time.

A run that meets a provider that is away stops there: the rest goes back untried and waits as long as the first does.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from services.workers.providers import providers
from services.workers.providers.kinds import Away, Never, Provider
from shared.flows import send_messages
from shared.flows.send_messages import Outgoing
from shared.logs import logger
from shared.store.engine import transaction

log = logger(__name__)

AT_ONCE = 50
"""Messages that one claim takes."""
LONGEST_RUN_SECONDS = 20.0
"""After that a run ends, so that a slow provider never holds a worker for long. The lease is longer."""
ACTOR = "worker:outbound"


def send_due() -> int:
    """Send what is due, as far as one run goes. Returns how many have left.

    Raises:
        OperationalError: the database went away. What had left and is not marked is asked about, or goes again.
    """
    known = providers()
    ends, left = time.monotonic() + LONGEST_RUN_SECONDS, 0
    try:
        while known and time.monotonic() < ends:
            with transaction(ACTOR) as tx:
                taken = send_messages.claim(tx, _now(), AT_ONCE)
            if not taken:
                break
            done, stopped = _send_all(taken, known, ends)
            left += done
            if stopped:
                break
    finally:
        for provider in set(known.values()):
            provider.close()
    return left


def _send_all(taken: Sequence[Outgoing], known: Mapping[str, Provider], ends: float) -> tuple[int, bool]:
    """Send these, until one meets a provider that is away, or time is over. How many left, and whether it stopped."""
    left = 0
    for number, one in enumerate(taken):
        if time.monotonic() >= ends:
            _let_go(taken[number:], _now())
            return left, True
        try:
            left += _send(one, known[one.channel])
        except Away as away:
            due = _put_back(one, away, away.wait)
            _let_go(taken[number + 1 :], due)
            return left, True
    return left, False


def _send(one: Outgoing, provider: Provider) -> bool:
    """One message, with its mark. True when it has left.

    Raises:
        Away: the provider is.
    """
    try:
        sent_as = provider.sent_before(one.key, one.channel) if one.again else None
        if sent_as is None:
            sent_as = provider.send(one.key, one.channel, one.to, one.letter(_now()))
    except Away:
        raise
    except Never as no:
        _put_back(one, no, for_good=True)
        return False
    except Exception as error:  # noqa: BLE001 (one message that cannot be written or sent holds up no other)
        _put_back(one, error)
        return False
    with transaction(ACTOR) as tx:
        send_messages.sent(tx, one, sent_as, _now())
    log.info("message_sent", message_id=one.id, channel=one.channel, template=one.template, tries=one.tries)
    return True


def _put_back(one: Outgoing, error: Exception, wait: timedelta | None = None, *, for_good: bool = False) -> datetime:
    """Keep what went wrong. Returns when a provider that is away is tried again."""
    now, said = _now(), _said(error)
    with transaction(ACTOR) as tx:
        parked = send_messages.failed(tx, one, said, now, for_good=for_good, wait=wait)
    log.warning("message_parked" if parked else "message_failed", message_id=one.id, tries=one.tries, error=said)
    return now + (wait or send_messages.wait_after(one.tries))


def _said(error: Exception) -> str:
    """What went wrong, without addresses and numbers, which servers like to repeat: many may read it."""
    words = f"{type(error).__name__}: {error}".split()
    return " ".join("…" if "@" in word or sum(map(str.isdigit, word)) > 6 else word for word in words)[:300]


def _let_go(untried: Sequence[Outgoing], due_at: datetime) -> None:
    with transaction(ACTOR) as tx:
        send_messages.let_go(tx, untried, due_at)


def _now() -> datetime:
    return datetime.now(UTC)
