"""`python -m bench.load`: a load generator in a process of its own. Reads tasks as lines of JSON, answers each by one.

Every answer carries `cpu`: the share of one processor that the generator itself used. Near 1 it was the bottleneck.
"""

import asyncio
import itertools
import json
import re
import secrets
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import uvloop

from bench import client
from bench.client import Link

_ID = re.compile(rb"id: (\d+)(?:-[0-9a-f]+)?\n")
_REFERENCE = re.compile(rb'"reference":"([^"]+)"')
PATIENCE_SECONDS = 20.0

Told = dict[str, Any]


def _requests(task: Told) -> Iterator[bytes]:
    """Each with a key of its own, as a real client's. Bodies come once each; `again` begins anew with the first."""
    bodies = Path(task["bodies"]).read_bytes().split(b"\n") if "bodies" in task else [b""]
    run = secrets.token_hex(8)
    for number, body in enumerate(itertools.cycle(bodies) if task.get("again") else bodies):
        headers = dict(task.get("headers", {}))
        if task["method"] == "POST":
            headers["Idempotency-Key"] = f"{run}-{number}"
        yield client.request(task["method"], task["path"], task["port"], body, headers)


async def closed(task: Told) -> Told:
    """So many connections, each with its next request as soon as the last is answered, for so many seconds."""
    requests = list(itertools.islice(_requests(task), task.get("most", 1_000_000)))
    left = iter(requests)
    links = [await client.connect(task["port"]) for _ in range(task["connections"])]
    seconds: list[float] = []
    statuses: Counter[int] = Counter()
    cpu, began = time.process_time(), time.perf_counter()
    ends = began + task["seconds"]

    async def one(link: Link) -> None:
        for asked in left:
            answer = await link.ask(asked)
            statuses[answer.status] += 1
            seconds.append(answer.seconds)
            if time.perf_counter() > ends:
                return

    await asyncio.gather(*(one(link) for link in links))
    took = time.perf_counter() - began
    for link in links:
        link.close()
    await asyncio.sleep(0)
    return {
        "took": took,
        "seconds": seconds,
        "statuses": statuses,
        "cpu": (time.process_time() - cpu) / took,
        "ran_dry": next(left, None) is None,
    }


async def delay(task: Told) -> Told:
    """At a steady pace: from the sending of a report to its line on a client that follows the feed."""
    seen: dict[bytes, float] = {}
    sent: dict[bytes, float] = {}
    statuses: Counter[int] = Counter()

    def heard(at: float, chunk: bytes) -> None:
        for line in chunk.split(b"\n\n"):
            if b"event: ReportReceived" in line and (found := _REFERENCE.search(line)):
                seen.setdefault(found[1], at)

    await client.listen(task["port"], task["feed"], heard)
    free: asyncio.Queue[Link] = asyncio.Queue()
    for _ in range(16):
        free.put_nowait(await client.connect(task["port"]))

    async def one(asked: bytes) -> None:
        link = await free.get()
        answer = await link.ask(asked)
        free.put_nowait(link)
        statuses[answer.status] += 1
        if found := _REFERENCE.search(answer.body):
            sent[found[1]] = answer.sent

    cpu, began = time.process_time(), time.perf_counter()
    tasks = [asyncio.create_task(one(asked)) async for asked in _paced(task, _requests(task))]
    await asyncio.gather(*tasks)
    await _until(lambda: sent.keys() <= seen.keys())
    took = time.perf_counter() - began
    delays = [seen[one] - sent[one] for one in sent if one in seen]
    return {
        "seconds": delays,
        "unseen": len(sent.keys() - seen.keys()),
        "statuses": statuses,
        "cpu": (time.process_time() - cpu) / took,
    }


async def notify(task: Told) -> Told:
    """At a steady pace: from a NOTIFY to its line on a client of the bare server."""
    seen: dict[int, float] = {}
    sent: dict[int, float] = {}

    def heard(at: float, chunk: bytes) -> None:
        for found in _ID.finditer(chunk):
            seen[int(found[1])] = at

    await client.listen(task["port"], task["feed"], heard)
    async with await psycopg.AsyncConnection.connect(task["database"], autocommit=True) as db:
        async for number in _paced(task, itertools.count(1)):
            sent[number] = time.perf_counter()
            chunk = f"id: {number}\nevent: ReportReceived\ndata: {task['line']}\n\n"
            await db.execute("SELECT pg_notify('bare', %s)", [chunk])
    await _until(lambda: sent.keys() <= seen.keys())
    return {"seconds": [seen[one] - sent[one] for one in sent if one in seen], "unseen": len(sent.keys() - seen.keys())}


async def crowd(task: Told) -> Told:
    """So many clients of one feed, for as long as standard input lasts. Each of its lines names numbers of the feed to
    wait for; the answer says when each client had them."""
    arrived: dict[int, list[float]] = {}

    def heard(at: float, chunk: bytes) -> None:
        for found in _ID.finditer(chunk):
            arrived.setdefault(int(found[1]), []).append(at)

    room = asyncio.Semaphore(100)

    async def join() -> None:
        async with room:
            await client.listen(task["port"], task["path"], heard)

    await asyncio.gather(*(join() for _ in range(task["clients"])))
    print("ready", flush=True)
    cpu, began = time.process_time(), time.perf_counter()
    while asked := await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline):
        wanted = json.loads(asked)
        await _until(lambda: all(len(arrived.get(number, ())) >= task["clients"] for number in wanted))  # noqa: B023
        share = (time.process_time() - cpu) / (time.perf_counter() - began)
        print(json.dumps({"arrived": {number: arrived.get(number, []) for number in wanted}, "cpu": share}), flush=True)
    return {}


async def _paced(task: Told, things: Iterator[Any]) -> Any:
    """One after another at `rate` a second for `seconds`, whoever is late."""
    first = time.perf_counter()
    for number, thing in enumerate(itertools.islice(things, int(task["rate"] * task["seconds"]))):
        await asyncio.sleep(max(0.0, first + number / task["rate"] - time.perf_counter()))
        yield thing


async def _until(condition: Any) -> None:
    deadline = time.perf_counter() + PATIENCE_SECONDS
    while not condition() and time.perf_counter() < deadline:
        await asyncio.sleep(0.01)


KINDS = {"closed": closed, "delay": delay, "notify": notify, "crowd": crowd}


def main() -> None:
    """One task after the other, each on a loop of its own, until there is no more."""
    while line := sys.stdin.readline():
        task = json.loads(line)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            print(json.dumps(runner.run(KINDS[task["kind"]](task))), flush=True)


if __name__ == "__main__":
    main()
