"""Photos as bytes: told by content what they are, measured before decoding, turned upright, stripped and hashed."""

import math
import struct
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

import imagehash
import pillow_heif
from PIL import ExifTags, Image

from shared.errors import Invalid, TooLarge

pillow_heif.register_heif_opener()

FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "HEIF": "image/heic"}
MOST_BYTES = 15 * 1024 * 1024
MOST_PIXELS = 60_000_000
"""More than the largest telephone cameras take by themselves; at most 240 MB when decoded, 480 with transparency."""
LEAST_EDGE_PX = 64
PUBLIC_EDGE_PX = 2048
SMALL_EDGE_PX = 400

AT_ONCE = 2
"""Photos decoded at once in a process: memory is bounded by this, not by how many people send."""
_decoding = threading.BoundedSemaphore(AT_ONCE)


class NotAPhoto(Invalid):
    """The bytes are not a picture of a kind that we take, or cannot be read to their end."""

    code = "not-a-photo"
    title = "Not a photo that we can read"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a photo says of itself. `taken_at` is aware; degrees are WGS 84. None: it does not say, or says nonsense."""

    taken_at: datetime | None = None
    lat: float | None = None
    lon: float | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """A photo made ready: `public` and `small` are upright JPEGs without metadata; the sizes are the original's."""

    media_type: str
    width_px: int
    height_px: int
    evidence: Evidence
    phash: str
    public: bytes
    small: bytes


def read(data: bytes, zone: str) -> Picture:
    """Make a photo ready. `zone` is the local time of cameras that do not say theirs.

    Raises:
        TooLarge: more bytes or pixels than the limits; known before anything is decoded.
        NotAPhoto: not JPEG, PNG, WebP or HEIC, whatever its name says; damaged; or too small to show anything.
    """
    if len(data) > MOST_BYTES:
        raise TooLarge(f"A photo has {MOST_BYTES // 1024 // 1024} MB at most.")
    with _as_refusals(), _decoding, Image.open(BytesIO(data), formats=tuple(FORMATS)) as opened:
        _refuse_size(*opened.size)
        evidence = _evidence(opened, zone)
        media_type = FORMATS[str(opened.format)]
        upright = _upright(opened)
    width, height = upright.original
    public = _fitted(upright.image, PUBLIC_EDGE_PX)
    small = _fitted(public, SMALL_EDGE_PX)
    phash = str(imagehash.phash(small))
    return Picture(media_type, width, height, evidence, phash, _jpeg(public, 85), _jpeg(small, 78))


@contextmanager
def _as_refusals() -> Iterator[None]:
    """Whatever a decoder says of bytes that it cannot read becomes one refusal; decoders raise many things."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except Image.DecompressionBombError:
        raise TooLarge(_TOO_MANY_PIXELS) from None
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, struct.error, MemoryError) as error:
        raise NotAPhoto(
            "This is not a photo that we can read. Send a JPEG, PNG, WebP or HEIC file, whole and undamaged."
        ) from error


_TOO_MANY_PIXELS = f"A photo has {MOST_PIXELS // 1_000_000} million pixels at most."


def _refuse_size(width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise TooLarge(_TOO_MANY_PIXELS)
    if min(width, height) < LEAST_EDGE_PX:
        raise NotAPhoto(f"A photo has {LEAST_EDGE_PX} pixels or more each way; this shows too little.")


# --- pixels ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Upright:
    image: Image.Image
    original: tuple[int, int]


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What undoes each orientation that EXIF tells."""
_SIDEWAYS = {5, 6, 7, 8}


def _upright(opened: Image.Image) -> _Upright:
    """The picture as the photographer held it, in RGB on white, no larger than it is shown.

    Shrunk before anything else: turned and converted at full size, 60 million pixels took 760 MB.
    """
    (width, height), orientation = opened.size, _orientation(opened)
    opened.draft("RGB", (PUBLIC_EDGE_PX, PUBLIC_EDGE_PX))
    opened.load()
    image = _rgb(_shrunk(opened))
    if orientation in _TURNS:
        image = image.transpose(_TURNS[orientation])
    return _Upright(image, (height, width) if orientation in _SIDEWAYS else (width, height))


def _orientation(opened: Image.Image) -> object:
    try:
        return opened.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # noqa: BLE001 - metadata that cannot be read turns nothing, and is no reason to refuse a photo
        return None


