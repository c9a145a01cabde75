"""A preview tells what then happens, to the word, and nothing of it is kept."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import URL, func, insert, select, text

from shared.domain.events import Consumer
from shared.errors import Conflict, Invalid
from shared.flows import assign_works, foresee, grade_defects, merge_defects, tell_people
from shared.flows.foresee import Foreseen
from shared.settings import settings
from shared.store.engine import UnkeptTx, WriteTx, foreseeing, transaction
from shared.store.tables import contact, defect, message, metadata, report, sighting
from tests.factories import a_defect, a_report, adopt_default_policy, an_order, hear

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)
EASTING = 353_000.0
SAM, ALI = "sam@example.org", "ali@example.org"


@pytest.fixture(autouse=True)
def told(own_db: URL, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A database of its own, which previews read as it was committed; both channels leave."""
    del own_db
    for name, value in {"SECRET_KEY": "k" * 32, "MAIL_PROVIDER": "mailbox", "SMS_PROVIDER": "mailbox"}.items():
        monkeypatch.setenv(f"ROADMEND_{name}", value)
    settings.cache_clear()
    with transaction("test") as tx:
        adopt_default_policy(tx)
    yield
    settings.cache_clear()


def linked(tx: WriteTx, defect_id: int, email: str | None = None, **more: Any) -> str:
    """A report that is linked to a defect, whose reporter can be reached; its reference."""
    report_id = a_report(tx, state="linked", **more)
    where = select(report.c.reference, report.c.lat, report.c.lon, report.c.geom).where(report.c.id == report_id)
    reference, lat, lon, geom = tx.execute(where).one()
    row = {"class_code": "pothole", "lat": lat, "lon": lon, "geom": geom, "accuracy_m": 5.0, "verdict": "same"}
    row |= {"defect_id": defect_id, "report_id": report_id, "seen_at": NOW, "known_at": NOW, "linked_at": NOW - HOUR}
    tx.execute(insert(sighting).values(**row, why="Near."))
    if email is not None:
        tx.execute(insert(contact).values(report_id=report_id, email=email))
    return str(reference)


def name(tx: WriteTx, defect_id: int) -> str:
    return str(tx.scalar(select(defect.c.reference).where(defect.c.id == defect_id)))


def two(**more: Any) -> tuple[str, str]:
    """Two open defects, two reports of the first (one reporter can be told) and one of the second."""
    with transaction("test") as tx:
        one = a_defect(tx, state="candidate", band="P20", reports=2, known_at=NOW - 50 * HOUR, **more)
        other = a_defect(tx, easting=EASTING + 10, reports=1, known_at=NOW - HOUR)
        linked(tx, one, SAM)
        linked(tx, one, easting=EASTING + 2)
        linked(tx, other, ALI, easting=EASTING + 10)
        hear(tx, Consumer.TELL, lambda *_: None, datetime.now(UTC))
        return name(tx, one), name(tx, other)


def everything() -> dict[str, Any]:
    """A sum of all rows of all tables."""
    with transaction("test") as tx:
        return {
            table.name: tx.scalar(
                text(f"SELECT md5(string_agg(one::text, '|' ORDER BY one::text)) FROM {table.name} one")
            )
            for table in metadata.sorted_tables
        }


def previewed(see: Callable[[UnkeptTx], Foreseen]) -> Foreseen:
    before = everything()
    with foreseeing("person:1") as tx:
        seen = see(tx)
    assert everything() == before
    assert len(before) > 30
    return seen


def heard(tx: WriteTx) -> None:
    """Those hear of it whom a worker would let hear of it, now."""
    for consumer, flow in ((Consumer.GRADE, grade_defects.run), (Consumer.ASSIGN, assign_works.run)):
        hear(tx, consumer, flow, datetime.now(UTC))
    hear(tx, Consumer.TELL, tell_people.run, datetime.now(UTC))


