"""Shapes that several routes share."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, Strict
from pydantic_core import CoreSchema

from shared.domain import reaching
from shared.domain.public import PublicStatus
from shared.domain.timeline import Moment as Told

_KEPT = {"\n", "\t"}
_LAWFUL = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"
"""What `_printable` lets through, for the OpenAPI document."""


@dataclass(frozen=True)
class _Shown:
    """Writes a pattern into the document that a validator of ours enforces in its own words."""

    pattern: str

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: Callable[[CoreSchema], dict[str, Any]]
    ) -> dict[str, Any]:
        return {**handler(schema), "pattern": self.pattern}


def _printable(written: str) -> str:
    """Text without control characters but line breaks and tabs; PostgreSQL keeps no NUL, and a log no escape codes."""
    cleaned = written.replace("\r\n", "\n").replace("\r", "\n")
    if cleaned.isascii() and cleaned.isprintable():
        return cleaned
    for letter in cleaned:
        if letter not in _KEPT and (ord(letter) < 32 or 127 <= ord(letter) < 160 or 0xD800 <= ord(letter) <= 0xDFFF):
            raise ValueError("has a control character")
    return cleaned


Words = Annotated[str, AfterValidator(_printable), _Shown(_LAWFUL)]
"""Text as people type it, names and codes among it."""


def _reachable(written: str) -> str:
    try:
        return reaching.email(written)
    except reaching.NotAnAddress as refused:
        raise ValueError(refused.detail) from None


_BARRED = r"@\s<>,;:\x00-\x1f\x7f-\x9f"
_WORD = rf'[^{_BARRED}"()\[\]\\]+'
Email = Annotated[
    str,
    Field(pattern=rf"^{_WORD}@{_WORD}\.[^{_BARRED}.]{{2,}}$", max_length=reaching.LONGEST_EMAIL),
    AfterValidator(_reachable),
]
"""An address that we can write to. The pattern tells in the document what it can of `reaching.email`."""


def _as_iso(form: str, example: str) -> BeforeValidator:
    """Dates as they are written: Pydantic also takes a number for seconds since 1970, which nobody means."""
    lawful = re.compile(form, re.ASCII)

    def read(value: object) -> object:
        if isinstance(value, date) or (isinstance(value, str) and lawful.match(value)):
            return value
        raise ValueError(f"is not written as in {example}")

    return BeforeValidator(read)


_EARLIEST, _LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def _of_our_times(value: datetime) -> datetime:
    if not _EARLIEST <= value <= _LATEST:
        raise ValueError("lies before 1900 or after 2200")
    return value


Day = Annotated[date, _as_iso(r"\d{4}-\d\d-\d\d$", "2026-12-01")]
Since = Annotated[AwareDatetime, _as_iso(r"\d{4}-\d\d-\d\d[Tt ]", "2026-12-01T09:05:00Z")]
"""A time that a list is filtered by, however far away."""
Instant = Annotated[Since, AfterValidator(_of_our_times)]
"""When something happened or will: one of which a local time and the days after it can be told."""


YesNo = Annotated[bool, Strict()]
Whole = Annotated[int, Strict()]
Number = Annotated[float, Strict()]
"""As JSON writes them: a text that looks like a number is none."""


class Input(BaseModel):
    """What comes in: a field that is not known is refused, never ignored."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


Seen = Annotated[Whole, Field(ge=0, le=2**63 - 1, examples=[48213])]
"""The newest event of a thing that somebody knew, as a read gave it."""


class Act(Input):
    """What somebody does to a thing that they have looked at."""

    seen: Seen | None = Field(
        None,
        description="`seen` of the read that this rests on: if somebody else has changed it since, nothing is done and "
        "the answer is 409 changed-meanwhile, with who did what. Left out: done on whatever there is now",
    )


SeenOfEach = Annotated[
    dict[Annotated[Words, Field(max_length=20)], Seen],
    Field(
        default_factory=dict,
        max_length=1000,
        description="`seen` of each defect by its reference, as in the act on one",
        examples=[{"D-7K3M-9QXF": 48213}],
    ),
]


class Place(Input):
    """A position in WGS 84."""

    lat: Number = Field(ge=-90, le=90, description="Latitude, degrees", examples=[53.7632])
    lon: Number = Field(ge=-180, le=180, description="Longitude, degrees", examples=[-2.7031])
    accuracy_m: Number | None = Field(
        None, ge=0, le=1_000_000, description="Radius that holds the true place 19 times of 20, metres", examples=[8]
    )


class Position(BaseModel):
    """Where something is, WGS 84."""

    lat: float = Field(examples=[53.7632])
    lon: float = Field(examples=[-2.7031])


class Status(BaseModel):
    """What the public is told of a report or a defect."""

    code: str = Field(description="Open311 extended status", examples=["open"])
    label: str = Field(examples=["Open"])
    words: str = Field(examples=["We have your report and will look at it."])
    is_open: bool

    @classmethod
    def of(cls, status: PublicStatus) -> "Status":
        return cls(code=status.code, label=status.label, words=status.words, is_open=status.is_open)


class Moment(BaseModel):
    """One line of a public timeline."""

    at: datetime
    label: str = Field(examples=["In progress"])
    words: str = Field(examples=["It was made safe; the repair is still to come."])
    promised: datetime | None = Field(None, description="The date that the words speak of")
    kept: bool | None = Field(None, description="Whether that date was kept; None while it may still be")
    was: datetime | None = Field(None, description="The date that this one took the place of")

    @classmethod
    def of(cls, told: Told) -> "Moment":
        return cls(at=told.at, label=told.label, words=told.words, promised=told.promised, kept=told.kept, was=told.was)


class PublicPhoto(BaseModel):
    """A photo that everybody may see."""

    url: str = Field(examples=["/api/v1/photos/9f1c3a5e7b2d4c6e8f0a1b2c3d4e5f60"])
    role: str = Field(description="report, before or after", examples=["after"])
    width_px: int
    height_px: int
    taken_at: datetime | None

    @classmethod
    def of(cls, row: Any) -> "PublicPhoto":
        return cls(
            url=f"/api/v1/photos/{row.reference}",
            role=row.role,
            width_px=row.width_px,
            height_px=row.height_px,
            taken_at=row.taken_at,
        )


class EventTold(BaseModel):
    """One event of the record, for staff."""

    at: datetime = Field(description="When it was recorded")
    occurred_at: datetime = Field(description="When it happened")
    kind: str
    before: str | None
    after: str | None
    by: str
    correlation: str
    data: dict[str, Any]
