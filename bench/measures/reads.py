"""What operators and the map ask: boxes, tiles, filters, queues, search; 65,000 open defects, 1,000,000 reports.

Beside the open defects lie 435,000 that have ended, with their works orders, as after some years. The bare limit is the
very statements of each answer, asked by psycopg without anything around them.
"""

from collections.abc import Callable, Iterator
from math import asinh, floor, pi, radians, tan
from typing import Any
from urllib.parse import urlencode

import orjson
from sqlalchemy import event

from bench import county, outside
from bench.counties import County
from bench.county import ROW_M, SOUTH, STREET_M, WEST, Layout
from bench.database import Db
from bench.figures import Figure, clocked, median, percentile
from bench.house import House, house_on
from bench.outside import write_bodies
from bench.run import Run
from shared.domain.terms import Role
from shared.store import contacts
from shared.store.engine import ReadTx, engine, reading
from shared.store.read_models import defect_map, defect_tiles, questions, queue, reports, search, search_shown, works
from shared.store.read_models.defect_map import Box, Wanted
from shared.store.read_models.defect_tiles import Tile
from tests import databases

NAME = "reads"
TILE_MS, FILTER_MS, SEARCH_MS = 100.0, 200.0, 100.0
DISTRICT = "E0700117"
LOOK_UP = "/api/v1/search/reporters"
ADDRESS = "Sam777@residents.example"
TURNS, WARMING = 3, 4

Statement = tuple[str, Any]


def counties(run: Run) -> list[County]:
    """Worked defects, those that have ended, orders, reports and questions."""
    many, ended = run.of(1_000_000, 20_000), run.of(435_000, 40_000)

    def fill(db: Db, layout: Layout) -> None:
        county.add_defects(db, layout, worked=True)
        county.add_reports(db, layout, many)
        county.add_history(db, layout, ended)
        county.add_postcodes(db, layout)
        county.add_contacts(db)

    return [County(_layout(run), fill)]


def _layout(run: Run) -> Layout:
    return Layout(run.of(65_000, 10_000))


def measure(run: Run) -> list[Figure]:
    """Each question over HTTP as staff, one at a time, and its bare statement in turn."""
    times = run.of(48, 30)
    figures: list[Figure] = []
    with run.counties.of(NAME) as (url,), house_on(url) as house, outside.generator() as generate:
        house.stack.start_api()
        rows = county.size_of(house.db)
        conditions = {"rows": rows, "asked": times // TURNS * TURNS, "clients": 1, "role": "operator"}
        for name, (path, target_ms, ask) in _questions(house, _layout(run)).items():
            told = _Question(house, generate, path, ask).asked(times)
            figures += _figures(name, target_ms, told, conditions)
        body = write_bodies(run.folder / "address", [orjson.dumps({"email": ADDRESS})])
        looked_up = _Question(house, generate, LOOK_UP, _looked_up, method="POST", bodies=body)
        figures += _figures("search: a reporter's e-mail", SEARCH_MS, looked_up.asked(times), conditions)
    return figures


def _looked_up(tx: ReadTx) -> object:
    """Without the event that every look-up leaves: what the bare limit reads is what the answer shows."""
    return search_shown.reports(tx, dict.fromkeys(contacts.of_address(tx, ADDRESS.lower()), "e-mail"))


Ask = Callable[[ReadTx], object]
Asked = dict[str, tuple[str, float, Ask]]
"""By name: the address, its target in ms, and the same question to the read model."""


def _questions(house: House, layout: Layout) -> Asked:
    return {**_maps(house, layout), **_filters(), **_open_defects(), **_reports(), **_orders(), **_searches()}


def _maps(house: House, layout: Layout) -> Asked:
    """Boxes as GeoJSON; tiles around their middle: zoom 9 holds the whole county, 14 is the first to show each."""
    asked: Asked = {}
    for metres in (2_000, 500):
        box = _box(house, layout, metres)
        ours = _features(box=box, states=defect_map.TO_BE_DONE, most=5000)
        asked[f"box of {metres:,} m as GeoJSON"] = (_map(box, open="true", limit=5000), FILTER_MS, ours)
    for zoom in (9, 11, 13, 14):
        square = _tile_of(zoom, box)
        path = f"/api/v1/defects/tiles/{square.zoom}/{square.x}/{square.y}.mvt"
        asked[f"tile at zoom {zoom}"] = (path, TILE_MS, _drawn(square))
    return asked


def _filters() -> Asked:
    late = {"band": "P2", "overdue": "true", "area": DISTRICT}
    ours = {"band": "P2", "overdue": True, "area_code": DISTRICT}
    kinds: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "late P2 of one district": (late, ours),
        "overdue": ({"overdue": "true"}, {"overdue": True}),
        "ordered, any place": ({"state": "ordered"}, {"states": ["ordered"]}),
        "one street": ({"street": "b77"}, {"street_key": "b77"}),
        "a class that nothing has": ({"class": "sinkhole"}, {"class_code": "sinkhole"}),
    }
    return {
        f"filter: {name}": (_map(None, **there, limit=100), FILTER_MS, _features(**here, most=100))
        for name, (there, here) in kinds.items()
    }


