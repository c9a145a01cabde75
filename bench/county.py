"""Fills a database with a county of any size by statements over generate_series: streets, defects, reports, work due.

The county is INVENTED: streets of 500 m lie side by side in rows of 100 m from west to east, with a defect every 20 m,
left and right in turn. Its density is the same at every size, so that what changes with the size is the indexes' depth.
The last rows are free of defects: new reports go there. Eastings and northings in metres, EPSG:27700.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil, sqrt

from sqlalchemy import URL

from bench.database import Db, unhampered, unhampered_still
from infra.native.layout import ROOT
from shared.flows import adopt_policy
from shared.store.engine import transaction
from tests import databases

WEST, SOUTH = 330_000, 300_000
STREET_M, ROW_M, GAP_M, SPOT_M = 500, 100, 20, 62.5
"""A street's length, the way between rows, the way between defects, and between the places of new reports."""
KINDS = "(ARRAY['pothole','pothole','pothole','cracking','pothole','edge_damage','pothole','pothole'])"
BANDS = "(ARRAY['P2','P5','P10','P20'])"


@dataclass(frozen=True)
class Layout:
    """Where everything of a county with so many defects lies."""

    defects: int
    free_rows: int = 60

    @classmethod
    def with_spots(cls, defects: int, spots: int) -> "Layout":
        """With room for so many new reports."""
        return cls(defects, free_rows=1 + ceil(spots / cls(defects).spots_a_row))

    @property
    def streets_a_row(self) -> int:
        """As many as make the county square."""
        return max(2, ceil(sqrt(self.defects * GAP_M * ROW_M) / STREET_M))

    @property
    def defects_a_row(self) -> int:
        return self.streets_a_row * STREET_M // GAP_M

    @property
    def first_free_row(self) -> int:
        return ceil(self.defects / self.defects_a_row)

    @property
    def rows(self) -> int:
        return self.first_free_row + self.free_rows

    @property
    def spots_a_row(self) -> int:
        return int(self.streets_a_row * STREET_M / SPOT_M)

    @property
    def spots(self) -> int:
        """Places for new reports, each far enough from the next to be another hole without a question."""
        return self.spots_a_row * self.free_rows


def adopt(url: URL) -> None:
    """Put the shipped policy in force."""
    file = ROOT / "shared" / "policy" / "lancashire.toml"
    with databases.in_force(url), transaction("command:bench") as tx:
        adopt_policy.adopt(tx, file.read_text(), file.name, datetime.now(UTC))


def draw(db: Db, layout: Layout) -> None:
    """Areas and streets: one authority with an outline of many corners, twelve districts, and every street."""
    width, height = layout.streets_a_row * STREET_M, layout.rows * ROW_M
    box = {"west": WEST - 500, "south": SOUTH - 500, "east": WEST + width + 500, "north": SOUTH + height + 500}
    db.execute(_AREAS, box)
    db.execute("INSERT INTO area_piece (area_id, geom) SELECT id, ST_Subdivide(geom, 96) FROM area")
    with unhampered(db, "street"):
        db.execute(_STREETS, {"rows": layout.rows, "streets": layout.streets_a_row, **_MEASURES})
    db.execute("SELECT setval(pg_get_serial_sequence('street', 'id'), (SELECT max(id) FROM street))")
    db.execute("VACUUM (ANALYZE) area, area_piece, street")


def add_defects(db: Db, layout: Layout, *, worked: bool = False) -> None:
    """All of its defects, open. Candidates whose clocks have not begun, so that no sweep finds work; or `worked`:
    confirmed and ordered in four bands, one in ten late, for reading only."""
    with unhampered(db, "defect"):
        db.execute(_DEFECTS, {"count": layout.defects, "worked": worked, **sizes(layout)})
    db.execute("SELECT setval(pg_get_serial_sequence('defect', 'id'), (SELECT max(id) FROM defect))")
    db.execute("VACUUM (ANALYZE) defect")


