"""Which words are a whole e-mail address, and what the record keeps of one."""

import pytest

from shared.domain.looked_up import mark, whole_address


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("ada@example.org", "ada@example.org"),
        ("  Ada.Fell+roads@Mail.Example.ORG ", "ada.fell+roads@mail.example.org"),
        ("o'brien@example.co.uk", "o'brien@example.co.uk"),
    ],
)
def test_a_whole_address_is_read_in_lower_case(typed: str, address: str) -> None:
    assert whole_address(typed) == address


@pytest.mark.parametrize(
    "typed",
    [
        *("", "ada", "ada@", "ada@example", "@example.org", "example.org", "ada@.org", "ada@example.o", "a@b@c.org"),
        *("ada fell@example.org", f"{'x' * 250}@example.org"),
    ],
)
def test_a_part_of_an_address_is_none(typed: str) -> None:
    assert whole_address(typed) is None


def test_the_mark_of_an_address_tells_it_from_others_and_not_whose_it_is() -> None:
    one, again, other = (
        mark(address, "s" * 32) for address in ("ada@example.org", "ada@example.org", "ben@example.org")
    )

    assert one == again != other
    assert one != mark("ada@example.org", "t" * 32)
    assert "ada" not in one
    assert len(one) == 64
