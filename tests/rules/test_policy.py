"""A policy file is read whole, or refused with file, line and key."""

import tomllib
from dataclasses import fields
from datetime import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain import policy_sections as sections
from shared.domain.deadlines import Clock, DueAt
from shared.domain.policy import Policy, PolicyError, parse
from shared.domain.terms import Band
from shared.domain.toml_lines import key_lines
from shared.settings import ROOT
from tests.rules.known import policy_file, shipped

TEXT = policy_file("lancashire").read_text()

DEFAULTED = {
    "risk": sections.RiskRules,
    "duplicates": sections.DuplicateRules,
    "detections": sections.DetectionRules,
    "warranty": sections.WarrantyRules,
    "verification": sections.VerificationRules,
    "evidence": sections.EvidenceRules,
    "inspection": sections.InspectionRules,
    "place": sections.PlaceRules,
    "works": sections.WorksRules,
    "third_party": sections.ThirdPartyRules,
    "gully": sections.GullyRules,
    "permit": sections.PermitRules,
    "condition": sections.ConditionRules,
    "retention": sections.RetentionRules,
    "kpi": sections.KpiRules,
}


def line_of(text: str, piece: str) -> int:
    return text[: text.index(piece)].count("\n") + 1


def refusal(text: str) -> PolicyError:
    with pytest.raises(PolicyError) as refused:
        parse(text, "county.toml")
    return refused.value


@pytest.mark.parametrize("file", sorted((ROOT / "shared" / "policy").glob("*.toml")), ids=lambda file: file.stem)
def test_every_policy_that_is_shipped_is_valid(file: Path) -> None:
    assert parse(file.read_text(), file.name).meta.name


def test_the_shipped_values_are_those_of_the_domain() -> None:
    policy = shipped()

    assert policy.calendar.cutoff == time(16, 30)
    assert policy.calendar.due_at is DueAt.END_OF_DAY
    assert (policy.levels["carriageway"].depth_mm, policy.levels["carriageway"].width_mm) == (40, 150)
    assert (policy.levels["footway"].depth_mm, policy.levels["footway"].width_mm) == (25, 100)
    assert policy.triage.danger == Clock.parse("1h")
    assert policy.warranty.months["structural_patch"] == 24
    assert policy.class_of("rdd2022", "D40") == "pothole"


@pytest.mark.parametrize(("name", "record"), sorted(DEFAULTED.items()))
def test_a_section_that_is_left_out_has_the_values_that_are_shipped(name: str, record: type[Any]) -> None:
    assert getattr(shipped(), name) == record()


@pytest.mark.parametrize(("name", "record"), sorted(DEFAULTED.items()))
def test_every_setting_stands_in_the_shipped_file(name: str, record: type[Any]) -> None:
    written = tomllib.loads(TEXT)["dedupe" if name == "duplicates" else name]

    assert set(written) == {field.name for field in fields(record)}


def test_northern_ireland_differs_in_authority_calendar_and_lots_only() -> None:
    ours, theirs = (tomllib.loads(policy_file(name).read_text()) for name in ("lancashire", "northern-ireland"))

    different = {key for key in ours | theirs if ours.get(key) != theirs.get(key)}

    assert different == {"meta", "calendar", "contractors", "lots"}


