"""Detections a second, from the HTTP body (gzip, NDJSON) to linked defects, into a county with a million open defects.

The bare limit is the match alone: for rows that are loaded already, one statement finds the nearest open defect of the
class, on the street and side, within the distance of the policy, and writes the pair. It judges no time, no warranty
and no pass, moves no position and leaves no reasons.
"""

import gzip
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench import client, county, outside
from bench.counties import County
from bench.county import Layout
from bench.figures import Figure, clocked, interleaved, median
from bench.house import House, cpu_seconds, house_on
from bench.run import Run
from shared.domain.terms import Role
from tests.waiting import until

NAME = "survey"
A_REQUEST = 50_000
AT_ONCE = 2
"""The uploader's connections."""
AGAIN = 9
"""Of ten detections so many see again what is open; the tenth is new."""


def _sizes(run: Run) -> tuple[Layout, int, int]:
    """The county, rounds, and requests of a round."""
    rounds, a_round = run.of(2, 1), run.of(10, 4)
    spots = rounds * a_round * A_REQUEST // (10 - AGAIN) // 10
    return Layout.with_spots(run.of(1_000_000, 100_000), spots), rounds, a_round


def counties(run: Run) -> list[County]:
    """Open defects and nothing else."""
    return [County(_sizes(run)[0], county.add_defects)]


def measure(run: Run) -> list[Figure]:
    """Rounds of requests without a pause, so that while some are read, those before them are matched: by API and
    workers, then the same rows by the bare statement."""
    layout, rounds, a_round = _sizes(run)
    with run.counties.of(NAME) as (url,), house_on(url) as house:
        survey = _Survey(house, layout, rounds * a_round, a_round)
        house.stack.start_all(workers=1)
        product, bare = interleaved(rounds, survey.sent_and_matched, survey.bare)
        house.refuse_parked()
        return list(_figures(product, bare, survey, layout.defects))


class _Survey:
    """Requests as a survey fleet's uploader sends them, without a pause."""

    def __init__(self, house: House, layout: Layout, requests: int, a_round: int) -> None:
        self.house, self.a_round = house, a_round
        self.headers = house.bearer(Role.VENDOR)
        self.bodies = [_body(house, layout, number) for number in range(requests)]
        self.accepting: list[float] = []
        self.outcomes: dict[str, int] = {}
        self.processor: list[dict[str, float]] = []
        house.tell("CREATE TABLE bare_link (detection_id bigint PRIMARY KEY, defect_id bigint, distance_m float8)")

    def sent_and_matched(self, number: int) -> float:
        """Seconds from the first byte to the last link."""
        before = self._used()
        taken = clocked(lambda: self._send_all(number))
        self.processor.append({name: spent - before[name] for name, spent in self._used().items()})
        return taken

    def _send_all(self, number: int) -> None:
        bodies = self.bodies[self.a_round * number : self.a_round * (number + 1)]
        with ThreadPoolExecutor(AT_ONCE) as uploader:
            taken = clocked(lambda: list(uploader.map(self._send, bodies)))
        self.accepting.append(taken)
        until(self._all_matched, 900, "all batches to be matched")

    def _send(self, body: bytes) -> None:
        answer = outside.ask(
            client.request(
                "POST",
                "/api/v1/detections",
                self._port,
                body,
                {**self.headers, "Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"},
            ),
            self._port,
        )
        if answer.status != 202 or b'"refused":0' not in answer.body:
            raise RuntimeError(f"The detections were not all taken: {answer.status} {answer.body[:300]!r}")

    @property
    def _port(self) -> int:
        return int(self.house.stack.variables["ROADMEND_PORT"])

    def _all_matched(self) -> bool:
        return bool(self.house.ask("SELECT NOT EXISTS (SELECT FROM detection_batch WHERE matched_at IS NULL)"))

    def _used(self) -> dict[str, float]:
        return {name: cpu_seconds(self.house.pids(name)) for name in ("api", "worker0")}

    def bare(self, number: int) -> float:
        """Seconds of the bare match of the same rows. They are loaded before the clock starts."""
        with self.house.db.transaction():
            self.house.db.execute(_LOADED, {"after": self.a_round * number, "so_many": self.a_round})
            self.house.tell("CREATE INDEX ON loaded USING gist (geom)")
            self.house.tell("ANALYZE loaded")
            return clocked(lambda: self.house.tell(_MATCH))

    def verdicts(self) -> dict[str, int]:
        rows = self.house.db.execute(_VERDICTS)
        return {str(verdict): int(str(count)) for verdict, count in rows}

    def agreement(self) -> float:
        """The share of joined detections that the bare statement gives to the same defect: both do the same work."""
        return float(str(self.house.ask(_AGREEMENT)))


def _body(house: House, layout: Layout, number: int) -> bytes:
    """A stretch of the county as one pass sees it: each defect again, some metre off, and new ones between."""
    values = {"count": A_REQUEST, "request": number, "again": AGAIN, "spot": number * A_REQUEST, **county.sizes(layout)}
    with house.db.cursor() as cursor, cursor.copy(_BODY, values | {"defects": layout.defects}) as copy:
        return gzip.compress(b"".join(bytes(piece) for piece in copy), 5)


