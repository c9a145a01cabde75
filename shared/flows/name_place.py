"""Names a place that somebody is about to report: said back in words, whose it is, and what is known there already."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.domain import nearby
from shared.domain.drafts import Place
from shared.domain.nearby import Near
from shared.domain.place import Ask, InCounty, Located, Point, Refer, Refuse, judge
from shared.domain.spots import Spot
from shared.domain.whereabouts import address, in_words
from shared.errors import NotFound
from shared.flows.receive_report import PlaceRefused, PlaceUnclear
from shared.store import gazetteer, network, policies, references
from shared.store.engine import ReadTx
from shared.store.policies import InForce
from shared.store.read_models import nearby as known
from shared.store.read_models.nearby import Seen

__all__ = ["Around", "PlaceRefused", "PlaceUnclear", "Seen", "around", "name_place", "the_defect"]


@dataclass(frozen=True, slots=True)
class Around:
    """What is known near a place. `street_key` is of the street that the place is on, where it is on one."""

    near: Sequence[Near]
    street_key: str | None


def name_place(tx: ReadTx, point: Point, now: datetime, *, landmark: str = "") -> Place:
    """Say a place back in words, and whose it is. The verdict is the one that a report from there will get.

    `landmark`: a house number or what is there, as it was typed.

    Raises:
        PlaceUnclear: it is not known well enough.
        PlaceRefused: it cannot be, or nobody that we know of looks after it.
    """
    rules = policies.in_force(tx, now)
    located = network.locate(tx, [point], rules.policy.place)[0]
    match judge(located, rules.policy.place):
        case Ask(_, why):
            raise PlaceUnclear(why, {"place": why})
        case Refuse(_, why):
            raise PlaceRefused(why, {"place": why})
        case Refer(target, why, contact):
            return _place(point, gazetteer.at(tx, located), landmark, whose=target, why=why, contact=contact)
        case InCounty():
            return _place(point, gazetteer.at(tx, located), landmark)


def _place(point: Point, spot: Spot, landmark: str, **whose: str | None) -> Place:
    words, written = in_words(spot, landmark), address(spot, landmark)
    return Place(lat=point.lat, lon=point.lon, accuracy_m=point.accuracy_m, words=words, address=written, **whose)


def around(tx: ReadTx, place: Place, now: datetime) -> Around:
    """The few defects and repairs that it may be one of, the nearest first."""
    rules = policies.in_force(tx, now)
    point = Point(place.lat, place.lon, place.accuracy_m)
    located = network.locate(tx, [point], rules.policy.place)[0]
    if located.x is None or located.y is None:
        return Around((), None)
    near = known.near(tx, located.x, located.y, _reach(located, rules))
    return Around(nearby.shown(near, now), located.street.key if located.street else None)


def _reach(located: Located, rules: InForce) -> float:
    rural = located.street is not None and located.street.rural
    return nearby.reach_m(located.point.accuracy_m, rules.policy.duplicates, rural=rural)


def the_defect(tx: ReadTx, written: str) -> Seen:
    """A defect that somebody says it is, or whose repair has failed, by its reference as it was typed.

    Raises:
        NotFound: there is none, or the public is not shown it.
    """
    found = known.named(tx, references.read(written))
    if found is None:
        raise NotFound("There is no defect with this reference. Letters and digits as in D-7K3M-9QXF.")
    return found
