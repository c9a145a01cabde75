"""The categories that a report may have, in the words of the policy in force."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.api.deps import PUBLIC, STAFF, Asker, Now, Read, requires
from shared.store import policies

router = APIRouter(prefix="/api/v1/categories", tags=["reports"])


class Category(BaseModel):
    code: str = Field(examples=["pothole"])
    group: str = Field(examples=["carriageway"])
    title: str = Field(examples=["Pothole"])
    words: str = Field(examples=["A hole in the road where the surface has broken away."])
    public: bool = Field(description="Whether a resident may choose it; the others are for staff")


@router.get("")
def list_categories(
    tx: Read, now: Now, asker: Annotated[Asker, requires(PUBLIC, *STAFF, scope="reports")]
) -> list[Category]:
    """What may be reported."""
    classes = policies.in_force(tx, now).policy.classes
    return [
        Category(code=code, group=rule.group, title=rule.title, words=rule.words, public=rule.public)
        for code, rule in classes.items()
        if rule.public or asker.is_staff
    ]
