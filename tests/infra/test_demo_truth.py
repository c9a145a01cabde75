"""The simulated county: a full one takes no more holes, and goes on all the same."""

from infra.demo.county import made
from infra.demo.truth import HOLDS_SECONDS, Truth

MANY = 20_000


def test_in_a_full_county_what_was_mended_longest_ago_breaks_up() -> None:
    truth = Truth(made(), seed=1)
    assert any(truth.open_one() is None for _ in range(MANY))
    holes = len(truth.holes)
    for age, hole in enumerate(truth.holes):
        truth.mend(hole, fails_after=None)
        hole.mended_at -= HOLDS_SECONDS + age

    again = [truth.open_one() for _ in range(50)]

    broken = [hole for hole in again if hole is not None and hole.failures]
    assert broken
    assert broken == sorted(broken, key=lambda hole: hole.mended_at)
    assert all(truth.is_there(hole) for hole in broken)
    assert len(truth.holes) == holes + 50 - len(broken)
