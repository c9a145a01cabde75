"""The connection itself: heads without end, requests that never come whole, and what is no HTTP at all."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from services.api import connection
from services.api.connection import MOST_HEAD_BYTES, Connection
from services.api.problems import OTHERS
from tests.waiting import until

Address = tuple[str, int]


async def _echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers how many bytes came; at /refused without reading them."""
    if scope["path"] == "/refused":
        await PlainTextResponse("no", 413)(scope, receive, send)
        return
    try:
        body = await Request(scope, receive).body()
    except ClientDisconnect:
        return
    await PlainTextResponse(str(len(body)))(scope, receive, send)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Address]:
    """A server with our connections, which waits for half a second."""
    monkeypatch.setenv("ROADMEND_SECRET_KEY", "0" * 32)
    monkeypatch.setattr(connection, "PATIENCE_SECONDS", 0.5)
    serving = uvicorn.Server(
        uvicorn.Config(_echo, port=0, http=Connection, ws="none", lifespan="off", log_config=None, access_log=False)
    )
    thread = threading.Thread(target=serving.run)
    thread.start()
    until(lambda: serving.started, 10, "the server")
    yield serving.servers[0].sockets[0].getsockname()
    serving.should_exit = True
    thread.join()


@contextmanager
def _connected(server: Address) -> Iterator[socket.socket]:
    with socket.create_connection(server, timeout=20) as made:
        yield made


def _all(client: socket.socket) -> bytes:
    """What comes until the server hangs up."""
    heard = b""
    try:
        while piece := client.recv(65536):
            heard += piece
    except ConnectionResetError:
        pass
    return heard


def _sent_until_cut_off(client: socket.socket, most: int) -> int:
    sent = 0
    try:
        while sent < most:
            sent += client.send(b"x" * 65536)
    except (BrokenPipeError, ConnectionResetError):
        pass
    return sent


def _problem(heard: bytes, status: int) -> str:
    """The detail of the one problem that was heard."""
    head, _, body = heard.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), heard[:200]
    assert b"application/problem+json" in head
    assert b"nosniff" in head
    told = json.loads(body)
    assert told["status"] == status
    assert told["type"].removeprefix("/problems/") in {one.code for one in OTHERS}
    return str(told["detail"])


def test_a_head_without_end_is_refused(server: Address) -> None:
    with _connected(server) as client:
        client.sendall(b"GET / HTTP/1.1\r\nX-Big: " + b"x" * (MOST_HEAD_BYTES + 1))

        assert "65,536 bytes" in _problem(_all(client), 431)


def test_an_address_without_end_is_refused(server: Address) -> None:
    with _connected(server) as client:
        client.sendall(b"GET /" + b"x" * (MOST_HEAD_BYTES + 1))

        _problem(_all(client), 431)


@pytest.mark.parametrize(
    "begun",
    [
        b"GET / HTTP/1.1\r\nHost:",
        b"POST / HTTP/1.1\r\nContent-Length: 1000\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
    ],
    ids=["head", "length that lies", "chunk that lies"],
)
def test_a_request_that_does_not_come_whole_is_given_up(server: Address, begun: bytes) -> None:
    with _connected(server) as client:
        client.sendall(begun)

        assert "in time" in _problem(_all(client), 408)


def test_a_body_that_trickles_is_given_up(server: Address) -> None:
    with _connected(server) as client:
        client.sendall(b"POST / HTTP/1.1\r\nContent-Length: 1000\r\n\r\n")
        began, sent = time.monotonic(), 0
        client.settimeout(0.05)

        def has_answered() -> bool:
            nonlocal sent
            client.sendall(b"x")
            sent += 1
            try:
                return bool(client.recv(1))
            except TimeoutError:
                return False

        until(has_answered, 15, "the server to give up")
        assert time.monotonic() - began < 10
        assert sent < 1000


def test_a_connection_on_which_nothing_comes_is_closed(server: Address) -> None:
    with _connected(server) as client:
        assert _all(client) == b""


def test_a_body_that_takes_its_time_but_comes_is_taken(server: Address) -> None:
    with _connected(server) as client:
        client.sendall(b"POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: 20000\r\n\r\n")
        began, left = time.monotonic(), 20
        while left:
            if time.monotonic() - began > (20 - left) * 0.05:
                client.sendall(b"x" * 1000)
                left -= 1

        assert _all(client).endswith(b"\r\n\r\n20000")


def test_a_body_that_goes_on_after_its_answer_is_cut_off(server: Address) -> None:
    with _connected(server) as client:
        client.sendall(b"POST /refused HTTP/1.1\r\nContent-Length: 1000000000\r\n\r\n")

        assert _sent_until_cut_off(client, 1_000_000_000) < 100_000_000


def test_requests_in_a_row_and_in_one_piece_are_answered(server: Address) -> None:
    with _connected(server) as client:
        client.sendall(b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcPOST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nab")
        until(lambda: client.recv(65536, socket.MSG_PEEK).count(b"HTTP/1.1 200") == 2, 10, "two answers")
        client.recv(65536)
        client.sendall(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")

        assert _all(client).endswith(b"0")


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"FOO / HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -3\r\n\r\nabc",
        b"GET / HTTP/1.1\r\nX-A: b\r\n : c\r\n\r\n",
    ],
    ids=["tls", "method", "two lengths", "length and chunks", "negative length", "nameless header"],
)
def test_what_is_no_request_is_a_problem(server: Address, sent: bytes) -> None:
    with _connected(server) as client:
        client.sendall(sent)

        _problem(_all(client), 400)
