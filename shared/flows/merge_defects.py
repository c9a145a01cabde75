"""Operators say what is one defect and what is not: merge, unmerge, split, link, unlink. Each can be undone.

Followers, photos and the earliest knowledge go along with the sightings; the higher priority wins (DOMAIN 10.2).
"""

from collections.abc import Sequence
from datetime import datetime

from shared.domain.events import DefectGraded, DefectMerged, DefectUnmerged
from shared.domain.lifecycle import DEFECT
from shared.domain.terms import OPEN_DEFECT, DefectId, DefectState
from shared.errors import Conflict
from shared.flows import meanwhile, settle_reports
from shared.flows.link_report import found, link, unlink
from shared.flows.split_defect import split
from shared.flows.weigh_merge import check_decided, gained
from shared.store import event_log, labels, merges, policies, relinks
from shared.store.engine import WriteTx
from shared.store.merges import Party, Undoing
from shared.store.patches import Patch, apply
from shared.store.tables import defect

__all__ = [
    "check_absorbed",
    "check_taker",
    "check_unmerge",
    "found",
    "link",
    "merge",
    "split",
    "take_in",
    "unlink",
    "unmerge",
]

_D = DefectState


def merge(
    tx: WriteTx,
    reference: str,
    into: str,
    why: str,
    now: datetime,
    *,
    seen: int | None = None,
    seen_into: int | None = None,
) -> None:
    """Take one defect into another. What had been merged into it goes along: there are no chains.

    Locks the places of both, then both, then their reports. `seen`, `seen_into`: the newest event that was known of
    each (`flows/meanwhile.py`).

    Raises:
        NotFound: there is no such defect.
        ChangedMeanwhile: somebody changed one of them since it was seen.
        Conflict: one of them has ended or is being repaired, more was decided about the first than about the other,
            or they are the same.
    """
    absorbed, taker = _pair(tx, reference, into, now, (seen, seen_into))
    check_taker(taker)
    check_absorbed(absorbed, taker.reference)
    check_decided(absorbed, taker)
    labels.of_two(tx, absorbed.id, taker.id, "same", now)
    _take_in(tx, absorbed, taker, why, now)


def take_in(tx: WriteTx, ids: Sequence[int], into: DefectId, why: str, now: datetime) -> list[DefectId]:
    """Take those of these defects for which nothing is ordered or arranged yet into another open one. Returns them.

    Locks the defects.
    """
    taken = []
    for one in sorted(ids):
        found = merges.parties(tx, [one, into])
        if found[one].state in (_D.CANDIDATE, _D.CONFIRMED) and not found[one].ordered:
            _take_in(tx, found[one], found[into], why, now)
            taken.append(found[one].id)
    return taken


def _take_in(tx: WriteTx, absorbed: Party, taker: Party, why: str, now: datetime) -> None:
    DEFECT.check(absorbed.state, _D.DUPLICATE, {"original_id": taker.id})
    moved = merges.move_sightings(tx, absorbed.id, taker.id)
    followers = merges.repoint(tx, absorbed.id, taker.id)
    gains = gained(absorbed, taker)
    merges.remember(tx, absorbed, taker, gains, moved, followers, now)
    gone = Patch(absorbed.id, absorbed.state, _D.DUPLICATE, {"merged_into": taker.id})
    kept = Patch(taker.id, taker.state, taker.state, gains)
    apply(tx, defect, [gone], now)
    apply(tx, defect, [kept], now)
    relinks.redraw(tx, [taker.id], now)
    relinks.tell_together(tx, absorbed.id, taker.id, now)
    told = DefectMerged(defect_id=absorbed.id, before=absorbed.state, after=_D.DUPLICATE, into_id=taker.id, why=why)
    event_log.append(tx, told, now)
    _tell_grade(tx, taker, f"{absorbed.reference} was found to be the same.", now)
    settle_reports.settle(tx, [absorbed.id, taker.id], now)


def _pair(
    tx: WriteTx, reference: str, into: str, now: datetime, seen: tuple[int | None, int | None]
) -> tuple[Party, Party]:
    """Both defects, locked and as they were seen; a taker that is itself a duplicate stands for its original."""
    one, other = merges.ids(tx, reference, into)
    merges.lock_around(tx, [one, other], policies.in_force(tx, now).policy)
    found = merges.parties(tx, [one, other])
    meanwhile.check(tx, "defect", dict(zip((one, other), seen, strict=True)), now)
    original = found[other].merged_into
    if original is not None:
        found = merges.parties(tx, [one, original])
        other = original
    if one == other:
        raise Conflict(f"{reference} and {into} are one defect already.")
    return found[one], found[other]


