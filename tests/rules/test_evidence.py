"""What a visit must show, and the games that do not pass (DOMAIN 10.3, cases 11 and 12)."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.evidence import (
    EvidenceFailed,
    EvidenceOk,
    OtherPhoto,
    Photo,
    ToVerify,
    VerifierIsCompleter,
    Visit,
    check_verifier,
    draw,
    hamming,
    judge,
    sampled,
    skew,
)
from shared.domain.terms import Band, VisitOutcome
from tests.rules.known import changed, local, shipped

RULES = shipped().evidence
ISSUED = local("2026-07-06T09:00")
HASH_BEFORE, HASH_AFTER = "d879f8f8f0f0e0c0", "1f3c7e60402a5588"


def at(minutes: int) -> datetime:
    """So many minutes after the order was issued."""
    return ISSUED + timedelta(minutes=minutes)


def photo(role: Any, minutes: int | None, **changes: Any) -> Photo:
    taken = None if minutes is None else at(minutes)
    phash = HASH_BEFORE if role == "before" else HASH_AFTER
    return replace(Photo(f"{role}-1", role, phash, taken, 6.0), **changes)


def visit(outcome: VisitOutcome = VisitOutcome.PERMANENT, **changes: Any) -> Visit:
    """A good visit: an hour on site, both photos, 5 m from the defect, told when it was over."""
    good = Visit(
        outcome=outcome,
        issued_at=ISSUED,
        started_at=at(60),
        ended_at=at(120),
        received_at=at(125),
        sent_at=at(125),
        distance_m=5.0,
        photos=(photo("before", 62), photo("after", 118)),
    )
    return replace(good, **changes)


def missing(told: Visit, others: tuple[OtherPhoto, ...] = (), rules: Any = RULES) -> set[str]:
    verdict = judge(told, others, rules)
    return {one.code for one in verdict.missing} if isinstance(verdict, EvidenceFailed) else set()


def flags(told: Visit) -> set[str]:
    return {one.code for one in judge(told, (), RULES).flags}


def test_a_good_visit_passes_without_a_flag() -> None:
    verdict = judge(visit(), (), RULES)

    assert verdict == EvidenceOk("2 photos, the place and the times agree with the order.")


def test_a_photo_used_before_is_recognised_when_it_was_only_made_smaller_or_lighter() -> None:
    nearly_the_same = f"{int(HASH_AFTER, 16) ^ 0b1011:016x}"
    earlier = OtherPhoto("p-9", nearly_the_same, "works order W-77")

    verdict = judge(visit(), (earlier,), RULES)

    assert isinstance(verdict, EvidenceFailed)
    assert verdict.missing[0].code == "photo_used_again"
    assert "works order W-77" in verdict.missing[0].sentence


def test_another_picture_of_another_hole_is_not_taken_for_the_same() -> None:
    earlier = OtherPhoto("p-9", f"{int(HASH_AFTER, 16) ^ 0xFFFF:016x}", "works order W-77")

    assert missing(visit(), (earlier,)) == set()


def test_an_after_photo_that_is_the_before_photo_fails() -> None:
    twice = (photo("before", 62), photo("after", 118, phash=HASH_BEFORE))

    assert missing(visit(photos=twice)) == {"after_equals_before"}


def test_a_photo_from_before_the_order_fails() -> None:
    old = (photo("before", -300), photo("after", 118))

    assert missing(visit(photos=old)) == {"photo_before_order"}


def test_a_photo_from_400_metres_away_fails() -> None:
    far = (photo("before", 62), photo("after", 118, distance_m=400.0))

    assert missing(visit(photos=far)) == {"photo_too_far"}


def test_a_photo_dated_in_the_future_fails() -> None:
    future = (photo("before", 62), photo("after", 600))

    assert missing(visit(photos=future)) == {"photo_in_the_future"}


@pytest.mark.parametrize(
    ("outcome", "left", "codes"),
    [
        (VisitOutcome.PERMANENT, ["after"], {"no_before_photo"}),
        (VisitOutcome.PERMANENT, ["before"], {"no_after_photo"}),
        (VisitOutcome.PERMANENT, [], {"no_before_photo", "no_after_photo"}),
        (VisitOutcome.TEMPORARY, [], {"no_before_photo", "no_after_photo"}),
        (VisitOutcome.MADE_SAFE, [], {"no_after_photo"}),
        (VisitOutcome.MADE_SAFE, ["after"], set()),
        (VisitOutcome.ABORTED, [], set()),
    ],
)
def test_missing_photos_are_named(outcome: VisitOutcome, left: list[str], codes: set[str]) -> None:
    photos = tuple(one for one in visit().photos if one.role in left)

    assert missing(visit(outcome, photos=photos)) == codes


def test_without_exif_the_policy_decides() -> None:
    bare = visit(photos=(photo("before", None, distance_m=None), photo("after", None, distance_m=None)))
    strict = changed('no_exif = "warn"', 'no_exif = "fail"').evidence
    easy = changed('no_exif = "warn"', 'no_exif = "accept"').evidence

    assert missing(bare) == set()
    assert flags(bare) == {"no_photo_time"}
    assert missing(bare, rules=strict) == {"no_photo_time"}
    assert judge(bare, (), easy).flags == ()


@pytest.mark.parametrize(("distance", "accuracy", "fails"), [(75, 0, False), (90, 10, True), (90, 15, False)])
def test_a_visit_told_from_elsewhere_fails_beyond_the_accuracy_of_the_phone(
    distance: float, accuracy: float, fails: bool
) -> None:
    told = visit(distance_m=float(distance), accuracy_m=float(accuracy))

    assert missing(told) == ({"too_far"} if fails else set())


def test_a_visit_without_a_place_passes_but_is_shown_to_a_person() -> None:
    assert missing(visit(distance_m=None)) == set()
    assert flags(visit(distance_m=None)) == {"no_place"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"started_at": at(-120), "ended_at": at(-60), "photos": ()}, "before_issue"),
        ({"started_at": at(60), "ended_at": at(50)}, "ended_before_started"),
        ({"ended_at": at(400)}, "in_the_future"),
    ],
)
def test_impossible_times_fail(changes: dict[str, Any], code: str) -> None:
    assert code in missing(visit(**changes))


def test_an_aborted_visit_is_held_to_its_times_too() -> None:
    assert missing(visit(VisitOutcome.ABORTED, photos=(), ended_at=at(400))) == {"in_the_future"}


@pytest.mark.parametrize("wrong", [timedelta(hours=-3), timedelta(hours=3), timedelta(days=400)])
def test_a_phone_whose_clock_is_wrong_is_set_right_and_flagged(wrong: timedelta) -> None:
    good = visit()
    by_the_phone = replace(
        good,
        started_at=good.started_at + wrong,
        ended_at=good.ended_at + wrong,
        sent_at=good.received_at + wrong,
        photos=tuple(replace(one, taken_at=one.taken_at and one.taken_at + wrong) for one in good.photos),
    )

    assert missing(by_the_phone) == set()
    assert flags(by_the_phone) == {"clock_wrong"}


@pytest.mark.parametrize(("bits", "same"), [(4, True), (5, False)])
def test_one_picture_may_differ_from_itself_by_four_bits(bits: int, same: bool) -> None:
    earlier = OtherPhoto("p-9", f"{int(HASH_AFTER, 16) ^ (2**bits - 1):016x}", "report R-1")

    assert missing(visit(), (earlier,)) == ({"photo_used_again"} if same else set())


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"started_at": at(-20), "ended_at": at(-10)}, set()),
        ({"started_at": at(-20), "ended_at": at(-11)}, {"before_issue"}),
        ({"ended_at": at(135)}, set()),
        ({"ended_at": at(136)}, {"in_the_future"}),
        ({"started_at": at(120)}, set()),
        ({"photos": (photo("before", -10), photo("after", 118))}, set()),
        ({"photos": (photo("before", -11), photo("after", 118))}, {"photo_before_order"}),
        ({"photos": (photo("before", 62), photo("after", 135))}, set()),
        ({"photos": (photo("before", 62), photo("after", 136))}, {"photo_in_the_future"}),
        ({"photos": (photo("before", 62), photo("after", 118, distance_m=75.0))}, set()),
        ({"photos": (photo("before", 62), photo("after", 118, distance_m=75.1))}, {"photo_too_far"}),
    ],
)
def test_what_the_policy_just_allows_passes_and_a_little_more_does_not(
    changes: dict[str, Any], codes: set[str]
) -> None:
    assert missing(visit(**changes)) == codes


@pytest.mark.parametrize(("minutes", "found"), [(48 * 60, set()), (48 * 60 + 1, {"backdated"})])
def test_a_completion_is_backdated_when_told_more_than_two_days_after(minutes: int, found: set[str]) -> None:
    told_at = at(120 + minutes)

    assert flags(visit(sent_at=told_at, received_at=told_at)) == found


def test_photos_taken_in_the_same_minute_are_not_out_of_order() -> None:
    assert flags(visit(photos=(photo("before", 62), photo("after", 62)))) == set()


def test_a_few_minutes_of_skew_are_nothing() -> None:
    assert skew(at(0), at(10), RULES) == timedelta(0)
    assert skew(at(0), at(11), RULES) == timedelta(minutes=11)


def test_a_visit_told_days_later_passes_but_is_flagged_as_backdated() -> None:
    offline = visit(sent_at=at(3 * 1440), received_at=at(3 * 1440))

    assert missing(offline) == set()
    assert flags(offline) == {"backdated"}


def test_photos_in_the_wrong_order_are_flagged() -> None:
    assert flags(visit(photos=(photo("before", 118), photo("after", 62)))) == {"photos_out_of_order"}


@pytest.mark.parametrize(
    ("outcome", "minute", "found"),
    [
        (VisitOutcome.PERMANENT, 120, set()),
        (VisitOutcome.PERMANENT, 121, {"seen_again"}),
        (VisitOutcome.TEMPORARY, 121, {"seen_again"}),
        (VisitOutcome.MADE_SAFE, 121, set()),
    ],
)
def test_what_was_seen_again_after_the_work_is_flagged_unless_it_was_only_made_safe(
    outcome: VisitOutcome, minute: int, found: set[str]
) -> None:
    assert flags(visit(outcome, last_seen_at=at(minute))) == found


def test_what_was_seen_is_held_against_the_time_that_was_set_right() -> None:
    slow = visit(sent_at=at(125), received_at=at(185), last_seen_at=at(170))

    assert flags(slow) == {"clock_wrong"}


def test_everything_that_is_wrong_is_named_at_once() -> None:
    bad = visit(ended_at=at(50), distance_m=400.0, photos=(photo("before", -300),))

    assert missing(bad) == {"ended_before_started", "no_after_photo", "photo_before_order", "too_far"}


@given(st.integers(0, 2**64 - 1), st.sets(st.integers(0, 63)))
def test_hashes_differ_in_as_many_bits_as_were_turned(start: int, turned: set[int]) -> None:
    other = start
    for bit in turned:
        other ^= 1 << bit

    assert hamming(f"{start:016x}", f"{other:016x}") == len(turned)


@given(st.sampled_from(VisitOutcome), st.lists(st.sampled_from(["before", "after"]), max_size=4), st.integers(0, 300))
def test_a_visit_either_passes_or_says_what_to_do(outcome: VisitOutcome, roles: list[Any], minutes: int) -> None:
    told = visit(outcome, photos=tuple(photo(role, minutes) for role in roles))

    verdict = judge(told, (), RULES)

    assert isinstance(verdict, EvidenceOk) or all(one.sentence.endswith(".") for one in verdict.missing)
    assert isinstance(verdict, EvidenceOk) or verdict.missing


# --- who verifies ----------------------------------------------------------------------------------------------------


def test_nobody_verifies_their_own_or_their_companys_work() -> None:
    with pytest.raises(VerifierIsCompleter):
        check_verifier("bob", "bob")
    with pytest.raises(VerifierIsCompleter):
        check_verifier("ann", "bob", verifier_company=3, completer_company=3)
    check_verifier("ann", "bob", completer_company=3)
    check_verifier("ann", "bob", verifier_company=4, completer_company=3)
    check_verifier("policy:Lancashire", "bob", completer_company=3)


def repair(**changes: Any) -> ToVerify:
    settled = ToVerify(band=Band.P10, recall=False, contractor_since=date(2026, 1, 1), completed_on=date(2026, 7, 6))
    return replace(settled, **changes)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"band": Band.E}, "band E"),
        ({"band": Band.P2}, "band P2"),
        ({"recall": True}, "after a recall"),
        ({"contractor_since": date(2026, 4, 8)}, "first 90 days"),
        ({"flagged": True}, "a person should see"),
    ],
)
def test_some_repairs_are_always_checked(changes: dict[str, Any], reason: str) -> None:
    found = sampled(repair(**changes), shipped(), draw=0.999)

    assert found.yes
    assert reason in found.why


def test_on_day_90_a_contractor_is_no_longer_new() -> None:
    assert not sampled(repair(contractor_since=date(2026, 4, 7)), shipped(), draw=0.999).yes


@pytest.mark.parametrize(("drawn", "checked"), [(0.0, True), (0.0999, True), (0.1, False), (0.9, False)])
def test_of_the_others_a_share_is_checked(drawn: float, checked: bool) -> None:
    assert sampled(repair(), shipped(), drawn).yes is checked


def test_the_share_never_falls_below_the_floor() -> None:
    lax = changed("share = 0.10", "share = 0.0")

    assert sampled(repair(), lax, draw=0.049).yes
    assert not sampled(repair(), lax, draw=0.05).yes


def test_draws_are_even_and_anybody_can_draw_them_again() -> None:
    drawn = [draw(f"W-{number}", shipped().sha256) for number in range(20_000)]

    assert all(0 <= one < 1 for one in drawn)
    assert sum(one < 0.1 for one in drawn) == pytest.approx(2000, abs=150)
    assert drawn[7] == draw("W-7", shipped().sha256)
    assert drawn[7] != draw("W-7", "another policy")