def add_reports(db: Db, layout: Layout, count: int) -> None:
    """So many reports over two years, each linked to a defect; the newest thousandth waits for a person."""
    with unhampered(db, "report", "sighting"):
        db.execute(_REPORTS, {"count": count, "defects": layout.defects})
        db.execute(_SIGHTINGS, {})
    db.execute("SELECT setval(pg_get_serial_sequence('report', 'id'), (SELECT max(id) FROM report))")
    db.execute(
        "UPDATE defect SET reports = n FROM (SELECT defect_id, count(*) AS n FROM sighting GROUP BY 1) AS seen "
        "WHERE id = defect_id AND reports <> n"
    )
    db.execute("VACUUM (ANALYZE) report, sighting, defect")


def add_contacts(db: Db) -> None:
    """How to reach who sent each report: three to four reports of each of so many people."""
    with unhampered(db, "contact"):
        db.execute(
            "INSERT INTO contact (report_id, name, email) "
            "SELECT id, 'Sam', 'Sam' || id % 300000 || '@residents.example' FROM report"
        )
    db.execute("VACUUM (ANALYZE) contact")


def add_sightings(db: Db) -> None:
    """Every fourth defect was seen by a person, whose report is not there: matching asks where, not by whom."""
    with unhampered(db, "sighting"):
        db.execute(_SEEN)
    db.execute("VACUUM (ANALYZE) sighting")


def add_history(db: Db, layout: Layout, ended: int) -> None:
    """So many defects that have ended, beside the open ones; an order for each that is or was ordered; and a question
    about every second report that waits."""
    with unhampered_still(db, "defect"):
        db.execute(_HISTORY, {"count": ended, "open": layout.defects})
    with unhampered(db, "works_order", "works_order_defect"):
        db.execute(_ORDERS, {})
        db.execute(_COVERED)
    db.execute(_QUESTIONS)
    for table in ("defect", "works_order"):
        db.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
    db.execute("VACUUM (ANALYZE) defect, works_order, works_order_defect, question")


def add_postcodes(db: Db, layout: Layout) -> None:
    """One for every tenth row of streets, AB1 1AA and so on, in the middle of it."""
    width = layout.streets_a_row * STREET_M
    db.execute(
        """INSERT INTO postcode (postcode, geom)
        SELECT 'AB1' || n || 'AA', ST_SetSRID(ST_MakePoint(%(x)s, %(south)s + n * 10 * %(row)s), 27700)
        FROM generate_series(1, %(rows)s / 10) AS n""",
        {**_MEASURES, "x": WEST + width / 2, "rows": layout.rows},
    )
    db.execute("VACUUM (ANALYZE) postcode")


def add_waiting_reports(db: Db, layout: Layout, count: int, first: int = 0, *, among: bool = False) -> int:
    """Reports as intake leaves them, but due to nobody yet; every fourth is of the hole before it. `among` the open
    defects, or on the free rows. Returns the id of the event before the first of theirs."""
    before = db.execute("SELECT last_value FROM event_id_seq").fetchone()
    with db.transaction():
        db.execute(_WAITING, {"count": count, "spot": first, **sizes(layout), **({"free": 0} if among else {})})
    db.execute("VACUUM (ANALYZE) report")
    return 0 if before is None else int(str(before[0]))


def make_due(db: Db, after: int) -> None:
    """Those reports whose events come after this one are due for triage, now."""
    db.execute(_MAKE_DUE, {"after": after})


def spots(db: Db, layout: Layout, count: int, first: int = 0) -> Iterator[tuple[float, float]]:
    """Latitude and longitude of places for new reports, each its own."""
    yield from db.execute(_SPOTS, {"count": count, "spot": first, **sizes(layout)})  # type: ignore[misc]


def size_of(db: Db) -> dict[str, int]:
    """Rows of the tables that matter to a measure."""
    tables = ("street", "defect", "report", "sighting", "detection", "event", "feed_line")
    counts = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM {name}" for name in tables)
    return {str(name): int(str(rows)) for name, rows in db.execute(counts) if rows}  # type: ignore[arg-type]


_MEASURES = {"west": WEST, "south": SOUTH, "street": STREET_M, "row": ROW_M}


