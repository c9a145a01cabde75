"""Places by name, and the name of a place: for whoever looks for a spot on the map, or has put a pin there."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.api.deps import PUBLIC, Asker, Now, Read, requires
from services.api.rate import PlacesLimit
from services.api.schemas import Words
from shared.domain import place
from shared.domain.place import InCounty, Point, Refer, Verdict
from shared.store import gazetteer, network, policies
from shared.store.gazetteer import Place

router = APIRouter(prefix="/api/v1/places", tags=["places"])

PIN_ACCURACY_M = 3.0
"""How well a person puts a pin, where the caller does not say."""


class PlaceFound(BaseModel):
    kind: str = Field(
        description="street, postcode, postcodes (the beginning of some), point, or the kind of an area: district, "
        "division, ward, authority",
        examples=["street"],
    )
    name: str = Field(examples=["Fishergate"])
    label: str = Field(
        description="The name with where it is, to tell one High Street from another",
        examples=["Fishergate, City Centre, Preston"],
    )
    key: str = Field(
        description="A street's key (`street` of other calls), an area's code (`area`), a postcode without its space",
        examples=["fishergate"],
    )
    lat: float = Field(description="On the street, in the area, at the postcode", examples=[53.7584])
    lon: float = Field(examples=[-2.7063])
    box: tuple[float, float, float, float] = Field(
        description="West, south, east and north of all of it", examples=[[-2.7091, 53.7571, -2.6979, 53.7592]]
    )
    area: str | None = Field(None, description="The district it lies in", examples=["Preston"])
    locality: str | None = Field(None, description="The ward or division", examples=["City Centre"])


class PlacesFound(BaseModel):
    places: list[PlaceFound] = Field(description="What is called so, the likeliest first")
    did_you_mean: list[PlaceFound] = Field(description="Where nothing is called so: what is spelt alike")


class SpotFound(BaseModel):
    words: str = Field(examples=["Fishergate, north side, near Church Street"])
    street: str | None = Field(description="Nothing off every street; empty on one without a name")
    side: str | None = Field(description="By the compass; nothing where the accuracy cannot tell", examples=["north"])
    near: str | None = Field(description="The street of the nearest junction", examples=["Church Street"])
    area: str | None = Field(examples=["Preston"])
    locality: str | None = Field(examples=["City Centre"])
    ours: bool = Field(description="Whether a report from here is for this authority")
    why: str | None = Field(description="Where it is not: why, and what to do")
    whose: str | None = Field(description="Where it is another's: whose", examples=["National Highways"])
    contact: str | None = Field(description="Where it is another's: how to reach them")


@router.get("")
def find_places(
    tx: Read,
    asker: Annotated[Asker, requires(PUBLIC)],
    limited: PlacesLimit,
    q: Annotated[
        Words,
        Query(
            min_length=2,
            max_length=100,
            description="A postcode or its beginning; a street, also with its place; a district, ward or division",
            examples=["high street, leyland"],
        ),
    ],
    limit: Annotated[int, Query(ge=1, le=50)] = 10,
) -> PlacesFound:
    """Find a street, a postcode, a part of one, or an area. What is called just so comes first."""
    del asker, limited
    found = gazetteer.find(tx, q, limit)
    return PlacesFound(
        places=[_shown(one) for one in found.places], did_you_mean=[_shown(one) for one in found.did_you_mean]
    )


@router.get("/at")
def name_place(
    tx: Read,
    now: Now,
    asker: Annotated[Asker, requires(PUBLIC)],
    limited: PlacesLimit,
    lat: Annotated[float, Query(ge=-90, le=90, allow_inf_nan=False, examples=[53.7584])],
    lon: Annotated[float, Query(ge=-180, le=180, allow_inf_nan=False, examples=[-2.7063])],
    accuracy_m: Annotated[
        float, Query(ge=0, le=1_000_000, allow_inf_nan=False, description="As of a report's place")
    ] = PIN_ACCURACY_M,
) -> SpotFound:
    """Say what a spot is called and whose it is, as a report from there would be judged."""
    del asker, limited
    policy = policies.in_force(tx, now).policy
    (located,) = network.locate(tx, [Point(lat, lon, accuracy_m)], policy.place)
    spot, verdict = gazetteer.at(tx, located), place.judge(located, policy.place)
    target, contact = (verdict.target, verdict.contact) if isinstance(verdict, Refer) else (None, None)
    return SpotFound(
        words=spot.words,
        street=spot.street,
        side=spot.side,
        near=spot.near,
        area=spot.area,
        locality=spot.locality,
        ours=isinstance(verdict, InCounty),
        why=_why(verdict),
        whose=target,
        contact=contact,
    )


def _why(verdict: Verdict) -> str | None:
    return None if isinstance(verdict, InCounty) else verdict.why


def _shown(found: Place) -> PlaceFound:
    return PlaceFound.model_validate(found, from_attributes=True)
