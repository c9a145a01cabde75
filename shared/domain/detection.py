"""What a camera's detection must be: the canonical fields (DOMAIN 3.3), each with its check, and the faults of one.

A hundred thousand of these come in one request, so that a check is one plain function and a detection a tuple.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from shared.domain.policy import Policy

Check = Callable[[Any], Any]
"""Gives the value as it is kept, or raises ValueError with what is wrong."""

DEPTH_METHODS = ("none", "stereo", "lidar", "model")
CONDITIONS = frozenset({"wet", "night", "occluded"})
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


class Detection(NamedTuple):
    """One detection, fit to be kept. `position` counts from 0 in the request; `more` holds what else it came with."""

    position: int
    external_id: str
    survey_pass_id: str | None
    captured_at: datetime
    class_code: str
    confidence: float
    lat: float
    lon: float
    accuracy_m: float
    heading_deg: float | None
    depth_mm: float | None
    width_mm: float | None
    depth_method: str | None
    more: dict[str, Any]


class Fault(NamedTuple):
    """Why a detection is refused: which field, "" for the whole, and what is wrong with it."""

    position: int
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A detection that could not even be read, and why."""

    reason: str


# --- checks ----------------------------------------------------------------------------------------------------------


def _number(least: float, most: float) -> Check:
    why = f"is not a number from {least:g} to {most:g}"

    def check(given: Any) -> float:
        if type(given) not in (float, int) or not least <= given <= most:
            raise ValueError(why)
        return float(given)

    return check


def _text(most: int) -> Check:
    why = f"is not a text of 1 to {most} characters"

    def check(given: Any) -> str:
        if type(given) is not str or not 0 < len(given) <= most:
            raise ValueError(why)
        if not given.isprintable():
            raise ValueError("has a control character")
        return given

    return check


def _one_of(*words: str) -> Check:
    why = f"is not one of {', '.join(words)}"

    def check(given: Any) -> str:
        if type(given) is not str or given not in words:
            raise ValueError(why)
        return given

    return check


def _numbers(count: int) -> Check:
    one = _number(0, 1_000_000)

    def check(given: Any) -> list[float]:
        if type(given) is not list or len(given) != count:
            raise ValueError(f"is not a list of {count} numbers")
        return [one(number) for number in given]

    return check


def _time(given: Any) -> datetime:
    if type(given) is not str:
        raise ValueError("is not a time in ISO form, such as 2026-05-01T09:30:00Z")
    try:
        read = datetime.fromisoformat(given)
    except ValueError:
        raise ValueError("is not a time in ISO form, such as 2026-05-01T09:30:00Z") from None
    if read.tzinfo is None:
        raise ValueError("has no offset: write it with Z, or +01:00")
    if read < EARLIEST:
        raise ValueError("lies before the year 2000")
    return read


def _yes_or_no(given: Any) -> bool:
    if type(given) is not bool:
        raise ValueError("is neither true nor false")
    return given


def _conditions(given: Any) -> dict[str, bool]:
    if type(given) is not dict or not given.keys() <= CONDITIONS:
        raise ValueError(f"is not an object with {', '.join(sorted(CONDITIONS))}")
    return {name: _yes_or_no(value) for name, value in given.items()}


def _sha256(given: Any) -> str:
    if type(given) is not str or len(given) != 64 or not all(letter in "0123456789abcdefABCDEF" for letter in given):
        raise ValueError("is not a SHA-256 of 64 hexadecimal digits")
    return given.lower()


def _web_address(given: Any) -> str:
    if not _short(given).startswith(("https://", "http://")):
        raise ValueError("is not an address that begins with https://")
    return str(given)


_short = _text(2000)
_mm = _number(0, 100_000)

