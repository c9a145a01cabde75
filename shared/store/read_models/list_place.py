"""A place in a list that goes by a time and a name: what an answer gives as `next`, and is asked with as `after`."""

from datetime import datetime

from shared.errors import Invalid


def written(at: datetime, name: str) -> str:
    """The place of the row that has this time and this reference."""
    return f"{at.isoformat()}~{name}"


def read(after: str) -> tuple[datetime, str]:
    """The time, aware, and the reference of a place.

    Raises:
        Invalid: it is not from an answer of ours.
    """
    at, _, name = after.partition("~")
    try:
        when = datetime.fromisoformat(at)
    except ValueError:
        when = None
    if not name or when is None or when.tzinfo is None:
        raise unknown()
    return when, name


def unknown() -> Invalid:
    """The refusal of a place that is not from an answer of ours."""
    return Invalid("`after` is not one that an answer gave as `next`.", {"after": "is not a place in the list"})
