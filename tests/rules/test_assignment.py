"""Who mends what: lots by class, group, area and band, from a day to a day."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.assignment import Assigned, Placed, ToAssign, Unassigned, choose, group
from shared.domain.policy import Policy, parse
from shared.domain.terms import Band, DefectId
from tests.rules.known import policy_file, shipped

TODAY = date(2026, 7, 6)
NORTH, EAST = frozenset({"E07000121"}), frozenset({"E07000117"})


def who(class_code: str = "pothole", band: Band = Band.P10, areas: frozenset[str] = EAST, **more: Any) -> Any:
    policy = more.pop("policy", shipped())
    on = more.pop("on", TODAY)
    return choose(ToAssign(class_code, band, areas, **more), policy, on)


def with_lot(**fields: str) -> Policy:
    """The shipped policy with one more lot."""
    lot = {"code": '"new"', "contractor": '"county"', "from": "2018-04-12", **fields}
    text = policy_file("lancashire").read_text()
    return parse(text + "\n[[lots]]\n" + "".join(f"{key} = {value}\n" for key, value in lot.items()), "county.toml")


@pytest.mark.parametrize(
    ("class_code", "band", "areas", "contractor"),
    [
        ("pothole", Band.E, NORTH, "county"),
        ("pothole", Band.P10, NORTH, "alder"),
        ("pothole", Band.P10, EAST, "birch"),
        ("flooding", Band.P2, NORTH, "county"),
        ("gully_blocked", Band.G, frozenset(), "county"),
    ],
)
def test_the_lot_that_covers_area_class_and_band_has_the_contractor(
    class_code: str, band: Band, areas: frozenset[str], contractor: str
) -> None:
    found = who(class_code, band, areas)

    assert isinstance(found, Assigned)
    assert found.contractor == contractor
    assert found.lot in found.why


def test_a_lot_for_the_class_goes_before_one_for_the_area() -> None:
    policy = with_lot(classes='["pothole"]')

    assert who(areas=NORTH, policy=policy).lot == "new"
    assert who("edge_damage", areas=NORTH, policy=policy).lot == "north"


def test_of_two_lots_for_everything_the_one_that_names_the_band_goes_first() -> None:
    assert who(policy=with_lot(contractor='"alder"')).lot == "county-wide"
    assert who(band=Band.M, policy=with_lot(contractor='"alder"')).lot == "new"


@pytest.mark.parametrize(
    ("on", "lot"),
    [
        (date(2026, 6, 30), "county-wide"),
        (date(2026, 7, 1), "new"),
        (date(2027, 6, 30), "new"),
        (date(2027, 7, 1), "county-wide"),
    ],
)
def test_a_lot_holds_from_its_first_to_its_last_day(on: date, lot: str) -> None:
    policy = with_lot(**{"areas": '["E07000117"]', "bands": '["P10"]', "from": "2026-07-01", "to": "2027-06-30"})

    assert who(policy=policy, on=on).lot == lot


def test_a_contractor_that_declined_is_passed_over_for_the_next() -> None:
    found = who(areas=NORTH, declined=frozenset({"alder"}))

    assert found.contractor == "birch"
    assert "Declined by alder" in found.why


def test_when_all_have_declined_an_operator_has_to_decide() -> None:
    found = who(areas=NORTH, declined=frozenset({"alder", "birch"}))

    assert isinstance(found, Unassigned)
    assert "declined" in found.why


def test_what_no_lot_covers_says_so() -> None:
    before_all_lots = who(on=date(2018, 4, 11))

    assert isinstance(before_all_lots, Unassigned)
    assert before_all_lots.why == "No lot covers pothole, band P10, in E07000117 on 2018-04-11."


def test_what_is_watched_gets_no_contractor() -> None:
    assert isinstance(who(band=Band.M), Unassigned)


def test_a_specialist_team_is_named_instead_of_a_lot() -> None:
    found = who("signal_fault", Band.P2)

    assert isinstance(found, Unassigned)
    assert "traffic signals team" in found.why


def placed(number: int, street: str | None = "High Street", band: Band = Band.P10, **more: str) -> Placed:
    return Placed(DefectId(number), more.pop("contractor", "alder"), "north", band, street, **more)


def ids(orders: list[tuple[Placed, ...]]) -> list[list[int]]:
    return [[one.defect_id for one in order] for order in orders]


def test_defects_of_one_street_and_band_share_an_order() -> None:
    assert ids(group([placed(3), placed(1), placed(2)], shipped())) == [[1, 2, 3]]


@pytest.mark.parametrize(
    "other",
    [
        placed(2, street="Low Street"),
        placed(2, band=Band.P20),
        placed(2, contractor="birch"),
        placed(2, kind="remedial"),
        placed(2, charge_to="contractor"),
    ],
)
def test_another_street_band_contractor_or_kind_is_another_order(other: Placed) -> None:
    assert len(group([placed(1), other], shipped())) == 2


def test_emergencies_and_defects_without_a_street_stand_alone() -> None:
    emergencies = [placed(1, band=Band.E), placed(2, band=Band.E)]
    lost = [placed(3, street=None), placed(4, street=None)]

    assert sorted(ids(group(emergencies + lost, shipped()))) == [[1], [2], [3], [4]]


@given(
    st.lists(
        st.builds(
            placed,
            st.integers(1, 10_000),
            st.none() | st.sampled_from(["a", "b"]),
            st.sampled_from([Band.E, Band.P5, Band.P10]),
        ),
        max_size=80,
        unique_by=lambda one: one.defect_id,
    )
)
def test_every_defect_is_in_exactly_one_order_of_bounded_size_and_one_street(all_placed: list[Placed]) -> None:
    orders = group(all_placed, shipped())

    assert sorted(one.defect_id for order in orders for one in order) == sorted(one.defect_id for one in all_placed)
    assert all(len(order) <= shipped().works.max_defects_per_order for order in orders)
    assert all(len({(one.street_key, one.band) for one in order}) == 1 for order in orders)
    assert orders == group(reversed(all_placed), shipped())
