"""`roadmend policy`: one clear answer, or one clear sentence and exit code 2."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli.main import app
from tests.rules.known import policy_file


def roadmend(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["policy", *arguments])
    return done.exit_code, done.stdout, done.stderr


def test_a_clock_is_answered_in_iso_form_with_its_reasons() -> None:
    code, out, _ = roadmend("clock", "--start", "2026-12-23T15:00", "--clock", "5wd")

    first, *why = out.splitlines()
    assert code == 0
    assert first == "2027-01-04T23:59:59+00:00"
    assert any("Mon 28 Dec 2026" in line for line in why)


def test_a_band_is_answered_clock_by_clock() -> None:
    code, out, _ = roadmend("clock", "--start", "2026-10-24T23:00", "--band", "E")

    assert code == 0
    assert "make safe: 2026-10-25T02:00:00+00:00" in out
    assert "permanent: 2026-11-23T23:59:59+00:00" in out


def test_another_policy_may_be_asked() -> None:
    northern_ireland = str(policy_file("northern-ireland"))

    _, out, _ = roadmend("clock", "--start", "2026-07-10T09:00", "--clock", "1wd", "--policy", northern_ireland)

    assert out.startswith("2026-07-14T23:59:59+01:00")


def test_a_program_may_ask_for_json() -> None:
    _, out, _ = roadmend("clock", "--start", "2026-07-10T09:00Z", "--clock", "4h", "--json")

    assert json.loads(out)["due"]["at"] == "2026-07-10T14:00:00+01:00"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--start", "2026-03-29T01:30", "--clock", "4h"], "does not exist in Europe/London"),
        (["--start", "2026-10-25T01:30", "--clock", "4h"], "comes twice in Europe/London"),
        (["--start", "2028-12-29T09:00", "--clock", "5wd"], "The bank holidays of 2029 are not known"),
        (["--start", "tomorrow", "--clock", "5wd"], "'tomorrow' is not a time"),
        (["--start", "2026-12-23T15:00", "--clock", "5w"], "'5w' is not a clock"),
        (["--start", "2026-12-23T15:00", "--band", "P7"], "'P7' is no band"),
        (["--start", "2026-12-23T15:00"], "Give either --clock or --band"),
        (["--start", "2026-12-23T15:00", "--clock", "5wd", "--band", "P5"], "Give either --clock or --band"),
    ],
)
def test_what_cannot_be_answered_is_one_sentence_and_exit_code_2(arguments: list[str], says: str) -> None:
    code, out, complaint = roadmend("clock", *arguments)

    assert code == 2
    assert out == ""
    assert says in complaint
    assert "Traceback" not in complaint


def test_a_sound_policy_file_is_said_to_be_valid() -> None:
    code, out, _ = roadmend("check", str(policy_file("lancashire")))

    assert code == 0
    assert "is valid: Lancashire highway safety policy" in out


def test_a_broken_policy_file_is_refused_with_its_line(tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    text = policy_file("lancashire").read_text().replace("passes = 2", "passes = two")
    broken.write_text(text)

    code, _, complaint = roadmend("check", str(broken))

    assert code == 2
    assert complaint.startswith(f"broken.toml:{text[: text.index('passes = two')].count(chr(10)) + 1}: not valid TOML")


def test_a_policy_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b'[meta]\nname = "\xff"\n')

    code, _, complaint = roadmend("check", str(binary))

    assert code == 2
    assert complaint == "binary.toml:2: is not UTF-8 text.\n"


def test_the_bands_the_matrix_and_the_lots_are_shown() -> None:
    code, out, _ = roadmend("show", "--policy", str(policy_file("lancashire")))

    assert code == 0
    assert all(word in out for word in ("Emergency", "impact", "Lot north: Alder Roadworks (simulated)"))
