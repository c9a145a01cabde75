"""TOML tables become frozen dataclasses: types and ranges checked, unknown keys refused, each error with its line.

A field's annotation says what it takes; `within(…)` adds a range; a field without a default must be given. A key is
the field's name without a trailing underscore (`from_` is `from`). A dataclass may refuse its values in its
`__post_init__` with `FieldError(key, sentence)`.
"""

import math
import re
import tomllib
from collections.abc import Callable, Hashable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from datetime import date, datetime, time
from enum import StrEnum
from functools import cache
from types import MappingProxyType, NoneType, UnionType
from typing import Any, Literal, TypeVar, cast, get_args, get_origin, get_type_hints

from shared.domain.deadlines import Clock, NotAClock
from shared.domain.toml_lines import Path, key_lines
from shared.errors import Invalid

T = TypeVar("T")


class PolicyError(Invalid):
    """A policy file is wrong. `detail` is "file:line: key: what is wrong"; `words` says what, without where."""

    code = "policy-error"
    title = "The policy file is wrong"

    def __init__(self, source: str, line: int, key: str, sentence: str) -> None:
        where = f"{source}:{line}: {key}" if key else f"{source}:{line}"
        super().__init__(f"{where}: {sentence}")
        self.source, self.line, self.key, self.words = source, line, key, sentence


