"""The bare server that figures are held against: a no-op POST, and a fan-out of NOTIFY by Starlette alone."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from fastapi import FastAPI
from sqlalchemy import make_url
from starlette.responses import StreamingResponse

CHANNEL = "bare"


class Spread:
    """The newest chunk, and the moment at which it changes: what any fan-out has to do at least."""

    def __init__(self) -> None:
        self.chunk = b""
        self.moved = asyncio.Event()

    def say(self, chunk: bytes) -> None:
        self.chunk = chunk
        moved, self.moved = self.moved, asyncio.Event()
        moved.set()

    async def listen(self) -> None:
        """Every NOTIFY goes to every client as it came."""
        url = make_url(os.environ["ROADMEND_DATABASE_URL"]).set(drivername="postgresql")
        address = url.render_as_string(hide_password=False)
        async with await psycopg.AsyncConnection.connect(address, autocommit=True) as heard:
            await heard.execute(f"LISTEN {CHANNEL}")
            async for told in heard.notifies():
                self.say(told.payload.encode())

    async def chunks(self) -> AsyncIterator[bytes]:
        yield b"retry: 2000\n\n"
        while True:
            await self.moved.wait()
            yield self.chunk


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.spread = Spread()
    listening = asyncio.create_task(app.state.spread.listen())
    yield
    listening.cancel()


app = FastAPI(lifespan=_lifespan, openapi_url=None)


@app.get("/ready")
async def ready() -> dict[str, bool]:
    return {"ready": True}


@app.post("/noop", status_code=201)
async def noop(given: dict[str, Any]) -> dict[str, Any]:
    """Reads the body as JSON, does nothing, and answers with something."""
    return {"reference": "R-0000-0000", "category": given["category"]}


@app.get("/feed")
async def feed() -> StreamingResponse:
    return StreamingResponse(app.state.spread.chunks(), media_type="text/event-stream")
