"""However many defects there are, "what stands near?" goes through indexes: the plans of the statements really sent.

PostgreSQL itself tells them (auto_explain), so that whatever the store sends is seen. The tables are big enough for the
planner to choose freely; nothing is switched off.
"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from sqlalchemy import URL, Engine, create_engine, select, text

from shared.domain.events import Consumer
from shared.domain.terms import ReportId
from shared.domain.verdicts import Sighting
from shared.flows import detections_to_defects, report_to_defect
from shared.store import matching, policies
from shared.store.engine import WriteTx
from shared.store.tables import GRID, sighting
from tests import databases
from tests.factories import a_report, adopt_default_policy, hear
from tests.flows.test_matching_detections import a_batch

MANY = 20_000
GROWS = ("defect", "sighting", "detection", "report")
"""Tables that are filled here; a month's partition begins with its parent's name."""
NEAR = 500
"""So many rows at most may any look into such a table bring up: some dozens lie within the reach."""
EASTING, NORTHING = 350_000.0, 430_000.0

_FILL = """
INSERT INTO defect (reference, class_code, state, lat, lon, accuracy_m, geom, street_key, street_side, known_at,
                    clock_from, opened_at, last_seen_at, updated_at)
SELECT 'D-' || i, 'pothole', CASE WHEN i % 4 = 0 THEN 'closed' ELSE 'confirmed' END, 53.7, -2.7, 4, geom, 'b' || i / 25,
       'left', now(), now(), now(), now(), now()
FROM {places};
INSERT INTO report (reference, tracking_hash, channel, class_code, lat, lon, accuracy_m, geom, street_key, state,
                    observed_at, received_at, triage_due_at, updated_at)
SELECT 'R-' || i, sha256(i::text::bytea), 'web', 'pothole', 53.7, -2.7, 4, geom, 'b' || i / 25, 'linked', now(), now(),
       now(), now()
FROM {places};
ANALYZE defect, report;
INSERT INTO sighting (defect_id, report_id, class_code, lat, lon, accuracy_m, geom, street_key, street_side, seen_at,
                      known_at, verdict, why, linked_at)
SELECT defect.id, report.id, 'pothole', 53.7, -2.7, 4, defect.geom, defect.street_key, 'left', now(), now(), 'new', '',
       now()
FROM defect JOIN report ON report.reference = 'R' || substr(defect.reference, 2);
INSERT INTO detection (received_at, batch_id, source_id, external_id, survey_pass_id, captured_at, class_code,
                       confidence, lat, lon, accuracy_m, geom, street_key, verdict)
SELECT now(), 0, 0, i, 'sunday', now(), 'pothole', 0.6, 53.7, -2.7, 2, geom, 'b' || i / 25,
       CASE WHEN i % 4 = 0 THEN 'waiting' ELSE 'received' END
