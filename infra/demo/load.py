"""Fills an empty database with the made-up county: policy, network, people who may sign in, a survey fleet's key."""

import secrets
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from shapely import to_wkb
from shapely.geometry import LineString, MultiPolygon, Polygon
from sqlalchemy import exists, select

from infra.demo.account import Account, SignIn
from infra.demo.county import GRID, County, Outline, Road, made
from shared.domain.terms import Role
from shared.errors import Conflict, NotFound
from shared.flows import adopt_policy, load_network, manage_access
from shared.flows.load_network import AreaRow, StreetRow, Stretch
from shared.settings import settings
from shared.store import policies
from shared.store.engine import ReadTx, WriteTx
from shared.store.tables import area, person, report, street

FLEET = "demo-survey"
_OPERATOR, _DOMAIN = "olive", "demo.example"
_WORDS = "alder beck curlew dunlin fern gorse heron larch marl otter plover quarry reed sorrel thorn wren yarrow"


def is_empty(tx: ReadTx) -> bool:
    """Whether nobody has begun with this database: no network, no people, no reports."""
    begun = select(*(exists(select(table.c.id)) for table in (area, street, person, report)))
    return not any(tx.execute(begun).one())


def is_loaded(tx: ReadTx) -> bool:
    """Whether the made-up county is what was loaded."""
    return tx.scalar(select(person.c.id).where(person.c.email == f"{_OPERATOR}@{_DOMAIN}")) is not None


def fill(tx: WriteTx, now: datetime) -> Account:
    """Load the county and make who drives it. Returns their secrets, which are told this once.

    Raises:
        Conflict: the deployment's grid is not the one that the county lies on.
    """
    if settings().grid_epsg != GRID:
        raise Conflict(f"The demo county lies on EPSG:{GRID}; this deployment's grid is EPSG:{settings().grid_epsg}.")
    _adopt(tx, settings().policy_file, now)
    _draw(tx, made(), now)
    people = tuple(_people(tx, now))
    key = manage_access.make_key(tx, "Demo survey fleet", Role.VENDOR, ["detections:write"], now, source=FLEET)
    return Account(people, key.told)


def _adopt(tx: WriteTx, file: Path, now: datetime) -> None:
    try:
        policies.in_force(tx, now)
    except NotFound:
        adopt_policy.adopt(tx, file.read_text(), file.name, now)


def _draw(tx: WriteTx, county: County, now: datetime) -> None:
    load_network.areas(tx, [_area(place, one) for place, one in enumerate(county.outlines)], GRID)
    load_network.streets(tx, [_street(place, one) for place, one in enumerate(county.roads)], GRID)
    load_network.finish(tx, Stretch("streets", "demo county", len(county.roads), 0), now)


def _area(place: int, one: Outline) -> AreaRow:
    return AreaRow(
        line=place,
        code=one.code,
        name=one.name,
        kind=one.kind,
        served=one.served,
        contact=one.contact,
        parent_code=None,
        wkb=to_wkb(MultiPolygon([Polygon(one.ring)])),
    )


def _street(place: int, one: Road) -> StreetRow:
    return StreetRow(
        line=place,
        network_id=f"demo-{one.usrn}",
        usrn=one.usrn,
        name=one.name,
        road_class=one.road_class,
        hierarchy=one.hierarchy,
        maintainer=one.maintainer,
        level=0,
        rural=one.rural,
        wkb=to_wkb(LineString(one.line)),
    )


def _people(tx: WriteTx, now: datetime) -> Iterator[SignIn]:
    """An operator, a supervisor, an admin, and one person of each contractor of the policy."""
    wanted: list[tuple[str, str, Role, str | None]] = [
        (_OPERATOR, "Olive Operator", Role.OPERATOR, None),
        ("sunil", "Sunil Supervisor", Role.SUPERVISOR, None),
        ("ada", "Ada Admin", Role.ADMIN, None),
    ]
    for code, firm in policies.in_force(tx, now).policy.contractors.items():
        wanted.append((f"crew.{code}", f"Crew of {firm.name}", Role.CONTRACTOR, code))
    for account, name, role, contractor in wanted:
        email, password = f"{account}@{_DOMAIN}", _password()
        manage_access.add_person(tx, email, name, role, now, password=password, contractor=contractor)
        yield SignIn(role.value, name, email, password, contractor)


def _password() -> str:
    """One that can be typed from a screen: three words and four digits, some 25 random bits, for a demo only."""
    words = "-".join(secrets.choice(_WORDS.split()) for _ in range(3))
    return f"{words}-{secrets.randbelow(10_000):04d}"