CHECKS: Mapping[str, Check] = {
    "external_id": _text(200),
    "source": _text(60),
    "survey_pass_id": _text(200),
    "captured_at": _time,
    "class_code": _text(60),
    "class_scheme": _text(60),
    "confidence": _number(0, 1),
    "lat": _number(-90, 90),
    "lon": _number(-180, 180),
    "h_accuracy_m": _number(0, 1_000_000),
    "heading_deg": _number(0, 360),
    "speed_kph": _number(0, 400),
    "lane": _number(-20, 20),
    "offset_m": _number(-100, 100),
    "bbox": _numbers(4),
    "image_size": _numbers(2),
    "est_length_mm": _mm,
    "est_width_mm": _mm,
    "est_area_mm2": _number(0, 1e10),
    "est_depth_mm": _number(0, 5000),
    "depth_method": _one_of(*DEPTH_METHODS),
    "severity": _number(0, 100),
    "image_url": _web_address,
    "image_sha256": _sha256,
    "anonymised": _yes_or_no,
    "model_name": _text(200),
    "model_version": _text(100),
    "conditions": _conditions,
}
REQUIRED = ("external_id", "captured_at", "class_code", "confidence", "lat", "lon")
_COLUMNS = frozenset(
    {"survey_pass_id", "class_scheme", "h_accuracy_m", "heading_deg", "est_depth_mm", "est_width_mm", "depth_method"}
) | frozenset(REQUIRED)


class Reader:
    """Reads the detections of one request. `ignored` gathers the fields that it does not know: they are not kept."""

    def __init__(self, policy: Policy, source: str, now: datetime) -> None:
        self.policy, self.source = policy, source
        self.latest = now + timedelta(minutes=policy.place.future_minutes)
        self.ignored: set[str] = set()
        self._classes: dict[tuple[str, str], str | None] = {}

    def read(self, position: int, item: Any) -> Detection | list[Fault]:
        """One detection, or all that is wrong with it."""
        if type(item) is not dict:
            reason = item.reason if isinstance(item, Unreadable) else "is not an object"
            return [Fault(position, "", reason)]
        values: dict[str, Any] = {}
        faults: list[Fault] = []
        for name, given in item.items():
            if given is None:
                continue
            check = CHECKS.get(name)
            if check is None:
                self.ignored.add(name)
                continue
            try:
                values[name] = check(given)
            except ValueError as no:
                faults.append(Fault(position, name, str(no)))
        return faults or self._whole(position, values)

    def _whole(self, position: int, values: dict[str, Any]) -> Detection | list[Fault]:
        """The rules that need more than one field, or the policy."""
        missing = [Fault(position, name, "is missing") for name in REQUIRED if name not in values]
        if missing:
            return missing
        if values["captured_at"] > self.latest:
            return [Fault(position, "captured_at", "is in the future: check the clock of the camera")]
        if values.get("source", self.source) != self.source:
            return [Fault(position, "source", f"is not yours: this key is of {self.source}")]
        scheme = values.get("class_scheme", self.policy.detections.default_scheme)
        class_code = self._class(scheme, values["class_code"])
        if class_code is None:
            return [Fault(position, "class_code", f"{values['class_code']!r} is not a class of {scheme}")]
        return self._detection(position, values, class_code)

    def _class(self, scheme: str, code: str) -> str | None:
        key = (scheme, code)
        if key not in self._classes:
            self._classes[key] = self.policy.class_of(scheme, code)
        return self._classes[key]

    def _detection(self, position: int, values: dict[str, Any], class_code: str) -> Detection:
        get = values.get
        more = {name: value for name, value in values.items() if name not in _COLUMNS}
        if class_code != values["class_code"]:
            more["class_given"] = values["class_code"]
        return Detection(
            position,
            values["external_id"],
            get("survey_pass_id"),
            values["captured_at"],
            class_code,
            values["confidence"],
            values["lat"],
            values["lon"],
            get("h_accuracy_m", self.policy.place.default_accuracy_m),
            get("heading_deg"),
            get("est_depth_mm"),
            get("est_width_mm"),
            get("depth_method"),
            more,
        )
