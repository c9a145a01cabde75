"""Which defects a map shows: the same filters for the list, as GeoJSON, and for vector tiles."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query
from pydantic import Field

from services.api.schemas import Since
from shared.domain.access import Asker
from shared.domain.public import public_status
from shared.domain.terms import Band, DefectState
from shared.errors import Invalid, NotAllowed
from shared.store.read_models import defect_map
from shared.store.read_models.defect_map import Box, Wanted

_CODES = "|".join(sorted({public_status(state).code for state in DefectState}))
StatusCode = Annotated[str, Field(pattern=f"^({_CODES})$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class DefectFilters:
    """Query parameters; what is left out does not filter."""

    state: Annotated[list[DefectState] | None, Query(description="For staff; may be given several times")] = None
    status: Annotated[list[StatusCode] | None, Query(description="Status codes; may be given several times")] = None
    is_open: Annotated[bool | None, Query(alias="open", description="Only what is not at an end")] = None
    class_code: Annotated[str | None, Query(alias="class", max_length=60)] = None
    band: Annotated[Band | None, Query(description="For staff")] = None
    street: Annotated[str | None, Query(max_length=200, description="The street's key")] = None
    area: Annotated[str | None, Query(max_length=40)] = None
    overdue: Annotated[bool | None, Query(description="For staff")] = None
    updated_since: Since | None = None
    due_from: Annotated[Since | None, Query(description="For staff: its next clock runs out then or later")] = None
    due_before: Annotated[Since | None, Query(description="For staff, with due_from: and before then")] = None
    graded: Annotated[bool | None, Query(description="For staff; false: it has no band yet")] = None

    def wanted(self, asker: Asker, box: Box | None = None, otherwise: Sequence[str] | None = None) -> Wanted:
        """What the store is asked for; of the states `otherwise`, where no filter says which.

        Raises:
            NotAllowed: a filter is for staff, and this is somebody else.
        """
        if not asker.is_staff and self._is_for_staff:
            raise NotAllowed("state, band, overdue, due and graded are for staff; use status and open.")
        if (self.due_from is None) != (self.due_before is None):
            raise Invalid("due_from and due_before go together.", {"due_before": "goes with due_from"})
        return Wanted(
            box=box,
            states=self._states(staff=asker.is_staff) if otherwise is None or self._says_which else otherwise,
            class_code=self.class_code,
            band=self.band,
            street_key=self.street,
            area_code=self.area,
            overdue=self.overdue,
            updated_since=self.updated_since,
            due=None if self.due_from is None or self.due_before is None else (self.due_from, self.due_before),
            graded=self.graded,
        )

    @property
    def _is_for_staff(self) -> bool:
        return any(
            one is not None and one != []
            for one in (self.state, self.band, self.overdue, self.due_from, self.due_before, self.graded)
        )

    @property
    def _says_which(self) -> bool:
        return not (self.state is None and self.status is None and self.is_open is None)

    def _states(self, *, staff: bool) -> list[str] | None:
        """The states that are asked for; None for all. The public's map is without what is not there."""
        if staff and not self._says_which:
            return None
        wanted = set(DefectState) if staff else set(DefectState) - defect_map.HIDDEN
        if self.state is not None:
            wanted &= set(self.state)
        if self.status is not None:
            wanted &= defect_map.states_of(self.status)
        if self.is_open is not None:
            wanted = {one for one in wanted if defect_map.is_open(one) == self.is_open}
        return sorted(wanted)


Filters = Annotated[DefectFilters, Depends()]