@pytest.mark.parametrize(
    ("old", "new", "key", "says"),
    [
        ('make_safe = "4h"', 'make_safe = "4 hours"', "bands.E.make_safe", "not a clock"),
        ('make_safe = "4h"', "make_safe = 4", "bands.E.make_safe", "should be a clock such as"),
        ('make_safe = "4h"', 'make_save = "4h"', "bands.E.make_save", "unknown key; known here: make_safe"),
        ("passes = 2", "passes = 0", "detections.passes", "0 should be at least 1"),
        ("passes = 2", "passes = true", "detections.passes", "True should be a whole number"),
        ("share = 0.10", "share = 1.5", "verification.share", "1.5 should be at least 0 and at most 1"),
        ("share = 0.10", "share = nan", "verification.share", "should be a finite number"),
        ("share = 0.10", 'share = "ten"', "verification.share", "'ten' should be a number"),
        ('no_exif = "warn"', 'no_exif = "shout"', "evidence.no_exif", "not one of accept, warn, fail"),
        ('["M", "P20", "P20", "P10"]', '["M", "P20", "P20"]', "matrix.impact_1", "has 3 bands"),
        ('["M", "P20", "P20", "P10"]', '["M", "P20", "P7", "P10"]', "matrix.impact_1[2]", "'P7' is not one of E, P2"),
        ('["M", "P20", "P20", "P10"]', '["M", "P20", "G", "P10"]', "matrix", "G are not graded by risk"),
        ("cutoff = 16:30:00", "cutoff = 2026-01-01", "calendar.cutoff", "should be a time such as 16:30:00"),
        ('timezone = "Europe/London"', 'timezone = "Europe/Lundun"', "calendar.timezone", "is no time zone"),
        ('division = "england-and-wales"', 'division = "wessex"', "calendar.division", "not one of england-and-wales"),
        ('D40 = "pothole"', 'D40 = "potholes"', "class_schemes.rdd2022.D40", "'potholes' is not known here"),
        ('classes = ["kerb_loose"]', 'classes = ["kerb_lose"]', "floors[19].classes", "'kerb_lose' is not known here"),
        ('flags = ["collapse"]', 'flags = ["colapse"]', "floors[2].flags", "'colapse' is not known here"),
        ('contractor = "alder"', 'contractor = "elder"', "lots[1].contractor", "known: alder, birch, county"),
        ('bands = ["T"]', 'bands = ["Q"]', "lots[4].bands", "'Q' is not one of E"),
        ("[levels.footway]", "[levels.pavement]", "levels.pavement", "'pavement' is not known here"),
        ("footprint_m = 1.0", "footprint_m = 1.0\nfootprint = 2", "warranty.footprint", "unknown key"),
        ("[works]", "[work]", "work", "unknown key; known here: bands, calendar"),
        ("approver = ", "aprover = ", "meta.aprover", "unknown key"),
        ("max_defects_per_order = 10", "max_defects_per_order = 1.5", "works.max_defects_per_order", "a whole number"),
        ("ask_accuracy_m = 200", "ask_accuracy_m = 6000", "place.ask_accuracy_m", "more than max_accuracy_m"),
        ("same_floor_m = 8", "same_flor_m = 8", "dedupe.same_flor_m", "unknown key"),
        ("effective_from = 2018-04-12T00:00:00+01:00", "effective_from = 2018-04-12T00:00:00", "meta.effective_from",
         "needs its offset"),
    ],
)  # fmt: skip
def test_an_error_names_file_line_and_key(old: str, new: str, key: str, says: str) -> None:
    assert TEXT.count(old) >= 1
    text = TEXT.replace(old, new, 1)

    refused = refusal(text)

    assert refused.key == key
    assert says in refused.detail
    assert refused.detail.startswith(f"county.toml:{refused.line}: {refused.key}: ")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('make_safe = "4h"', 'make_safe = "4 hours"'),
        ("passes = 2", "passes = 0"),
        ('D40 = "pothole"', 'D40 = "potholes"'),
        ('flags = ["collapse"]', 'flags = ["colapse"]'),
        ('contractor = "alder"', 'contractor = "elder"'),
        ("[works]", "[work]"),
        ("same_floor_m = 8", "same_flor_m = 8"),
        ('major = { notice = "10wd"', 'major = { notice = "10 wd"'),
    ],
)
def test_the_line_is_the_one_that_is_wrong(old: str, new: str) -> None:
    text = TEXT.replace(old, new, 1)

    assert refusal(text).line == line_of(text, new)


def test_a_missing_key_names_the_table_that_should_have_it() -> None:
    text = TEXT.replace('division = "england-and-wales"\n', "")

    refused = refusal(text)

    assert refused.key == "calendar.division"
    assert refused.line == line_of(text, "[calendar]")
    assert "must be given" in refused.detail


def test_what_is_not_toml_is_refused_with_its_line() -> None:
    text = TEXT.replace("[works]", "[works", 1)

    refused = refusal(text)

    assert refused.line == line_of(text, "[works")
    assert "not valid TOML" in refused.detail


