"""What changed between two versions of a policy: by meaning, section and key; and line by line for whoever wants it.

What is compared is what the texts say: a key that is left out is "not given", though a default may stand for it. An
element of a list of tables is known by its `code`, or else by its `why`, so that one more at the top is one more.
"""

import difflib
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time

Key = tuple[str, ...]
NAMES = ("code", "why")


@dataclass(frozen=True, slots=True)
class Change:
    """`section` and `key` as the file writes them: "lots[north]" and "contractor". None: not given."""

    section: str
    key: str
    was: str | None
    now: str | None


def changes(old: str, new: str) -> list[Change]:
    """What differs between two valid texts, in the order of the new one; what is gone stands last."""
    before, after = dict(_flat(tomllib.loads(old))), dict(_flat(tomllib.loads(new)))
    keys = [*after, *(key for key in before if key not in after)]
    differing = [key for key in keys if before.get(key) != after.get(key)]
    return [Change(*_named(key), before.get(key), after.get(key)) for key in differing]


def lines(old: str, new: str, was: str = "before", now: str = "now") -> list[str]:
    """The texts line by line, as a unified diff with three lines around each change."""
    return list(difflib.unified_diff(old.splitlines(), new.splitlines(), was, now, lineterm=""))


def _flat(value: object, key: Key = ()) -> Iterator[tuple[Key, str]]:
    """Each value that is no table, by its whole key, as the file would write it."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _flat(inner, (*key, str(name)))
    elif _is_tables(value):
        for name, table in _by_name(value):  # type: ignore[arg-type]
            yield from _flat(table, (*key[:-1], f"{key[-1]}[{name}]"))
    else:
        yield key, written(value)


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, Mapping) for one in value)


def _by_name(tables: Sequence[Mapping[str, object]]) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Each with what it is known by: its code or its reason, where no other has the same; else its place, from 1."""
    name = next((name for name in NAMES if all(name in one for one in tables)), None)
    told = [str(one[name]) if name else str(place) for place, one in enumerate(tables, start=1)]
    seen: Counter[str] = Counter()
    for called, one in zip(told, tables, strict=True):
        seen[called] += 1
        yield (called if seen[called] == 1 else f"{called} #{seen[called]}"), one


def _named(key: Key) -> tuple[str, str]:
    return ".".join(key[:-1]), key[-1]


def written(value: object) -> str:
    """A value as TOML writes it, lists on one line."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, list):
        return f"[{', '.join(written(one) for one in value)}]"
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{key} = {written(one)}' for key, one in value.items())} }}"
    return f'"{value}"' if isinstance(value, str) else str(value)
