"""The street network as vector tiles, so that a map needs nobody else's: drawn once, kept, and named by its version."""

import gzip
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from services.api.deps import PUBLIC, Asker, Read, requires
from services.api.tile_cache import Packed, TileCache
from shared.errors import NotFound
from shared.store.engine import reading
from shared.store.read_models import street_tiles
from shared.store.read_models.defect_tiles import Tile
from shared.store.read_models.street_tiles import DEEPEST

router = APIRouter(prefix="/api/v1/streets/tiles", tags=["streets"])

MEDIA_TYPE = "application/vnd.mapbox-vector-tile"
FOR_EVER = "public, max-age=31536000, immutable"
FOR_NOW = "public, max-age=300"
_cache = TileCache()


class StreetTiles(BaseModel):
    """Where the tiles are, in the way of TileJSON; their address is relative to this server's."""

    tiles: list[str] = Field(examples=[["/api/v1/streets/tiles/{z}/{x}/{y}.mvt?v=5f0c9a31"]])
    version: str = Field(description="Another one for each drawing of the network", examples=["5f0c9a31"])
    minzoom: int = 0
    maxzoom: int = Field(DEEPEST, description="Nearer than this a map draws these tiles larger")
    bounds: list[float] | None = Field(
        min_length=4,
        max_length=4,
        description="West, south, east and north of the authority's land; nothing while no network is loaded",
        examples=[[-3.06, 53.48, -2.05, 54.24]],
    )


@router.get("")
def describe_tiles(tx: Read, asker: Annotated[Asker, requires(PUBLIC)], response: Response) -> StreetTiles:
    """Where the network's tiles are, and where on earth they lie."""
    del asker
    version, found = street_tiles.version(tx), street_tiles.bounds(tx)
    response.headers["Cache-Control"] = "public, max-age=60"
    return StreetTiles(
        tiles=[f"{router.prefix}/{{z}}/{{x}}/{{y}}.mvt?v={version}"],
        version=version,
        bounds=None if found is None else [found.west, found.south, found.east, found.north],
    )


@router.get(
    "/{z}/{x}/{y}.mvt",
    response_class=Response,
    responses={
        200: {
            "description": "The tile; empty where nothing is",
            "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
        },
        304: {"description": "It is as `If-None-Match` says"},
        404: {"description": "The zoom has no such tile"},
    },
)
def draw_street_tile(
    z: Annotated[int, Path(ge=0, le=DEEPEST, description="Zoom", examples=[13])],
    x: Annotated[int, Path(ge=0, description="Column, from the west", examples=[4034])],
    y: Annotated[int, Path(ge=0, description="Row, from the north", examples=[2649])],
    request: Request,
    asker: Annotated[Asker, requires(PUBLIC)],
    v: Annotated[
        str | None, Query(max_length=40, description="The version: a tile that is asked for by it never changes")
    ] = None,
) -> Response:
    """Streets and borders as a Mapbox Vector Tile.

    Layers: `land` (what is ours), `edges` (`kind` authority or district), `streets` (`kind` is the maintenance
    hierarchy: up to zoom 8 2 and 3a, to 10 3b, to 12 4a; `name` from zoom 11; `whose` where it is not the council's),
    and `names` of areas as points.
    """
    del asker
    square = Tile(z, x, y)
    if not square.exists:
        raise NotFound(f"Zoom {z} has no tile {x}/{y}: columns and rows run from 0 to {2**z - 1}.")
    packed, lasting = _drawn(square, v)
    headers = {"ETag": packed.etag, "Cache-Control": FOR_EVER if lasting else FOR_NOW, "Vary": "Accept-Encoding"}
    if packed.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    body = packed.body
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
    else:
        body = gzip.decompress(body)
    return Response(body, headers=headers, media_type=MEDIA_TYPE)


def _drawn(square: Tile, wanted: str | None) -> tuple[Packed, bool]:
    """The tile, and whether it is the wanted version's: what is kept of that needs no look at the database."""
    if wanted and (kept := _cache.get((wanted, square.zoom, square.x, square.y))):
        return kept, True
    with reading() as tx:
        version = street_tiles.version(tx)
        key = (version, square.zoom, square.x, square.y)
        packed = _cache.get(key) or _cache.put(key, street_tiles.tile(tx, square))
    return packed, wanted == version
