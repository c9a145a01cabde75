"""A council's own name, colour, letters and logo, as its settings give them."""

import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from shared.domain.colours import LEGIBLE, WHITE, contrast
from shared.settings import settings

LOGO = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1v1z"/></svg>'


def _set(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"ROADMEND_{name.upper()}", value)
    settings.cache_clear()


def _style(api: TestClient) -> str:
    at = re.search(r'"(/assets/council-[\w-]+\.css)"', api.get("/").text)
    assert at
    return api.get(at[1]).text


def test_a_page_bears_the_name_of_the_policys_authority_until_a_setting_names_another(
    api: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "<title>Report a problem on the road - Road problems - Lancashire County Council</title>" in (
        api.get("/").text
    )

    _set(monkeypatch, council_name="Alder & Beck", service_name="Mend my street")

    assert "<title>Report a problem on the road - Mend my street - Alder &amp; Beck</title>" in api.get("/").text


def test_the_colour_and_the_letters_come_from_the_settings_and_change_the_address_of_the_style(
    api: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = api.get("/").text

    _set(monkeypatch, brand_colour="#7a1fa2", letters="Georgia, serif")

    style = _style(api)
    assert "--roadmend-header:#7a1fa2;" in style
    assert "--roadmend-letters:Georgia, serif;" in style
    assert re.findall("council-[^.]+", before) != re.findall("council-[^.]+", api.get("/").text)


@pytest.mark.parametrize("brand", ["#000000", "#1d4a3f", "#0000c8", "#b00020", "#767676"])
def test_links_and_buttons_can_be_read_in_the_light_and_in_the_dark(
    api: TestClient, monkeypatch: pytest.MonkeyPatch, brand: str
) -> None:
    _set(monkeypatch, brand_colour=brand)
    light, dark = (dict(re.findall(r"--([\w-]+):(#[0-9a-f]{6})", part)) for part in _style(api).split("@media"))

    assert contrast(light["govuk-link-colour"], WHITE) >= LEGIBLE
    assert contrast(light["roadmend-button"], WHITE) >= LEGIBLE
    assert contrast(light["roadmend-button-hover"], WHITE) >= LEGIBLE
    assert contrast(light["roadmend-tag"], light["roadmend-tag-text"]) >= LEGIBLE
    assert contrast(dark["govuk-link-colour"], "#131716") >= LEGIBLE
    assert contrast(dark["roadmend-button"], dark["roadmend-button-text"]) >= LEGIBLE
    assert contrast(dark["roadmend-header"], WHITE) >= LEGIBLE
    assert contrast(dark["roadmend-tag"], dark["roadmend-tag-text"]) >= LEGIBLE


def test_the_logo_stands_beside_the_name(api: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert "<img" not in api.get("/").text
    (tmp_path / "ours.svg").write_text(LOGO)

    _set(monkeypatch, logo_file=str(tmp_path / "ours.svg"))

    at = re.search(r'<img class="app-header__logo" src="([^"]+)" alt="">', api.get("/").text)
    assert at
    served = api.get(at[1])
    assert served.text == LOGO
    assert served.headers["content-type"] == "image/svg+xml"
    assert "default-src 'none'" in served.headers["content-security-policy"]


def test_a_chosen_basemap_may_be_loaded_and_nothing_else_from_elsewhere(
    api: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "https:" not in api.get("/").headers["content-security-policy"]

    _set(monkeypatch, basemap_style="https://tiles.example/styles/roads.json?key=1")

    policy = api.get("/").headers["content-security-policy"]
    assert "connect-src 'self' https://tiles.example;" in policy
    assert "script-src 'self';" in policy


def test_the_number_for_dangers_is_shown_where_it_is_set(api: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert 'href="tel:999"' in api.get("/").text
    assert api.get("/").text.count("tel:") == 1

    _set(monkeypatch, danger_phone="01632 960 555")

    assert '<a class="govuk-link" href="tel:01632960555">01632 960 555</a>' in api.get("/").text
