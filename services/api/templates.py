"""Renders the pages: plain HTML that needs no script, every value escaped."""

import base64
import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

_FOLDER = Path(__file__).parent / "web" / "templates"
_environment = Environment(
    loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


def _hash_of_style() -> str:
    """The one style that a page may have, as its policy names it: by hash, so that no other runs."""
    style = _environment.get_template("roadmend.css").render()
    return base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


_SECURITY = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_hash_of_style()}'; img-src data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
}


def page(name: str, **values: Any) -> HTMLResponse:
    """A page from its template."""
    return HTMLResponse(_environment.get_template(name).render(values), headers=_SECURITY)
