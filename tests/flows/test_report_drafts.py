"""A report written page by page: kept, placed, held against what is near, and sent once with all that belongs to it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text, update

from shared.domain.drafts import HASTE, TERM, Answers, Place
from shared.domain.events import Consumer
from shared.domain.place import Point
from shared.domain.policy import parse
from shared.errors import NotFound
from shared.flows import grade_defects, merge_defects, report_to_defect, send_draft, write_draft
from shared.flows.name_place import PlaceRefused, PlaceUnclear, around, name_place, the_defect
from shared.flows.pass_by import NotOpenAnyMore, pass_by
from shared.flows.receive_photo import TooManyPhotos
from shared.flows.receive_report import Contact
from shared.flows.send_draft import NotFinished, TooQuick
from shared.flows.write_draft import AlreadySent, DraftGone
from shared.settings import settings
from shared.store import doctor, drafts, junctions, policies, relinks
from shared.store.engine import WriteTx
from shared.store.tables import contact, defect, draft, event, follow, photo, recall, report, sighting, warranty
from tests.factories import PLACE, a_defect, a_picture, a_verified_repair, adopt_default_policy, an_order, hear, triaged

NOW = datetime.now(UTC).replace(microsecond=0)
BEGUN = NOW - timedelta(minutes=2)
DAY = timedelta(days=1)
HERE = Point(*PLACE, 8.0)
NOBODY = Contact()


@pytest.fixture(autouse=True)
def _policy(tx: WriteTx, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("ROADMEND_PHOTO_DIR", str(tmp_path))
    monkeypatch.setenv("ROADMEND_SECRET_KEY", "0123456789abcdef0123456789abcdef")
    settings.cache_clear()
    adopt_default_policy(tx)
    yield
    settings.cache_clear()


def a_place(**more: Any) -> Place:
    return replace(Place(lat=PLACE[0], lon=PLACE[1], accuracy_m=8, words="High Street"), **more)


def a_draft(tx: WriteTx, **more: Any) -> str:
    """A draft whose questions are all answered, begun two minutes ago."""
    whole: dict[str, Any] = {
        "danger": False,
        "place": a_place(),
        "looked": True,
        "class_code": "pothole",
        "size": "dinner_plate",
        "description": "By the kerb.",
        "photos_asked": True,
    }
    return write_draft.begin(tx, Answers(**{**whole, **more}), BEGUN)


def the_report(tx: WriteTx) -> Any:
    return tx.execute(select(report)).one()


def reference_of(tx: WriteTx, defect_id: int) -> str:
    return str(tx.scalar(select(defect.c.reference).where(defect.c.id == defect_id)))


# --- kept ------------------------------------------------------------------------------------------------------------


def test_a_draft_is_found_again_for_seven_days_after_its_last_answer(tx: WriteTx) -> None:
    secret = write_draft.begin(tx, Answers(danger=True), NOW)
    write_draft.answer(tx, secret, Answers(danger=True, place=a_place()), NOW + DAY)

    found = drafts.find(tx, secret, NOW + DAY + TERM)

    assert found is not None
    assert found.answers == Answers(danger=True, place=a_place())
    assert drafts.find(tx, secret, NOW + DAY + TERM + timedelta(seconds=1)) is None


def test_the_secret_of_a_draft_is_not_stored(tx: WriteTx) -> None:
    secret = write_draft.begin(tx, Answers(), NOW)

    stored = tx.scalar(select(func.row_to_json(draft.table_valued())))

    assert secret not in str(stored)
    assert drafts.find(tx, "another", NOW) is None


def test_nothing_is_changed_in_a_draft_that_was_sent(tx: WriteTx) -> None:
    secret = a_draft(tx)
    send_draft.send(tx, secret, NOBODY, NOW)

    with pytest.raises(AlreadySent):
        write_draft.answer(tx, secret, Answers(danger=True), NOW)
    with pytest.raises(AlreadySent):
        write_draft.add_photo(tx, secret, a_picture(1), NOW)
    with pytest.raises(DraftGone):
        write_draft.answer(tx, "another", Answers(danger=True), NOW)


# --- placed ----------------------------------------------------------------------------------------------------------


def test_a_place_too_vague_to_act_on_is_asked_for_again(tx: WriteTx) -> None:
    with pytest.raises(PlaceUnclear, match="200 m or better is needed"):
        name_place(tx, Point(*PLACE, 201.0), NOW)

    assert name_place(tx, Point(*PLACE, 200.0), NOW).whose is None


def test_a_place_off_the_country_is_refused_and_swapped_degrees_are_noticed(tx: WriteTx) -> None:
    with pytest.raises(PlaceRefused, match="swapped"):
        name_place(tx, Point(PLACE[1], PLACE[0], 8.0), NOW)


def test_what_a_road_meets_is_told_from_one_end_to_the_other(tx: WriteTx, streets: None) -> None:
    met = junctions.along(tx, "long")

    assert [one.name for one in met] == ["West Lane", "Middle Lane", "East Lane"]
    assert met[0].lon < met[1].lon < met[2].lon


def test_the_side_of_the_street_is_told_only_where_the_accuracy_can_tell(tx: WriteTx, streets: None) -> None:
    north_of_it = Point(PLACE[0] + 8 / 111_300, PLACE[1], 5.0)

    assert name_place(tx, north_of_it, NOW, landmark="12").words == "Long Road, north side, near 12"
    assert name_place(tx, north_of_it, NOW, landmark="12").address == "12 Long Road"
    assert "side" not in name_place(tx, replace(north_of_it, accuracy_m=50.0), NOW).words


@pytest.fixture
def streets(tx: WriteTx) -> None:
    """A road from west to east through the place, 600 m long, and three that it meets."""
    lines = {
        "Long Road": ("long", "LINESTRING(352700 430000, 353300 430000)"),
        "West Lane": ("west", "LINESTRING(352800 430000, 352800 430200)"),
        "East Lane": ("east", "LINESTRING(353200 430000, 353200 430200)"),
        "Middle Lane": ("middle", "LINESTRING(352950 429900, 352950 430000)"),
        "Far Lane": ("far", "LINESTRING(352950 429700, 353950 429700)"),
    }
    for name, (key, line) in lines.items():
        tx.execute(
            text(
                "INSERT INTO street (network_id, street_key, name, geom)"
                " VALUES (:key, :key, :name, ST_Multi(ST_GeomFromText(:line, 27700)))"
            ),
            {"key": key, "name": name, "line": line},
        )


# --- is it one of these? ---------------------------------------------------------------------------------------------


def test_open_defects_and_repairs_within_reach_are_shown_with_what_is_far_left_out(tx: WriteTx) -> None:
    here = a_defect(tx)
    close = a_defect(tx, easting=353_030.0)
    mended = a_defect(tx, easting=353_010.0, state="in_warranty", repaired_at=NOW - 400 * DAY)
    a_defect(tx, easting=353_020.0, state="no_defect")
    a_defect(tx, easting=353_060.0)

    found = around(tx, a_place(), NOW).near

    assert [one.reference for one in found] == [reference_of(tx, one) for one in (here, mended, close)]
    assert [one.is_open for one in found] == [True, False, True]
    assert [one.distance_m for one in found] == pytest.approx([2, 10, 30], abs=1)


def test_a_photo_is_shown_only_once_it_was_released(tx: WriteTx) -> None:
    report_id = triaged(tx, NOW - DAY)
    secret = a_draft(tx)
    taken = write_draft.add_photo(tx, secret, a_picture(3), NOW)
    tx.execute(update(photo).values(report_id=report_id, draft_hash=None))

    before = around(tx, a_place(), NOW).near[0].photo
    tx.execute(update(photo).values(released_at=NOW, released_by="person:1"))

    assert before is None
    assert around(tx, a_place(), NOW).near[0].photo == taken.reference


def test_it_is_this_one_adds_a_sighting_and_no_second_report(tx: WriteTx) -> None:
    triaged(tx, NOW - DAY)
    hear(tx, Consumer.GRADE, grade_defects.run, NOW - DAY)
    before = tx.execute(select(defect)).one()
    secret = a_draft(tx, same_as=before.reference, place=a_place(lat=PLACE[0] + 0.0002), danger=True)
    write_draft.add_photo(tx, secret, a_picture(1), NOW)

    send_draft.send(tx, secret, NOBODY, NOW)
    hear(tx, Consumer.GRADE, grade_defects.run, NOW)

    after = tx.execute(select(defect)).one()
    seen = tx.execute(select(sighting).where(sighting.c.report_id.is_(None))).one()
    assert tx.scalar(select(func.count()).select_from(report)) == 1
    assert (seen.verdict, seen.danger, seen.detection_id) == ("person", True, None)
    assert tx.scalar(select(photo.c.sighting_id)) == seen.id
    assert (after.reports, after.lat, after.danger, after.last_seen_at) == (1, before.lat, True, NOW)
    assert after.inspect_due_at < before.inspect_due_at
    assert doctor_finds(tx) == []


def doctor_finds(tx: WriteTx) -> list[str]:
    """What is broken, but for deliveries that nobody hears in a test."""
    return [one.check for one in doctor.examine(tx, NOW) if one.broken]


def test_danger_that_a_passer_by_tells_after_somebody_has_looked_hurries_the_next_look(tx: WriteTx) -> None:
    looked_at = a_defect(tx, assessed_by="person:1", assessed_at=NOW - DAY, inspect_due_at=None)

    pass_by(tx, reference_of(tx, looked_at), HERE, NOW, danger=True)
    hear(tx, Consumer.GRADE, grade_defects.run, NOW)

    due = tx.scalar(select(defect.c.inspect_due_at))
    assert due is not None
    assert due <= NOW + timedelta(hours=1)


def test_a_passer_by_of_a_duplicate_saw_its_original(tx: WriteTx) -> None:
    kept, absorbed = a_defect(tx), a_defect(tx, easting=353_002.0)
    gone = reference_of(tx, absorbed)
    merge_defects.merge(tx, gone, reference_of(tx, kept), "The same.", NOW)

    passed = pass_by(tx, gone, HERE, NOW, danger=False)

    assert passed.reference == reference_of(tx, kept)
    assert tx.scalar(select(sighting.c.defect_id).where(sighting.c.id == passed.sighting_id)) == kept


def test_a_passer_by_of_what_has_ended_is_told_so(tx: WriteTx) -> None:
    mended = a_defect(tx, state="in_warranty", repaired_at=NOW)

    with pytest.raises(NotOpenAnyMore):
        pass_by(tx, reference_of(tx, mended), HERE, NOW, danger=False)
    with pytest.raises(NotFound):
        pass_by(tx, "D-0000-0000", HERE, NOW, danger=False)


def test_a_passer_by_who_leaves_an_address_follows_once_it_is_confirmed(tx: WriteTx) -> None:
    seen = a_defect(tx)
    secret = a_draft(tx, same_as=reference_of(tx, seen))

    send_draft.send(tx, secret, Contact(email="sam@example.org"), NOW)

    row = tx.execute(select(follow)).one()
    assert (row.defect_id, row.email, row.confirmed_at) == (seen, "sam@example.org", None)
    assert "sam@example.org" not in str(tx.execute(select(event.c.data)).all())


def test_a_redraw_does_not_move_a_defect_to_where_a_passer_by_stood(tx: WriteTx) -> None:
    triaged(tx, NOW - DAY)
    before = tx.execute(select(defect)).one()
    pass_by(tx, before.reference, Point(PLACE[0] + 0.0005, PLACE[1], 1.0), NOW, danger=False)

    relinks.redraw(tx, [before.id], NOW)

    after = tx.execute(select(defect)).one()
    assert (after.lat, after.lon) == pytest.approx((before.lat, before.lon), abs=1e-9)
    assert after.accuracy_m == pytest.approx(before.accuracy_m)


# --- it has failed again ---------------------------------------------------------------------------------------------


def test_a_repair_said_to_have_failed_opens_a_recall(tx: WriteTx) -> None:
    mended = a_defect(tx, state="confirmed")
    an_order(tx, mended, now=NOW - 2 * DAY)
    a_verified_repair(tx, mended, NOW - DAY)
    said = the_defect(tx, reference_of(tx, mended).lower())
    place = name_place(tx, said.at, NOW)

    send_draft.send(tx, a_draft(tx, place=place, again=said.reference, class_code=said.class_code), NOBODY, NOW)
    hear(tx, Consumer.TRIAGE, report_to_defect.run, NOW)

    assert tx.scalar(select(recall.c.defect_id)) == mended
    assert tx.scalar(select(warranty.c.state)) == "claim_open"


# --- sent ------------------------------------------------------------------------------------------------------------


def test_a_sent_draft_is_a_report_with_all_that_was_answered(tx: WriteTx) -> None:
    secret = a_draft(tx, danger=True, place=a_place(address="12 High Street"))
    write_draft.add_photo(tx, secret, a_picture(1), NOW)
    write_draft.add_photo(tx, secret, a_picture(2), NOW)

    send_draft.send(tx, secret, Contact("Sam", "sam@example.org", None), NOW)

    row = the_report(tx)
    assert (row.class_code, row.danger, row.address, row.house_number) == ("pothole", True, "12 High Street", 12)
    assert row.description == "About as wide as a dinner plate (26 cm). By the kerb."
    assert tx.scalar(select(contact.c.email)) == "sam@example.org"
    assert list(tx.scalars(select(photo.c.report_id))) == [row.id, row.id]
    assert list(tx.scalars(select(photo.c.draft_hash))) == [None, None]
    told = tx.scalar(select(func.count()).where(event.c.kind == "ReportPhotoAdded"))
    assert told == 2


@pytest.mark.parametrize(("shown", "by"), [("on_release", None), ("at_once", "policy")])
def test_the_photos_of_a_draft_are_shown_when_the_policy_says_so(tx: WriteTx, shown: str, by: str | None) -> None:
    text = settings().policy_file.read_text().replace('photos = "on_release"', f'photos = "{shown}"')
    policies.adopt(tx, text, parse(text, "test.toml"), NOW)
    secret = a_draft(tx)
    write_draft.add_photo(tx, secret, a_picture(1), NOW)

    send_draft.send(tx, secret, NOBODY, NOW)

    assert tx.execute(select(photo.c.released_by, photo.c.released_at)).one() == (by, NOW if by else None)


def test_a_draft_sent_twice_is_one_report(tx: WriteTx) -> None:
    secret = a_draft(tx)

    send_draft.send(tx, secret, NOBODY, NOW)
    first = drafts.find(tx, secret, NOW)
    send_draft.send(tx, secret, NOBODY, NOW)

    assert tx.scalar(select(func.count()).select_from(report)) == 1
    assert first is not None
    assert drafts.find(tx, secret, NOW) == first


def test_what_was_written_stays_with_the_report_alone(tx: WriteTx) -> None:
    secret = a_draft(tx, description="My name is Sam.")

    send_draft.send(tx, secret, Contact("Sam", "sam@example.org", "01772 000000"), NOW)

    assert "Sam" not in str(tx.execute(select(draft)).all())


def test_a_draft_sent_within_three_seconds_is_asked_again_and_not_lost(tx: WriteTx) -> None:
    secret = a_draft(tx)

    with pytest.raises(TooQuick):
        send_draft.send(tx, secret, NOBODY, BEGUN + HASTE - timedelta(milliseconds=1))
    send_draft.send(tx, secret, NOBODY, BEGUN + HASTE)

    assert the_report(tx).state == "received"


def test_a_draft_with_an_open_question_is_not_sent(tx: WriteTx) -> None:
    for missing in ({"place": None}, {"class_code": None}):
        with pytest.raises(NotFinished):
            send_draft.send(tx, a_draft(tx, **missing), NOBODY, NOW)

    assert tx.scalar(select(func.count()).select_from(report)) == 0


def test_a_draft_has_five_photos_at_most_and_one_can_be_taken_out(tx: WriteTx) -> None:
    secret = a_draft(tx)
    taken = [write_draft.add_photo(tx, secret, a_picture(seed), NOW) for seed in range(5)]

    with pytest.raises(TooManyPhotos):
        write_draft.add_photo(tx, secret, a_picture(6), NOW)
    write_draft.remove_photo(tx, secret, taken[0].reference, NOW)
    write_draft.remove_photo(tx, a_draft(tx), taken[1].reference, NOW)

    assert write_draft.add_photo(tx, secret, a_picture(1), NOW).repeated
    assert tx.scalar(select(func.count()).select_from(photo)) == 4
