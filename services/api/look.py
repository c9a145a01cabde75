"""What a council's own name, colour, letters and logo make of the pages. All of it comes from the settings."""

import base64
import hashlib
import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from shared.domain.colours import BLACK, WHITE, legible_on, mixed
from shared.settings import Settings, settings

DARK_GROUND = "#131716"
"""As styles/_look.scss has it."""
EASY = 7.0
"""Contrast of links in the dark scheme, level AAA: thin bright letters on dark are harder to read."""
KINDS = {".svg": "image/svg+xml", ".png": "image/png", ".webp": "image/webp"}


_ICON = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">
<rect width="64" height="64" rx="12" fill="BRAND"/>
<path d="M18 56 26 8h12l8 48z" fill="#fff"/><path d="M32 12v8M32 27v9M32 43v10" stroke="BRAND" stroke-width="4"/></svg>
"""
"""A road, for the browser's tab."""


@dataclass(frozen=True, slots=True)
class File:
    """A file that is made or read once and served under a name that changes with it."""

    name: str
    kind: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Look:
    """What templates show. Empty texts are settings that nobody has set."""

    council: str
    service: str
    danger_phone: str
    contact_email: str
    privacy_email: str
    header_colour: str
    basemap_style: str
    basemap_origin: str
    map_credit: str
    style: File
    icon: File
    logo: File | None

    @property
    def danger_tel(self) -> str:
        """The number as a tel: link takes it."""
        return re.sub(r"[^\d+]", "", self.danger_phone)


def look() -> Look:
    """The look that the settings give."""
    return _made(settings())


@lru_cache(maxsize=4)
def _made(known: Settings) -> Look:
    return Look(
        council=known.council_name or _authority(known.policy_file),
        service=known.service_name,
        danger_phone=known.danger_phone,
        contact_email=known.contact_email,
        privacy_email=known.privacy_email or known.contact_email,
        header_colour=known.brand_colour,
        basemap_style=known.basemap_style,
        basemap_origin="/".join(known.basemap_style.split("/")[:3]),
        map_credit=known.map_credit,
        style=_named("council", ".css", "text/css; charset=utf-8", _style(known).encode()),
        icon=_named("icon", ".svg", KINDS[".svg"], _ICON.replace("BRAND", known.brand_colour).encode()),
        logo=_logo(known.logo_file),
    )


def _authority(policy: Path) -> str:
    """Of the policy's file, not of the database: pages say whose they are also while that is away."""
    return str(tomllib.loads(policy.read_text())["meta"]["authority"])


def _named(stem: str, suffix: str, kind: str, content: bytes) -> File:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode()[:8]
    return File(f"{stem}-{digest}{suffix}", kind, content)


def _logo(file: Path | None) -> File | None:
    """Raises ValueError: it is of no kind that browsers show, or cannot be read."""
    if file is None:
        return None
    if file.suffix.lower() not in KINDS:
        raise ValueError(f"ROADMEND_LOGO_FILE is {file.name}; it may be one of: {', '.join(KINDS)}.")
    return _named("logo", file.suffix.lower(), KINDS[file.suffix.lower()], file.read_bytes())


def _style(known: Settings) -> str:
    brand, dark = known.brand_colour, legible_on(DARK_GROUND, known.brand_colour, EASY)
    light = {
        "roadmend-letters": known.letters,
        "roadmend-header": brand,
        "roadmend-button": brand,
        "roadmend-button-hover": mixed(brand, BLACK, 0.25),
        "roadmend-button-edge": mixed(brand, BLACK, 0.5),
        "roadmend-chosen": brand,
        "roadmend-tag": mixed(brand, WHITE, 0.85),
        "roadmend-tag-text": mixed(brand, BLACK, 0.4),
        "govuk-brand-colour": brand,
        "govuk-link-colour": brand,
        "govuk-link-hover-colour": mixed(brand, BLACK, 0.4),
    }
    night = {
        "roadmend-header": mixed(brand, BLACK, 0.35),
        "roadmend-button": dark,
        "roadmend-button-hover": mixed(dark, WHITE, 0.3),
        "roadmend-button-edge": mixed(dark, BLACK, 0.5),
        "roadmend-button-text": BLACK,
        "roadmend-chosen": dark,
        "roadmend-chosen-text": BLACK,
        "roadmend-tag": mixed(brand, BLACK, 0.3),
        "roadmend-tag-text": legible_on(mixed(brand, BLACK, 0.3), mixed(brand, WHITE, 0.8), EASY),
        "govuk-brand-colour": dark,
        "govuk-link-colour": dark,
        "govuk-link-hover-colour": WHITE,
    }
    dark_scheme = f"@media screen and (prefers-color-scheme:dark){{{_rule(night)}}}"
    return _rule(light) + dark_scheme


def _rule(properties: dict[str, str]) -> str:
    return ":root{" + "".join(f"--{name}:{value};" for name, value in properties.items()) + "}"
