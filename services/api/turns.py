"""Requests with photos take turns: whoever waits holds neither a thread nor a connection, and stops nobody else."""

from collections.abc import AsyncIterator
from typing import Annotated

from anyio import Semaphore
from anyio.lowlevel import RunVar
from fastapi import Depends

from shared.pictures import AT_ONCE

_turns: RunVar[Semaphore] = RunVar("photo_turns")


async def take_turn() -> AsyncIterator[None]:
    """Wait for a turn and keep it until the route has returned. Ask for it before a transaction."""
    turns = _turns.get(None)
    if turns is None:
        turns = Semaphore(AT_ONCE)
        _turns.set(turns)
    async with turns:
        yield


PhotoTurn = Annotated[None, Depends(take_turn, scope="function")]
