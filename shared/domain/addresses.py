"""Reads a street and a house number out of an address as people type and cities publish it.

Where a deployment has no street network, the name in the address says which street a report is on; with a network, only
the house number is taken from here.
"""

import re
from dataclasses import dataclass

CROSSING = " & "
"""Joins the two streets of a crossing in one street key: "humboldt av & york st". A crossing lies on both."""

_NUMBERED = re.compile(r"^(\d+)[A-Z]?(?:\s*[-–]\s*\d+[A-Z]?)?\s+(?!(?:ST|ND|RD|TH)\b)(.+)$")
_BETWEEN = re.compile(r"\s*(?:&|@|/|\bAND\b|\bAT\b)\s*")
_LEAD = re.compile(r"^(?:INTERSECTION|JUNCTION|CORNER)(?: OF)? ")
_WORD = re.compile(r"[A-Z0-9]+")
_SHORT = {
    "AVENUE": "AVE",
    "AV": "AVE",
    "BOULEVARD": "BLVD",
    "CLOSE": "CL",
    "COURT": "CT",
    "CRESCENT": "CRES",
    "DRIVE": "DR",
    "GARDENS": "GDNS",
    "GROVE": "GR",
    "HIGHWAY": "HWY",
    "LANE": "LN",
    "PARKWAY": "PKWY",
    "PLACE": "PL",
    "ROAD": "RD",
    "SAINT": "ST",
    "SQUARE": "SQ",
    "STREET": "ST",
    "TERRACE": "TER",
    "EAST": "E",
    "NORTH": "N",
    "SOUTH": "S",
    "WEST": "W",
}


@dataclass(frozen=True, slots=True)
class Address:
    """`street_key` is None when no street is named, `house_number` when none is given; of a range it is the first."""

    street_key: str | None
    house_number: int | None


NO_ADDRESS = Address(None, None)


def read_address(written: str) -> Address:
    """Street and house number of "12-14 High Street, Preston" or "INTERSECTION Dudley St & Dennis St"."""
    if not written:
        return NO_ADDRESS
    line = _LEAD.sub("", written.split(",")[0].upper().replace("'", "").replace("’", "").strip())
    number = None
    if numbered := _NUMBERED.match(line):
        number, line = int(numbered[1]), numbered[2]
    streets = sorted({street for part in _BETWEEN.split(line) if (street := _street(part))})
    return Address(CROSSING.join(streets[:2]) or None, number if number is None or number < 1_000_000 else None)


def _street(part: str) -> str:
    return " ".join(_SHORT.get(word, word) for word in _WORD.findall(part)).lower()
