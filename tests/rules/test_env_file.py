"""The file .env, as `make up` reads it."""

from pathlib import Path

import pytest

from infra.native import settings


def test_a_value_of_several_words_needs_no_quotes_and_may_have_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(settings, "ROOT", tmp_path)
    monkeypatch.delenv("ROADMEND_COUNCIL_NAME", raising=False)
    for written in ("Alder and Beck Council", '"Alder and Beck Council"', "'Alder and Beck Council'"):
        (tmp_path / ".env").write_text(f"# ours\nROADMEND_COUNCIL_NAME={written}\nROADMEND_LOG_LEVEL=\n")

        assert settings.given()["ROADMEND_COUNCIL_NAME"] == "Alder and Beck Council"
        assert settings.given().get("ROADMEND_LOG_LEVEL") != ""
