"""Scripts, styles and images at /assets/…: kept by browsers for a year, since a change changes the name."""

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.api import assets, templates
from services.api.deps import PUBLIC, Asker, requires
from shared.errors import NotFound

router = APIRouter(include_in_schema=False)

FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}


@router.get(assets.ADDRESS + "{name}")
async def serve(name: str, request: Request, _: Annotated[Asker, requires(PUBLIC)]) -> Response:
    """A coroutine: all is in memory."""
    found = assets.find(name)
    if found is None:
        raise NotFound("There is no such file. Pages that you load anew name those that there are.")
    coding, body = found.best(request.headers.get("accept-encoding", ""))
    headers = {**FOR_EVER, "Content-Encoding": coding} if coding else dict(FOR_EVER)
    if found.kind.startswith("text/javascript"):
        # A worker's policy is that of its own file: the map's asks for tiles.
        headers["Content-Security-Policy"] = templates.policy()
    return Response(body, headers=headers, media_type=found.kind)