def test_a_preview_of_a_merge_writes_nothing_and_tells_what_then_happens() -> None:
    gone, stays = two()

    seen = previewed(lambda tx: foresee.merge(tx, gone, stays, datetime.now(UTC)))
    with transaction("person:1") as tx:
        merge_defects.merge(tx, gone, stays, "One hole.", datetime.now(UTC))
        heard(tx)
        columns = ("reference", "state", "band", "permanent_due_at", "inspect_due_at", "known_at", "reports")
        happened = {row.reference: row for row in tx.execute(select(*(defect.c[one] for one in columns)))}
        written = list(
            tx.execute(select(message.c.template, message.c.report_id).where(message.c.dropped_at.is_(None)))
        )

    assert seen.stands == stays
    for change in seen.changes:
        row = happened[change.after.reference]
        assert {one: getattr(change.after, one) for one in columns} == dict(row._mapping)
    assert (len(seen.moving.reports), seen.moving.detections, seen.moving.unreached) == (2, 0, 1)
    assert [(one.template, one.by_email) for one in seen.told] == [("merged", 1)]
    assert [one.template for one in written] == ["merged"]


def test_the_words_of_a_message_are_shown_without_anybodys_links_or_address() -> None:
    gone, stays = two()

    (letter,) = previewed(lambda tx: foresee.merge(tx, gone, stays, datetime.now(UTC))).told

    assert letter.who == "reporters"
    assert f"turned out to be the same as {stays}" in letter.text
    assert "token=" not in letter.text
    assert "(their own link)" in letter.text
    assert SAM not in str(letter)


def test_a_preview_of_an_undone_merge_brings_back_what_went() -> None:
    gone, stays = two()
    with transaction("person:1") as tx:
        merge_defects.merge(tx, gone, stays, "One hole.", NOW)
        heard(tx)

    seen = previewed(lambda tx: foresee.unmerge(tx, gone, datetime.now(UTC)))

    assert seen.stands == gone
    assert {one.after.reference: (one.after.state, one.after.reports) for one in seen.changes} == {
        gone: ("candidate", 2),
        stays: ("confirmed", 1),
    }
    assert len(seen.moving.reports) == 2


def test_a_preview_of_a_split_shows_the_new_one_graded_and_moves_the_old_one() -> None:
    whole, _ = two()
    with transaction("test") as tx:
        mine = tx.scalar(
            select(report.c.reference)
            .join(sighting, sighting.c.report_id == report.c.id)
            .join(defect, defect.c.id == sighting.c.defect_id)
            .where(defect.c.reference == whole)
            .order_by(report.c.id)
            .limit(1)
        )

    seen = previewed(lambda tx: foresee.split(tx, whole, [str(mine)], [], datetime.now(UTC)))

    old, new = seen.changes
    assert (seen.stands, new.before) == (None, None)
    assert (new.after.state, new.after.reports) == ("candidate", 1)
    assert new.after.inspect_due_at is not None
    assert (old.after.reference, old.after.reports) == (whole, 1)
    assert old.moved_m == pytest.approx(2.0, abs=0.01)
    assert seen.moving.reports == (mine,)


def test_what_the_flow_would_refuse_the_preview_refuses_with_the_same_words() -> None:
    gone, stays = two()
    with transaction("test") as tx:
        an_order(tx, tx.scalar(select(defect.c.id).where(defect.c.reference == stays)))

    with pytest.raises(Conflict, match="is being repaired") as refused:
        previewed(lambda tx: foresee.merge(tx, stays, gone, datetime.now(UTC)))
    with pytest.raises(Conflict) as really, transaction("person:1") as tx:
        merge_defects.merge(tx, stays, gone, "One hole.", NOW)
    with pytest.raises(Invalid):
        previewed(lambda tx: foresee.split(tx, stays, [], [], datetime.now(UTC)))

    assert refused.value.detail == really.value.detail


def test_a_merge_into_an_ordered_defect_shows_that_its_order_stays() -> None:
    gone, stays = two()
    with transaction("test") as tx:
        order = an_order(tx, tx.scalar(select(defect.c.id).where(defect.c.reference == stays)))

    seen = previewed(lambda tx: foresee.merge(tx, gone, stays, datetime.now(UTC)))

    kept = next(one.after for one in seen.changes if one.after.reference == stays)
    assert (kept.state, kept.works_order, seen.orders) == ("ordered", order.reference, ())
    with transaction("test") as tx:
        assert tx.scalar(select(func.count()).select_from(message)) == 0