def sizes(layout: Layout) -> dict[str, float]:
    """What the statements here are told of a county."""
    return {
        **_MEASURES,
        "gap": GAP_M,
        "a_row": layout.defects_a_row,
        "streets": layout.streets_a_row,
        "spot_m": SPOT_M,
        "spots_a_row": layout.spots_a_row,
        "free": layout.first_free_row,
    }


_AREAS = """
    INSERT INTO area (code, name, kind, served, contact, geom)
    SELECT 'E10000017', 'Lancashire (made-up outline)', 'authority', true, 'highways@county.example',
           ST_Multi(ST_Segmentize(ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 27700), 250))
    UNION ALL
    SELECT 'E0700' || 117 + n, 'District ' || n, 'district', false, NULL,
           ST_Multi(ST_Segmentize(ST_MakeEnvelope(
               %(west)s + (n %% 3) * (%(east)s - %(west)s) / 3.0, %(south)s + (n / 3) * (%(north)s - %(south)s) / 4.0,
               %(west)s + (n %% 3 + 1) * (%(east)s - %(west)s) / 3.0,
               %(south)s + (n / 3 + 1) * (%(north)s - %(south)s) / 4.0, 27700), 250))
    FROM generate_series(0, 11) AS n
"""

_STREETS = """
    INSERT INTO street (id, network_id, street_key, usrn, name, class, hierarchy, maintainer, geom)
    OVERRIDING SYSTEM VALUE
    SELECT n, 'b' || n, 'b' || n, 99000000 + n, 'Street ' || n,
           CASE WHEN row %% 10 = 0 THEN 'A Road' ELSE 'Unclassified' END,
           CASE WHEN row %% 10 = 0 THEN '3a' ELSE '4b' END, 'council',
           ST_Multi(ST_Segmentize(ST_SetSRID(ST_MakeLine(
               ST_MakePoint(%(west)s + place * %(street)s + 1, %(south)s + row * %(row)s),
               ST_MakePoint(%(west)s + (place + 1) * %(street)s - 1, %(south)s + row * %(row)s)), 27700), 60))
    FROM generate_series(0, %(rows)s - 1) AS row, generate_series(0, %(streets)s - 1) AS place,
         LATERAL (SELECT row * %(streets)s + place + 1 AS n) AS numbered
"""

_NAMED = "'{mark}-' || substr(hex, 1, 4) || '-' || substr(hex, 5)"
_HEX = "LATERAL (SELECT upper(lpad(to_hex(i), 8, '0')) AS hex OFFSET 0) AS named"
"""A reference for each number, in their order: its index is then filled from left to right, which is quick."""

_DEFECTS = f"""
    INSERT INTO defect (
        id, reference, class_code, state, lat, lon, accuracy_m, geom, street_id, street_key, street_side, area_code,
        hierarchy, band, width_mm, reports, known_at, clock_from, opened_at, last_seen_at, permanent_due_at, overdue,
        updated_at)
    OVERRIDING SYSTEM VALUE
    SELECT i + 1, {_NAMED.format(mark="D")}, {KINDS}[1 + i %% 8],
           (CASE WHEN %(worked)s THEN ARRAY['confirmed', 'ordered'] ELSE ARRAY['candidate', 'monitor'] END)
               [CASE WHEN i %% 7 = 0 THEN 2 ELSE 1 END],
           ST_Y(wgs), ST_X(wgs), 4, geom, street, 'b' || street, CASE WHEN i %% 2 = 0 THEN 'left' ELSE 'right' END,
           'E0700' || 117 + i %% 12, '4b', {BANDS}[1 + i %% 4], 300, 1, at, at, at, at,
           CASE WHEN %(worked)s THEN now() + (i %% 10 * 3 - 1) * interval '1 day' END, %(worked)s AND i %% 10 = 0, at
    FROM generate_series(0, %(count)s - 1) AS i, {_HEX},
         LATERAL (SELECT i / %(a_row)s AS row, (i %% %(a_row)s) * %(gap)s + %(gap)s / 2 AS along,
                         date_trunc('minute', now()) - (i %% 20000) * interval '1 minute' AS at OFFSET 0) AS place,
         LATERAL (SELECT row * %(streets)s + along / %(street)s + 1 AS street,
                         ST_SetSRID(ST_MakePoint(%(west)s + along,
                             %(south)s + row * %(row)s + CASE WHEN i %% 2 = 0 THEN 2 ELSE -2 END), 27700) AS geom
                  OFFSET 0) AS put,
         LATERAL (SELECT ST_Transform(geom, 4326) AS wgs OFFSET 0) AS seen
"""

