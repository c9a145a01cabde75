"""Two versions of a policy are told apart by what they mean, section and key."""

from shared.domain.policy_diff import Change, changes, lines
from tests.rules.known import policy_file

SHIPPED = policy_file("lancashire").read_text()


def test_a_changed_clock_is_one_change_of_its_section() -> None:
    new = SHIPPED.replace('permanent = "5wd"', 'permanent = "7wd"')

    assert changes(SHIPPED, new) == [Change("bands.P5", "permanent", '"5wd"', '"7wd"')]


def test_comments_and_the_order_of_tables_mean_nothing() -> None:
    place = SHIPPED.index("[contractors.county]")
    moved = "# Another word.\n" + SHIPPED[:place] + SHIPPED[place:].replace("# Utilities", "# Others")

    assert changes(SHIPPED, moved) == []
    assert any(line.startswith("+# Another word.") for line in lines(SHIPPED, moved))


def test_a_lot_more_at_the_top_changes_no_other_lot() -> None:
    more = '[[lots]]\ncode = "signs"\ncontractor = "birch"\ngroups = ["sign"]\nfrom = 2026-04-01\n\n'
    at = SHIPPED.index("[[lots]]")

    told = changes(SHIPPED, SHIPPED[:at] + more + SHIPPED[at:])

    assert {one.section for one in told} == {"lots[signs]"}
    assert Change("lots[signs]", "from", None, "2026-04-01") in told


def test_what_is_gone_was_and_is_not_given() -> None:
    told = changes(SHIPPED, SHIPPED.replace("tolerance_days = 14\n", ""))

    assert told == [Change("inspection", "tolerance_days", "14", None)]


def test_elements_of_one_name_are_told_apart() -> None:
    old = '[[floors]]\nwhy = "edge"\nband = "P5"\n[[floors]]\nwhy = "edge"\nband = "P10"\n'

    assert changes(old, old.replace("P10", "P20")) == [Change("floors[edge #2]", "band", '"P10"', '"P20"')]
