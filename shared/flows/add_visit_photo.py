"""Takes a photo of a visit, which may come before the visit itself is told, and has late ones judged."""

from datetime import datetime
from uuid import UUID

from shared.domain.events import VisitPhotoAdded
from shared.domain.terms import ContractorId
from shared.flows.receive_photo import OfVisit, PhotoIn, PhotoTaken, receive
from shared.store import event_log, visits
from shared.store.engine import WriteTx


def add(tx: WriteTx, data: bytes, contractor_id: int, client_id: UUID, role: str, now: datetime) -> PhotoTaken:
    """Keep a photo from before or after the work. Where the visit is known, its evidence is judged anew.

    Raises:
        TooLarge, NotAPhoto, TooManyPhotos, StorageFull: see `receive_photo.receive`.
    """
    taken = receive(tx, PhotoIn(data, OfVisit(ContractorId(contractor_id), client_id, role)), now)
    visits.one_at_a_time(tx, contractor_id, client_id)
    visit = visits.known(tx, contractor_id, client_id)
    if visit is not None and not taken.repeated:
        added = VisitPhotoAdded(
            works_order_id=visit.works_order_id,
            contractor_id=contractor_id,
            visit_id=visit.id,
            photo_id=taken.id,
            role=role,
        )
        event_log.append(tx, added, now)
    return taken
