"""Every environment variable that Roadmend reads, in one place. Names begin with ROADMEND_."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

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
    drain_batch: int = Field(500, ge=1, le=10_000, description="Deliveries that one transaction takes at most")

    @model_validator(mode="before")
    @classmethod
    def _read_addresses(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Addresses hold passwords, so that they too may lie in files. A file goes before the variable."""
        files = {name: given.get(f"{name}_file") for name in ("database_url", "redis_url")}
        return {**given, **{name: Path(file).read_text().strip() for name, file in files.items() if file}}

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