_WORDS = """
    'A ' || (ARRAY['deep', 'wide', 'sharp', 'muddy', 'crumbling', 'dangerous', 'growing'])[1 + i %% 7] || ' hole '
    || (ARRAY['by the kerb', 'at the bus stop', 'before the school', 'on the bend', 'at the roundabout',
              'beside a gully', 'in the cycle lane', 'near the bridge', 'outside the shop', 'at the junction',
              'on the crossing'])[1 + i %% 11]
    || ' near number ' || i %% 997 || '. '
    || (ARRAY['A tyre burst there.', 'It has been like that for weeks.', 'Water stands in it.', 'Somebody will fall.',
              'The last repair came out.'])[1 + i %% 5]
"""

_REPORTS = f"""
    INSERT INTO report (
        id, reference, tracking_hash, channel, class_code, lat, lon, accuracy_m, geom, street_id, street_key,
        street_side, description, danger, state, observed_at, received_at, triage_due_at, updated_at)
    OVERRIDING SYSTEM VALUE
    SELECT i + 1, {_NAMED.format(mark="R")}, sha256(convert_to('report ' || i, 'UTF8')), 'web', class_code, lat, lon, 4,
           geom, street_id, street_key, street_side, {_WORDS}, i %% 50 = 0,
           CASE WHEN i %% 1000 = 0 THEN 'triage' ELSE 'linked' END, at, at, at + interval '2 days', at
    FROM generate_series(0, %(count)s - 1) AS i JOIN defect ON defect.id = 1 + i %% %(defects)s, {_HEX},
         LATERAL (SELECT now() - (%(count)s - i) * interval '1 minute' AS at OFFSET 0) AS told
"""

_SIGHTINGS = """
    INSERT INTO sighting (
        defect_id, report_id, class_code, lat, lon, accuracy_m, geom, street_id, street_key, street_side, seen_at,
        known_at, verdict, why, linked_at)
    SELECT defect.id, report.id, report.class_code, report.lat, report.lon, 4, report.geom, report.street_id,
           report.street_key, report.street_side, observed_at, received_at, 'same',
           '2 m away, same street and side, same class', received_at
    FROM report JOIN defect ON defect.id = 1 + (report.id - 1) %% (SELECT max(id) FROM defect)
    WHERE report.state = 'linked'
"""

_SEEN = """
    INSERT INTO sighting (
        defect_id, report_id, class_code, lat, lon, accuracy_m, geom, street_id, street_key, street_side, seen_at,
        known_at, verdict, why, linked_at)
    SELECT id, -id, class_code, lat, lon, accuracy_m, geom, street_id, street_key, street_side, known_at, known_at,
           'new', 'nothing near', known_at
    FROM defect WHERE id % 4 = 0
"""

SPOT = """
    LATERAL (SELECT %(free)s + (k / %(spots_a_row)s) AS row,
                    (k %% %(spots_a_row)s) * %(spot_m)s + %(spot_m)s / 2 AS along OFFSET 0) AS place,
    LATERAL (SELECT (row * %(streets)s + floor(along / %(street)s) + 1)::bigint AS street,
                    ST_SetSRID(ST_MakePoint(%(west)s + along, %(south)s + row * %(row)s + 2), 27700) AS geom
             OFFSET 0) AS put,
    LATERAL (SELECT ST_Transform(geom, 4326) AS wgs OFFSET 0) AS seen
"""

_SPOTS = f"SELECT ST_Y(wgs), ST_X(wgs) FROM generate_series(%(spot)s, %(spot)s + %(count)s - 1) AS k, {SPOT}"

