"""What everybody sees of photos and words: nothing before somebody says so, and nothing once it is taken back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from shared.domain.drafts import Answers
from shared.domain.place import Point
from shared.domain.policy import parse
from shared.domain.terms import Role, VisitOutcome
from shared.flows.pass_by import pass_by
from shared.flows.receive_photo import OfDraft, PhotoIn, receive
from shared.settings import settings
from shared.store import drafts, photos, policies, works
from shared.store.engine import WriteTx, reading, transaction
from shared.store.photos import OfSighting
from shared.store.tables import defect, event, report
from tests.api.conftest import MakeKey
from tests.factories import PLACE, a_defect, a_picture, a_repair, an_order, passed_by_a_supervisor

REPORT = {"category": "pothole", "location": {"lat": 53.7632, "lon": -2.7031, "accuracy_m": 8}}
WHY = {"why": "Looked at."}


def _sent(api: TestClient, **more: Any) -> tuple[str, dict[str, str]]:
    told = api.post("/api/v1/reports", json=REPORT | more).json()
    return told["reference"], {"Authorization": f"Bearer {told['tracking']['secret']}"}


def _photo(api: TestClient, told: tuple[str, dict[str, str]], seed: int = 1) -> str:
    reference, headers = told
    files = {"photo": ("a.jpg", a_picture(seed))}
    return str(api.post(f"/api/v1/reports/{reference}/photos", files=files, headers=headers).json()["reference"])


def _photos_at_once(tx: WriteTx, now: datetime) -> None:
    text = settings().policy_file.read_text().replace('photos = "on_release"', 'photos = "at_once"')
    policies.adopt(tx, text, parse(text, "test.toml"), now)


# --- photos ----------------------------------------------------------------------------------------------------------


def test_a_released_photo_is_for_everybody_and_a_withheld_one_is_not(api: TestClient, a_key: MakeKey) -> None:
    told = _sent(api)
    one = _photo(api, told)
    staff = a_key(Role.OPERATOR).headers

    released = api.post(f"/api/v1/photos/{one}/release", json=WHY, headers=staff)
    shown, listed = api.get(f"/api/v1/photos/{one}"), api.get(f"/api/v1/reports/{told[0]}").json()["photos"]
    withheld = api.post(f"/api/v1/photos/{one}/withhold", json=WHY, headers=staff)
    hidden, unlisted = api.get(f"/api/v1/photos/{one}"), api.get(f"/api/v1/reports/{told[0]}").json()["photos"]

    assert (released.json()["public"], shown.status_code, len(listed)) == (True, 200, 1)
    assert (withheld.json()["public"], hidden.status_code, unlisted) == (False, 404, [])
    with reading() as tx:
        kinds = list(tx.scalars(select(event.c.kind).where(event.c.subject == "photo").order_by(event.c.id)))
    assert kinds == ["PhotoReleased", "PhotoWithheld"]


def test_a_released_photo_is_kept_by_caches_for_minutes_and_asked_for_anew(api: TestClient, a_key: MakeKey) -> None:
    one = _photo(api, _sent(api))
    staff = a_key(Role.OPERATOR).headers
    api.post(f"/api/v1/photos/{one}/release", json=WHY, headers=staff)

    shown = api.get(f"/api/v1/photos/{one}")
    etag = {"If-None-Match": shown.headers["etag"]}
    again = api.get(f"/api/v1/photos/{one}", headers=etag)
    api.post(f"/api/v1/photos/{one}/withhold", json=WHY, headers=staff)

    assert shown.headers["cache-control"] == "public, max-age=300"
    assert (again.status_code, again.content) == (304, b"")
    assert api.get(f"/api/v1/photos/{one}", headers=etag).status_code == 404


def test_what_is_not_released_is_private_to_caches(api: TestClient) -> None:
    told = _sent(api)
    one = _photo(api, told)

    assert api.get(f"/api/v1/photos/{one}", headers=told[1]).headers["cache-control"].startswith("private")
    assert api.get(f"/api/v1/photos/{one}").status_code == 404


def test_the_original_is_never_for_everybody(api: TestClient, a_key: MakeKey) -> None:
    one = _photo(api, _sent(api))
    api.post(f"/api/v1/photos/{one}/release", json=WHY, headers=a_key(Role.OPERATOR).headers)

    assert api.get(f"/api/v1/photos/{one}?copy=original").status_code == 404


def test_a_key_without_the_scope_sees_only_what_everybody_sees(api: TestClient, a_key: MakeKey) -> None:
    one = _photo(api, _sent(api))
    narrow = a_key(Role.OPERATOR, "reports").headers

    before = api.get(f"/api/v1/photos/{one}", headers=narrow).status_code
    api.post(f"/api/v1/photos/{one}/release", json=WHY, headers=a_key(Role.OPERATOR).headers)

    assert (before, api.get(f"/api/v1/photos/{one}", headers=narrow).status_code) == (404, 200)


def test_operators_work_through_the_photos_that_nobody_has_looked_at(api: TestClient, a_key: MakeKey) -> None:
    told = _sent(api)
    sent = [_photo(api, told, seed) for seed in range(3)]
    staff = a_key(Role.OPERATOR).headers
    api.post(f"/api/v1/photos/{sent[0]}/release", json=WHY, headers=staff)
    api.post(f"/api/v1/photos/{sent[1]}/withhold", json=WHY, headers=staff)

    waiting = api.get("/api/v1/photos", headers=staff).json()

    assert [one["reference"] for one in waiting["photos"]] == [sent[2]]
    assert waiting["photos"][0]["report"] == told[0]


def test_a_photo_of_a_passer_by_waits_too_and_is_shown_with_the_defect(api: TestClient, a_key: MakeKey) -> None:
    now, staff = datetime.now(UTC), a_key(Role.OPERATOR).headers
    with transaction("test") as tx:
        reference = tx.scalar(select(defect.c.reference).where(defect.c.id == a_defect(tx)))
        written = drafts.find(tx, drafts.make(tx, Answers(), now), now)
        assert written is not None
        receive(tx, PhotoIn(a_picture(3), OfDraft(written.hash)), now)
    before = api.get("/api/v1/photos", headers=staff).json()["photos"]
    with transaction("test") as tx:
        seen = pass_by(tx, reference, Point(*PLACE, 5.0), now, danger=False)
        photos.hand_over(tx, written.hash, OfSighting(seen.sighting_id))

    (waits,) = api.get("/api/v1/photos", headers=staff).json()["photos"]
    api.post(f"/api/v1/photos/{waits['reference']}/release", json=WHY, headers=staff)

    assert (before, waits["report"], waits["defect"]) == ([], None, reference)
    (shown,) = api.get(f"/api/v1/defects/{reference}").json()["photos"]
    assert api.get(shown["url"]).status_code == 200


def test_a_photo_of_a_report_that_is_still_written_is_nobodys_to_release(api: TestClient, a_key: MakeKey) -> None:
    now = datetime.now(UTC)
    with transaction("test") as tx:
        _photos_at_once(tx, now)
        written = drafts.find(tx, drafts.make(tx, Answers(), now), now)
        assert written is not None
        one = receive(tx, PhotoIn(a_picture(4), OfDraft(written.hash)), now)
    address = f"/api/v1/photos/{one.reference}"

    released = api.post(f"{address}/release", json=WHY, headers=a_key(Role.OPERATOR).headers)

    assert (released.status_code, api.get(address).status_code) == (404, 404)


def test_a_photo_of_a_report_that_is_rejected_is_not_shown_on(api: TestClient, a_key: MakeKey) -> None:
    told = _sent(api)
    one, staff = _photo(api, told), a_key(Role.OPERATOR).headers
    api.post(f"/api/v1/photos/{one}/release", json=WHY, headers=staff)

    api.post(
        f"/api/v1/reports/{told[0]}/decide",
        json={"decision": "reject", "reason": "spam", "why": "An advertisement."},
        headers=staff,
    )
    spam = api.get(f"/api/v1/photos/{one}").status_code
    api.post(f"/api/v1/reports/{told[0]}/restore", json=WHY, headers=staff)

    assert (spam, api.get(f"/api/v1/photos/{one}").status_code) == (404, 200)


def test_where_the_policy_says_so_photos_of_reports_are_shown_at_once(api: TestClient) -> None:
    with transaction("test") as tx:
        _photos_at_once(tx, datetime.now(UTC))

    told = _sent(api)

    assert api.get(f"/api/v1/photos/{_photo(api, told)}").status_code == 200


def test_before_and_after_are_shown_once_the_repair_is_verified(api: TestClient, a_key: MakeKey) -> None:
    now = datetime.now(UTC)
    with transaction("test") as tx:
        defect_id = a_defect(tx)
        an_order(tx, defect_id, now=now - timedelta(hours=5))
        claimed = a_repair(tx, defect_id, now, outcome=VisitOutcome.PERMANENT)
        reference = tx.scalar(select(defect.c.reference).where(defect.c.id == defect_id))
    before = api.get(f"/api/v1/defects/{reference}").json()
    with transaction("test") as tx:
        passed_by_a_supervisor(tx, works.lock(tx, claimed.reference, None), now)

    after = api.get(f"/api/v1/defects/{reference}").json()

    assert (before["photos"], after["status"]["label"]) == ([], "Fixed")
    assert sorted(one["role"] for one in after["photos"]) == ["after", "before"]
    one = after["photos"][0]["url"].rpartition("/")[2]
    api.post(f"/api/v1/photos/{one}/withhold", json=WHY, headers=a_key(Role.OPERATOR).headers)
    assert len(api.get(f"/api/v1/defects/{reference}").json()["photos"]) == 1


# --- words -----------------------------------------------------------------------------------------------------------


def _words(api: TestClient, reference: str) -> str | None:
    words: str | None = api.get(f"/api/v1/reports/{reference}").json()["words"]
    return words


def test_an_operator_releases_screens_and_withholds_words(api: TestClient, a_key: MakeKey) -> None:
    reference, _ = _sent(api, description="Plate AB12 CDE lies in the hole")
    staff = a_key(Role.OPERATOR).headers

    seen = [_words(api, reference)]
    for act in ("release-words", "screen-words", "withhold-words"):
        answer = api.post(f"/api/v1/reports/{reference}/{act}", json=WHY, headers=staff)
        assert answer.status_code == 200, answer.text
        seen.append(_words(api, reference))

    assert seen == [
        "Plate [hidden] lies in the hole",
        "Plate AB12 CDE lies in the hole",
        "Plate [hidden] lies in the hole",
        None,
    ]


@pytest.mark.parametrize("act", ["release-words", "screen-words", "withhold-words", "restore"])
def test_what_is_shown_is_not_for_the_reporter_to_say(api: TestClient, act: str) -> None:
    reference, own = _sent(api)

    assert api.post(f"/api/v1/reports/{reference}/{act}", json=WHY, headers=own).status_code == 403


def test_words_are_not_public_where_the_policy_says_so(api: TestClient) -> None:
    text = settings().policy_file.read_text().replace('words = "screened"', 'words = "on_release"')
    with transaction("test") as tx:
        policies.adopt(tx, text, parse(text, "test.toml"), datetime.now(UTC))

    reference, _ = _sent(api, description="By the kerb")

    assert _words(api, reference) is None


# --- a rejection taken back ------------------------------------------------------------------------------------------


def test_a_report_marked_as_spam_is_taken_back_to_where_a_person_looks_at_it(api: TestClient, a_key: MakeKey) -> None:
    reference, _ = _sent(api, description="A real hole")
    staff = a_key(Role.OPERATOR).headers
    spam = {"decision": "reject", "reason": "spam", "why": "An advertisement."}

    api.post(f"/api/v1/reports/{reference}/decide", json=spam, headers=staff)
    rejected = _words(api, reference)
    restored = api.post(f"/api/v1/reports/{reference}/restore", json=WHY, headers=staff)

    assert (rejected, restored.json()["state"], _words(api, reference)) == (None, "triage", "A real hole")
    labels = [one["label"] for one in api.get(f"/api/v1/reports/{reference}").json()["timeline"]]
    assert labels == ["Open", "Not taken up", "For triage", "Date promised"]
    with reading() as tx:
        row = tx.execute(select(report).where(report.c.reference == reference)).one()
    assert row.outcome is None
    assert row.triage_due_at > datetime.now(UTC) + timedelta(hours=12)


def test_only_a_rejection_is_taken_back(api: TestClient, a_key: MakeKey) -> None:
    reference, _ = _sent(api)

    answer = api.post(f"/api/v1/reports/{reference}/restore", json=WHY, headers=a_key(Role.OPERATOR).headers)

    assert answer.status_code == 409
    assert answer.json()["type"] == "/problems/unlawful-step"
