"""What the bench fills quickly is what the product fills: nothing is left out for speed."""

from sqlalchemy import URL

from bench import county
from bench.county import Layout
from bench.database import Db, connect


def _indexes(db: Db) -> set[object]:
    rows = db.execute("SELECT indexdef FROM pg_indexes WHERE tablename IN ('defect', 'sighting', 'street')")
    return {definition for (definition,) in rows}


def test_a_county_that_was_filled_has_every_index_that_it_had_before(own_db: URL) -> None:
    with connect(own_db) as db:
        before = _indexes(db)

        county.draw(db, Layout(100, free_rows=1))
        county.add_defects(db, Layout(100, free_rows=1))
        county.add_sightings(db)

        assert _indexes(db) == before
        assert county.size_of(db)["defect"] == 100