_WAITING = f"""
    WITH stored AS (
        INSERT INTO report (
            reference, tracking_hash, channel, class_code, lat, lon, accuracy_m, geom, street_id, street_key,
            street_side, description, state, observed_at, received_at, triage_due_at, updated_at)
        SELECT 'R-' || substr(letters, 1, 4) || '-' || substr(letters, 5, 4),
               sha256(convert_to('waiting ' || letters || i, 'UTF8')), 'web', 'pothole', ST_Y(wgs), ST_X(wgs), 4, geom,
               street, 'b' || street, 'left', 'A hole by the kerb.', 'received', now(), now(),
               now() + interval '2 days', now()
        FROM (SELECT coalesce(max(id), 0) AS id FROM report) AS last, generate_series(0, %(count)s - 1) AS i,
             LATERAL (SELECT %(spot)s + i - (i %% 4 = 3)::integer AS k,
                             'W' || translate(upper(lpad(to_hex(last.id + i), 7, '0')), 'ABCDEF', 'GHJKMN') AS letters
                      OFFSET 0) AS one,
             {SPOT}
        RETURNING id
    )
    INSERT INTO event (at, occurred_at, kind, subject, subject_id, after, actor, data)
    SELECT now(), now(), 'ReportReceived', 'report', id, 'received', 'public',
           '{{"class_code": "pothole", "danger": false}}'
    FROM stored ORDER BY id
"""

_MAKE_DUE = """
    INSERT INTO delivery (consumer, event_id, event_at, kind, subject_id, due_at)
    SELECT 'triage', id, at, kind, subject_id, now() FROM event WHERE kind = 'ReportReceived' AND id > %(after)s
"""

_HISTORY = f"""
    INSERT INTO defect (
        id, reference, class_code, state, lat, lon, accuracy_m, geom, street_id, street_key, street_side, area_code,
        hierarchy, band, width_mm, reports, known_at, clock_from, opened_at, last_seen_at, permanent_due_at,
        repaired_at, ended_at, updated_at)
    OVERRIDING SYSTEM VALUE
    SELECT %(open)s + 1 + i, {_NAMED.format(mark="D")}, class_code,
           (ARRAY['closed', 'closed', 'in_warranty', 'closed_no_action', 'no_defect'])[1 + n %% 5], lat, lon,
           accuracy_m, geom, street_id, street_key, street_side, area_code, hierarchy, band, width_mm, 1, at, at, at,
           at, at + interval '20 days', at + interval '9 days', at + interval '10 days', at + interval '10 days'
    FROM generate_series(0, %(count)s - 1) AS i
         JOIN defect ON defect.id = 1 + i %% %(open)s,
         LATERAL (SELECT upper(lpad(to_hex(%(open)s + i), 8, '0')) AS hex, i / %(open)s AS n OFFSET 0) AS named,
         LATERAL (SELECT known_at - (n + 1) * interval '90 days' AS at OFFSET 0) AS then_
"""
"""What was mended at these places before, every three months."""

_ORDERS = f"""
    INSERT INTO works_order (
        id, reference, contractor_id, lot, state, kind, band, street_key, area_code, issued_at, permanent_due_at,
        ended_at, updated_at)
    OVERRIDING SYSTEM VALUE
    SELECT i, {_NAMED.format(mark="W")}, 1 + i %% (SELECT max(id) FROM contractor), 'bench',
           CASE WHEN state <> 'ordered' THEN 'paid' ELSE (ARRAY['issued', 'accepted', 'scheduled'])[1 + i %% 3] END,
           'repair', band, street_key, area_code, known_at, permanent_due_at, ended_at, updated_at
    FROM defect, LATERAL (SELECT defect.id AS i, upper(lpad(to_hex(defect.id), 8, '0')) AS hex OFFSET 0) AS named
    WHERE state IN ('ordered', 'closed', 'in_warranty')
"""

_COVERED = """
    INSERT INTO works_order_defect (works_order_id, defect_id, ended_at) SELECT id, id, ended_at FROM works_order
"""

_QUESTIONS = """
    INSERT INTO question (report_id, candidates, asked_at)
    SELECT id, jsonb_build_array(jsonb_build_object('defect_id', 1 + (id - 1) % (SELECT max(id) FROM defect),
           'why', '6 m away, same street, other side', 'distance_m', 6)), received_at
    FROM report WHERE state = 'triage' AND id % 2 = 1
"""
