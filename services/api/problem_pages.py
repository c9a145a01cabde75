"""The page that a person gets where a program gets a problem: what went wrong, and what to do next."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response
from starlette.types import Scope

from services.api import templates
from shared.logs import correlation


@dataclass(frozen=True, slots=True)
class Words:
    """What a page says. `shows_detail`: the refusal's own sentence is for whoever reads it, not for a programmer."""

    title: str
    next: str
    shows_detail: bool = False


_AGAIN = "Nothing was lost. Try again in a few seconds."
_WORDS = {
    404: Words(
        "Page not found",
        "If you typed the address, check that it is right. If you pasted it, check that you copied all of it.",
    ),
    401: Words("You need to sign in", "This page is for people who work on the roads.", shows_detail=True),
    403: Words("You cannot see this page", "Your account is not allowed to.", shows_detail=True),
    405: Words("You cannot go there directly", "Go back and press the button on the page before."),
    409: Words("This has changed in the meantime", "Load the page again to see how it is now.", shows_detail=True),
    413: Words("That is too large", "Send less, or a smaller file.", shows_detail=True),
    429: Words(
        "Too many requests",
        "What you wrote is kept. Wait, go back and press the button again.",
        shows_detail=True,
    ),
    500: Words("Sorry, there is a problem with the service", "Try again later. We have recorded what happened."),
    503: Words("Sorry, the service is unavailable", _AGAIN),
}
_OTHERWISE = Words(
    "There is a problem with what was sent", "Go back, put it right and send it again.", shows_detail=True
)


def are_wanted(scope: Scope) -> bool:
    """Whether the request came from somebody reading pages: to a page's route, or to none with a wish for HTML."""
    route: Any = scope.get("route")
    if route is not None:
        return str(getattr(route.endpoint, "__module__", "")).startswith("services.api.pages")
    accepted = b",".join(value for name, value in scope["headers"] if name == b"accept")
    return b"text/html" in accepted and not scope["path"].startswith("/api/")


def page(status: int, detail: str, headers: Mapping[str, str]) -> Response:
    """The page for a status."""
    words = _WORDS.get(status, _OTHERWISE)
    answer = templates.page(
        "problem.html", status, words=words, detail=detail if words.shows_detail else "", correlation=correlation()
    )
    answer.headers.update(headers)
    return answer
