"""Tiles that this process has drawn, packed; the least used go when there are too many bytes of them."""

import gzip
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import blake2b
from threading import Lock

ROOM = 32 * 1024 * 1024
"""Bytes of packed tiles: all of a county's up to zoom 13, and the busy part of 14."""

Key = tuple[str, int, int, int]
"""The drawing's version, zoom, column, row."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A tile as it is sent, and its name."""

    body: bytes
    etag: str


class TileCache:
    """Threads share it."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._held = 0
        self._tiles: OrderedDict[Key, Packed] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Key) -> Packed | None:
        """The tile, if it is here."""
        with self._lock:
            found = self._tiles.get(key)
            if found is not None:
                self._tiles.move_to_end(key)
            return found

    def put(self, key: Key, body: bytes) -> Packed:
        """Keep a tile, and give it back packed."""
        packed = Packed(gzip.compress(body, 6, mtime=0), f'"{blake2b(body, digest_size=12).hexdigest()}"')
        with self._lock:
            if key not in self._tiles:
                self._tiles[key] = packed
                self._held += len(packed.body)
            while self._held > self._room:
                self._held -= len(self._tiles.popitem(last=False)[1].body)
        return packed
