"""A hierarchy that a person set stays: a network file that comes later leaves it, and nothing is graded anew."""

from datetime import UTC, datetime

import pytest
import shapely
from sqlalchemy import select

from shared.errors import Invalid, NotFound
from shared.flows import load_network
from shared.flows.set_hierarchy import set_hierarchy
from shared.settings import settings
from shared.store.engine import WriteTx
from shared.store.loads import StreetRow
from shared.store.read_models import streets
from shared.store.tables import defect, event, street
from tests.factories import a_defect

NOW = datetime.now(UTC)
KEY = "8400123"


def load(tx: WriteTx, hierarchy: str = "4b", name: str = "Mill Lane") -> None:
    """A file with a street of two pieces."""
    rows = [
        StreetRow(at, f"piece {at}", int(KEY), name, "", hierarchy, "council", 0, False, _line(at)) for at in (1, 2)
    ]
    load_network.streets(tx, rows, settings().grid_epsg)


def _line(at: int) -> bytes:
    return shapely.to_wkb(shapely.LineString([(353_000 + 100 * at, 430_000), (353_100 + 100 * at, 430_000)]))


def hierarchies(tx: WriteTx) -> list[str]:
    return list(tx.scalars(select(street.c.hierarchy).order_by(street.c.network_id)))


def test_a_file_that_is_loaded_later_changes_the_street_but_not_its_hierarchy(tx: WriteTx) -> None:
    load(tx)
    changed = set_hierarchy(tx, KEY, "3a", "Diversion of the A6.", NOW, pieces=["piece 2"])

    load(tx, hierarchy="4a", name="Mill Street")

    assert changed == 1
    assert hierarchies(tx) == ["4a", "3a"]
    assert set(tx.scalars(select(street.c.name))) == {"Mill Street"}


def test_what_is_left_to_the_file_follows_the_next_one(tx: WriteTx) -> None:
    load(tx)
    set_hierarchy(tx, KEY, "3a", "Diversion.", NOW)
    set_hierarchy(tx, KEY, None, "The diversion has ended.", NOW)

    load(tx, hierarchy="4a")

    assert hierarchies(tx) == ["4a", "4a"]


def test_it_stands_in_the_record_with_who_and_why(tx: WriteTx) -> None:
    load(tx)

    set_hierarchy(WriteTx(tx.connection, "person:7"), KEY, "3b", "A school has opened.", NOW)

    said = tx.execute(select(event).where(event.c.kind == "StreetHierarchySet")).all()
    assert len(said) == 2
    assert {(one.actor, one.data["was"], one.data["hierarchy"], one.data["why"]) for one in said} == {
        ("person:7", "4b", "3b", "A school has opened.")
    }
    shown = streets.one(tx, KEY)
    assert shown is not None
    assert [(one["hierarchy"], one["set_by"]) for one in shown.pieces] == [("3b", "person:7")] * 2
    assert [(one.by, one.pieces) for one in streets.settings(tx, shown.pieces)] == [("person:7", 2)]


def test_the_same_again_says_nothing(tx: WriteTx) -> None:
    load(tx)
    set_hierarchy(tx, KEY, "3b", "A school.", NOW)

    assert set_hierarchy(tx, KEY, "3b", "A school.", NOW) == 0


def test_what_was_graded_keeps_its_hierarchy_and_its_clocks(tx: WriteTx) -> None:
    load(tx)
    number = a_defect(tx, street_key=KEY)
    columns = select(defect.c.hierarchy, defect.c.band, defect.c.permanent_due_at).where(defect.c.id == number)
    before = tx.execute(columns).one()

    set_hierarchy(tx, KEY, "2", "Strategic route now.", NOW)

    assert tx.execute(columns).one() == before


def test_a_street_or_a_piece_that_is_not_there_and_no_reason_are_refused(tx: WriteTx) -> None:
    load(tx)

    with pytest.raises(NotFound):
        set_hierarchy(tx, "nowhere", "3a", "Why.", NOW)
    with pytest.raises(NotFound, match="piece 9"):
        set_hierarchy(tx, KEY, "3a", "Why.", NOW, pieces=["piece 9"])
    with pytest.raises(Invalid):
        set_hierarchy(tx, KEY, "3a", "  ", NOW)
