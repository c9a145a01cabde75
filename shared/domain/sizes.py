"""How large, by everyday comparison: what a person can say of a hole without a tape measure."""

from collections.abc import Mapping
from types import MappingProxyType

SIZES: Mapping[str, str] = MappingProxyType(
    {
        "golf_ball": "About as wide as a golf ball",
        "mug": "About as wide as a mug",
        "dinner_plate": "About as wide as a dinner plate",
        "larger": "Wider than a dinner plate",
    }
)
"""By code, smallest first."""
ACROSS: Mapping[str, str] = MappingProxyType(
    {"golf_ball": "4 cm", "mug": "8 cm", "dinner_plate": "26 cm", "larger": "more than 26 cm"}
)
"""What that is in figures, for who reads the report."""


def with_size(size: str | None, description: str) -> str:
    """The words of a report with its size before them: it is the reporter's own guess, and no measurement.

    Facts of a defect are what somebody measured who looked; a guess there would set a band (docs/decisions/0045).
    """
    if size is None:
        return description
    return f"{SIZES[size]} ({ACROSS[size]}). {description}".strip()
