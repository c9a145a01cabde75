"""Invented names: of streets, firms' people and residents. None is of a real place or person."""

from random import Random


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_FIRST = _words(
    "Alder Ash Badger Beck Birch Bramble Brook Burdock Calder Chapel Clover Coppice Curlew Damson Dunlin Elder Fallow "
    "Fell Fennel Fern Finch Garth Gorse Greave Hart Hawthorn Hazel Heath Heron Hollin Holly Ings Juniper Kestrel "
    "Lapwing Larch Linnet Maple Marl Meadow Merlin Mill Mire Moss Nettle Oak Orchard Osprey Otter Pasture Pine Plover "
    "Poplar Quarry Raven Reed Ribbon Rowan Rush Sedge Sorrel Sparrow Spindle Swallow Sycamore Teasel Thistle Thorn "
    "Thrush Tinker Tithe Vetch Weaver Willow Wren Yarrow Yew"
)
_SECOND = (
    "bank",
    "bridge",
    "croft",
    "dale",
    "field",
    "gate",
    "hill",
    "holme",
    "hurst",
    "ley",
    "side",
    "thwaite",
    "ton",
    "",
)
_KIND = ("Street", "Road", "Avenue", "Close", "Drive", "Terrace", "Grove", "Crescent", "Place", "Walk")
_LANES = ("Lane", "Lane", "Road", "Brow", "Rake")
_GIVEN = _words(
    "Ada Bashir Carys Dev Edith Farah Gwen Hamid Iris Jonas Kit Leila Mabel Nadia Owen Priya Quinn Rosa Sam Tess"
)
_FAMILY = _words(
    "Ackersley Bentham Coldbeck Darwell Eaves Fogg Grindle Hesk Illing Kirkle Longton Marsden Nutter Overby"
)


class Names:
    """Names in an order of their own; a street's is given once."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._given: set[str] = set()

    def street(self, *, rural: bool = False) -> str:
        """A street's name that none has yet."""
        while True:
            stem = self._random.choice(_FIRST) + self._random.choice(_SECOND)
            name = f"{stem} {self._random.choice(_LANES if rural else _KIND)}"
            if name not in self._given:
                self._given.add(name)
                return name

    def person(self) -> str:
        """Somebody's name; two may share one."""
        return f"{self._random.choice(_GIVEN)} {self._random.choice(_FAMILY)}"
