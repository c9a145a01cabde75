"""Renders the pages: HTML that needs no script, every value escaped, every name in a template known."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, PrefixLoader, StrictUndefined, Undefined
from jinja2.exceptions import TemplateRuntimeError, UndefinedError
from jinja2.utils import missing
from starlette.responses import HTMLResponse

from services.api import assets
from services.api.look import look

FOLDER = Path(__file__).parent / "web" / "templates"


class _Careful(Undefined):
    """A name that a page was not given is an error. A key that a dict has not got is empty, as GOV.UK's macros want.

    What Jinja itself leaves open with a hint (a parameter, an `if` without `else`) is empty too: the macros have both.
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


@lru_cache
def _environment() -> Environment:
    made = Environment(
        loader=ChoiceLoader(
            [
                FileSystemLoader(FOLDER),
                PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")}),
            ]
        ),
        autoescape=True,
        undefined=_Careful,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(asset=assets.asset, preloads=assets.preloads, styles=assets.styles)
    return made


def _policy() -> str:
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
    text = _environment().get_template(name).render(known)
    return HTMLResponse(text, status, headers={"Content-Security-Policy": _policy()})
