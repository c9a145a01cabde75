"""On which line of a TOML text each key stands, so that an error can name it; tomllib does not tell."""

import re
from collections.abc import Iterator

Path = tuple[str | int, ...]

_PART = r"""[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*'"""
_KEY = rf"(?:{_PART})(?:\s*\.\s*(?:{_PART}))*"
_HEADER = re.compile(rf"\s*(?P<open>\[\[?)\s*(?P<key>{_KEY})\s*\]")
_PAIR = re.compile(rf"\s*(?P<key>{_KEY})\s*=(?P<rest>.*)")
_TOKEN = re.compile(r"""\"\"\"|'''|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|\#.*|[\[\]{}]""")


def key_lines(text: str) -> dict[Path, int]:
    """The line (from 1) of every table header and every key of a valid TOML text.

    An element of an array of tables has its position in its path: ("floors", 2, "band"). Keys within an inline table
    are not listed: look up the key that holds them.
    """
    lines: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    for number, line in _top_level(text):
        if header := _HEADER.match(line):
            table = _resolve(_parts(header["key"]), counts)
            if header["open"] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            lines.setdefault(table, number)
        elif pair := _PAIR.match(line):
            lines.setdefault((*table, *_parts(pair["key"])), number)
    return lines


def _parts(key: str) -> Path:
    return tuple(part.strip("\"'") for part in re.findall(_PART, key))


def _resolve(path: Path, counts: dict[Path, int]) -> Path:
    """Put the position of the latest element after each array of tables that the header leads through."""
    whole: Path = ()
    for position, part in enumerate(path):
        whole = (*whole, part)
        if whole in counts and position < len(path) - 1:
            whole = (*whole, counts[whole])
    return whole


def _top_level(text: str) -> Iterator[tuple[int, str]]:
    """The lines on which a key or a header may begin: not those inside a long string or an open bracket."""
    quote, depth = "", 0
    for number, line in enumerate(text.split("\n"), start=1):
        if not quote and depth == 0:
            yield number, line
        quote, depth = _after(line, quote, depth)


def _after(line: str, quote: str, depth: int) -> tuple[str, int]:
    """The open long quote and the depth of open brackets at the end of a line."""
    at = 0
    while True:
        if quote:
            end = line.find(quote, at)
            if end < 0:
                return quote, depth
            quote, at = "", end + 3
        token = _TOKEN.search(line, at)
        if token is None:
            return "", depth
        at = token.end()
        if token[0] in ('"""', "'''"):
            quote = token[0]
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
