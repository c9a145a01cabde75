"""How often people and the machine agree: every share has its denominator, and what it leaves out is said."""

from datetime import date

from shared.domain.agreement import Agreement, Line, together

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 30)
WEB = Line(
    source="web",
    same=80,
    same_looked=5,
    same_against=4,
    new=10,
    new_looked=1,
    new_against=1,
    unsure=10,
    said_same=4,
    said_first=3,
    said_different=3,
    cannot_tell=1,
    otherwise=1,
    open=1,
)
VAN = Line(source="van", model="holes 3", same=300, same_looked=2, same_against=2, new=100)


def test_a_share_is_of_all_that_the_machine_said_not_of_what_people_looked_at() -> None:
    shares = WEB.shares

    assert (shares["same_against"], shares["new_against"], shares["asked"]) == (0.05, 0.1, 0.1)
    assert (shares["said_same"], shares["said_first"], shares["cannot_tell"]) == (0.5, 0.75, 0.125)


def test_without_a_denominator_there_is_no_share() -> None:
    assert set(Line(source="web").shares.values()) == {None}


def test_all_is_the_sum_of_all_lines() -> None:
    total = together([WEB, VAN])

    assert (total.source, total.same, total.same_against, total.new, total.unsure) == ("all", 380, 6, 110, 10)


def test_it_is_said_how_many_nobody_looked_at() -> None:
    said = Agreement(FIRST, LAST, [WEB, VAN], kept_since=date(2026, 10, 1)).cautions()

    assert "Of 490 verdicts that the machine took alone, people said something of 8. The other 482" in said[0]
    assert not any("kept since" in sentence for sentence in said)


def test_it_is_said_from_when_on_contradictions_were_kept() -> None:
    late = Agreement(FIRST, LAST, [WEB], kept_since=date(2026, 11, 20)).cautions()
    never = Agreement(FIRST, LAST, [WEB], kept_since=None).cautions()

    assert "kept since 2026-11-20" in late[-1]
    assert "Nothing that people said is kept yet" in never[-1]