def _figures(product: Sequence[float], bare: Sequence[float], survey: _Survey, defects: int) -> Iterator[Figure]:
    all_of_it = survey.a_round * A_REQUEST
    mine, least = all_of_it / median(product), all_of_it / median(bare)
    spent = {
        name: round(1e6 * median([one[name] for one in survey.processor]) / all_of_it, 1) for name in ("api", "worker0")
    }
    conditions: dict[str, Any] = {
        "open defects": defects,
        "a request": A_REQUEST,
        "requests without a pause": survey.a_round,
        "detections": all_of_it * len(product),
        "bytes a request": median([len(body) for body in survey.bodies]),
        "requests at once": AT_ONCE,
        "worker processes": 2,
        "durable": True,
        "verdicts": survey.verdicts(),
        "bare statement agrees": survey.agreement(),
        "µs of processor each": spent,
    }
    yield Figure(
        measure=NAME,
        name="detections a second, HTTP body to linked",
        value=mine,
        unit="/s",
        bare=least,
        bare_name="bare SQL match /s",
        ratio=mine / least,
        target="≥ 20,000/s and ≥ 0.50 of bare; first 8,000/s",
        met=mine >= 20_000 and mine >= least / 2,
        repeats=[all_of_it / one for one in product],
        conditions=conditions,
    )
    accepted = [all_of_it / one for one in survey.accepting]
    yield Figure(
        measure=NAME,
        name="detections a second, HTTP body to 202",
        value=median(accepted),
        unit="/s",
        repeats=accepted,
        conditions=conditions,
    )


_BODY = """
    COPY (
        SELECT json_build_object(
            'external_id', 'd' || %(request)s || '-' || i, 'survey_pass_id', 'pass-' || %(request)s,
            'captured_at', to_char(now() - interval '1 hour', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'class_scheme', 'rdd2022',
            'class_code', CASE class_code WHEN 'pothole' THEN 'D40' WHEN 'cracking' THEN 'D20' ELSE class_code END,
            'confidence', round((0.85 + 0.1 * random())::numeric, 3),
            'lat', round(ST_Y(wgs)::numeric, 7), 'lon', round(ST_X(wgs)::numeric, 7), 'h_accuracy_m', 1.5,
            'heading_deg', 90, 'est_width_mm', 210 + i %% 100, 'model_name', 'roadnet', 'model_version', '4.2')
        FROM (
            SELECT i, class_code,
                   ST_Transform(ST_Translate(geom, random() - 0.5, (random() - 0.5) / 2), 4326) AS wgs
            FROM generate_series(0, %(count)s - 1) AS i
            JOIN defect ON defect.id = 1 + (%(request)s::bigint * %(count)s + i) %% %(defects)s
            WHERE i %% 10 < %(again)s
            UNION ALL
            SELECT i, 'pothole', wgs
            FROM generate_series(0, %(count)s - 1) AS i,
                 LATERAL (SELECT (%(spot)s + i) / 10 AS k OFFSET 0) AS one,
                 {spot}
            WHERE i %% 10 >= %(again)s
        ) AS seen
        ORDER BY i
    ) TO STDOUT
""".replace("{spot}", county.SPOT)

_LOADED = """
    CREATE TEMPORARY TABLE loaded ON COMMIT DROP AS
    SELECT id, class_code, street_key, street_side, level, accuracy_m, geom FROM detection
    WHERE batch_id IN (SELECT id FROM detection_batch ORDER BY id OFFSET %(after)s LIMIT %(so_many)s)
"""

_MATCH = """
    INSERT INTO bare_link
    SELECT loaded.id, near.id, near.distance_m
    FROM loaded LEFT JOIN LATERAL (
        SELECT defect.id, ST_Distance(defect.geom, loaded.geom) AS distance_m FROM defect
        WHERE ST_DWithin(defect.geom, loaded.geom, 8) AND defect.class_code = loaded.class_code
          AND defect.street_key = loaded.street_key AND defect.street_side = loaded.street_side
          AND defect.level = loaded.level AND defect.merged_into IS NULL
          AND defect.state IN ('candidate', 'confirmed', 'monitor', 'third_party', 'made_safe', 'ordered',
                               'repaired_temporary', 'repair_claimed', 'repair_rejected', 'recalled',
                               'deferred_to_scheme')
        ORDER BY 2 LIMIT 1
    ) AS near ON true
"""

_AGREEMENT = """
    SELECT round(avg((sighting.defect_id = bare_link.defect_id)::integer), 4)
    FROM sighting JOIN bare_link USING (detection_id) WHERE sighting.verdict = 'same'
"""

_VERDICTS = """
    SELECT coalesce(sighting.verdict, detection.verdict), count(*)
    FROM detection LEFT JOIN sighting ON sighting.detection_id = detection.id GROUP BY 1 ORDER BY 2 DESC
"""