def _shrunk(opened: Image.Image) -> Image.Image:
    """No larger than it is shown, in place. Colours of a table or of 16 bits cannot be mixed: RGB first."""
    image = opened if opened.mode in ("RGB", "L", "RGBA", "LA", "CMYK", "YCbCr") else _rgb(opened)
    image.thumbnail((PUBLIC_EDGE_PX, PUBLIC_EDGE_PX), Image.Resampling.LANCZOS)
    return image


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        # 16-bit grey: the 8 bits that can be shown.
        image = image.point(lambda value: value / 256).convert("L")
    if "A" not in image.getbands() and "transparency" not in image.info:
        return image.convert("RGB")
    seen = image.convert("RGBA")
    ground = Image.new("RGB", seen.size, "white")
    ground.paste(seen, mask=seen.getchannel("A"))
    return ground


def _fitted(image: Image.Image, edge: int) -> Image.Image:
    """A copy no larger than `edge` each way, without anything that the file said beside its pixels."""
    fitted = Image.new("RGB", image.size)
    fitted.paste(image)
    fitted.thumbnail((edge, edge), Image.Resampling.LANCZOS)
    return fitted


def _jpeg(image: Image.Image, quality: int) -> bytes:
    out = BytesIO()
    image.save(out, "JPEG", quality=quality, optimize=True, progressive=True)
    return out.getvalue()


# --- what the photo says of itself -----------------------------------------------------------------------------------

_TIME_FORMAT = "%Y:%m:%d %H:%M:%S"


def _evidence(opened: Image.Image, zone: str) -> Evidence:
    """Time and place from EXIF. Phones write nonsense, and some files are made to break readers: then there is none."""
    try:
        exif = opened.getexif()
        camera = dict(exif.get_ifd(ExifTags.IFD.Exif))
        gps = dict(exif.get_ifd(ExifTags.IFD.GPSInfo))
        written = exif.get(ExifTags.Base.DateTime)
    except Exception:  # noqa: BLE001 - the reader raises whatever the bytes lead it to
        return Evidence()
    lat = _degrees(gps, ExifTags.GPS.GPSLatitude, ExifTags.GPS.GPSLatitudeRef, "S", 90)
    lon = _degrees(gps, ExifTags.GPS.GPSLongitude, ExifTags.GPS.GPSLongitudeRef, "W", 180)
    if lat is None or lon is None or (lat == 0 and lon == 0):
        lat = lon = None
    return Evidence(_camera_time(camera, written, zone) or _satellite_time(gps), lat, lon)


def _camera_time(camera: Mapping[int, Any], written: object, zone: str) -> datetime | None:
    """When the shutter went, by the camera's clock; in local time where the camera does not say its offset."""
    said = camera.get(ExifTags.Base.DateTimeOriginal) or camera.get(ExifTags.Base.DateTimeDigitized) or written
    offset = _text(camera.get(ExifTags.Base.OffsetTimeOriginal))
    local = _parsed(_text(said), _TIME_FORMAT)
    if local is None:
        return None
    with_offset = _parsed(f"{_text(said)} {offset.replace(':', '')}", f"{_TIME_FORMAT} %z") if offset else None
    return _likely(with_offset or local.replace(tzinfo=ZoneInfo(zone)))


def _satellite_time(gps: Mapping[int, Any]) -> datetime | None:
    """The time of the GPS fix, UTC."""
    day = _parsed(_text(gps.get(ExifTags.GPS.GPSDateStamp)), "%Y:%m:%d")
    parts = _numbers(gps.get(ExifTags.GPS.GPSTimeStamp))
    if day is None or parts is None:
        return None
    hours, minutes, seconds = parts
    try:
        return _likely(day.replace(tzinfo=UTC) + timedelta(hours=hours, minutes=minutes, seconds=seconds))
    except OverflowError:
        return None


def _likely(taken: datetime) -> datetime | None:
    """A time that PostgreSQL and a person can make something of: phones without a clock write 1970 or 0000."""
    return taken.astimezone(UTC) if 1990 <= taken.year < 2200 else None


def _degrees(gps: Mapping[int, Any], value: int, ref: int, negative: str, limit: float) -> float | None:
    parts = _numbers(gps.get(value))
    if parts is None:
        return None
    degrees = parts[0] + parts[1] / 60 + parts[2] / 3600
    if not math.isfinite(degrees) or abs(degrees) > limit:
        return None
    return -degrees if _text(gps.get(ref)).upper().startswith(negative) else degrees


def _numbers(written: object) -> tuple[float, float, float] | None:
    """Three rationals as numbers; a denominator of zero is not a number."""
    if not isinstance(written, tuple) or len(written) != 3:
        return None
    try:
        first, second, third = (float(part) for part in written)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return (first, second, third) if all(map(math.isfinite, (first, second, third))) else None


def _text(written: object) -> str:
    if isinstance(written, bytes):
        written = written.decode("ascii", "replace")
    return str(written or "").strip("\x00 ")


def _parsed(written: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(written, form)  # noqa: DTZ007 - the zone is the caller's to give
    except ValueError:
        return None
