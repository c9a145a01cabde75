"""Who asks: an identity with a role, and what it may know of."""

from dataclasses import dataclass

from shared.domain.terms import ContractorId, PersonId, ReportId, Role

ALL_SCOPES = frozenset({"*"})

STAFF = (Role.OPERATOR, Role.SUPERVISOR, Role.ADMIN)
"""Who works in the control hub."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who sent a request. `actor` stands in the events of what they do: "public", "person:7", "key:3", "reporter:12".

    `scopes` limits an API key; a person holds all that the role may do. `report_id` is the one report that a
    reporter's secret opens.
    """

    role: Role
    actor: str
    name: str = ""
    person_id: PersonId | None = None
    contractor_id: ContractorId | None = None
    source_id: int | None = None
    report_id: ReportId | None = None
    scopes: frozenset[str] = frozenset()

    @property
    def is_staff(self) -> bool:
        return self.role in STAFF

    def holds(self, scope: str | None) -> bool:
        """Whether the scopes cover this one; None needs none."""
        return scope is None or scope in self.scopes or "*" in self.scopes


ANYBODY = Asker(role=Role.PUBLIC, actor="public", name="public")