def _open_defects() -> Asked:
    """The hub's queue, a hundred rows at a time."""

    def page_of(**wanted: Any) -> Ask:
        return lambda tx: queue.page(tx, queue.Wanted(**wanted), after=None, most=100)

    kinds: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
        "all that is open": ({}, {}),
        "band P2": ({"band": "P2"}, {"bands": ["P2"]}),
        "a class": ({"class": "edge_damage"}, {"classes": ["edge_damage"]}),
        "overdue ones": ({"overdue": "true"}, {"overdue": True}),
        "dangerous ones": ({"danger": "true"}, {"danger": True}),
        "those without an order": ({"contractor": "none"}, {"contractors": ["none"]}),
        "those of a contractor": ({"contractor": "alder"}, {"contractors": ["alder"]}),
        "those asked about": ({"unsure": "true"}, {"unsure": True}),
        "those on a street": ({"street": "b77"}, {"street_key": "b77"}),
        "those of a word": ({"q": "crumbling"}, {"sought": "crumbling"}),
    }
    return {
        f"queue: {name}": (_list("queue", **there), FILTER_MS, page_of(**here)) for name, (there, here) in kinds.items()
    }


def _reports() -> Asked:
    def page_of(**wanted: Any) -> Ask:
        return lambda tx: reports.page(tx, reports.Wanted(**wanted), None, 100)

    kinds: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
        "reports that wait": ({"state": "triage", "sort": "due"}, {"states": ["triage"], "due": True}),
        "newest reports": ({}, {}),
        "reports of one street": ({"street": "b77"}, {"street_key": "b77"}),
        "newest dangerous of a class": (
            {"category": "edge_damage", "danger": "true"},
            {"class_code": "edge_damage", "danger": True},
        ),
    }
    asked: Asked = {
        f"queue: {name}": (_list("reports", **there), FILTER_MS, page_of(**here))
        for name, (there, here) in kinds.items()
    }
    open_questions: Ask = lambda tx: questions.page(tx, after=None, most=100)  # noqa: E731
    return asked | {"queue: questions": (_list("questions"), FILTER_MS, open_questions)}


def _orders() -> Asked:
    def page_of(**wanted: Any) -> Ask:
        return lambda tx: works.page(tx, works.Wanted(**wanted), after=None, most=100)

    kinds: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
        "open orders": ({"open": "true"}, {"open_only": True}),
        "orders to be accepted": ({"state": "issued"}, {"states": ["issued"]}),
        "orders of one street": ({"street": "b77"}, {"street": "b77"}),
        "open orders of one district": ({"open": "true", "area": DISTRICT}, {"open_only": True, "area": DISTRICT}),
    }
    return {
        f"queue: {name}": (_list("works-orders", **there), FILTER_MS, page_of(**here))
        for name, (there, here) in kinds.items()
    }


def _searches() -> Asked:
    """A bench's references follow each other, so that beginnings of them are told by more letters than real ones."""
    kinds = {
        "a reference": "r000abcde",
        "half a reference": "BCDE",
        "a street": "Street 777",
        "a street, mistyped": "Stret 777",
        "a postcode": "ab1 1aa",
        "a word that is in all": "hole",
        "words that are in few": "crumbling roundabout 77",
        "words that are in none": "zebra giraffe",
    }

    def ask(sought: str) -> Ask:
        return lambda tx: search.search(tx, sought, 10)

    return {
        f"search: {name}": (f"/api/v1/search?{urlencode({'q': sought})}", SEARCH_MS, ask(sought))
        for name, sought in kinds.items()
    }


def _features(*, most: int, **wanted: Any) -> Ask:
    return lambda tx: defect_map.features(tx, Wanted(**wanted), staff=True, after=None, most=most)


def _drawn(square: Tile) -> Ask:
    return lambda tx: defect_tiles.tile(tx, square, Wanted(states=defect_map.TO_BE_DONE), staff=True)


def _tile_of(zoom: int, box: Box) -> Tile:
    """The tile that holds the middle of a box."""
    lon, lat = (box.west + box.east) / 2, (box.south + box.north) / 2
    side = 2**zoom
    return Tile(zoom, floor((lon + 180) / 360 * side), floor((1 - asinh(tan(radians(lat))) / pi) / 2 * side))


def _list(what: str, **asked: str) -> str:
    return f"/api/v1/{what}?{urlencode({**asked, 'limit': 100})}"


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

    def __init__(self, house: House, generate: Callable[..., dict[str, Any]], path: str, ask: Ask, **more: str) -> None:
        self.house, self.generate = house, generate
        self.port = int(house.stack.variables["ROADMEND_PORT"])
        self.task = {"kind": "closed", "method": "GET", "path": path, "headers": house.bearer(Role.OPERATOR), **more}
        self.statements = _statements(house, ask)

    def asked(self, times: int) -> dict[str, Any]:
        """Some at a time of each kind, in turn; a few before that do not count."""
        told: dict[str, Any] = {"http": [], "bare": []}
        self._turn(WARMING)
        for _ in range(TURNS):
            http, bare = self._turn(times // TURNS)
            told["http"] += http
            told["bare"] += bare
        return told

    def _turn(self, times: int) -> tuple[list[float], list[float]]:
        one = self.generate(**self.task, port=self.port, connections=1, seconds=20, most=times, again=True)
        if set(one["statuses"]) != {"200"}:
            raise RuntimeError(f"{self.task['path']} was answered {one['statuses']}")
        return one["seconds"], [clocked(self._bare) for _ in range(times)]

    def _bare(self) -> None:
        with self.house.db.transaction():
            self._asked_bare()

    def _asked_bare(self) -> None:
        for statement, params in self.statements:
            asked = self.house.db.execute(statement, params)  # type: ignore[call-overload]
            if asked.description is not None:
                asked.fetchall()


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
