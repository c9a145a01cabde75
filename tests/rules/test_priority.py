"""How urgent a defect is: matrix, measured floors, and who may say so (DOMAIN 10.1, 10.3 case 9)."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.policy import FLAGS, HIERARCHIES, ZONES
from shared.domain.priority import Assessment, Grade, NeedsSecond, grade, regrade, size_steps, steps_over
from shared.domain.terms import Band
from shared.errors import Invalid
from tests.rules.known import changed, local, shipped

BY_PRODUCT = {1: "M", 2: "P20", 3: "P20", 4: "P10", 6: "P5", 8: "P5", 9: "P2", 12: "P2", 16: "E"}


def seen(class_code: str = "pothole", by: Any = "person", **facts: Any) -> Assessment:
    """An assessment; a depth or width is a person's measure unless said otherwise."""
    facts.setdefault("measured_by", by if {"depth_mm", "width_mm"} & set(facts) else None)
    facts["flags"] = frozenset(facts.get("flags", ()))
    return Assessment(class_code=class_code, assessed_by=by, **facts)


def band(*args: Any, **facts: Any) -> Band:
    return grade(seen(*args, **facts), shipped()).band


@pytest.mark.parametrize(("impact", "likelihood"), list(product((1, 2, 3, 4), repeat=2)))
def test_the_matrix_follows_the_product_of_impact_and_likelihood(impact: int, likelihood: int) -> None:
    graded = grade(seen(impact=impact, likelihood=likelihood), shipped())

    assert graded.band == BY_PRODUCT[impact * likelihood]
    assert graded.risk == impact * likelihood


@pytest.mark.parametrize(
    ("class_code", "facts", "expected"),
    [
        # Emergency
        ("ironwork_missing", {}, "E"),
        ("grate_missing", {"hierarchy": "4b"}, "E"),
        ("ironwork_broken", {"flags": {"missing_cover"}}, "E"),
        ("depression", {"flags": {"collapse"}, "hierarchy": "4b"}, "E"),
        ("debris", {"flags": {"obstruction"}, "hierarchy": "4b"}, "E"),
        ("flooding", {"flags": {"flooding", "risk"}, "hierarchy": "4b"}, "E"),
        ("pothole", {"depth_mm": 100, "hierarchy": "3a", "flags": {"wheel_path"}}, "E"),
        # Urgent
        ("pothole", {"depth_mm": 99, "hierarchy": "3a", "flags": {"wheel_path"}}, "P2"),
        ("pothole", {"depth_mm": 100, "hierarchy": "3a"}, "P2"),
        ("pothole", {"depth_mm": 75, "hierarchy": "3b"}, "P2"),
        ("pothole", {"depth_mm": 99, "hierarchy": "4a"}, "P10"),
        ("pothole", {"depth_mm": 100, "hierarchy": "4b"}, "P2"),
        ("missing_unit", {"hierarchy": "4b"}, "P2"),
        ("footway_trip", {"depth_mm": 75, "hierarchy": "4b"}, "P2"),
        ("ironwork_rocking", {"hierarchy": "4b"}, "P2"),
        ("ironwork_broken", {"hierarchy": "4b"}, "P2"),
        # Five days
        ("pothole", {"depth_mm": 40, "width_mm": 150, "hierarchy": "2", "impact": 1}, "P5"),
        ("pothole", {"depth_mm": 40, "hierarchy": "4b", "flags": {"cycle_lane"}}, "P5"),
        ("cycleway_pothole", {"depth_mm": 40, "hierarchy": "4b"}, "P5"),
        ("pothole", {"depth_mm": 20, "hierarchy": "4b", "flags": {"crossing"}}, "P5"),
        ("footway_trip", {"depth_mm": 40, "width_mm": 10, "hierarchy": "4b", "zone": "primary"}, "P5"),
        # Ten days
        ("pothole", {"depth_mm": 40, "width_mm": 150, "hierarchy": "3b", "impact": 1}, "P10"),
        ("footway_trip", {"depth_mm": 25, "width_mm": 100, "hierarchy": "4b", "zone": "secondary"}, "P10"),
        ("kerb_loose", {"depth_mm": 20, "hierarchy": "4b"}, "P10"),
        ("kerb_misaligned", {"depth_mm": 50, "hierarchy": "4b"}, "P10"),
        ("kerb_misaligned", {"depth_mm": 49, "hierarchy": "4b"}, "M"),
        # Twenty days
        ("pothole", {"depth_mm": 40, "width_mm": 150, "hierarchy": "4b"}, "P20"),
        ("footway_trip", {"depth_mm": 25, "width_mm": 100, "hierarchy": "4b", "zone": "local"}, "P20"),
        ("marking_worn", {"hierarchy": "4b"}, "P20"),
        ("sign_damaged", {"hierarchy": "4b"}, "P20"),
        # Watched
        ("pothole", {"depth_mm": 39, "width_mm": 400, "hierarchy": "2"}, "M"),
        ("pothole", {"depth_mm": 60, "width_mm": 149, "hierarchy": "4b"}, "M"),
        ("footway_trip", {"depth_mm": 24, "width_mm": 400, "hierarchy": "2"}, "M"),
    ],
)
def test_a_measured_floor_sets_at_least_its_band(class_code: str, facts: dict[str, Any], expected: str) -> None:
    assert band(class_code, **facts) == expected


