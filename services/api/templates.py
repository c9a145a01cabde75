"""Renders the pages: HTML that needs no script, every value escaped, every name in a template known."""

from collections.abc import MutableMapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, PackageLoader, PrefixLoader, StrictUndefined, Template, Undefined
from jinja2.exceptions import TemplateRuntimeError, UndefinedError
from jinja2.utils import missing
from starlette.responses import HTMLResponse

from services.api import assets
from services.api.look import look

FOLDER = Path(__file__).parent / "web" / "templates"


_MACROS = "govuk_frontend_jinja/"


class _Careful(Undefined):
    """A name that a page was not given is an error, as is an attribute of an object; a dict's missing key is empty.

    GOV.UK's parameters are dicts, and so is `errors`. An `if` without `else`, which has a hint, is empty too.
    """

    def __new__(
        cls,
        hint: str | None = None,
        obj: Any = missing,
        name: str | None = None,
        exc: type[TemplateRuntimeError] = UndefinedError,
    ) -> Any:
        kind = Undefined if hint is not None or isinstance(obj, dict) else StrictUndefined
        return kind(hint, obj, name, exc)


def _lenient() -> Environment:
    """For GOV.UK's macros, which ask for names that there may be, such as `errorId`."""
    loader = PrefixLoader({_MACROS.rstrip("/"): PackageLoader("govuk_frontend_jinja")})
    return Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)


class _Pages(Environment):
    """Our templates, strictly; what they import of GOV.UK's macros is theirs to run."""

    def __init__(self) -> None:
        super().__init__(
            loader=FileSystemLoader(FOLDER), autoescape=True, undefined=_Careful, trim_blocks=True, lstrip_blocks=True
        )
        self._macros = _lenient()
        self.globals.update(asset=assets.asset, preloads=assets.preloads, styles=assets.styles)

    def get_template(
        self, name: str | Template, parent: str | None = None, globals: MutableMapping[str, Any] | None = None
    ) -> Template:
        if isinstance(name, str) and name.startswith(_MACROS):
            return self._macros.get_template(name)
        return super().get_template(name, parent, globals)


@lru_cache
def environment() -> Environment:
    """That of all pages."""
    return _Pages()


def policy() -> str:
    """What a page may load and where its forms may go: nothing inline, and nothing from elsewhere but a basemap."""
    basemap = f" {origin}" if (origin := look().basemap_origin) else ""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; manifest-src 'self'; "
        f"worker-src 'self'; img-src 'self' data: blob:{basemap}; connect-src 'self'{basemap}; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def page(name: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page from its template.

    `errors` among the values maps a field's id to what is wrong with it: the layout then shows GOV.UK's error summary
    and begins the title with "Error:". `current` is the address of the navigation's entry that the page belongs to.
    """
    known = {"errors": {}, "current": "", "look": look(), **values}
    text = environment().get_template(name).render(known)
    return HTMLResponse(text, status, headers={"Content-Security-Policy": policy()})
