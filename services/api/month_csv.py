"""A month as CSV: one figure a row, with its definition, and the time as of which all of it was computed."""

import csv
import io
from collections.abc import Iterator

from shared.domain.month import Month, Standing
from shared.store.read_models.month import Cell, Company, Glance

HEAD = ("figure", "label", "contractor", "month", "value", "counted", "of", "note", "definition", "as_of")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def written(told: Glance) -> str:
    """The file, with a head. Shares run from 0 to 1; an empty value could not be told, and the note says why."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEAD)
    as_of = told.as_of.isoformat(timespec="seconds")
    writer.writerows([*map(_harmless, row), as_of] for row in _rows(told))
    return out.getvalue()


Row = tuple[str | float | int | None, ...]


def _rows(told: Glance) -> Iterator[Row]:
    for line in told.lines:
        for month, cell in ((told.month, line.this), (told.month.year_before, line.then)):
            yield _row(line.name, line.label, "", month, cell, line.definition)
    definitions = {line.name: line.definition for line in told.lines}
    for one in told.companies:
        yield from _of_company(told, one, definitions)
    for standing in told.trend:
        yield from _of_trend(standing, definitions)


def _of_company(told: Glance, one: Company, definitions: dict[str, str]) -> Iterator[Row]:
    name, before = f"rft_{told.days}", told.month.year_before
    for month, number in ((told.month, one.this), (before, one.then)):
        yield _row("repairs", "Repairs verified", one.name, month, Cell(number), definitions["repairs"])
    for month, cell in ((told.cohort, one.rft), (before, one.rft_then)):
        yield _row(name, f"Right first time, {told.days} days", one.name, month, cell, definitions[name])


def _of_trend(one: Standing, definitions: dict[str, str]) -> Iterator[Row]:
    for name, label, number in (
        ("trend_came", "Became open", one.came),
        ("trend_went", "Ended", one.went),
        ("trend_open_at_end", "Open at the end", one.end),
    ):
        yield _row(name, label, "", one.month, Cell(number), definitions[name.removeprefix("trend_")])


def _row(name: str, label: str, company: str, month: Month, cell: Cell, words: str) -> Row:
    return (name, label, company, str(month), cell.value, cell.counted, cell.of, cell.note, words)


def _harmless(value: str | float | int | None) -> str | float | int | None:
    """A text that a spreadsheet would take for a formula is a text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
