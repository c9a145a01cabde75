"""Photos as phones take them: drawn, with the time and the place in their EXIF. No two look alike."""

from datetime import datetime
from io import BytesIO
from random import Random

from PIL import Image, ImageDraw, ImageFilter

SIZE = (400, 300)
_TAKEN, _OFFSET, _EXIF, _GPS = 0x9003, 0x9011, 0x8769, 0x8825


def shot(random: Random, *, mended: bool, at: datetime | None, place: tuple[float, float] | None) -> bytes:
    """A JPEG of a road with a hole in it, or with a patch. `place` is latitude and longitude; None leaves it out."""
    image = _road(random)
    draw = ImageDraw.Draw(image)
    box = _box(random)
    if mended:
        draw.rectangle(box, fill=(28, 28, 30), outline=(18, 18, 18), width=4)
    else:
        draw.ellipse(box, fill=(52, 44, 40), outline=(96, 90, 84), width=3)
    out = BytesIO()
    image.filter(ImageFilter.GaussianBlur(1.2)).save(out, "JPEG", quality=72, exif=_exif(at, place))
    return out.getvalue()


def _road(random: Random) -> Image.Image:
    """Asphalt in another light each time: large light and dark fields, by which two photos are told apart."""
    image = Image.new("RGB", SIZE, (random.randrange(70, 130),) * 3)
    draw = ImageDraw.Draw(image)
    for _ in range(14):
        x, y = random.randrange(-60, SIZE[0]), random.randrange(-60, SIZE[1])
        wide, high = random.randrange(50, 200), random.randrange(40, 160)
        grey = random.randrange(30, 210)
        draw.ellipse((x, y, x + wide, y + high), fill=(grey, grey, max(0, grey - random.randrange(12))))
    return image.filter(ImageFilter.GaussianBlur(8))


def _box(random: Random) -> tuple[int, int, int, int]:
    x, y = random.randrange(100, 190), random.randrange(90, 150)
    return x, y, x + random.randrange(75, 140), y + random.randrange(50, 95)


def _exif(at: datetime | None, place: tuple[float, float] | None) -> Image.Exif:
    exif = Image.Exif()
    if at is not None:
        exif[_EXIF] = {_TAKEN: f"{at:%Y:%m:%d %H:%M:%S}", _OFFSET: "+00:00"}
    if place is not None:
        lat, lon = place
        exif[_GPS] = {1: "N" if lat >= 0 else "S", 2: _degrees(lat), 3: "E" if lon >= 0 else "W", 4: _degrees(lon)}
    return exif


def _degrees(value: float) -> tuple[float, float, float]:
    minutes, seconds = divmod(round(abs(value) * 3600, 3), 60)
    return float(minutes // 60), float(minutes % 60), seconds
