"""Find a report or a defect by its reference, as people type it."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse

from services.api import templates, tracking
from services.api.deps import Read, for_everybody
from shared.store.read_models import references

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

_UNKNOWN = "We have no report with this reference. It has 8 letters and digits, like R-7K3M-9QXF."


@router.get("/find", response_model=None)
@for_everybody
def find(tx: Read, reference: Annotated[str | None, Query(max_length=100)] = None) -> Response:
    """The form; with a reference, on to its page."""
    typed = (reference or "").strip()
    if reference is not None and typed:
        known = references.find(tx, typed)
        if known is not None:
            return tracking.see(f"/{'reports' if known.startswith('R') else 'defects'}/{known}")
        return _page(typed, _UNKNOWN, 404)
    return _page("", "Enter the reference of your report" if reference is not None else None)


def _page(typed: str, wrong: str | None, status: int = 200) -> HTMLResponse:
    errors = {} if wrong is None else {"reference": wrong}
    return templates.page("find.html", status, current="/find", typed=typed, errors=errors)
