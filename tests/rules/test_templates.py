"""Templates: ours name nothing that they were not given, and GOV.UK's macros run as they are."""

from dataclasses import dataclass

import pytest
from jinja2 import UndefinedError

from services.api.templates import environment


@dataclass
class Thing:
    """Something that a page is given."""

    name: str = "Fishergate"


def _rendered(text: str) -> str:
    return environment().from_string(text).render(thing=Thing(), errors={"street": "Enter a street"})


@pytest.mark.parametrize(
    "text", ["{{ nothing }}", "{% if nothing %}{% endif %}", "{{ thing.nmae }}", "{{ nothing.at }}"]
)
def test_what_a_page_was_not_given_is_an_error(text: str) -> None:
    with pytest.raises(UndefinedError):
        _rendered(text)


def test_a_key_that_a_dict_has_not_got_is_empty() -> None:
    assert _rendered("{{ thing.name }}: {{ errors.street }}{{ errors.place }}") == "Fishergate: Enter a street"
    assert _rendered("{{ 'wrong' if errors.place }}") == ""


def test_a_macro_of_gov_uk_shows_what_is_wrong_and_escapes_it() -> None:
    shown = _rendered(
        '{% from "govuk_frontend_jinja/components/input/macro.html" import govukInput %}'
        '{{ govukInput({"id": "street", "name": "street", "label": {"text": "Street <b>"},'
        ' "hint": {"text": "Or a postcode"}, "errorMessage": {"text": errors.street} if errors.street}) }}'
    )

    assert 'aria-describedby="street-hint street-error"' in shown
    assert "Enter a street" in shown
    assert "Street &lt;b&gt;" in shown
