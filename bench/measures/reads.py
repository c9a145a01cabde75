"""What operators and the map ask: boxes, filters, queues, tiles, search; 65,000 open defects, 1,000,000 reports.

The bare limit is the very statement of each answer, asked by psycopg without anything around it.
"""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import event

from bench import county, outside
from bench.county import ROW_M, SOUTH, STREET_M, WEST, Layout
from bench.figures import Figure, clocked, median, percentile
from bench.house import House, county_of, house_on
from bench.run import Run
from shared.domain.terms import Role
from shared.store.engine import ReadTx, engine, reading
from shared.store.read_models import defect_map, reports
from shared.store.read_models.defect_map import Box, Wanted
from tests import databases

NAME = "reads"
NOT_YET = {
    "tiles": ("tile", "Defects as vector tiles: the product has no such route yet, so nothing was measured."),
    "search": ("search", "Search over reports: the product has no such route yet, so nothing was measured."),
}

Statement = tuple[str, Any]


def measure(run: Run) -> list[Figure]:
    """Each question over HTTP as staff, one at a time, and its bare statement in turn."""
    layout = Layout(run.of(65_000, 10_000))
    many, times = run.of(1_000_000, 20_000), run.of(100, 30)
    with county_of(run.template, layout, worked=True) as url, house_on(url) as house:
        county.add_reports(house.db, layout, many)
        house.stack.start_api()
        _say_what_is_missing(run, house)
        rows = county.size_of(house.db)
        conditions = {"rows": rows, "asked": times, "clients": 1, "role": "operator"}
        figures: list[Figure] = []
        for name, (path, target_ms, ask) in _questions(house, layout).items():
            figures += _figures(name, target_ms, _Question(house, path, ask).asked(times), conditions)
    return figures


def _questions(house: House, layout: Layout) -> dict[str, tuple[str, float, Callable[[ReadTx], object]]]:
    """By name: the address, its target in ms, and the same question to the read model."""

    def map_of(most: int, **wanted: Any) -> Callable[[ReadTx], object]:
        return lambda tx: defect_map.features(tx, Wanted(**wanted), staff=True, after=None, most=most)

    def page_of(**wanted: Any) -> Callable[[ReadTx], object]:
        return lambda tx: reports.page(tx, reports.Wanted(**wanted), None, 100)

    town, street = _box(house, layout, 2_000), _box(house, layout, 500)
    late = {"band": "P2", "overdue": "true", "area": "E07000117"}
    ours = {"band": "P2", "overdue": True, "area_code": "E07000117"}
    return {
        "box of 2 km as GeoJSON": (_map(town, limit=5000), 200, map_of(5000, box=town)),
        "box of 500 m as GeoJSON": (_map(street, limit=5000), 200, map_of(5000, box=street)),
        "filter: late P2 of one district": (_map(None, **late, limit=100), 200, map_of(100, **ours)),
        "filter: ordered, any place": (
            _map(None, state="ordered", limit=100),
            200,
            map_of(100, states=["ordered"]),
        ),
        "filter: one street": (_map(None, street="b77", limit=100), 200, map_of(100, street_key="b77")),
        "queue: reports that wait": (_list(state="triage", sort="due"), 200, page_of(states=["triage"], due=True)),
        "queue: newest reports": (_list(), 200, page_of()),
        "queue: reports of one street": (_list(street="b77"), 200, page_of(street_key="b77")),
        "queue: newest dangerous of a class": (
            _list(category="edge_damage", danger="true"),
            200,
            page_of(class_code="edge_damage", danger=True),
        ),
    }


def _list(**asked: str) -> str:
    return f"/api/v1/reports?{urlencode({**asked, 'limit': 100})}"


def _map(box: Box | None, **more: Any) -> str:
    where = {} if box is None else {"bbox": f"{box.west},{box.south},{box.east},{box.north}"}
    return f"/api/v1/defects?{urlencode({**where, **more})}"


def _box(house: House, layout: Layout, metres: int) -> Box:
    """So wide a box in the middle of the defects."""
    x = WEST + (layout.streets_a_row * STREET_M - metres) / 2
    y = SOUTH + (layout.first_free_row * ROW_M - metres) / 2
    corners = "SELECT ST_X(p), ST_Y(p) FROM ST_Transform(ST_SetSRID(ST_MakePoint({}, {}), 27700), 4326) AS p"
    first = house.db.execute(corners.format(x, y)).fetchone()  # type: ignore[call-overload]
    last = house.db.execute(corners.format(x + metres, y + metres)).fetchone()  # type: ignore[call-overload]
    assert first is not None
    assert last is not None
    return Box(*(round(float(str(one)), 6) for one in (*first, *last)))


class _Question:
    """One question: over HTTP, and as the statements that answer it."""

    def __init__(self, house: House, path: str, ask: Callable[[ReadTx], object]) -> None:
        self.house = house
        self.port = int(house.stack.variables["ROADMEND_PORT"])
        self.task = {"kind": "closed", "method": "GET", "path": path, "headers": house.bearer(Role.OPERATOR)}
        self.statements = _statements(house, ask)

    def asked(self, times: int) -> dict[str, Any]:
        """Some at a time of each kind, in turn."""
        told: dict[str, Any] = {"http": [], "bare": [], "cpu": 0.0}
        for turn in range(6):
            one = outside.load(**self.task, port=self.port, connections=1, seconds=20, most=times // 5, again=True)
            if set(one["statuses"]) != {"200"}:
                raise RuntimeError(f"{self.task['path']} was answered {one['statuses']}")
            bare = [clocked(self._bare) for _ in range(times // 5)]
            if turn:
                told["http"] += one["seconds"]
                told["bare"] += bare
        return told

    def _bare(self) -> None:
        for statement, params in self.statements:
            self.house.db.execute(statement, params).fetchall()  # type: ignore[call-overload]


def _statements(house: House, ask: Callable[[ReadTx], object]) -> list[Statement]:
    """What the read model asks of the database, caught on its way."""
    caught: list[Statement] = []

    def catch(_: object, __: object, statement: str, params: Any, *___: object) -> None:
        caught.append((statement, params))

    with databases.in_force(house.url):
        event.listen(engine(), "before_cursor_execute", catch)
        with reading() as tx:
            ask(tx)
    return caught


def _figures(name: str, target_ms: float, told: dict[str, Any], conditions: dict[str, Any]) -> Iterator[Figure]:
    for share in (0.5, 0.95):
        value, bare = (percentile(told[kind], share) * 1000 for kind in ("http", "bare"))
        yield Figure(
            measure=NAME,
            name=f"{name}, {share:.0%}",
            value=value,
            unit="ms",
            bare=bare,
            bare_name="its statement ms",
            ratio=value / bare,
            target=f"p95 ≤ {target_ms:.0f} ms" if share == 0.95 else "",
            met=value <= target_ms if share == 0.95 else None,
            repeats=[median(told["http"]) * 1000],
            conditions=conditions,
        )


def _say_what_is_missing(run: Run, house: House) -> None:
    """Look into the product's own description: what is not there is said, what came since must be measured."""
    described = house.get("/api/openapi.json")["paths"]
    for word, sentence in NOT_YET.values():
        found = [path for path in described if word in path]
        run.note(f"{', '.join(found)} exists now and is not measured yet." if found else sentence)
