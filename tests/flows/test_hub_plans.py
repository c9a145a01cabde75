"""However long the history, a reporter is looked up and the repairs that wait are found through indexes."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import URL, Engine, create_engine

from shared.flows import look_up_reporter
from shared.flows.look_up_reporter import LookedUp
from shared.settings import settings
from shared.store.engine import WriteTx
from shared.store.read_models import verification
from tests import databases
from tests.flows.test_matching_plans import Plans, _nodes, _told

MANY = 20_000
_FILL = f"""
INSERT INTO report (reference, tracking_hash, channel, class_code, lat, lon, accuracy_m, geom, street_key, state,
                    observed_at, received_at, triage_due_at, updated_at)
SELECT 'R-' || i, sha256(i::text::bytea), 'web', 'pothole', 53.7, -2.7, 4, ST_SetSRID(ST_MakePoint(i, i), 27700), 'b',
       'resolved', now(), now(), now(), now()
FROM generate_series(1, {MANY}) AS i;
INSERT INTO contact (report_id, email) SELECT id, 'Sam' || id % 5000 || '@residents.example' FROM report;
INSERT INTO contractor (code, name, since) VALUES ('plans', 'Plans', now());
INSERT INTO works_order (reference, contractor_id, lot, state, kind, band, issued_at, updated_at)
SELECT 'W-' || i, contractor.id, 'a', CASE WHEN i % 1000 = 0 THEN 'evidence_ok' ELSE 'paid' END, 'repair', 'P10', now(),
       now() - i * interval '1 minute'
FROM generate_series(1, {MANY}) AS i, contractor WHERE code = 'plans';
ANALYZE report, contact, works_order
"""


@pytest.fixture(scope="module")
def filled(template: URL) -> Iterator[Engine]:
    """So many reports with their reporters, and as many works orders, of which one in a thousand waits."""
    url = databases.create(template, str(template.database))
    engine = create_engine(databases.as_setting(url), connect_args={"options": "-c timezone=UTC -c jit=off"})
    with engine.begin() as connection:
        for statement in _FILL.split(";\n"):
            WriteTx(connection, "test").raw().execute(statement.encode())
    yield engine
    engine.dispose()
    databases.drop(url)


@pytest.fixture
def tx(filled: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[WriteTx]:
    monkeypatch.setenv("ROADMEND_SECRET_KEY", "0123456789abcdef0123456789abcdef")
    settings.cache_clear()
    with filled.connect() as connection:
        yield WriteTx(connection, "person:1")
        connection.rollback()
    settings.cache_clear()


def _read_through(plans: Plans) -> set[str]:
    """Tables of those that grow that were read from end to end."""
    nodes = [node for told in plans for node in _nodes(told["Plan"])]
    through = {node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan" and node["Actual Loops"]}
    return through & {"report", "contact", "works_order"}


def test_a_reporter_is_looked_up_through_the_index_of_addresses(tx: WriteTx) -> None:
    found: list[LookedUp] = []

    plans = _told(
        tx, lambda: found.append(look_up_reporter.look_up(tx, "SAM77@residents.example", 50, datetime.now(UTC)))
    )

    assert found[0].found == MANY // 5000
    assert _read_through(plans) == set()
    assert "ix_contact_email" in {node.get("Index Name") for told in plans for node in _nodes(told["Plan"])}


def test_repairs_that_wait_are_found_without_those_that_do_not(tx: WriteTx) -> None:
    pages: list[verification.Page] = []

    plans = _told(tx, lambda: pages.append(verification.waiting(tx, verification.Wanted(), after=None, most=100)))

    assert len(pages[0].rows) == MANY // 1000
    assert _read_through(plans) == set()
