"""Every environment variable that Roadmend reads, in one place. Names begin with ROADMEND_."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.domain import colours

ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """The settings of this process. What holds a secret may come from a file instead: ROADMEND_…_FILE names it."""

    model_config = SettingsConfigDict(env_prefix="ROADMEND_", extra="ignore", frozen=True)

    database_url: str = Field(
        "postgresql+psycopg://roadmend@localhost:5432/roadmend",
        description="PostgreSQL with PostGIS, as an SQLAlchemy URL",
    )
    database_url_file: Path | None = Field(None, description="A file that holds that address, instead of the variable")
    database_pool: int = Field(24, ge=1, le=500, description="Connections that one process keeps at most")
    redis_url: str = Field("redis://localhost:6379/0", description="Celery's broker and the rate limits")
    redis_url_file: Path | None = Field(None, description="A file that holds that address, instead of the variable")
    secret_key: SecretStr = Field(
        SecretStr(""), description="Signs cookies and tracking links; 32 random bytes or more"
    )
    secret_key_file: Path | None = Field(None, description="A file that holds the secret key, instead of the variable")
    photo_dir: Path = Field(ROOT / ".run" / "photos", description="Where photos are kept: originals and public copies")
    policy_file: Path = Field(ROOT / "shared" / "policy" / "lancashire.toml", description="The policy to adopt")
    grid_epsg: int = Field(27700, description="National grid in metres; fixed when the database is made")
    host: str = Field("127.0.0.1", description="Address that the API listens on")
    port: int = Field(8000, description="Port that the API listens on")
    public_url: str = Field("http://localhost:8000", description="Address that links to residents begin with")
    behind_proxy: bool = Field(False, description="Take who asks from X-Forwarded-For and -Proto")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")
    rate_limit: str = Field("60/minute", description="Reports that one address may send; empty for none")
    postgres_bin: Path | None = Field(
        None, description="The folder of pg_dump and pg_restore, where they are not in a usual place"
    )
    council_name: str = Field("", description="As pages show it; empty for the authority that the policy file names")
    service_name: str = Field("Road problems", description="As pages show it")
    brand_colour: str = Field("#1d4a3f", description="Of header, buttons and links, as #rrggbb")
    logo_file: Path | None = Field(None, description="SVG, PNG or WebP, shown on the brand colour beside the name")
    letters: str = Field(
        'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
        description="Font families that readers' machines have",
    )
    danger_phone: str = Field("", description="Number to call about a danger on the road, day and night")
    contact_email: str = Field("", description="Where residents ask for help with the service")
    privacy_email: str = Field("", description="Where residents ask about their personal data")
    accessibility_reviewed: str = Field(
        "", description="When the council last tested the pages and reviewed its statement, as 3 May 2026"
    )
    basemap_style: str = Field("", description="Address of a MapLibre style to draw below our own map")
    map_credit: str = Field("", max_length=200, description="Whose data the map shows, as their licence asks for it")
    mail_provider: Literal["none", "mailbox", "smtp", "notify"] = Field(
        "none", description="How e-mail leaves: none keeps it, mailbox writes it into a folder here"
    )
    mail_from: str = Field("Roadmend <no-reply@localhost>", description="Who e-mail by SMTP is from")
    smtp_url: SecretStr = Field(
        SecretStr("smtp://localhost:25"), description="smtp://user:password@host:587?tls=start, or smtps://…"
    )
    smtp_url_file: Path | None = Field(None, description="A file that holds that address, instead of the variable")
    sms_provider: Literal["none", "mailbox", "notify"] = Field("none", description="How texts leave")
    notify_key: SecretStr = Field(SecretStr(""), description="GOV.UK Notify's API key")
    notify_key_file: Path | None = Field(None, description="A file that holds that key, instead of the variable")
    notify_url: str = Field("https://api.notifications.service.gov.uk", description="Where GOV.UK Notify is")
    notify_email_template: str = Field("", description="Notify's template whose ((subject)) and ((body)) we fill")
    notify_sms_template: str = Field("", description="Notify's template whose ((body)) we fill")
    mailbox_dir: Path = Field(ROOT / ".run" / "mailbox", description="Where the mailbox provider puts messages")
    message_wait_seconds: int = Field(
        60, ge=0, le=3600, description="So long the steps of one defect are gathered into one message"
    )
    drain_batch: int = Field(500, ge=1, le=10_000, description="Deliveries that one transaction takes at most")

    @model_validator(mode="before")
    @classmethod
    def _read_addresses(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Addresses hold passwords, so that they too may lie in files. A file goes before the variable."""
        files = {name: given.get(f"{name}_file") for name in ("database_url", "redis_url", "smtp_url", "notify_key")}
        return {**given, **{name: Path(file).read_text().strip() for name, file in files.items() if file}}

    @field_validator("brand_colour")
    @classmethod
    def _is_legible(cls, given: str) -> str:
        """Header and buttons bear white text."""
        colour = given.lower()
        if not colours.is_colour(colour):
            raise ValueError("Give the colour as #rrggbb, such as #1d4a3f.")
        if (found := colours.contrast(colour, colours.WHITE)) < colours.LEGIBLE:
            raise ValueError(
                f"White text on {colour} has a contrast of {found:.1f}; {colours.LEGIBLE} is the least that WCAG 2.2 "
                f"allows. The nearest darker colour that does is {colours.legible_on(colours.WHITE, colour)}."
            )
        return colour

    @field_validator("letters")
    @classmethod
    def _are_families(cls, given: str) -> str:
        """They go into a style sheet. GDS Transport is licensed to services on gov.uk only."""
        if not re.fullmatch(r"[\w ,\"'-]+", given):
            raise ValueError("Font families are names with commas between them.")
        if "gds transport" in given.lower():
            raise ValueError("GDS Transport may be used by services of GOV.UK only; name another font.")
        return given

    @field_validator("basemap_style")
    @classmethod
    def _is_an_address(cls, given: str) -> str:
        """It goes into the policy that tells browsers where a page may load from."""
        if given and not re.fullmatch(r"https?://[\w.-]+(:\d+)?/[^\s;,\"']*", given):
            raise ValueError("Give the whole address of the style, such as https://tiles.example.org/style.json.")
        return given

    def notify_api_key(self) -> str:
        """GOV.UK Notify's key; empty where none is set."""
        return self.notify_key.get_secret_value()

    def secret(self) -> str:
        """The signing key.

        Raises:
            ValueError: neither variable nor file gives one of at least 32 characters.
        """
        key = self.secret_key.get_secret_value()
        if self.secret_key_file is not None:
            key = self.secret_key_file.read_text().strip()
        if len(key) < 32:
            raise ValueError("Set ROADMEND_SECRET_KEY or ROADMEND_SECRET_KEY_FILE to 32 characters or more.")
        return key


@lru_cache
def settings() -> Settings:
    """The settings, read once a process."""
    return Settings()
