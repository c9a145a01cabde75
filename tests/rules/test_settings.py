"""Settings: from the environment, or from files where they hold secrets."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from shared.settings import Settings


@pytest.mark.parametrize("name", ["database_url", "redis_url"])
def test_an_address_may_lie_in_a_file_which_goes_before_the_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    (tmp_path / "secret").write_text("from://the-file\n")
    monkeypatch.setenv(f"ROADMEND_{name.upper()}", "from://the-variable")
    assert getattr(Settings(), name) == "from://the-variable"

    monkeypatch.setenv(f"ROADMEND_{name.upper()}_FILE", str(tmp_path / "secret"))

    assert getattr(Settings(), name) == "from://the-file"


def test_the_secret_key_may_lie_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("0123456789abcdef0123456789abcdef\n")
    monkeypatch.setenv("ROADMEND_SECRET_KEY_FILE", str(tmp_path / "secret"))

    assert Settings().secret() == "0123456789abcdef0123456789abcdef"


def test_settings_that_are_printed_show_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROADMEND_SECRET_KEY", "0123456789abcdef0123456789abcdef")

    assert "0123456789abcdef" not in repr(Settings())


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("brand_colour", "#ffd500", "has a contrast of 1.4"),
        ("brand_colour", "green", "#rrggbb"),
        ("letters", "Arial; } body { display: none", "names with commas"),
        ("letters", '"GDS Transport", arial', "services of GOV.UK only"),
        ("basemap_style", "https://tiles.example/style.json; script-src *", "whole address"),
        ("basemap_style", "javascript:alert(1)", "whole address"),
    ],
)
def test_a_look_that_cannot_be_read_or_that_does_more_than_look_is_refused(name: str, value: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Settings(**{name: value})


def test_a_colour_that_is_refused_comes_with_the_nearest_that_is_not() -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(brand_colour="#e67300")

    nearest = str(refused.value).partition("that does is ")[2][:7]
    assert Settings(brand_colour=nearest).brand_colour == nearest
