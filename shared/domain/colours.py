"""Whether a colour can be read against another, and the nearest one that can. Source: WCAG 2.2, 1.4.3 and 1.4.11."""

import colorsys
import re

WHITE, BLACK = "#ffffff", "#000000"
LEGIBLE = 4.5
"""Contrast of text of the usual size, level AA."""

_HEX = re.compile(r"#[0-9a-f]{6}")
_STEPS = 20


def is_colour(text: str) -> bool:
    """True for #rrggbb in lower case, the only form that we keep."""
    return _HEX.fullmatch(text) is not None


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, from 1 (the same) to 21 (black and white)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def mixed(colour: str, with_colour: str, share: float) -> str:
    """A colour with a share (0 to 1) of another in it."""
    pairs = zip(_channels(colour), _channels(with_colour), strict=True)
    return "#" + "".join(f"{round(own + (other - own) * share):02x}" for own, other in pairs)


def legible_on(ground: str, colour: str, least: float = LEGIBLE) -> str:
    """The colour, or the same hue as little lighter or darker as makes it legible on that ground."""
    away = WHITE if _luminance(ground) < _luminance("#767676") else BLACK
    steps = (_moved(colour, float(away == WHITE), step / _STEPS) for step in range(_STEPS))
    return next((step for step in (colour, *steps) if contrast(step, ground) >= least), away)


def _moved(colour: str, lightness: float, share: float) -> str:
    """A colour of the same hue and saturation, so much of the way to a lightness (0 to 1)."""
    red, green, blue = (channel / 255 for channel in _channels(colour))
    hue, light, saturation = colorsys.rgb_to_hls(red, green, blue)
    moved = colorsys.hls_to_rgb(hue, light + (lightness - light) * share, saturation)
    return "#" + "".join(f"{round(channel * 255):02x}" for channel in moved)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    """WCAG's relative luminance, 0 to 1."""
    red, green, blue = (_linear(channel / 255) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)
