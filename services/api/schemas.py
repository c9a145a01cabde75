"""Shapes that several routes share."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from shared.domain.public import PublicStatus

_KEPT = {"\n", "\t"}


def _printable(written: str) -> str:
    """Text without control characters but line breaks and tabs; PostgreSQL keeps no NUL, and a log no escape codes."""
    cleaned = written.replace("\r\n", "\n").replace("\r", "\n")
    if cleaned.isascii() and cleaned.isprintable():
        return cleaned
    for letter in cleaned:
        if letter not in _KEPT and (ord(letter) < 32 or 127 <= ord(letter) < 160 or 0xD800 <= ord(letter) <= 0xDFFF):
            raise ValueError("has a control character")
    return cleaned


Words = Annotated[str, AfterValidator(_printable)]
"""Text as people type it."""


class Input(BaseModel):
    """What comes in: a field that is not known is refused, never ignored."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Place(Input):
    """A position in WGS 84."""

    lat: float = Field(ge=-90, le=90, description="Latitude, degrees", examples=[53.7632])
    lon: float = Field(ge=-180, le=180, description="Longitude, degrees", examples=[-2.7031])
    accuracy_m: float | None = Field(
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
