"""One act on many defects, as it is asked for."""

from typing import Annotated, Literal

from pydantic import Field

from services.api.routes.defect_actions import Facts, Why
from services.api.schemas import Input, Number, Whole, Words
from shared.domain.bulk import MOST, Act, Asked, screened
from shared.store import references

Reference = Annotated[Words, Field(max_length=20)]


class OnMany(Input):
    """What every act names."""

    defects: list[Reference] = Field(min_length=1, max_length=MOST, examples=[["D-7K3M-9QXF", "D-2P5R-8ABC"]])

    def named(self) -> tuple[str, ...]:
        """Each once, as references are stored."""
        return tuple(dict.fromkeys(references.read(one) for one in self.defects))


class AssignMany(OnMany):
    """Issue works orders."""

    kind: Literal["assign"]
    contractor: Words | None = Field(None, max_length=40, description="A code; who has the lot if left out")
    reason: Why = Field(examples=["No lot covers them; Birch has a crew nearby."])

    def asked(self) -> Asked:
        return Asked(Act.ASSIGN, self.named(), {"contractor": self.contractor, "reason": self.reason})


class GradeMany(OnMany):
    """Confirm, and grade by what was found."""

    kind: Literal["grade"]
    why: Why
    depth_mm: Number | None = Field(None, ge=0, le=10_000)
    width_mm: Number | None = Field(None, ge=0, le=100_000)
    facts: Facts = Field(default_factory=Facts)
    likelihood: Whole | None = Field(None, ge=1, le=4, description="1 least to 4 worst; by the street if left out")
    impact: Whole | None = Field(None, ge=1, le=4, description="1 least to 4 worst; by the class if left out")

    def asked(self) -> Asked:
        names = ("why", "depth_mm", "width_mm", "likelihood", "impact")
        said = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        return Asked(Act.GRADE, self.named(), {**said, "facts": self.facts.told()})


class ReferMany(OnMany):
    """Another owns them, and mends them."""

    kind: Literal["refer"]
    owner: Words = Field(min_length=2, max_length=200, examples=["Openreach"])
    why: Why

    def asked(self) -> Asked:
        return Asked(Act.REFER, self.named(), {"owner": self.owner, "why": self.why})


class MessageMany(OnMany):
    """Write to those who reported or follow them."""

    kind: Literal["message"]
    words: Words = Field(
        min_length=3, max_length=1000, examples=["The road is closed on Monday so that we can mend it."]
    )

    def asked(self) -> Asked:
        return Asked(Act.MESSAGE, self.named(), {"words": screened(self.words)})


GivenAct = Annotated[AssignMany | GradeMany | ReferMany | MessageMany, Field(discriminator="kind")]
