"""How a person is reached, and when digests are told."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain import reaching
from shared.domain.follows import Rhythm, around, last_digest

LONDON = ZoneInfo("Europe/London")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("07700 900123", "+447700900123"),
        ("(07700) 900-123", "+447700900123"),
        ("+44 (0)7700 900123", "+447700900123"),
        ("0044 7700 900123", "+447700900123"),
        ("+353 85 012 3456", "+353850123456"),
    ],
)
def test_a_number_that_takes_texts_is_kept_in_one_form(typed: str, kept: str) -> None:
    assert reaching.mobile(typed) == kept


@pytest.mark.parametrize("typed", ["01772 900123", "+44 1772 900123", "7700", "phone me", "", "+", "07700 9001234"])
def test_what_takes_no_texts_is_refused(typed: str) -> None:
    assert reaching.texts(typed) is None
    with pytest.raises(reaching.NotAnAddress):
        reaching.mobile(typed)


@pytest.mark.parametrize(
    ("one", "other"), [("07700 900982", "+44 (0)7700-900-982"), ("01772 000000", "01772-000 000"), ("", " ")]
)
def test_a_number_is_the_same_however_it_is_typed(one: str, other: str) -> None:
    assert reaching.number(one) == reaching.number(other)


@pytest.mark.parametrize("typed", ["sam@example.org", " Sam.Lee+holes@mail.example.co.uk ", "o'neil@example.ie"])
def test_an_address_is_kept_as_it_was_typed(typed: str) -> None:
    assert reaching.email(typed) == typed.strip()


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "sam",
        "sam@",
        "@example.org",
        "sam@example",
        "a b@example.org",
        "a@b.org, c@d.org",
        "a@b.org\nBcc: c@d.org",
        "x" * 250 + "@example.org",
        "Sam <sam@example.org>",
    ],
)
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(reaching.NotAnAddress):
        reaching.email(typed)


@given(st.text(max_size=60))
def test_no_address_that_is_taken_can_break_a_header(typed: str) -> None:
    try:
        kept = reaching.email(typed)
    except reaching.NotAnAddress:
        return

    assert kept.isprintable()
    assert not set(kept) & set(" \r\n<>,;:")


@pytest.mark.parametrize(
    ("rhythm", "now", "told"),
    [
        (Rhythm.DAILY, datetime(2026, 7, 2, 6, 0, tzinfo=UTC), datetime(2026, 7, 2, 6, 0, tzinfo=UTC)),
        (Rhythm.DAILY, datetime(2026, 7, 2, 5, 59, tzinfo=UTC), datetime(2026, 7, 1, 6, 0, tzinfo=UTC)),
        (Rhythm.DAILY, datetime(2026, 12, 2, 7, 0, tzinfo=UTC), datetime(2026, 12, 2, 7, 0, tzinfo=UTC)),
        # Monday is 30 November 2026.
        (Rhythm.WEEKLY, datetime(2026, 11, 30, 6, 59, tzinfo=UTC), datetime(2026, 11, 23, 7, 0, tzinfo=UTC)),
        (Rhythm.WEEKLY, datetime(2026, 11, 30, 7, 0, tzinfo=UTC), datetime(2026, 11, 30, 7, 0, tzinfo=UTC)),
        (Rhythm.WEEKLY, datetime(2026, 12, 6, 23, 0, tzinfo=UTC), datetime(2026, 11, 30, 7, 0, tzinfo=UTC)),
        # The clocks went back in the night to 25 October 2026.
        (Rhythm.DAILY, datetime(2026, 10, 25, 6, 30, tzinfo=UTC), datetime(2026, 10, 24, 6, 0, tzinfo=UTC)),
        (Rhythm.DAILY, datetime(2026, 10, 25, 7, 0, tzinfo=UTC), datetime(2026, 10, 25, 7, 0, tzinfo=UTC)),
    ],
)
def test_digests_are_told_up_to_seven_by_the_local_clock(rhythm: Rhythm, now: datetime, told: datetime) -> None:
    assert last_digest(rhythm, now, LONDON) == told


@given(st.integers(0, 10 * 365 * 24 * 60), st.sampled_from(Rhythm))
def test_a_digest_is_never_of_the_future(minutes: int, rhythm: Rhythm) -> None:
    now = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    told = last_digest(rhythm, now, LONDON)

    assert told <= now
    assert (now - told).days <= 7


def test_a_circle_is_named_by_its_middle_and_its_radius() -> None:
    assert around("PR1 8XJ", 1000) == "PR1 8XJ and 1 km around it"
    assert around("PR1 8XJ", 250) == "PR1 8XJ and 250 m around it"
