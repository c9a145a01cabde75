"""What a request shows to say who asks: an API key, a reporter's secret, or a session's signed cookie."""

import hmac
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from itsdangerous import BadSignature, Signer
from starlette.requests import Request
from starlette.responses import Response

from shared.errors import NotAllowed, SignInNeeded
from shared.flows.manage_access import SESSION_TERM, Kind
from shared.settings import settings
from shared.store.access import KEY_MARK

COOKIE = "roadmend_session"
CSRF_HEADER = "X-CSRF-Token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


_SHOWING = frozenset({b"authorization", b"cookie"})


@dataclass(frozen=True, slots=True)
class Credentials:
    """A secret, and what kind of secret it says it is."""

    kind: Kind
    secret: str


def shows_nothing(request: Request) -> bool:
    """Whether `told_by` has nothing to look at: so most residents come."""
    scope = request.scope
    return not scope["query_string"] and _SHOWING.isdisjoint([name for name, _ in scope["headers"]])


def told_by(request: Request) -> Credentials | None:
    """What the request shows; None for the public. A header goes before a cookie.

    Raises:
        SignInNeeded: the credentials are not of a form that we give out.
    """
    if written := request.headers.get("authorization"):
        return _from_header(written)
    if token := request.query_params.get("token"):
        return Credentials(Kind.TRACKING, token)
    if cookie := request.cookies.get(COOKIE):
        return _from_cookie(request, cookie)
    return None


def _from_header(written: str) -> Credentials:
    scheme, _, secret = written.partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise SignInNeeded("Send the key or the tracking secret as: Authorization: Bearer …")
    secret = secret.strip()
    return Credentials(Kind.KEY if secret.startswith(KEY_MARK) else Kind.TRACKING, secret)


def _from_cookie(request: Request, cookie: str) -> Credentials | None:
    """A browser sends its cookie along whoever made it ask, so for an unsafe request the cookie alone is nobody."""
    secret = _unsigned(cookie)
    if secret is None:
        return None
    if request.method not in SAFE_METHODS and not (_is_our_site(request) and _shows_token(request, secret)):
        return None
    return Credentials(Kind.SESSION, secret)


def _is_our_site(request: Request) -> bool:
    site = request.headers.get("sec-fetch-site", "same-origin")
    origin = request.headers.get("origin")
    ours = {request.url.netloc, urlsplit(settings().public_url).netloc}
    return site in ("same-origin", "none") and (origin is None or urlsplit(origin).netloc in ours)


def _shows_token(request: Request, secret: str) -> bool:
    shown = request.headers.get(CSRF_HEADER, "")
    return hmac.compare_digest(shown.encode(), csrf_token(secret).encode())


def refuse_other_sites(request: Request) -> None:
    """Refuse what a page of another site made a browser send.

    Raises:
        NotAllowed: the browser says that the request comes from elsewhere.
    """
    if not _is_our_site(request):
        raise NotAllowed("This request came from another site.")


def csrf_token(secret: str) -> str:
    """The token that goes with a session: made of its secret, so that nothing more is stored."""
    return hmac.new(settings().secret().encode(), f"csrf:{secret}".encode(), "sha256").hexdigest()


def session_secret(request: Request) -> str | None:
    """The secret of the session that the cookie holds, where its signature is ours."""
    return _unsigned(request.cookies.get(COOKIE, ""))


def _unsigned(cookie: str) -> str | None:
    try:
        return _signer().unsign(cookie).decode()
    except BadSignature:
        return None


def set_cookie(response: Response, secret: str) -> None:
    """Give the browser its session: not readable by scripts, not sent along from other sites."""
    response.set_cookie(
        COOKIE,
        _signer().sign(secret).decode(),
        max_age=int(SESSION_TERM.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=settings().public_url.startswith("https"),
        path="/",
    )


def drop_cookie(response: Response) -> None:
    response.delete_cookie(COOKIE, path="/")


@lru_cache
def _signer() -> Signer:
    return Signer(settings().secret(), salt="roadmend.session")
