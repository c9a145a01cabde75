"""What an act on many defects would do to each, as things stand, and how many people would be told.

Nothing is written, and nothing is locked.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.assignment import Assigned
from shared.domain.bulk import Act, Asked
from shared.domain.events import DefectGraded, DefectStepped
from shared.domain.telling import Fact, To
from shared.domain.terms import Band, DefectState
from shared.errors import Invalid, NotFound, Refusal
from shared.flows.act_on_order import CannotDecline
from shared.flows.assign_works import Lots
from shared.flows.bulk_acts import finding
from shared.flows.tell_people import channel_of, person_of
from shared.flows.weigh_finding import Person, Settled, weigh
from shared.store import defects, policies, telling, wanting
from shared.store.defects import DefectRow
from shared.store.engine import ReadTx
from shared.store.telling import Told
from shared.store.wanting import Wanting


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """What would become of one defect. `contractor` is a code; times are aware. `told`: who would hear of it."""

    reference: str
    was: DefectState | None = None
    band_was: Band | None = None
    state: DefectState | None = None
    band: Band | None = None
    contractor: str | None = None
    make_safe_due_at: datetime | None = None
    permanent_due_at: datetime | None = None
    inspect_due_at: datetime | None = None
    why: tuple[str, ...] = ()
    told: To | None = None
    people: int = 0
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """Each in the order in which it was named, and how many different people would be told."""

    defects: Sequence[Foreseen]
    people: int


def preview(tx: ReadTx, asked: Asked, now: datetime, *, actor: str, supervises: bool) -> Preview:
    """What would become of each, were it done now.

    Raises:
        Invalid: what is asked could be done to no defect at all.
    """
    rows = defects.named(tx, asked.defects)
    foresee = _WAYS[asked.act](tx, asked, list(rows.values()), Person(actor, supervises), now)
    found = [_one(reference, rows.get(reference), foresee) for reference in asked.defects]
    return _with_people(tx, found, rows, now)


Foresee = Callable[[DefectRow], Foreseen]


def _one(reference: str, row: DefectRow | None, foresee: Foresee) -> Foreseen:
    if row is None:
        return Foreseen(reference=reference, refusal=NotFound(f"There is no defect {reference}."))
    try:
        return foresee(row)
    except Refusal as no:
        return replace(_as_it_is(row), refusal=no)


def _as_it_is(row: DefectRow) -> Foreseen:
    return Foreseen(
        reference=row.reference,
        was=row.state,
        band_was=row.band,
        state=row.state,
        band=row.band,
        make_safe_due_at=row.make_safe_due_at,
        permanent_due_at=row.permanent_due_at,
        inspect_due_at=row.inspect_due_at,
    )


# --- grade, refer, message -------------------------------------------------------------------------------------------


def _assessed(tx: ReadTx, asked: Asked, _: Sequence[DefectRow], person: Person, now: datetime) -> Foresee:
    rules, said = policies.in_force(tx, now), finding(asked.act, asked.body)

    def foresee(row: DefectRow) -> Foreseen:
        settled = weigh(row, said, person, rules, now)
        graded = settled.graded
        return replace(
            _as_it_is(row),
            state=settled.anew.state,
            band=graded.band,
            make_safe_due_at=graded.make_safe,
            permanent_due_at=graded.permanent,
            inspect_due_at=graded.inspect,
            why=(*graded.why, *graded.due_why),
            told=To.ALL if _is_news(settled) else None,
        )

    return foresee


def _is_news(settled: Settled) -> bool:
    """A step is, and a date that moves away; a grade alone is nobody's."""
    row, graded = settled.row, settled.graded
    slips = any(
        was is not None and now is not None and now > was
        for was, now in ((row.make_safe_due_at, graded.make_safe), (row.permanent_due_at, graded.permanent))
    )
    return any(isinstance(one, DefectStepped) or (slips and isinstance(one, DefectGraded)) for one in settled.events)


def _written_to(_: ReadTx, __: Asked, ___: Sequence[DefectRow], ____: Person, _____: datetime) -> Foresee:
    return lambda row: replace(_as_it_is(row), told=To.OWN)


# --- assign ----------------------------------------------------------------------------------------------------------


def _assigned(tx: ReadTx, asked: Asked, rows: Sequence[DefectRow], _: Person, now: datetime) -> Foresee:
    lots, named = Lots(tx, now), asked.body.get("contractor")
    if named is not None and named not in lots.contractors:
        raise Invalid(f"There is no contractor {named}.", {"contractor": "is not known"})
    wanted = {one.defect.id: one for one in wanting.wants(tx, [row.id for row in rows])}
    codes: dict[int, str] = {contractor_id: code for code, contractor_id in lots.contractors.items()}

    def foresee(row: DefectRow) -> Foreseen:
        one = wanted.get(row.id)
        if one is None:
            raise Invalid(_wants_none(row))
        contractor, why = _taker(one, named, lots, codes, asked.body["reason"])
        becomes = row.state if row.state is DefectState.THIRD_PARTY else DefectState.ORDERED
        told = To.ALL if becomes is not row.state else None
        return replace(_as_it_is(row), state=becomes, contractor=contractor, why=(why,), told=told)

    return foresee


def _taker(one: Wanting, named: str | None, lots: Lots, codes: Mapping[int, str], reason: str) -> tuple[str, str]:
    """Who would have the order, and why."""
    owes = one.promised_by or one.at_cost_of
    if owes is not None:
        if named is not None:
            raise CannotDecline("A repair that failed under warranty goes back to who did it: name no contractor.")
        return codes[owes], "Its repair failed under warranty: who did it does it again."
    if named is not None:
        return named, reason
    chosen = lots.of_kind(one.defect.class_code, one.defect.band, one.defect.area_code)
    if isinstance(chosen, Assigned):
        return chosen.contractor, chosen.why
    raise Invalid(f"{chosen.why} Name a contractor.", {"contractor": "is needed"})


def _wants_none(row: DefectRow) -> str:
    if row.state is DefectState.CANDIDATE:
        return f"{row.reference} is not confirmed yet. Grade it first."
    if row.state in (DefectState.ORDERED, DefectState.REPAIR_CLAIMED, DefectState.MADE_SAFE):
        return f"{row.reference} has a works order. Give that to another contractor on its page."
    return f"{row.reference} is {row.state.replace('_', ' ')}: it wants no works order."


_WAYS = {Act.ASSIGN: _assigned, Act.GRADE: _assessed, Act.REFER: _assessed, Act.MESSAGE: _written_to}


# --- people ----------------------------------------------------------------------------------------------------------


def _with_people(tx: ReadTx, found: Sequence[Foreseen], rows: Mapping[str, DefectRow], now: datetime) -> Preview:
    """How many hear of each at once; one who would hear of several is counted once in all."""
    wanted = [
        (
            Told(place, rows[one.reference].id, None, rows[one.reference].class_code, {}, Fact(kind="", at=now)),
            now,
            one.told,
        )
        for place, one in enumerate(found)
        if one.told is not None
    ]
    people: dict[int, set[str]] = defaultdict(set)
    for reader in telling.readers(tx, wanted) if wanted else ():
        if channel_of(reader.email, reader.phone) is not None:
            people[reader.event_id].add(person_of(reader.email, reader.phone))
    counted = [replace(one, people=len(people[place])) for place, one in enumerate(found)]
    return Preview(counted, len(set().union(*people.values())))
