"""Rows told to one statement come out as they went in."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from shared.store.engine import WriteTx
from shared.store.told import tell

COLUMNS = {"id": "bigint", "x": "float8", "late": "boolean", "at": "timestamptz", "words": "text"}
AT = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC)
ODD = ["plain", "", "NULL", 'a "quote"', "back\\slash", "{brace, comma}", "  ", "line\nfeed\ttab", "é 🕳"]


@pytest.mark.parametrize("many", [0, 1, 500])
def test_every_value_comes_out_as_it_went_in(tx: WriteTx, many: int) -> None:
    rows: list[tuple[Any, ...]] = [(number, number / 3, number % 2 == 0, AT, ODD[number % 9]) for number in range(many)]
    rows += [(None, None, None, None, None)] if many else []

    told = tell(COLUMNS, rows)

    found = [tuple(row) for row in tx.execute(text(f"SELECT * FROM {told.relation}"), told.params)]
    assert found == rows
