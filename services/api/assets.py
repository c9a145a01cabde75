"""Scripts, styles and images of the pages: what the build left, held in memory, under names that change with them."""

import json
import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from services.api.look import look

FOLDER = Path(__file__).parent / "web" / "built"
MANIFEST = FOLDER / "manifest.json"
ADDRESS = "/assets/"
_KINDS = {
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
}
_SUFFIXES = {"br": ".br", "gzip": ".gz"}
"""By the coding's name, the best first."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file and its compressed forms, by the name of their coding; "" is the file as it is."""

    kind: str
    bodies: dict[str, bytes]

    def best(self, accepted: str) -> tuple[str, bytes]:
        """The smallest form that the client takes. `accepted` is its Accept-Encoding."""
        names = {one.partition(";")[0].strip() for one in accepted.split(",") if ";q=0" not in one.replace(" ", "")}
        coding = next((name for name in _SUFFIXES if name in names and name in self.bodies), "")
        return coding, self.bodies[coding]


class NotBuilt(RuntimeError):
    """The pages' scripts and styles are not there."""


@lru_cache
def _manifest() -> dict[str, dict[str, Any]]:
    if not MANIFEST.exists():
        raise NotBuilt("The pages' scripts and styles are not built. `make web` does it, and so does `make up`.")
    found: dict[str, dict[str, Any]] = json.loads(MANIFEST.read_bytes())
    return found


def asset(entry: str) -> str:
    """The address of what was built from a file directly in web/src: `asset("page.ts")`.

    Raises:
        KeyError: there is no such file.
        NotBuilt: nothing is built.
    """
    return ADDRESS + str(_manifest()[f"src/{entry}"]["file"])


def preloads(entry: str) -> list[str]:
    """The addresses of the shared pieces that a script imports, so that a page asks for all at once."""
    return [ADDRESS + str(_manifest()[key]["file"]) for key in _imports(entry)]


def styles(entry: str) -> list[str]:
    """The addresses of the style sheets that a script imports."""
    keys = [f"src/{entry}", *_imports(entry)]
    return [ADDRESS + name for key in keys for name in _manifest()[key].get("css", ())]


def _imports(entry: str) -> Iterator[str]:
    seen: list[str] = []
    waiting = list(_manifest()[f"src/{entry}"].get("imports", ()))
    while waiting:
        if (key := waiting.pop(0)) not in seen:
            seen.append(key)
            waiting += _manifest()[key].get("imports", ())
    yield from seen


def find(name: str) -> Asset | None:
    """What is served under /assets/NAME; None when there is nothing."""
    if built := _built().get(name):
        return built
    ours = {file.name: file for file in (look().style, look().icon, look().logo) if file is not None}
    return Asset(ours[name].kind, {"": ours[name].content}) if name in ours else None


@lru_cache
def _built() -> dict[str, Asset]:
    """Every file of the build, read once: some megabytes, and no request waits for a disk."""
    _manifest()
    packed = tuple(_SUFFIXES.values())
    plain = [file for file in FOLDER.iterdir() if file.suffix not in packed and file.name[0] != "."]
    return {file.name: Asset(_kind(file), dict(_bodies(file))) for file in plain if file != MANIFEST}


def _bodies(file: Path) -> Iterator[tuple[str, bytes]]:
    yield "", file.read_bytes()
    for coding, suffix in _SUFFIXES.items():
        if (packed := file.with_name(file.name + suffix)).exists():
            yield coding, packed.read_bytes()


def _kind(file: Path) -> str:
    return _KINDS.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
