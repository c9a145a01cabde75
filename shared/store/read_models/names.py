"""Actors of the record by the names that people know."""

from typing import Any

from sqlalchemy import String, cast, func, select

from shared.store.tables import person


def of_actor(actor: Any) -> Any:
    """For a column of actors ("person:7"), an expression: the person's name; of a rule, a key or a part, itself."""
    who = select(person.c.name).where(func.concat("person:", cast(person.c.id, String)) == actor)
    return func.coalesce(who.scalar_subquery(), actor)
