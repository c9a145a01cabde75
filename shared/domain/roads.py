"""What an open road map says of a road's class, in the authority's terms: maintenance hierarchy and maintainer.

The classes are those of OS Open Roads, OS OpenMap Local, OS MasterMap Highways and OpenStreetMap. A map knows neither
hierarchy nor adoption (DOMAIN 4): these are defaults until the council's own list is loaded over them.
"""

from collections.abc import Mapping

HIERARCHY: Mapping[str, str] = {
    "motorway": "2",
    "primary road": "2",
    "trunk": "2",
    "primary": "2",
    "a road": "3a",
    "secondary": "3a",
    "b road": "3b",
    "tertiary": "3b",
    "classified unnumbered": "4a",
    "minor road": "4a",
    "unclassified": "4b",
    "local road": "4b",
    "local street": "4b",
}
"""By class in small letters; a class that is not here is 4b, the least."""
LEAST = "4b"
MAINTAINERS = ("council", "trunk", "private", "other")

_TRUNK = ("motorway", "motorway_link", "trunk road")


def hierarchy_of(road_class: str) -> str:
    """The maintenance hierarchy that goes with a map's class: "A Road, Collapsed Dual Carriageway" is 3a."""
    return HIERARCHY.get(plain(road_class), LEAST)


def maintainer_of(road_class: str, *, trunk: bool = False) -> str:
    """Who mends a road of this class. `trunk` where the map marks trunk roads.

    A council's own motorway, as Lancashire has 10 km of, must be mapped from a column of its own.
    """
    kind = plain(road_class)
    if trunk or kind in _TRUNK:
        return "trunk"
    return "private" if kind.startswith("private") else "council"


def plain(road_class: str) -> str:
    """The class without what is said after a comma, in small letters."""
    return road_class.split(",")[0].strip().lower()
