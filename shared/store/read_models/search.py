"""Search for staff: reports, defects, works orders and recalls by reference, another system's id, postcode, street, or
words.

Each way asks its own index and stops at so many; what is found is shown the surest way first. No way here leads through
who reported: that is a look-up of its own, which is recorded (flows/look_up_reporter.py, docs/decisions/0059).
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Table, func, or_, select, text

from shared.store import references
from shared.store.engine import ReadTx
from shared.store.read_models import search_shown
from shared.store.tables import REPORT_WORDS, defect, detection_key, recall, report, sighting, source, works_order

_SQL = Path(__file__).parent.parent / "sql"
_PLACE, _STREETS = (text((_SQL / f"search_{name}.sql").read_text()) for name in ("place", "streets"))
_WORDS = text((_SQL / "search_words.sql").read_text().replace("{words}", REPORT_WORDS.replace("::", r"\:\:")))

_POSTCODE = re.compile(r"[A-Z0-9]{5,8}")

KINDS: dict[str, tuple[Table, str]] = {
    "report": (report, "R"),
    "defect": (defect, "D"),
    "works_order": (works_order, "W"),
    "recall": (recall, "K"),
}
"""Where each kind lies, and the letter that its references begin with."""
REACH_M = 250.0
"""Around a postcode's middle: a postcode is some fifteen addresses."""
MOST_STREETS = 20
ENOUGH = 20
"""Newest reports with the words, of which the best are shown first."""


class Found(NamedTuple):
    """A row of one kind, and by which way it was found."""

    kind: str
    id: int
    by: str


Way = Callable[[ReadTx, str, int], Iterator[Found]]


@dataclass(frozen=True, slots=True)
class Results:
    """Each kind's rows as `search_shown` gives them, the surest first, each with the way by which it was found."""

    reports: list[dict[str, Any]]
    defects: list[dict[str, Any]]
    works_orders: list[dict[str, Any]]
    recalls: list[dict[str, Any]]


def search(tx: ReadTx, sought: str, most: int) -> Results:
    """Look for what was typed, every way that it could be meant; `most` of each kind."""
    tx.plan_for_values()
    ways: dict[str, dict[int, str]] = {kind: {} for kind in KINDS}
    for way in _SURE:
        _look(tx, way, sought, most, ways)
    if not any(ways.values()):
        for way in _LIKELY:
            _look(tx, way, sought, most, ways)
    _add_recalls(tx, most, ways)
    return Results(
        search_shown.reports(tx, ways["report"]),
        search_shown.defects(tx, ways["defect"]),
        search_shown.orders(tx, ways["works_order"]),
        search_shown.recalls(tx, ways["recall"]),
    )


def _add_recalls(tx: ReadTx, most: int, ways: dict[str, dict[int, str]]) -> None:
    """With a defect its recalls are found."""
    of_defects, found = ways["defect"], ways["recall"]
    if of_defects and len(found) < most:
        rows = select(recall.c.id, recall.c.defect_id).where(recall.c.defect_id == func.any(list(of_defects)))
        for row in tx.execute(rows.order_by(recall.c.id.desc()).limit(most - len(found))):
            found.setdefault(row.id, of_defects[row.defect_id])


def _look(tx: ReadTx, way: Way, sought: str, most: int, ways: dict[str, dict[int, str]]) -> None:
    """Add what one way finds, as long as there is room in its kind."""
    for found in way(tx, " ".join(sought.split()), most):
        if len(ways[found.kind]) < most:
            ways[found.kind].setdefault(found.id, found.by)


def _by_reference(tx: ReadTx, sought: str, most: int) -> Iterator[Found]:
    """The whole reference however it was typed, its beginning, or its second half."""
    for kind, (table, letter) in KINDS.items():
        conditions = [
            *(table.c.reference.like(f"{beginning}%") for beginning in references.beginnings(sought, letter)),
            *(func.right(table.c.reference, 4) == half for half in references.halves(sought)),
        ]
        if conditions:
            rows = select(table.c.id).where(or_(*conditions)).order_by(table.c.id.desc()).limit(most)
            yield from (Found(kind, found, "reference") for found in tx.scalars(rows))


def _by_external_id(tx: ReadTx, sought: str, most: int) -> Iterator[Found]:
    """A report by its number in the older system, a defect by a vendor's id of a detection that saw it."""
    if not any(letter.isdigit() for letter in sought):
        return
    named = select(report.c.id).where(report.c.external_id.in_((sought, f"historic:{sought}")))
    yield from (Found("report", found, "external id") for found in tx.scalars(named))
    seen = (
        select(sighting.c.defect_id)
        .join(detection_key, detection_key.c.detection_id == sighting.c.detection_id)
        .join(source, source.c.id == detection_key.c.source_id)
        .where(detection_key.c.external_id == sought, sighting.c.unlinked_at.is_(None))
        .limit(most)
    )
    yield from (Found("defect", found, "external id") for found in tx.scalars(seen))


def _by_postcode(tx: ReadTx, sought: str, most: int) -> Iterator[Found]:
    """What lies near a postcode, nearest first."""
    code = "".join(sought.upper().split())
    if not _POSTCODE.fullmatch(code):
        return
    asked = {"postcode": code, "reach": REACH_M, "most": most}
    yield from (Found(row.kind, row.id, "postcode") for row in tx.execute(_PLACE, asked))


def _by_street(tx: ReadTx, sought: str, most: int) -> Iterator[Found]:
    """The newest on a street, also when its name is mistyped."""
    typed = sought.lower().replace("\\", "").replace("%", "").replace("_", " ")
    if len(typed) < 3:
        return
    asked = {"typed": typed, "beginning": f"{typed}%", "streets": MOST_STREETS, "most": most}
    yield from (Found(row.kind, row.id, "street") for row in tx.execute(_STREETS, asked))


def _by_words(tx: ReadTx, sought: str, most: int) -> Iterator[Found]:
    """Reports whose description or address has the words: "or", a minus and quotation marks mean what they mean on
    the web."""
    asked = {"sought": sought, "enough": max(ENOUGH, most), "most": most}
    yield from (Found("report", found, "words") for found in tx.scalars(_WORDS, asked))


_SURE: Sequence[Way] = (_by_reference, _by_external_id, _by_postcode)
"""What these find is what was meant: then nothing else is looked for."""
_LIKELY: Sequence[Way] = (_by_street, _by_words)