@pytest.mark.parametrize("text", ["", "[meta]", "meta = 3", "[[meta]]\nname = 'x'", "[dedupe]\ngroups = 3", "a.b = 1"])
def test_a_file_that_is_no_policy_is_refused_in_a_sentence(text: str) -> None:
    assert refusal(text).detail.startswith("county.toml:")


def with_dedupe(tables: str) -> Policy:
    return parse(TEXT + tables, "county.toml")


def test_distances_change_for_a_group_and_again_for_one_of_its_classes() -> None:
    policy = with_dedupe(
        "\n[dedupe.groups.drainage]\nsuggest_m = 20\n[dedupe.classes.gully_blocked]\nsame_floor_m = 3\n"
    )

    assert policy.duplicates_of("pothole") == policy.duplicates
    assert policy.duplicates_of("flooding").suggest_m == 20
    gully = policy.duplicates_of("gully_blocked")
    assert (gully.suggest_m, gully.same_floor_m) == (20, 3)
    assert gully.same_cap_m == policy.duplicates.same_cap_m


def test_distances_for_a_class_that_is_not_known_are_refused() -> None:
    with pytest.raises(PolicyError, match=r"dedupe\.classes\.gulley: 'gulley' is not known here"):
        with_dedupe("\n[dedupe.classes.gulley]\nsame_floor_m = 3\n")


def test_classes_are_alike_in_both_directions() -> None:
    policy = shipped()

    for code in policy.classes:
        assert code in policy.kinds_like(code)
        assert all(code in policy.kinds_like(other) for other in policy.kinds_like(code))
    assert "cycleway_pothole" not in policy.kinds_like("pothole")


def test_a_policy_is_known_by_its_text() -> None:
    same, other = parse(TEXT, "a.toml"), parse(TEXT + "\n# one word more\n", "a.toml")

    assert same == shipped()
    assert hash(same) == hash(shipped())
    assert other != same


TRICKY = '''
[a] # [not.a.table]
one = """
[b]
two = 2
"""
"quo.ted" = [
  "]", # ]
  { x = "}" },
]
[[list]]
k = 1
[list.sub]
deep.er = '#'
[[list]]
k = 2
'''


def test_lines_are_found_past_long_strings_brackets_and_comments() -> None:
    lines = key_lines(TRICKY)

    assert lines == {
        ("a",): 2,
        ("a", "one"): 3,
        ("a", "quo.ted"): 7,
        ("list", 0): 11,
        ("list", 0, "k"): 12,
        ("list", 0, "sub"): 13,
        ("list", 0, "sub", "deep", "er"): 14,
        ("list", 1): 15,
        ("list", 1, "k"): 16,
    }


def paths(value: object, at: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    """Every path of a parsed file that has a line of its own: no inline tables, no elements of plain arrays."""
    found = {at}
    if isinstance(value, dict):
        for key, one in value.items():
            found |= paths(one, (*at, key))
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for position, one in enumerate(value):
            found |= paths(one, (*at, position))
    return found


def test_every_line_that_is_found_in_the_shipped_file_holds_its_key() -> None:
    lines, text = key_lines(TEXT), TEXT.split("\n")
    known = paths(tomllib.loads(TEXT))

    assert set(lines) <= known
    for path, line in lines.items():
        name = str(next(part for part in reversed(path) if isinstance(part, str)))
        assert name in text[line - 1]


@given(st.text(max_size=200))
def test_any_text_at_all_is_refused_and_never_breaks_the_reader(text: str) -> None:
    assert refusal(text).code == "policy-error"


@given(st.sampled_from(sorted(Band)), st.data())
def test_any_band_can_be_set_to_any_clock(band: Band, data: st.DataObject) -> None:
    clock = data.draw(st.builds("{}{}".format, st.integers(1, 9999), st.sampled_from(["h", "wd", "d", "m"])))
    header = f"[bands.{band}]"
    start = TEXT.index(header)
    end = TEXT.find("\n\n", start)
    table = f'{header}\ntitle = "x"\nmake_safe = "{clock}"'

    policy = parse(TEXT[:start] + table + TEXT[end:], "county.toml")

    assert policy.bands[band].make_safe == Clock.parse(clock)
    assert policy.bands[band].permanent is None
