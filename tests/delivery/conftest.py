"""The running house that these tests break."""

from pathlib import Path

import pytest

from tests.delivery.house import House
from tests.stack import Stack


@pytest.fixture
def house(stack: Stack) -> House:
    """A house whose policy is in force; nothing of it runs yet."""
    made = House(stack)
    made.adopt_policy()
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path
