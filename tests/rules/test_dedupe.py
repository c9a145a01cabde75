"""Is it the same defect? The rule by itself: street, side, level and class before distance; then time and state."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.dedupe import NEVER, _grade, joining_reach_m, judge, radius, reach_m
from shared.domain.likeness import metres, same_street
from shared.domain.policy import DuplicateRules
from shared.domain.terms import DefectId, WarrantyId
from shared.domain.verdicts import Footprint, New, Place, Recall, Same, Sighting, Stale, Standing, Unsure

RULES = DuplicateRules()
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def a_sighting(x: float = 0, y: float = 0, **facts: Any) -> Sighting:
    given: dict[str, Any] = {"accuracy_m": 5.0, "seen_at": NOON, "street_key": "high st"} | facts
    return Sighting("pothole", x, y, known_at=given["seen_at"], **given)


def a_place(number: int = 1, x: float = 0, y: float = 0, *, days: float = 3, seen: int = 1, **facts: Any) -> Place:
    """Where defect `number`, seen so many days ago, was seen."""
    of_defect = ("opened", "repaired_at", "promised", "claimed", "passes")
    standing = {name: facts.pop(name) for name in of_defect if name in facts}
    then = NOON - timedelta(days=days)
    of = Standing(number, "pothole", x, y, 5.0, then, then, seen, **standing)
    given: dict[str, Any] = {"accuracy_m": 5.0, "street_key": "high st"} | facts
    return Place(of, x, y, **given)


def a_footprint(distance_m: float = 0, **facts: Any) -> Footprint:
    given: dict[str, Any] = {"repaired_at": NOON - timedelta(days=30), "street_key": "high st"} | facts
    return Footprint(WarrantyId(7), DefectId(1), distance_m=distance_m, **given)


def test_a_report_near_an_open_defect_on_its_street_joins_it_and_says_why() -> None:
    verdict = judge(a_sighting(street_side="left"), [a_place(x=9, street_side="left")], RULES)

    assert verdict == Same(DefectId(1), "9 m away, same street and side, same class, opened 3 days ago")


def test_nothing_near_is_a_new_defect() -> None:
    assert isinstance(judge(a_sighting(), [], RULES), New)
    assert isinstance(judge(a_sighting(), [a_place(x=120)], RULES), New)


def test_the_worse_accuracy_of_the_two_sets_the_radius_between_floor_and_cap() -> None:
    for mine, its, metres_apart in ((1, 1, 8), (5, 1, 10), (1, 6, 12), (10, 10, 20), (60, 2, 25)):
        assert radius(a_sighting(accuracy_m=mine), a_place(accuracy_m=its), RULES) == metres_apart


def test_beyond_the_radius_a_person_is_asked_as_far_as_suggestions_reach() -> None:
    for away, rural, expected in ((30, False, Unsure), (60, False, New), (60, True, Unsure), (101, True, New)):
        assert isinstance(judge(a_sighting(rural=rural), [a_place(x=away)], RULES), expected)


def test_a_machine_is_never_asked() -> None:
    verdict = judge(a_sighting(machine=True, survey_pass="p1"), [a_place(x=30)], RULES)

    assert isinstance(verdict, New)


def test_another_street_is_never_joined_by_the_machine_however_near() -> None:
    verdict = judge(a_sighting(street_key="mill ln"), [a_place(x=1)], RULES)

    assert isinstance(verdict, Unsure)
    assert verdict.candidates[0].why == "1 m away, another street, same class, opened 3 days ago"


def test_a_bridge_over_the_road_at_the_same_place_is_another_defect() -> None:
    assert isinstance(judge(a_sighting(level=1), [a_place()], RULES), New)


def test_the_other_carriageway_is_another_defect_unless_the_positions_cannot_tell() -> None:
    across = a_place(x=9, street_side="right")

    assert isinstance(judge(a_sighting(street_side="left"), [across], RULES), Unsure)
    assert isinstance(judge(a_sighting(street_side="left", machine=True), [across], RULES), New)
    assert isinstance(judge(a_sighting(street_side="left", accuracy_m=12), [across], RULES), Same)


def test_a_side_that_is_not_known_is_not_held_against_it() -> None:
    assert isinstance(judge(a_sighting(street_side="left"), [a_place(x=9)], RULES), Same)


def test_a_street_that_is_not_known_leaves_the_distance_to_decide() -> None:
    verdict = judge(a_sighting(street_key=None), [a_place(x=9)], RULES)

    assert isinstance(verdict, Same)
    assert "street not known" in verdict.why


def test_a_crossing_is_on_both_of_its_streets() -> None:
    assert same_street("high st & mill ln", "mill ln") is True
    assert same_street("high st & mill ln", "church rd & mill ln") is True
    assert same_street("high st & mill ln", "church rd") is False
    assert same_street("high st", None) is None


def test_the_nearest_of_several_is_joined_then_the_one_seen_more_often() -> None:
    nearer = judge(a_sighting(), [a_place(1, x=7), a_place(2, x=-4)], RULES)
    oftener = judge(a_sighting(), [a_place(1, x=4), a_place(2, x=-4, seen=3)], RULES)

    assert isinstance(nearer, Same)
    assert nearer.defect_id == 2
    assert isinstance(oftener, Same)
    assert oftener.defect_id == 2


def test_any_place_where_a_defect_was_seen_counts_not_only_one() -> None:
    far, near = a_place(1, x=20), a_place(1, x=6)

    verdict = judge(a_sighting(), [far, near], RULES)

    assert isinstance(verdict, Same)
    assert verdict.why.startswith("6 m away")


def test_between_defects_that_a_person_told_apart_a_person_decides_about_a_report() -> None:
    near = [a_place(1, x=0), a_place(2, x=1)]

    asked = judge(a_sighting(), near, RULES, apart={(1, 2)})
    machine = judge(a_sighting(machine=True), near, RULES, apart={(1, 2)})

    assert isinstance(asked, Unsure)
    assert [one.defect_id for one in asked.candidates] == [1, 2]
    assert isinstance(machine, Same)
    assert machine.defect_id == 1


def test_what_was_not_seen_for_long_is_not_taken_for_the_same_sooner_when_only_one_saw_it() -> None:
    rules = DuplicateRules(lone_max_age_days=4, max_age_days=14, suggest_max_age_days=30)

    for days, seen, expected in ((3, 1, Same), (10, 1, Unsure), (10, 2, Same), (20, 2, Unsure), (31, 2, New)):
        assert isinstance(judge(a_sighting(), [a_place(x=5, days=days, seen=seen)], rules), expected)


def test_house_numbers_on_one_street_join_addresses_that_are_near() -> None:
    rules = DuplicateRules(house_numbers=48, house_numbers_m=150)
    seen = a_sighting(house_number=100)

    for number, away, expected in ((130, 120, Same), (160, 120, New), (130, 160, New)):
        verdict = judge(seen, [a_place(x=away, house_number=number)], rules)
        assert isinstance(verdict, expected), (number, away)


def test_a_burst_of_reports_round_a_corner_is_shown_to_a_person_while_it_is_fresh() -> None:
    rules = DuplicateRules(suggest_other_street_m=100, suggest_other_street_days=2)
    seen = a_sighting(street_key="mill ln")

    assert isinstance(judge(seen, [a_place(x=80, days=1)], rules), Unsure)
    assert isinstance(judge(seen, [a_place(x=80, days=3)], rules), New)


def test_at_most_five_candidates_are_shown_each_defect_once_the_nearest_first() -> None:
    near = [a_place(number, x=20 + number) for number in range(1, 9)] + [a_place(1, x=40)]

    verdict = judge(a_sighting(accuracy_m=1), near, RULES)

    assert isinstance(verdict, Unsure)
    assert [one.defect_id for one in verdict.candidates] == [1, 2, 3, 4, 5]


# --- finished work (DOMAIN 10.3, cases 6 and 13) ---------------------------------------------------------------------


def test_a_report_on_a_repair_under_warranty_proposes_a_recall_and_joins_nothing() -> None:
    repaired = a_place(1, opened=False, repaired_at=NOON - timedelta(days=30), promised=True)

    verdict = judge(a_sighting(), [repaired], RULES, [a_footprint()])

    assert verdict == Recall(
        WarrantyId(7), DefectId(1), "inside the patch of a repair under warranty, repaired 30 days ago."
    )


def test_near_a_patch_counts_as_in_it_as_far_as_the_accuracy_allows() -> None:
    for accuracy, away, expected in ((5, 4, Recall), (5, 6, New), (2, 4, New), (60, 24, Recall), (60, 26, New)):
        verdict = judge(a_sighting(accuracy_m=accuracy), [], RULES, [a_footprint(away)])
        assert isinstance(verdict, expected), (accuracy, away)


def test_an_open_defect_beside_the_patch_goes_first_one_farther_off_does_not() -> None:
    assert isinstance(judge(a_sighting(), [a_place(2, x=3)], RULES, [a_footprint()]), Same)
    assert isinstance(judge(a_sighting(accuracy_m=10), [a_place(2, x=15)], RULES, [a_footprint()]), Recall)


def test_where_patches_overlap_the_last_repair_has_failed() -> None:
    first = a_footprint()
    last = replace(first, warranty_id=WarrantyId(9), defect_id=DefectId(2), repaired_at=NOON - timedelta(days=10))
    between = NOON - timedelta(days=20)

    for patches in ([first, last], [last, first]):
        verdict = judge(a_sighting(), [], RULES, patches)
        assert isinstance(verdict, Recall)
        assert verdict.warranty_id == last.warranty_id
        earlier = judge(a_sighting(seen_at=between), [], RULES, patches)
        assert isinstance(earlier, Recall)
        assert earlier.warranty_id == first.warranty_id
    nearer = judge(a_sighting(), [], RULES, [first, replace(last, distance_m=1)])
    assert isinstance(nearer, Recall)
    assert nearer.warranty_id == first.warranty_id


def test_what_was_seen_before_the_repair_is_no_recall() -> None:
    seen = a_sighting(seen_at=NOON - timedelta(days=31))

    assert isinstance(judge(seen, [], RULES, [a_footprint()]), New)


def test_a_patch_on_a_bridge_or_beside_another_street_is_not_meant() -> None:
    assert isinstance(judge(a_sighting(level=1), [], RULES, [a_footprint()]), New)
    assert isinstance(judge(a_sighting(street_key="mill ln"), [], RULES, [a_footprint(3)]), New)


def a_failed_repair(number: int = 1, x: float = 0, **facts: Any) -> Place:
    """A recall of its repair, thirty days old, waits to be decided."""
    given: dict[str, Any] = {
        "repaired_at": NOON - timedelta(days=30),
        "promised": True,
        "claimed": WarrantyId(7),
    } | facts
    return a_place(number, x, opened=False, **given)


def test_beside_a_repair_that_is_said_to_have_failed_it_is_weighed_as_if_that_were_open() -> None:
    for machine in (False, True):
        verdict = judge(a_sighting(machine=machine), [a_failed_repair(x=7)], RULES)

        assert verdict == Recall(
            WarrantyId(7), DefectId(1), "7 m from a repair under warranty that is said to have failed."
        )


def test_beside_the_patch_of_a_repair_that_nobody_claims_on_a_person_is_asked_and_a_machine_founds() -> None:
    repaired = a_failed_repair(x=7, claimed=None)

    asked = judge(a_sighting(), [repaired], RULES)
    machine = judge(a_sighting(machine=True), [repaired], RULES)

    assert isinstance(asked, Unsure)
    assert ([one.defect_id for one in asked.candidates], "has it failed" in asked.why) == ([1], True)
    assert machine == New("7 m from a repair under warranty, outside its patch")
    assert isinstance(judge(a_sighting(), [a_failed_repair(x=30, claimed=None)], RULES), New)


def test_where_an_open_defect_would_only_be_asked_about_so_is_a_repair_said_to_have_failed() -> None:
    verdict = judge(a_sighting(), [a_failed_repair(1, x=30), a_place(2, x=-40)], RULES)

    assert isinstance(verdict, Unsure)
    assert [one.defect_id for one in verdict.candidates] == [1, 2]
    assert isinstance(judge(a_sighting(machine=True), [a_failed_repair(x=30)], RULES), New)


def test_of_an_open_defect_and_a_repair_said_to_have_failed_the_nearer_is_taken() -> None:
    for open_at, expected in ((7, Same), (12, Recall)):
        verdict = judge(a_sighting(accuracy_m=10), [a_failed_repair(1, x=-9), a_place(2, x=open_at)], RULES)
        assert isinstance(verdict, expected), open_at


def test_what_was_seen_before_the_repair_is_no_witness_of_its_failure() -> None:
    failed = a_failed_repair(repaired_at=NOON + timedelta(days=2))

    assert isinstance(judge(a_sighting(x=2), [failed], RULES), Unsure)
    assert isinstance(judge(a_sighting(x=2, machine=True), [failed], RULES), Stale)
    assert isinstance(judge(a_sighting(x=30), [failed], RULES), New)


def test_imagery_older_than_the_repair_never_raises_the_hole_again() -> None:
    repaired = a_place(1, opened=False, repaired_at=NOON + timedelta(days=2))
    machine = a_sighting(x=2, machine=True, survey_pass="p1")

    verdict = judge(machine, [repaired], RULES)

    assert verdict == Stale(DefectId(1), "2 m away, seen before its repair.")


def test_what_a_person_saw_before_the_repair_and_told_after_it_a_person_settles() -> None:
    repaired = a_place(1, opened=False, repaired_at=NOON + timedelta(days=2))

    assert isinstance(judge(a_sighting(x=2), [repaired], RULES), Unsure)


def test_old_imagery_of_another_hole_that_is_open_and_nearer_joins_that_one() -> None:
    repaired = a_place(1, x=6, opened=False, repaired_at=NOON + timedelta(days=2))
    machine = a_sighting(machine=True, survey_pass="p1")

    verdict = judge(machine, [repaired, a_place(2, x=1)], RULES)

    assert isinstance(verdict, Same)
    assert verdict.defect_id == 2


def test_a_failure_after_the_warranty_is_a_new_defect_that_knows_the_old_one() -> None:
    old = a_place(4, opened=False, repaired_at=NOON - timedelta(days=800), days=900)

    verdict = judge(a_sighting(x=3), [old], RULES)

    assert isinstance(verdict, New)
    assert verdict.recurrence_of == 4


# --- surveys ---------------------------------------------------------------------------------------------------------


def test_two_detections_of_one_pass_are_two_holes_beyond_three_metres() -> None:
    mine = a_place(1, accuracy_m=1.0, survey_pass="p1", passes={"p1"})

    near = judge(a_sighting(x=2.9, accuracy_m=1, machine=True, survey_pass="p1"), [mine], RULES)
    apart = judge(a_sighting(x=3.1, accuracy_m=1, machine=True, survey_pass="p1"), [mine], RULES)

    assert isinstance(near, Same)
    assert isinstance(apart, New)


def test_within_its_own_pass_the_mean_of_other_passes_does_not_count() -> None:
    mean = a_place(1, accuracy_m=1.0, passes={"p1"})

    verdict = judge(a_sighting(x=1, accuracy_m=1, machine=True, survey_pass="p1"), [mean], RULES)

    assert isinstance(verdict, New)


def test_another_pass_measures_against_the_mean() -> None:
    mean = a_place(1, accuracy_m=1.0, passes={"p1"})

    verdict = judge(a_sighting(x=7, accuracy_m=1, machine=True, survey_pass="p2"), [mean], RULES)

    assert isinstance(verdict, Same)


def test_addresses_do_not_draw_machines_along_a_street() -> None:
    rules = DuplicateRules(along_street_m=100)

    assert isinstance(judge(a_sighting(), [a_place(x=60)], rules), Same)
    assert isinstance(judge(a_sighting(machine=True), [a_place(x=60)], rules), New)


# --- how far to look -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("machine", [True, False])
def test_nothing_beyond_the_reach_is_ever_more_than_new(machine: bool) -> None:
    reach = reach_m(RULES, machine=machine)
    seen = a_sighting(accuracy_m=500, rural=True, machine=machine)

    assert isinstance(judge(seen, [a_place(x=reach + 0.01)], RULES), New)


def test_nothing_beyond_the_joining_reach_is_joined() -> None:
    rules = DuplicateRules(house_numbers=48, house_numbers_m=150, along_street_m=60)

    assert joining_reach_m(RULES) == 25
    assert joining_reach_m(rules) == 150
    assert isinstance(judge(a_sighting(accuracy_m=500), [a_place(x=25.01)], RULES), Unsure)


def test_metres_are_whole_and_nothing_only_when_it_is_nothing() -> None:
    assert [metres(away) for away in (0, 0.2, 0.9, 10.4, 10.6)] == ["0 m", "1 m", "1 m", "10 m", "11 m"]


@given(
    away=st.floats(0.01, 500),
    metres_of=st.fixed_dictionaries(
        {
            name: st.floats(0, 500)
            for name in ("same_cap_m", "suggest_m", "suggest_rural_m", "along_street_m", "suggest_along_street_m")
        }
    ),
    machine=st.booleans(),
    rural=st.booleans(),
)
def test_what_is_left_out_for_its_distance_would_have_been_nothing(
    away: float, metres_of: dict[str, float], machine: bool, rural: bool
) -> None:
    rules = DuplicateRules(**metres_of)
    distance = reach_m(rules, machine=machine, rural=rural) + away
    seen = a_sighting(accuracy_m=500, rural=rural, machine=machine)

    assert _grade(seen, a_place(x=distance), distance, rules) == NEVER