def test_the_more_urgent_of_matrix_and_floor_wins_in_both_directions() -> None:
    by_matrix = grade(seen(depth_mm=40, width_mm=150, hierarchy="4b", impact=4, likelihood=3), shipped())
    by_floor = grade(seen(depth_mm=100, hierarchy="4b", impact=1, likelihood=1), shipped())

    assert (by_matrix.band, by_floor.band) == (Band.P2, Band.P2)
    assert by_matrix.why[0] == "Impact 4 × likelihood 3 = 12: P2 by the matrix."
    assert by_floor.why[0] == "At least 100 mm deep: at least P2."


def test_of_two_that_are_equal_the_matrix_is_named_first() -> None:
    graded = grade(seen(depth_mm=100, hierarchy="4b", impact=3, likelihood=3), shipped())

    assert graded.band is Band.P2
    assert graded.why[0].startswith("Impact 3")


@pytest.mark.parametrize("facts", [{"depth_mm": 40}, {"width_mm": 150}])
def test_a_measure_at_the_level_is_not_below_it(facts: dict[str, Any]) -> None:
    assert band(hierarchy="4b", **facts) == "P20"


def test_a_persons_own_judgement_of_the_risk_outweighs_a_small_measure() -> None:
    assert band(depth_mm=30, hierarchy="2") == "M"
    assert band(depth_mm=30, hierarchy="2", impact=3, likelihood=4) == "P2"


def test_a_small_hole_that_is_said_to_be_dangerous_is_not_merely_watched() -> None:
    assert band(depth_mm=30, hierarchy="4b", flags={"danger"}) == "P2"


def test_danger_on_a_main_road_is_an_emergency_and_urgent_anywhere() -> None:
    assert band(hierarchy="2", flags={"danger"}) == "E"
    assert band(hierarchy="4b", flags={"danger"}) == "P2"


def test_what_is_not_known_never_satisfies_a_floor() -> None:
    assert band(hierarchy="2", impact=1, likelihood=1) == "M"


@given(
    class_code=st.sampled_from(sorted(shipped().classes)),
    depth=st.none() | st.floats(0, 400),
    hierarchy=st.none() | st.sampled_from(sorted(HIERARCHIES)),
    flags=st.sets(st.sampled_from(sorted(FLAGS - {"danger"}))),
    impact=st.none() | st.integers(1, 4),
    likelihood=st.none() | st.integers(1, 4),
)
def test_machines_alone_never_set_an_emergency(class_code: str, **facts: Any) -> None:
    depth = facts.pop("depth")

    by_machine = grade(seen(class_code, "ai", depth_mm=depth, **facts), shipped())

    assert by_machine.band is not Band.E