class FieldError(ValueError):
    """Raised by a record that cannot hold its values: `key` is the field to blame, "" for the whole."""

    def __init__(self, key: str, sentence: str) -> None:
        super().__init__(sentence)
        self.key = key


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the file a value stands."""

    source: str
    lines: Mapping[Path, int]
    path: Path = ()

    def at(self, *keys: str | int) -> "Place":
        return Place(self.source, self.lines, (*self.path, *keys))

    @property
    def line(self) -> int:
        path = self.path
        while path:
            below = [line for known, line in self.lines.items() if known[: len(path)] == path]
            if below:
                return min(below)
            path = path[:-1]
        return 1

    @property
    def key(self) -> str:
        parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.path]
        return "".join(parts).removeprefix(".")

    def error(self, sentence: str) -> PolicyError:
        return PolicyError(self.source, self.line, self.key, sentence)


def within(default: Any = MISSING, *, ge: float | None = None, le: float | None = None) -> Any:
    """A field whose number, or each of whose numbers, must lie in a range (both ends included)."""
    return field(default=default, metadata={"ge": ge, "le": le})


def read(text: str, source: str) -> tuple[dict[str, Any], Place]:
    """The tables of a TOML text and the place of its root.

    Raises:
        PolicyError: it is not TOML.
    """
    try:
        return tomllib.loads(text), Place(source, key_lines(text))
    except tomllib.TOMLDecodeError as wrong:
        found = re.search(r"\(at line (\d+)", str(wrong))
        last = text.count("\n") + 1
        raise PolicyError(source, int(found[1]) if found else last, "", f"not valid TOML: {wrong}.") from None
    except RecursionError:
        raise PolicyError(source, 1, "", "has tables or lists too deep in each other.") from None


def build(cls: type[T], value: object, place: Place, base: T | None = None) -> T:
    """A record of `cls` from a TOML table. Fields not given come from `base`, else from their defaults.

    Raises:
        PolicyError: a key is unknown or missing, or a value has the wrong type or range.
    """
    if not isinstance(value, dict):
        raise place.error("should be a table.")
    known = _fields(cast("Hashable", cls))
    for key in value:
        if key not in known:
            raise place.at(key).error(f"unknown key; known here: {', '.join(sorted(known))}.")
    given = {
        spec.name: _convert(hint, value[key], place.at(key), spec.metadata)
        for key, (spec, hint) in known.items()
        if key in value
    }
    for key, (spec, _) in known.items():
        if spec.name not in given:
            given |= _fallback(spec, key, place, base)
    try:
        return cls(**given)
    except FieldError as wrong:
        raise (place.at(wrong.key) if wrong.key else place).error(str(wrong)) from None


def _fallback(spec: "Field[Any]", key: str, place: Place, base: object | None) -> dict[str, Any]:
    if base is not None:
        return {spec.name: getattr(base, spec.name)}
    if spec.default is MISSING and spec.default_factory is MISSING:
        raise place.at(key).error("must be given.")
    return {}


@cache
def _fields(cls: Any) -> dict[str, tuple["Field[Any]", Any]]:
    hints = get_type_hints(cls)
    return {spec.name.rstrip("_"): (spec, hints[spec.name]) for spec in fields(cls) if spec.init}


def _convert(hint: Any, value: object, place: Place, bounds: Mapping[str, Any]) -> Any:
    origin = get_origin(hint)
    if origin is UnionType:
        (inner,) = (one for one in get_args(hint) if one is not NoneType)
        return _convert(inner, value, place, bounds)
    if origin is tuple or origin is frozenset:
        return origin(_list(get_args(hint)[0], value, place, bounds))
    if origin is not None and issubclass(origin if isinstance(origin, type) else object, Mapping):
        return _mapping(get_args(hint), value, place, bounds)
    if is_dataclass(hint) and hint is not Clock:
        return build(cast("type[Any]", hint), value, place)
    return _scalar(hint, value, place, bounds)


def _list(hint: Any, value: object, place: Place, bounds: Mapping[str, Any]) -> list[Any]:
    if not isinstance(value, list):
        raise place.error("should be a list, in [ ].")
    return [_convert(hint, one, place.at(position), bounds) for position, one in enumerate(value)]


def _mapping(hints: tuple[Any, Any], value: object, place: Place, bounds: Mapping[str, Any]) -> Mapping[Any, Any]:
    if not isinstance(value, dict):
        raise place.error("should be a table.")
    key_hint, hint = hints
    built = {
        _scalar(key_hint, key, place.at(key), {}): _convert(hint, one, place.at(key), bounds)
        for key, one in value.items()
    }
    return MappingProxyType(built)


def _scalar(hint: Any, value: object, place: Place, bounds: Mapping[str, Any]) -> Any:
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise place.error(f"{value!r} is not one of {', '.join(map(str, get_args(hint)))}.")
        return value
    if hint is Clock:
        return _clock(value, place)
    if issubclass(hint, StrEnum):
        return _enum(hint, value, place)
    if hint in (int, float):
        return _number(hint, value, place, bounds)
    if type(value) is not hint:
        raise place.error(f"{_shown(value)} should be {_NAMES[hint]}.")
    return value


def _clock(value: object, place: Place) -> Clock:
    if not isinstance(value, str):
        raise place.error(f"{_shown(value)} should be a clock such as 4h, 5wd, 28d or 6m.")
    try:
        return Clock.parse(value)
    except NotAClock as wrong:
        raise place.error(wrong.detail) from None


def _enum(hint: type[StrEnum], value: object, place: Place) -> StrEnum:
    try:
        return hint(str(value))
    except ValueError:
        raise place.error(f"{_shown(value)} is not one of {', '.join(hint)}.") from None


def _number(hint: Callable[[Any], float], value: object, place: Place, bounds: Mapping[str, Any]) -> float:
    if isinstance(value, bool) or not isinstance(value, int if hint is int else (int, float)):
        raise place.error(f"{_shown(value)} should be {_NAMES[hint]}.")
    least, most = bounds.get("ge"), bounds.get("le")
    if not math.isfinite(value):
        raise place.error(f"{value} should be a finite number.")
    if (least is not None and value < least) or (most is not None and value > most):
        ends = [f"{word} {end:g}" for word, end in (("at least", least), ("at most", most)) if end is not None]
        raise place.error(f"{value} should be {' and '.join(ends)}.")
    return hint(value)


def _shown(value: object) -> str:
    return value.isoformat() if isinstance(value, date | time) else repr(value)


_NAMES: Mapping[Any, str] = {
    int: "a whole number",
    float: "a number",
    str: "a text, in quotes",
    bool: "true or false",
    date: "a date such as 2026-04-01",
    time: "a time such as 16:30:00",
    datetime: "a date and time",
}
