"""Limits on how fast one address may send. Counts stand in Redis; with Redis away each process counts for itself."""

import time
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network
from typing import Annotated

from fastapi import Depends, Request
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import FixedWindowRateLimiter
from starlette.concurrency import run_in_threadpool

from services.api.hints import Hints, connections
from shared.errors import TooMany
from shared.flows.tell_people import person_of
from shared.settings import settings

SIGN_IN = "10/minute"
SIGN_IN_AS = "1000/hour"
"""Tries for one person, from everywhere: more than one address can use up, so that none keeps a person out alone."""
FIGURES = "20/minute"
"""Five years of figures are seconds of the database's work, and who shows them asks for a few."""
FOLLOW = "10/minute"
PLACES = "600/minute"
"""A page asks at each pause of typing and at each move of a pin, and a library's visitors share one address."""


class _Counter:
    """Counts in Redis, or here while Redis does not answer: a request is neither held nor refused for that."""

    def __init__(self, address: str) -> None:
        storage = RedisStorage(address, connection_pool=connections(address), key_prefix="roadmend:rate")
        self._shared = FixedWindowRateLimiter(storage)
        self._own = FixedWindowRateLimiter(MemoryStorage())
        self._hints = Hints("rate_counts_alone")

    def count(self, limit: RateLimitItem, what: str, who: str, times: int) -> int:
        """Count a request so many times. Returns 0, or after how many seconds to come again."""
        counted = self._hints.ask(lambda: self._counted(self._shared, limit, what, who, times))
        return self._counted(self._own, limit, what, who, times) if counted is None else counted

    @staticmethod
    def _counted(limiter: FixedWindowRateLimiter, limit: RateLimitItem, what: str, who: str, times: int) -> int:
        if limiter.hit(limit, what, who, cost=times):
            return 0
        until = limiter.get_window_stats(limit, what, who).reset_time
        return max(1, round(until - time.time()))


@lru_cache
def _counter(address: str) -> _Counter:
    return _Counter(address)


def refuse_too_many(limit: str, what: str, who: str, times: int = 1) -> None:
    """Count a request of `who`, so many times.

    Raises:
        TooMany: the limit ("60/minute") is passed.
    """
    wait = _counter(settings().redis_url).count(parse(limit), what, who, times)
    if wait:
        raise TooMany(f"That is more than {limit.replace('/', ' in a ')}. Come again in {wait} seconds.", wait)


async def count(request: Request, what: str, limit: str | None = None, *, times: int = 1) -> None:
    """Count a request of the caller's address under a name; without a limit of its own, the setting's.

    An empty setting counts nothing.

    Raises:
        TooMany: the limit is passed.
    """
    if not settings().rate_limit:
        return
    who = household(request.client.host) if request.client else "unknown"
    await run_in_threadpool(refuse_too_many, limit or settings().rate_limit, what, who, times)


def household(address: str) -> str:
    """Whom an address stands for. Of IPv6 that is its /64: a customer has all of one, to choose from."""
    if ":" not in address:
        return address
    try:
        told = IPv6Address(address)
    except ValueError:
        return address
    return str(told.ipv4_mapped or IPv6Network((int(told), 64), strict=False))


def count_sign_in(email: str) -> None:
    """Count a try to sign in as somebody, wherever it comes from; of the address no more than a hash is kept.

    Raises:
        TooMany: the limit is passed, with whatever password.
    """
    count_one("sign-in as", SIGN_IN_AS, person_of(email, None))


def count_one(what: str, limit: str, who: str) -> None:
    """Count one request of somebody who is known otherwise than by an address. Not where nothing is counted.

    Raises:
        TooMany: the limit is passed.
    """
    if settings().rate_limit:
        refuse_too_many(limit, what, who)


async def _sign_in(request: Request) -> None:
    await count(request, "sign-in", SIGN_IN)


async def _follow(request: Request) -> None:
    await count(request, "follow", FOLLOW)


async def _photo(request: Request) -> None:
    await count(request, "photo")


async def _figures(request: Request) -> None:
    await count(request, "figures", FIGURES)


async def _places(request: Request) -> None:
    await count(request, "places", PLACES)


SignInLimit = Annotated[None, Depends(_sign_in)]
FollowLimit = Annotated[None, Depends(_follow)]
PhotoLimit = Annotated[None, Depends(_photo)]
FiguresLimit = Annotated[None, Depends(_figures)]
PlacesLimit = Annotated[None, Depends(_places)]
