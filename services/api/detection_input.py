"""Reads a body of detections: JSON array, GeoJSON or one object a line; each by itself, so that a bad one harms none.

msgspec reads and checks an object in about 3 µs; orjson and a table of checks in Python took 25, Pydantic more.
"""

import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from io import BytesIO
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from shared.domain.detection import Unreadable
from shared.errors import Invalid, TooLarge

MOST_BYTES = 64 * 1024 * 1024
"""Of a body as it comes."""
MOST_INFLATED = 320 * 1024 * 1024
"""Of a body in gzip, once it is read."""
MOST_ITEM_BYTES = 16 * 1024
EACH = 32
"""Lines, JSON objects or commas to a detection; a body with more is looked at before it is taken apart."""
LOOKED_AT = 50
"""So many of the first are looked at for fields that are not known."""

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Millimetres = Annotated[float, Meta(ge=0, le=100_000)]
Pixels = Annotated[float, Meta(ge=0, le=1_000_000)]


class Conditions(Struct, gc=False, forbid_unknown_fields=True, omit_defaults=True):
    """What made it hard to see."""

    wet: bool = False
    night: bool = False
    occluded: bool = False


class Core(Struct, gc=False):
    """The fields that decide (DOMAIN 3.3)."""

    external_id: Name
    captured_at: Annotated[datetime, Meta(tz=True)]
    class_code: Name
    confidence: Annotated[float, Meta(ge=0, le=1)]
    lat: Annotated[float, Meta(ge=-90, le=90)]
    lon: Annotated[float, Meta(ge=-180, le=180)]
    source: Name | None = None
    survey_pass_id: Name | None = None
    class_scheme: Name | None = None
    h_accuracy_m: Annotated[float, Meta(ge=0, le=1_000_000)] | None = None
    heading_deg: Annotated[float, Meta(ge=0, le=360)] | None = None
    est_depth_mm: Annotated[float, Meta(ge=0, le=5000)] | None = None
    est_width_mm: Millimetres | None = None
    depth_method: Literal["none", "stereo", "lidar", "model"] | None = None


class More(Struct, gc=False, omit_defaults=True):
    """The fields that are kept with it."""

    bbox: tuple[Pixels, Pixels, Pixels, Pixels] | None = None
    image_size: tuple[Pixels, Pixels] | None = None
    est_length_mm: Millimetres | None = None
    est_area_mm2: Annotated[float, Meta(ge=0, le=1e10)] | None = None
    severity: Annotated[float, Meta(ge=0, le=100)] | None = None
    speed_kph: Annotated[float, Meta(ge=0, le=400)] | None = None
    lane: Annotated[int, Meta(ge=-20, le=20)] | None = None
    offset_m: Annotated[float, Meta(ge=-100, le=100)] | None = None
    image_url: Annotated[str, Meta(max_length=2000, pattern="^https?://")] | None = None
    image_sha256: Annotated[str, Meta(pattern="^[0-9a-fA-F]{64}$")] | None = None
    anonymised: bool | None = None
    model_name: Name | None = None
    model_version: Name | None = None
    conditions: Conditions | None = None


class Kept(Struct, gc=False):
    """A detection that has the right form: what decides, and the rest as JSON.

    Outside the garbage collector, which else walks a hundred thousand of them again and again.
    """

    sent: Core
    more: str


class _Collection(Struct):
    type: Literal["FeatureCollection"]
    features: list[Raw]


class _Object(Struct, gc=False):
    """Any object; nothing of it is kept."""


class _Objects(Struct):
    features: list[_Object]


class _Line(Struct):
    """An object on a line of its own, which a FeatureCollection is not."""

    features: Raw | UnsetType = UNSET


class _Point(Struct):
    type: Literal["Point"]
    coordinates: Annotated[list[float], Meta(min_length=2, max_length=4)]


class _Feature(Struct):
    type: Literal["Feature"]
    geometry: _Point
    properties: dict[str, Any]
    id: str | int | None = None


