"""What a lifecycle is: a table of lawful steps, each with the guard that must hold, and the refusals of the others.

The caller passes the facts as a mapping or a dataclass; a missing fact counts as not given.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from shared.errors import Refusal

S = TypeVar("S", bound=StrEnum)
Facts = Mapping[str, Any]


class UnlawfulStep(Refusal):
    """The lifecycle has no such step."""

    code = "unlawful-step"
    title = "This cannot follow that"


class GuardNotMet(Refusal):
    """The step exists, but what it needs is missing."""

    code = "guard-not-met"
    title = "Something is missing for this step"


@dataclass(frozen=True, slots=True)
class Guard:
    """What must be so for a step. `facts` are the names it reads, for messages and for the documentation."""

    sentence: str
    facts: tuple[str, ...]
    holds: Callable[[Facts], bool]


@dataclass(frozen=True, slots=True)
class Lifecycle(Generic[S]):
    """A table of lawful steps. `terminal` are the states that nothing leaves."""

    name: str
    initial: S
    terminal: frozenset[S]
    steps: Mapping[tuple[S, S], Guard]

    def may(self, before: S, after: S) -> bool:
        """Whether the table has the step, whatever its guard."""
        return (before, after) in self.steps

    def lawful_from(self, state: S) -> dict[S, str]:
        """The states that may follow, each with what it takes."""
        return {after: guard.sentence for (before, after), guard in self.steps.items() if before == state}

    def check(self, before: S, after: S, facts: object = None) -> None:
        """Let a lawful step pass.

        Raises:
            UnlawfulStep: the table has no such step.
            GuardNotMet: the facts do not satisfy the step's guard; `errors` names the missing ones.
        """
        guard = self.steps.get((before, after))
        if guard is None:
            raise UnlawfulStep(self._no_such_step(before, after))
        given = _as_mapping(facts)
        if not guard.holds(given):
            missing = {fact: "is needed" for fact in guard.facts if not given.get(fact)}
            raise GuardNotMet(f"{self.name} {before} → {after}: {guard.sentence}", missing)

    def _no_such_step(self, before: S, after: S) -> str:
        ways = ", ".join(sorted(self.lawful_from(before))) or "nothing"
        return f"A {self.name} that is {before} cannot become {after}; what may follow is {ways}."


def _as_mapping(facts: object) -> Facts:
    if facts is None:
        return {}
    if isinstance(facts, Mapping):
        return facts
    if is_dataclass(facts) and not isinstance(facts, type):
        return {field.name: getattr(facts, field.name) for field in fields(facts)}
    raise TypeError(f"facts are a mapping or a dataclass, not {type(facts).__name__}")


def needs(sentence: str, *facts: str) -> Guard:
    """All the facts are given and true."""
    return Guard(sentence, facts, lambda given: all(given.get(fact) for fact in facts))


def either(sentence: str, *facts: str) -> Guard:
    """At least one of the facts is given and true."""
    return Guard(sentence, facts, lambda given: any(given.get(fact) for fact in facts))


def one_of(sentence: str, fact: str, allowed: frozenset[str]) -> Guard:
    """The fact is given and has one of these values."""
    return Guard(sentence, (fact,), lambda given: given.get(fact) in allowed)


def within(sentence: str, fact: str, latest: str, *also: str) -> Guard:
    """`fact` is not later than `latest`, and the other facts are given."""

    def holds(given: Facts) -> bool:
        first, last = given.get(fact), given.get(latest)
        return first is not None and last is not None and first <= last and all(given.get(name) for name in also)

    return Guard(sentence, (fact, latest, *also), holds)


def table(name: str, initial: S, states: Iterable[S], steps: Mapping[tuple[S, S], Guard]) -> Lifecycle[S]:
    """A lifecycle of all `states`: final are those that no step leaves."""
    leaving = {before for before, _ in steps}
    return Lifecycle(name, initial, frozenset(states) - leaving, steps)
