"""Photos: what is known of each, and which report or visit it belongs to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from shared.domain.terms import ContractorId, PhotoId, ReportId
from shared.store.engine import ReadTx, WriteTx
from shared.store.tables import photo


@dataclass(frozen=True, slots=True)
class OfReport:
    """A photo that came with a report."""

    report_id: ReportId

    def match(self) -> ColumnElement[bool]:
        return photo.c.report_id == self.report_id

    def values(self) -> dict[str, Any]:
        return {"report_id": self.report_id, "role": "report"}


@dataclass(frozen=True, slots=True)
class OfVisit:
    """A photo from before or after the work, known by the phone's own visit id: the visit may be told later."""

    contractor_id: ContractorId
    visit_client_id: UUID
    role: str

    def match(self) -> ColumnElement[bool]:
        mine = (photo.c.contractor_id == self.contractor_id) & (photo.c.visit_client_id == self.visit_client_id)
        return mine & (photo.c.role == self.role)

    def values(self) -> dict[str, Any]:
        return {"contractor_id": self.contractor_id, "visit_client_id": self.visit_client_id, "role": self.role}


@dataclass(frozen=True, slots=True)
class OfDraft:
    """A photo of a report that is still being written. It goes along when that is sent."""

    draft_hash: bytes

    def match(self) -> ColumnElement[bool]:
        return photo.c.draft_hash == self.draft_hash

    def values(self) -> dict[str, Any]:
        return {"draft_hash": self.draft_hash, "role": "report"}


@dataclass(frozen=True, slots=True)
class OfSighting:
    """A photo by a passer-by, who said "it is this one" of a defect."""

    sighting_id: int

    def match(self) -> ColumnElement[bool]:
        return photo.c.sighting_id == self.sighting_id

    def values(self) -> dict[str, Any]:
        return {"sighting_id": self.sighting_id, "role": "report"}


Owner = OfReport | OfVisit | OfDraft | OfSighting


def same(tx: ReadTx, owner: Owner, sha256: bytes) -> Row[Any] | None:
    """The photo that this owner already sent with these very bytes."""
    return tx.execute(select(photo).where(owner.match(), photo.c.sha256 == sha256)).one_or_none()


def count(tx: ReadTx, owner: Owner) -> int:
    """How many photos an owner has."""
    return int(tx.scalar(select(func.count()).select_from(photo).where(owner.match())))


def add(tx: WriteTx, owner: Owner, values: dict[str, Any], now: datetime) -> PhotoId | None:
    """Store a photo's row. None when the owner sent the same bytes in another transaction meanwhile."""
    row = upsert(photo).values(**owner.values(), **values, received_at=now)
    added: PhotoId | None = tx.scalar(row.on_conflict_do_nothing().returning(photo.c.id))
    return added


def of(tx: ReadTx, owner: Owner) -> list[Row[Any]]:
    """The photos of an owner, in the order in which they came."""
    return list(tx.execute(select(photo).where(owner.match()).order_by(photo.c.id)))


def hand_over(
    tx: WriteTx, draft_hash: bytes, to: OfReport | OfSighting, release: Mapping[str, Any] = MappingProxyType({})
) -> list[PhotoId]:
    """Give the photos of a draft to what became of it, with what `release` says of who released them and when.

    Returns which, in the order in which they came.
    """
    theirs = update(photo).where(OfDraft(draft_hash).match()).values(**to.values(), draft_hash=None, **release)
    return sorted(tx.scalars(theirs.returning(photo.c.id)))


def drop(tx: WriteTx, draft_hash: bytes, reference: str) -> bool:
    """Take one photo out of a draft. Its files go with the next sweep of orphans. False: there is none such."""
    dropped = delete(photo).where(OfDraft(draft_hash).match(), photo.c.reference == reference)
    return tx.execute(dropped).rowcount > 0


def known(tx: ReadTx, references: Iterable[str]) -> set[str]:
    """Which of these references have a row."""
    return set(tx.scalars(select(photo.c.reference).where(photo.c.reference == func.any(list(references)))))