FIELDS = frozenset(Core.__struct_fields__) | frozenset(More.__struct_fields__)
_BAD = (msgspec.MsgspecError, UnicodeError, RecursionError)
_core = msgspec.json.Decoder(Core).decode
_more = msgspec.json.Decoder(More).decode
_feature = msgspec.json.Decoder(_Feature).decode
_encode = msgspec.json.Encoder().encode
_array = msgspec.json.Decoder(list[Raw]).decode
_collection = msgspec.json.Decoder(_Collection).decode
_line = msgspec.json.Decoder(_Line).decode
_array_of_objects = msgspec.json.Decoder(list[_Object]).decode
_collection_of_objects = msgspec.json.Decoder(_Objects).decode
_WHERE = re.compile(r"^(?P<what>.*?)(?: - at `\$\.?(?P<field>\w*).*)?$", re.DOTALL)
_MISSING = re.compile(r"missing required field `(\w+)`")


def schema() -> dict[str, Any]:
    """One detection as JSON Schema."""
    _, parts = msgspec.json.schema_components([Core, More], ref_template="{name}")
    properties = parts["Core"]["properties"] | parts["More"]["properties"]
    properties["conditions"] = {key: parts["Conditions"][key] for key in ("type", "properties")}
    return {"type": "object", "title": "Detection", "required": parts["Core"]["required"], "properties": properties}


class Body(Struct):
    """The detections of a request in their order, and names of fields that are not known and so not kept."""

    items: list[Kept | Unreadable]
    ignored: list[str]


def read(raw: bytes, content_type: str, encoding: str, most: int) -> Body:
    """Read a body.

    Raises:
        Invalid: it cannot be told where one detection ends and the next begins.
        TooLarge: too many bytes once inflated, or more than `most` detections.
    """
    body = _inflated(raw, encoding)
    single, pieces = _pieces(body, content_type, most)
    return Body([_item(piece, single) for piece in pieces], _unknown(pieces[:LOOKED_AT], single))


def _inflated(raw: bytes, encoding: str) -> bytes:
    match encoding.strip().lower():
        case "" | "identity":
            return raw
        case "gzip" | "x-gzip":
            return _gunzipped(raw)
        case other:
            raise Invalid(f"Content-Encoding {other} is not read here: send gzip, or none.")


def _gunzipped(raw: bytes) -> bytes:
    """All members of a gzip file, no further than MOST_INFLATED."""
    inflated = BytesIO()
    while raw:
        member = zlib.decompressobj(zlib.MAX_WBITS | 16)
        for piece in _inflated_pieces(member, raw):
            inflated.write(piece)
            if inflated.tell() > MOST_INFLATED:
                raise TooLarge(f"The body is more than {MOST_INFLATED // 1024 // 1024} MB once inflated.")
        if not member.eof:
            raise Invalid("The gzip body ends too early: it was cut off on its way.")
        raw = member.unused_data
    return inflated.getvalue()


def _inflated_pieces(member: "zlib._Decompress", raw: bytes) -> Iterator[bytes]:
    """A megabyte at a time: in one piece, a bomb stood in memory twice before it was known for one."""
    while raw and not member.eof:
        try:
            yield member.decompress(raw, 1024 * 1024)
        except zlib.error:
            raise Invalid("The body is not gzip, though Content-Encoding says so.") from None
        raw = member.unconsumed_tail


# --- where one ends and the next begins ------------------------------------------------------------------------------


def _flat(piece: bytes) -> bytes:
    return piece


def _unfolded(piece: bytes) -> bytes:
    """A GeoJSON feature as a flat object: its point is lon, lat; its id stands for a missing external_id."""
    feature = _feature(piece)
    lon, lat = feature.geometry.coordinates[:2]
    given = {} if feature.id is None else {"external_id": str(feature.id)}
    return _encode({**given, **feature.properties, "lon": lon, "lat": lat})


Single = Callable[[bytes], bytes]


def _pieces(body: bytes, content_type: str, most: int) -> tuple[Single, list[bytes]]:
    """The detections as they stand in the body, and how to make a flat object of one."""
    text = body.strip()
    kind = content_type.split(";")[0].strip().lower()
    if not text:
        raise Invalid("The body is empty.")
    if "ndjson" in kind or "jsonl" in kind or "json-seq" in kind or _is_object(_first_line(text)):
        return _flat, _lines(text, most)
    try:
        if text.startswith(b"["):
            _refuse_scraps(text, most, _array_of_objects)
            return _flat, _whole(_array(text), most)
        _refuse_scraps(text, most, _collection_of_objects)
        return _unfolded, _whole(_collection(text).features, most)
    except _BAD as error:
        raise Invalid(
            f"The body is neither a JSON array, a GeoJSON FeatureCollection nor one JSON object a line: {error}"
        ) from None


