"""The fixtures themselves: what a test writes, no other test sees."""

import pytest
from sqlalchemy import URL, text

from shared.store.engine import WriteTx, transaction

_ADD = text("INSERT INTO contractor (code, name, since) VALUES ('only-here', 'Only here', '2026-01-01')")
_COUNT = text("SELECT count(*) FROM contractor WHERE code = 'only-here'")


@pytest.mark.parametrize("attempt", [1, 2])
def test_a_transaction_of_one_test_is_not_there_in_the_next(tx: WriteTx, attempt: int) -> None:
    before = tx.scalar(_COUNT)

    tx.execute(_ADD)

    assert (before, tx.scalar(_COUNT)) == (0, 1)


@pytest.mark.parametrize("attempt", [1, 2])
def test_a_commit_in_a_database_of_its_own_is_not_there_in_the_next(own_db: URL, attempt: int) -> None:
    with transaction("test") as tx:
        before = tx.scalar(_COUNT)
        tx.execute(_ADD)

    with transaction("test") as tx:
        assert (before, tx.scalar(_COUNT)) == (0, 1)