def check_taker(taker: Party) -> None:
    """Let a defect take another in.

    Raises:
        Conflict: it has ended.
    """
    if taker.state not in OPEN_DEFECT:
        raise Conflict(f"{taker.reference} is {taker.state}: nothing is merged into what has ended.")


def check_absorbed(absorbed: Party, taker: str = "the other one") -> None:
    """Let a defect be taken into another, which `taker` names.

    Raises:
        Conflict: it has ended, or is being repaired.
    """
    if absorbed.state not in OPEN_DEFECT:
        raise Conflict(f"{absorbed.reference} is {absorbed.state}: only an open defect is merged into another.")
    if absorbed.ordered or absorbed.state is _D.RECALLED:
        raise Conflict(
            f"{absorbed.reference} is being repaired: merge {taker} into it, or cancel its works order first."
        )


def _tell_grade(tx: WriteTx, before: Party, why: str, now: datetime) -> None:
    """Tell of the band and the due times that a defect has by a merge, or has again: its works order follows them.

    A candidate's are drawn anew by grading, and told by that.
    """
    was, has = before.graded, merges.parties(tx, [before.id])[before.id].graded
    same = all(was[name] == has[name] for name in ("band", "make_safe_due_at", "permanent_due_at"))
    if same or has["band"] is None or before.state not in OPEN_DEFECT - {_D.CANDIDATE}:
        return
    names = ("make_safe_due", "permanent_due", "inspect_due")
    due = {name: at.isoformat() if (at := has[f"{name}_at"]) else None for name in names}
    why_so = (why, *has["band_why"])
    event_log.append(tx, DefectGraded(defect_id=before.id, band=has["band"], was=was["band"], why=why_so, **due), now)


def unmerge(tx: WriteTx, reference: str, why: str, now: datetime, *, seen: int | None = None) -> None:
    """Undo the merge by which a defect is a duplicate: it stands again as before, with what had seen it.

    What came to the other one since stays there. The two are told apart from now on.

    Raises:
        NotFound: there is no such defect.
        ChangedMeanwhile: somebody changed it since it was seen.
        Conflict: it is not a duplicate by a merge.
    """
    (absorbed_id,) = merges.ids(tx, reference)
    holder_id = merges.holder_of(tx, absorbed_id) or absorbed_id
    merges.lock_around(tx, [absorbed_id, holder_id], policies.in_force(tx, now).policy)
    undoing = merges.standing_merge(tx, absorbed_id)
    found = merges.parties(tx, {absorbed_id, holder_id, undoing.into_id if undoing else absorbed_id})
    absorbed, holder = found[absorbed_id], found[holder_id]
    meanwhile.check(tx, "defect", {absorbed.id: seen}, now)
    undoing = check_unmerge(absorbed, holder.id, undoing)
    merges.return_sightings(tx, undoing, holder.id, absorbed.id)
    labels.of_two(tx, absorbed.id, holder.id, "different", now)
    merges.repoint(tx, holder.id, absorbed.id, only=undoing.followers)
    apply(tx, defect, [Patch(absorbed.id, _D.DUPLICATE, undoing.state, {"merged_into": None})], now)
    _give_back(tx, found[undoing.into_id], undoing, now)
    relinks.redraw(tx, [absorbed.id, holder.id], now)
    merges.undone(tx, undoing.id, now)
    relinks.tell_apart(tx, absorbed.id, holder.id, now)
    told = DefectUnmerged(defect_id=absorbed.id, before=_D.DUPLICATE, after=undoing.state, from_id=holder.id, why=why)
    event_log.append(tx, told, now)
    _tell_grade(tx, found[undoing.into_id], f"{absorbed.reference} is another one after all.", now)
    settle_reports.settle(tx, [absorbed.id, holder.id], now)


def check_unmerge(absorbed: Party, holder_id: int, undoing: Undoing | None) -> Undoing:
    """Let the merge of a defect be undone. Returns what undoes it.

    Raises:
        Conflict: it is not merged into that holder.
    """
    if undoing is None or absorbed.merged_into != holder_id:
        raise Conflict(f"{absorbed.reference} is not merged into another defect, or was just now: look again.")
    DEFECT.check(_D.DUPLICATE, undoing.state, {"state_before": undoing.state})
    return undoing


def _give_back(tx: WriteTx, taker: Party, undoing: Undoing, now: datetime) -> None:
    """The one that had taken it gives back what it gained, unless somebody has changed that since."""
    back = merges.given_back(taker, undoing)
    apply(tx, defect, [Patch(taker.id, taker.state, taker.state, back)], now)