def _lines(text: bytes, most: int) -> list[bytes]:
    _refuse_more(text.count(b"\n") + 1, "lines", EACH * most)
    lines = [line for line in text.split(b"\n") if line.strip()]
    _refuse_more(len(lines), "detections", most)
    return lines


def _whole(pieces: list[Raw], most: int) -> list[bytes]:
    _refuse_more(len(pieces), "detections", most)
    return [bytes(piece) for piece in pieces]


def _refuse_scraps(text: bytes, most: int, look: Callable[[bytes], object]) -> None:
    """Refuse what a list of its pieces would be many times larger than: [0,0,0,…] of 320 MB became 10 GB.

    A detection is an object with some fields. So objects are few, and where commas are not, nothing but objects may
    stand in the list; `look` stops at the first other thing, and keeps nothing of an object.
    """
    _refuse_more(text.count(b"{"), "objects", EACH * most)
    if text.count(b",") > EACH * most:
        try:
            look(text)
        except msgspec.ValidationError as error:
            raise TooLarge(f"These are not {most:,} detections at most: {error}.") from None


def _refuse_more(came: int, what: str, most: int) -> None:
    if came > most:
        raise TooLarge(f"{came:,} {what} came; send {most:,} at most in one request.")


def _first_line(text: bytes) -> bytes:
    end = text.find(b"\n")
    return text if end < 0 else text[:end]


def _is_object(line: bytes) -> bool:
    """One detection, whole on its line; a FeatureCollection that failed is not taken for one."""
    try:
        return _line(line).features is UNSET
    except _BAD:
        return False


# --- one by one ------------------------------------------------------------------------------------------------------


def _item(piece: bytes, single: Single) -> Kept | Unreadable:
    if len(piece) > MOST_ITEM_BYTES:
        return Unreadable("", f"is longer than {MOST_ITEM_BYTES:,} bytes")
    try:
        flat = single(piece)
        core, more = _core(flat), _more(flat)
        if b"\\" in flat:
            _check_letters((core, more))
        return Kept(core, _encode(more).decode())
    except _BAD as error:
        return _why(error)


def _check_letters(parts: Iterable[Struct]) -> None:
    """Control characters come only as escapes; PostgreSQL keeps no NUL and no half of a surrogate pair."""
    for part in parts:
        for name in part.__struct_fields__:
            value = getattr(part, name)
            if isinstance(value, str) and not value.isprintable():
                raise msgspec.ValidationError(f"Has a control character - at `$.{name}`")


def _why(error: Exception) -> Unreadable:
    """The fault in plain words, with the field that it is in."""
    if isinstance(error, RecursionError):
        return Unreadable("", "is nested too deeply")
    if isinstance(error, UnicodeError):
        return Unreadable("", "is not UTF-8")
    told = _legible(str(error))
    if missing := _MISSING.search(told):
        return Unreadable(missing[1], "is missing")
    found = _WHERE.match(told)
    what, field = (told, "") if found is None else (found["what"], found["field"] or "")
    return Unreadable(field, what[:1].lower() + what[1:].replace("`", ""))


def _legible(told: str) -> str:
    """A reason may quote a name that was sent: shortened, and without what PostgreSQL or a log would not take."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in told[:300])


def _unknown(pieces: list[bytes], single: Single) -> list[str]:
    """Of a piece that is refused for its length the names could be millions."""
    short = [piece for piece in pieces if len(piece) <= MOST_ITEM_BYTES]
    return sorted({name for piece in short for name in _names(piece, single)} - FIELDS)


def _names(piece: bytes, single: Single) -> Iterator[str]:
    try:
        yield from (_legible(name[:60]) for name in msgspec.json.decode(single(piece), type=dict[str, Raw]))
    except _BAD:
        return
