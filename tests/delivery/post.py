"""Those who take messages, in tests: a real SMTP server that can be told to fail, and a simulation of GOV.UK Notify."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class PostOffice:
    """An SMTP server's handler. `answers`: what is said to the next messages, one each; then 250 again."""

    answers: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    """By recipient: how it is refused."""
    arrived: list[EmailMessage] = field(default_factory=list)
    hold: threading.Event | None = None
    """While it is not set, a message that was taken is not answered."""

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's name)
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.answers:
            return self.answers.pop(0)
        assert isinstance(envelope.content, bytes)
        self.arrived.append(message_from_bytes(envelope.content, policy=policy.default))
        while self.hold is not None and not self.hold.is_set():
            await asyncio.sleep(0.02)
        return "250 Taken"


@contextmanager
def post_office(port: int, office: PostOffice | None = None) -> Iterator[PostOffice]:
    """A server on this port while the block lasts."""
    made = office or PostOffice()
    controller = Controller(made, hostname="127.0.0.1", port=port, server_hostname="localhost")
    controller.start()
    try:
        yield made
    finally:
        if made.hold is not None:
            made.hold.set()
        controller.stop()


# --- a simulation of GOV.UK Notify -----------------------------------------------------------------------------------


@dataclass
class Notified:
    """What the simulation has taken, and how it answers next: (status, body) each; then 201 again."""

    answers: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    lost_answers: int = 0
    """So many messages are taken, and the answer is lost on its way."""
    taken: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


def problem(status: int, kind: str, words: str) -> tuple[int, dict[str, Any]]:
    """An error in the shape that Notify's API documents."""
    return status, {"status_code": status, "errors": [{"error": kind, "message": words}]}


@contextmanager
def notify(port: int) -> Iterator[Notified]:
    """Not Notify: a local server that speaks the shape of its API (POST and GET /v2/notifications)."""
    state = Notified()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if state.answers:
                self._say(*state.answers.pop(0))
                return
            state.taken.append({**told, "id": str(uuid4()), "kind": self.path.rpartition("/")[2]})
            if state.lost_answers:
                state.lost_answers -= 1
                self.connection.close()
                return
            self._say(201, {"id": state.taken[-1]["id"], "reference": told.get("reference")})

        def do_GET(self) -> None:
            (reference,) = parse_qs(urlsplit(self.path).query)["reference"]
            state.asked.append(reference)
            known = [one for one in state.taken if one.get("reference") == reference]
            self._say(200, {"notifications": known, "links": {}})

        def _say(self, status: int, body: dict[str, Any]) -> None:
            written = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(written)))
            self.end_headers()
            self.wfile.write(written)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
