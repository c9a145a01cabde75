"""Places by name: streets and postcodes, for whoever looks for a spot on the map."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.api.deps import PUBLIC, Asker, Read, requires
from shared.store import network
from shared.store.network import Named

router = APIRouter(prefix="/api/v1/places", tags=["places"])


class PlaceFound(BaseModel):
    kind: str = Field(description="street or postcode", examples=["street"])
    name: str = Field(examples=["Fishergate"])
    lat: float = Field(examples=[53.7584])
    lon: float = Field(examples=[-2.7063])
    area: str | None = Field(
        None, description="The district, to tell one High Street from another", examples=["Preston"]
    )


class PlacesFound(BaseModel):
    places: list[PlaceFound]


@router.get("")
def find_places(
    tx: Read,
    asker: Annotated[Asker, requires(PUBLIC)],
    q: Annotated[str, Query(min_length=2, max_length=100, description="A postcode, or the beginning of a street")],
    limit: Annotated[int, Query(ge=1, le=50)] = 10,
) -> PlacesFound:
    """Find a street or a postcode. A postcode that is known comes first."""
    del asker
    postcode = network.postcode_at(tx, q)
    found = [] if postcode is None else [_shown("postcode", postcode)]
    streets = network.streets_named(tx, q, limit - len(found))
    return PlacesFound(places=[*found, *(_shown("street", street) for street in streets)])


def _shown(kind: str, place: Named) -> PlaceFound:
    return PlaceFound(kind=kind, name=place.name, lat=place.lat, lon=place.lon, area=place.area)
