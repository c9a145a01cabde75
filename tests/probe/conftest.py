"""The house that the probes attack. `make probe` runs them at length: PROBE_EXAMPLES and PROBE_MINUTES say how long."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import URL

from tests import databases
from tests.probe.house import House
from tests.stack import Stack

Answered = Callable[[object], None]


@pytest.fixture(scope="session")
def house(template: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A running house, shared by all probes of this process: each leaves it fit for the next."""
    url = databases.create(template, str(template.database))
    made = House(Stack(tmp_path_factory.mktemp("house"), databases.as_setting(url)))
    made.prepare()
    try:
        made.stack.start_all()
        made.move_in()
        yield made
    finally:
        made.close()
        databases.drop(url)


@pytest.fixture
def answered(record_property: Callable[[str, object], None]) -> Answered:
    """Say, for the table of `make probe`, how what was tried was answered."""
    return lambda how: record_property("answered", str(how))