def test_an_emergency_that_machines_see_waits_as_urgent_and_says_so() -> None:
    by_machine = grade(seen("ironwork_missing", "ai"), shipped())

    assert by_machine.band is Band.P2
    assert "until a person confirms it" in by_machine.why[0]


def test_what_machines_see_as_urgent_is_left_as_it_is() -> None:
    by_machine = grade(seen("ironwork_rocking", "ai"), shipped())

    assert by_machine.band is Band.P2
    assert not any("machines" in sentence for sentence in by_machine.why)


@pytest.mark.parametrize("class_code", ["cracking", "rutting", "fretting", "longitudinal_crack", "transverse_crack"])
def test_cracks_that_only_machines_see_are_watched(class_code: str) -> None:
    assert band(class_code, "ai", hierarchy="2") == "M"


def test_a_machines_measure_below_the_level_does_not_dismiss_a_hole() -> None:
    assert band("pothole", "ai", depth_mm=20, hierarchy="2") == "P5"


def test_drainage_that_is_no_emergency_goes_by_the_gully_clocks() -> None:
    assert band("gully_blocked", hierarchy="3a") == "G"
    assert band("gully_collapsed", hierarchy="2") == "P2"


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"impact": 0}, "impact"),
        ({"likelihood": 5}, "likelihood"),
        ({"hierarchy": "3c"}, "hierarchy"),
        ({"zone": "busy"}, "zone"),
        ({"flags": {"scary"}}, "flags"),
    ],
)
def test_an_assessment_out_of_range_is_refused_and_names_the_field(facts: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        seen(**facts)

    assert set(refused.value.errors) == {field}


def test_a_class_that_the_policy_does_not_know_is_refused() -> None:
    with pytest.raises(Invalid, match="no class 'crater'"):
        grade(seen("crater"), shipped())


def test_every_cell_and_floor_is_the_policys_to_change() -> None:
    other_matrix = changed('impact_4 = ["P10", "P5", "P2", "E"]', 'impact_4 = ["P10", "P5", "P2", "P2"]')
    other_cap = changed('ai_cap = "P2"', 'ai_cap = "P10"')

    assert grade(seen(impact=4, likelihood=4), other_matrix).band is Band.P2
    assert grade(seen("ironwork_missing", "ai"), other_cap).band is Band.P10


@given(
    deeper=st.floats(0, 200),
    depth=st.floats(40, 200),
    width=st.floats(150, 900),
    hierarchy=st.sampled_from(sorted(HIERARCHIES)),
    zone=st.none() | st.sampled_from(sorted(ZONES)),
    flags=st.sets(st.sampled_from(sorted(FLAGS))),
)
def test_a_deeper_hole_is_never_less_urgent(
    deeper: float, depth: float, width: float, hierarchy: str, zone: str | None, flags: set[str]
) -> None:
    facts = {"width_mm": width, "hierarchy": hierarchy, "zone": zone, "flags": flags}

    assert band(depth_mm=depth + deeper, **facts).urgency <= band(depth_mm=depth, **facts).urgency


# --- graded again ----------------------------------------------------------------------------------------------------

FIRST, LATER = local("2026-07-06T09:00"), local("2026-07-09T14:00")


def again(old: Band | None, new: Band, **leave: Any) -> Any:
    graded = Grade(new, 2, 2, ("Measured.",))
    return regrade(old, graded, clock_from=FIRST, learned_at=LATER, by="ann", **leave)


def test_a_first_grade_runs_from_first_knowledge() -> None:
    assert again(None, Band.P10).clock_from == FIRST


def test_the_same_band_again_changes_nothing() -> None:
    assert again(Band.P10, Band.P10) is None


def test_a_hole_that_deepens_is_clocked_from_the_new_knowledge() -> None:
    raised = again(Band.P20, Band.P2)

    assert (raised.band, raised.clock_from, raised.raised) == (Band.P2, LATER, True)
    assert "Raised from P20 to P2" in raised.why[0]


@pytest.mark.parametrize("second", [None, "", "ann"])
def test_a_less_urgent_band_takes_a_second_person(second: str | None) -> None:
    with pytest.raises(NeedsSecond, match="a second person than ann"):
        again(Band.P2, Band.P20, seconded_by=second)


def test_with_a_second_person_the_band_falls_and_the_clock_still_runs_from_before() -> None:
    lowered = again(Band.P2, Band.P20, seconded_by="sue")

    assert (lowered.band, lowered.clock_from, lowered.raised) == (Band.P20, FIRST, False)


def test_another_band_of_the_same_urgency_needs_nobody_and_keeps_the_clock() -> None:
    found = again(Band.P10, Band.R)

    assert (found.band, found.clock_from, found.raised) == (Band.R, FIRST, False)


def test_a_persons_first_assessment_may_lower_a_machines_provisional_band() -> None:
    assert again(Band.P2, Band.P20, provisional=True).band is Band.P20


@given(old=st.sampled_from(Band), new=st.sampled_from(Band), wait=st.timedeltas(timedelta(0), timedelta(days=90)))
def test_no_regrade_ever_moves_the_clock_to_before_what_is_known(old: Band, new: Band, wait: timedelta) -> None:
    learned: datetime = FIRST + wait
    graded = Grade(new, 1, 1, ())

    found = regrade(old, graded, clock_from=FIRST, learned_at=learned, by="ann", seconded_by="sue")

    assert found is None or found.clock_from == (learned if found.raised else FIRST)
    assert found is None or found.raised == (new.urgency < old.urgency)


SIZES = st.none() | st.floats(0, 400) | st.sampled_from((20.0, 25.0, 40.0, 75.0, 100.0, 150.0))


@given(
    class_code=st.sampled_from(sorted(shipped().classes)),
    by=st.sampled_from(("ai", "person")),
    known=st.tuples(SIZES, SIZES),
    measured=st.tuples(SIZES, SIZES),
    hierarchy=st.none() | st.sampled_from(sorted(HIERARCHIES)),
    zone=st.none() | st.sampled_from(sorted(ZONES)),
    flags=st.sets(st.sampled_from(sorted(FLAGS))),
)
def test_what_a_machine_measures_between_two_steps_changes_no_grade(
    class_code: str, by: str, known: tuple[Any, Any], measured: tuple[Any, Any], **facts: Any
) -> None:
    facts |= {"class_code": class_code, "by": by, "measured_by": "ai"}
    now = [max((one for one in pair if one is not None), default=None) for pair in zip(known, measured, strict=True)]

    over = [
        steps_over(steps, -1.0 if before is None else before, after)
        for steps, before, after in zip(size_steps(shipped()), known, measured, strict=True)
    ]

    before = grade(seen(depth_mm=known[0], width_mm=known[1], **facts), shipped())
    assert any(over) or grade(seen(depth_mm=now[0], width_mm=now[1], **facts), shipped()) == before


def test_a_size_that_reaches_a_step_is_over_it() -> None:
    steps = size_steps(shipped()).depth_mm

    assert {20, 25, 40, 50, 75, 100} <= set(steps)
    assert steps_over(steps, 39.9, 40.0)
    assert steps_over(steps, -1.0, 20.0)
    assert not steps_over(steps, 50.0, 74.9)
    assert not steps_over(steps, 100.0, 20.0)
    assert not steps_over(steps, -1.0, None)


def test_a_grade_is_the_same_however_often_it_is_asked() -> None:
    assessed = seen(depth_mm=60, width_mm=300, hierarchy="3b")

    assert grade(assessed, shipped()) == grade(replace(assessed), shipped())