FROM {places};
ANALYZE defect, report, sighting, detection;
"""
_PLACES = f"""generate_series(1, {MANY}) AS i, LATERAL (SELECT ST_SetSRID(ST_MakePoint(
    {EASTING} + i % 200 * 20, {NORTHING} + i / 200 * 100), {GRID}) AS geom OFFSET 0) AS place"""

Plans = list[dict[str, Any]]


@pytest.fixture(scope="module")
def filled(template: URL) -> Iterator[Engine]:
    """A county of so many defects, reports, sightings and detections, a hole every twenty metres; with the policy."""
    url = databases.create(template, str(template.database))
    engine = create_engine(databases.as_setting(url), connect_args={"options": "-c timezone=UTC -c jit=off"})
    with engine.begin() as connection:
        tx = WriteTx(connection, "test")
        adopt_default_policy(tx)
        for statement in _FILL.format(places=_PLACES).split(";\n"):
            tx.raw().execute(statement.encode())
    yield engine
    engine.dispose()
    databases.drop(url)


@pytest.fixture
def tx(filled: Engine) -> Iterator[WriteTx]:
    """A transaction in that county, rolled back at the end."""
    with filled.connect() as connection:
        yield WriteTx(connection, "test")
        connection.rollback()


def _told(tx: WriteTx, act: Callable[[], object]) -> Plans:
    """Every plan of what was sent while it acted, as PostgreSQL carried it out."""
    plans: Plans = []

    def hear_of(notice: psycopg.errors.Diagnostic) -> None:
        _, found, plan = (notice.message_primary or "").partition("plan:\n")
        if found:
            plans.append(json.loads(plan))

    tx.raw().add_notice_handler(hear_of)
    tx.execute(text("LOAD 'auto_explain'"))
    for name, value in (
        ("log_analyze", "on"),
        ("log_format", "json"),
        ("log_timing", "off"),
        ("log_min_duration", "0"),
    ):
        tx.execute(text(f"SET LOCAL auto_explain.{name} = {value}"))
    tx.execute(text("SET LOCAL client_min_messages = log"))
    act()
    tx.execute(text("SET LOCAL client_min_messages = warning"))
    tx.raw().remove_notice_handler(hear_of)
    return plans


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)


def _looks(plans: Plans) -> list[dict[str, Any]]:
    """Every look into a table that grows."""
    nodes = [node for told in plans for node in _nodes(told["Plan"])]
    return [node for node in nodes if node.get("Relation Name", "-").startswith(GROWS)]


def _bad(plans: Plans, near: float = NEAR) -> list[str]:
    """Looks that read a table through (a month without detections is none), or brought up more than lies near."""
    return [
        f"{one['Node Type']} of {one['Relation Name']}: {one['Actual Rows']} rows, {one['Actual Loops']} times"
        for one in _looks(plans)
        if _brought_up(one) > (0 if one["Node Type"] == "Seq Scan" else near)
    ]


def _brought_up(node: dict[str, Any]) -> float:
    dropped = sum(node.get(f"Rows Removed by {why}", 0) for why in ("Filter", "Index Recheck"))
    return float((node["Actual Rows"] + dropped) * node["Actual Loops"])


def _spatial(plans: Plans, table: str) -> set[str]:
    """The indexes of places through which a table was looked into."""
    used = {node.get("Index Name", "") for told in plans for node in _nodes(told["Plan"])}
    return {name for name in used if table in name and any(word in name for word in ("geom", "places", "waiting"))}


def test_what_stands_near_a_report_is_found_through_the_places(tx: WriteTx) -> None:
    now = datetime.now(UTC)
    seen = Sighting("pothole", EASTING + 2_001, NORTHING + 5_002, 4.0, now, now, None, None, 0)

    plans = _told(tx, lambda: matching.surroundings(tx, [seen], policies.in_force(tx, now).policy))

    assert _spatial(plans, "defect")
    assert _spatial(plans, "sighting")
    assert _bad(plans) == []


def test_the_triage_of_one_report_reads_no_table_through(tx: WriteTx) -> None:
    report_id = a_report(tx, easting=EASTING + 2_001, northing=NORTHING + 5_002)

    plans = _told(tx, lambda: report_to_defect.triage(tx, [ReportId(report_id)], datetime.now(UTC)))

    assert _spatial(plans, "defect")
    assert _bad(plans) == []


def test_a_batch_of_detections_is_matched_through_the_places(tx: WriteTx) -> None:
    holes = range(14_001, 14_041, 2)
    ids = a_batch(
        tx,
        *(
            {"easting": EASTING + hole % 200 * 20, "northing": NORTHING + 7_000.0, "street_key": f"b{hole // 25}"}
            for hole in holes
        ),
    )

    plans = _told(tx, lambda: hear(tx, Consumer.DETECTIONS, detections_to_defects.run, datetime.now(UTC)))

    assert list(tx.scalars(select(sighting.c.verdict).where(sighting.c.detection_id.in_(ids)))) == ["same"] * len(ids)
    assert _spatial(plans, "defect")
    assert _bad(plans, near=NEAR * len(ids)) == []


def test_a_look_that_reads_a_table_through_is_caught(tx: WriteTx) -> None:
    through = _told(tx, lambda: tx.execute(text("SELECT count(*) FROM defect WHERE accuracy_m > 3")))

    assert [one.split(":")[0] for one in _bad(through)] == ["Seq Scan of defect"]
