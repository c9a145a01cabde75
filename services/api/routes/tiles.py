"""Defects as vector tiles, for a live map: MapLibre's source of type "vector" takes them as they are."""

from hashlib import blake2b
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from services.api.defect_filters import Filters
from services.api.deps import PUBLIC, STAFF, Asker, Read, requires
from shared.errors import NotFound
from shared.store.read_models import defect_map, defect_tiles
from shared.store.read_models.defect_tiles import DEEPEST, Tile

router = APIRouter(prefix="/api/v1/defects/tiles", tags=["defects"])

MEDIA_TYPE = "application/vnd.mapbox-vector-tile"
FRESH_SECONDS = {True: 10, False: 60}
"""How long a map of staff (True) or of the public shows a tile before it asks again by itself."""


@router.get(
    "/{z}/{x}/{y}.mvt",
    response_class=Response,
    responses={
        200: {
            "description": "The tile; empty where nothing is",
            "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
        },
        304: {"description": "It is as `If-None-Match` says"},
        403: {"description": "state, band and overdue are for staff"},
        404: {"description": "The zoom has no such tile"},
    },
)
def draw_tile(
    z: Annotated[int, Path(ge=0, le=DEEPEST, description="Zoom", examples=[13])],
    x: Annotated[int, Path(ge=0, description="Column, from the west", examples=[4034])],
    y: Annotated[int, Path(ge=0, description="Row, from the north", examples=[2649])],
    request: Request,
    tx: Read,
    asker: Annotated[Asker, requires(PUBLIC, *STAFF, scope="defects:read")],
    filters: Filters,
) -> Response:
    """Defects as a Mapbox Vector Tile, layer `defects`; what is still to be done, unless filters say which. What has
    ended is drawn from zoom 12.

    A feature is `count` defects. Up to zoom 13 it counts a square 32 pixels wide, from 14 it is one defect; one that
    stands alone has `reference`, `class`, `status`, `label`, `open` and `reports`, for staff `state`, `band`, `area`
    and `due_at` (seconds since 1970) too. `overdue` and `danger`, for staff, count those in it.
    """
    square = Tile(z, x, y)
    if not square.exists:
        raise NotFound(f"Zoom {z} has no tile {x}/{y}: columns and rows run from 0 to {2**z - 1}.")
    wanted = filters.wanted(asker, otherwise=defect_map.TO_BE_DONE)
    body = defect_tiles.tile(tx, square, wanted, staff=asker.is_staff)
    headers = _headers(body, staff=asker.is_staff)
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=MEDIA_TYPE)


def _headers(body: bytes, *, staff: bool) -> dict[str, str]:
    """A tile of staff stays with them; that of the public may be kept on the way, but is nobody else's."""
    kept = "private" if staff else "public"
    return {
        "ETag": f'"{blake2b(body, digest_size=12).hexdigest()}"',
        "Cache-Control": f"{kept}, max-age={FRESH_SECONDS[staff]}",
        "Vary": "Authorization, Cookie",
    }
