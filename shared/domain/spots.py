"""A spot on the network in words that a resident reads: "Fishergate, north side, near Church Street"."""

from dataclasses import dataclass

_SIDES = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")


@dataclass(frozen=True, slots=True)
class Spot:
    """What a spot is called.

    `street` is None off every street, and "" on one without a name. `side` is a compass point, None where the accuracy
    cannot tell; `near` the street whose junction is closest, None where there is none in reach. `area` and `locality`
    are the district and the ward or division.
    """

    street: str | None
    side: str | None = None
    near: str | None = None
    area: str | None = None
    locality: str | None = None

    @property
    def words(self) -> str:
        """One line, without a full stop."""
        if self.street is None:
            parts = ["Away from every street on our map", *(f"in {name}" for name in self._within[:1])]
            return ", ".join([*parts, f"near {self.near}"] if self.near else parts)
        parts = [self.street or "A road without a name"]
        if self.side:
            parts.append(f"{self.side} side")
        if self.near:
            parts.append(f"near {self.near}")
        elif not self.street:
            parts += self._within[:1]
        return ", ".join(parts)

    @property
    def _within(self) -> list[str]:
        return [name for name in (self.locality, self.area) if name]


def side_of(bearing_deg: float) -> str:
    """The compass point on whose side of the street a spot lies; the bearing is that from the street to the spot."""
    return _SIDES[round(bearing_deg % 360 / 45) % len(_SIDES)]
