"""Following by pages, and what the links of our messages do: nothing by being opened, all by a button."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from services.workers import outbound
from shared.flows import send_messages
from shared.settings import settings
from shared.store import mailbox
from shared.store.engine import reading, transaction
from shared.store.mailbox import Kept
from shared.store.tables import contact, defect, follow, message, postcode
from tests.factories import a_defect

ATOM = "{http://www.w3.org/2005/Atom}"
SAM = "sam@example.org"


@pytest.fixture
def box(api: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """The mailbox into which everything goes."""
    assert api
    for name, value in {"MAIL_PROVIDER": "mailbox", "SMS_PROVIDER": "mailbox", "MAILBOX_DIR": str(tmp_path)}.items():
        monkeypatch.setenv(f"ROADMEND_{name}", value)
    settings.cache_clear()
    return tmp_path


@pytest.fixture
def reference(api: TestClient) -> str:
    """A defect that can be followed."""
    assert api
    with transaction("test") as tx:
        defect_id = a_defect(tx)
        found: str = tx.scalar(select(defect.c.reference).where(defect.c.id == defect_id))
    return found


def arrived(box: Path) -> list[Kept]:
    """Send what is due, and look into the mailbox."""
    outbound.send_due()
    return mailbox.newest(box)


def link_in(kept: Kept) -> str:
    found = re.search(r"http://testserver(/follow/\S+)", kept.text)
    assert found is not None
    return found[1]


def asked(api: TestClient, reference: str, email: str = SAM, **more: str) -> None:
    form = {"place": f"defect:{reference}", "rhythm": "instant", "email": email, **more}
    answer = api.post("/follow", data=form, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/follow/sent")


def test_a_follow_is_asked_for_confirmed_changed_and_stopped(api: TestClient, box: Path, reference: str) -> None:
    asked(api, reference)
    (first,) = arrived(box)
    link = link_in(first)

    opened = [api.get(link) for _ in range(3)]
    with reading() as tx:
        assert tx.scalar(select(follow.c.confirmed_at)) is None
    assert all("Yes, tell me" in page.text for page in opened)

    assert "You will hear from us" in api.post(link, data={"do": "confirm"}).text
    assert "We changed how often" in api.post(link, data={"do": "rhythm", "rhythm": "weekly"}).text
    assert "You have stopped following" in api.post(link, data={"do": "stop"}).text
    assert "You follow it again." in api.post(link, data={"do": "again"}).text
    with reading() as tx:
        assert tx.execute(select(follow.c.rhythm, follow.c.ended_at)).one() == ("weekly", None)


def test_whoever_asks_is_not_told_who_follows_what(api: TestClient, box: Path, reference: str) -> None:
    asked(api, reference)
    api.post(link_in(arrived(box)[0]), data={"do": "confirm"})

    asked(api, reference)

    assert len(arrived(box)) == 1


def test_a_mail_programs_button_stops_a_follow_at_once(api: TestClient, box: Path, reference: str) -> None:
    asked(api, reference)
    link = link_in(arrived(box)[0])
    api.post(link, data={"do": "confirm"})

    stopped = api.post(f"{link}/unsubscribe", data={"List-Unsubscribe": "One-Click"})
    again = api.post(f"{link}/unsubscribe")

    assert (stopped.status_code, again.status_code) == (200, 200)
    with reading() as tx:
        assert tx.scalar(select(follow.c.ended_at)) is not None


def test_a_mail_has_its_headers_and_both_forms(api: TestClient, box: Path, reference: str) -> None:
    asked(api, reference)
    (kept,) = arrived(box)

    written = (box / "new" / kept.name).read_text()

    link = link_in(kept)
    assert f"List-Unsubscribe: <http://testserver{link}/unsubscribe>" in re.sub(r"\r?\n\s+", " ", written)
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in written
    assert "Message-ID: <" in written
    assert link in kept.html


def a_reporter(api: TestClient) -> str:
    body = {"category": "pothole", "location": {"lat": 53.7632, "lon": -2.7031}, "contact": {"email": SAM}}
    told: str = api.post("/api/v1/reports", json=body).json()["reference"]
    with transaction("test") as tx:
        tx.execute(update(message).values(due_at=datetime.now(UTC)))
    return told


def test_a_reporter_stops_and_begins_again_by_the_mails_link(api: TestClient, box: Path) -> None:
    reference = a_reporter(api)
    (kept,) = arrived(box)
    link = link_in(kept)

    assert reference in kept.text
    assert f"/reports/{reference}?token=" in kept.text
    assert "Stop these messages" in api.get(link).text
    assert api.post(f"{link}/unsubscribe").status_code == 200
    with reading() as tx:
        assert tx.scalar(select(contact.c.unfollowed_at)) is not None
    assert "Tell me again" in api.get(link).text
    assert "Stop these messages" in api.post(link, data={"do": "again"}).text


@pytest.mark.parametrize("token", ["nonsense", "R-7K3M-9QXF.nonsense", "R-7K3M-9QXF"])
def test_a_link_that_is_not_ours_opens_nothing(api: TestClient, token: str) -> None:
    assert api.get(f"/follow/{token}").status_code == 404
    assert api.post(f"/follow/{token}", data={"do": "stop"}).status_code == 404
    assert api.post(f"/follow/{token}/unsubscribe").status_code == 404


def test_a_stop_link_of_one_report_is_none_of_another(api: TestClient) -> None:
    one, other = send_messages.stop_token("R-7K3M-9QXF"), send_messages.stop_token("R-7K3M-9QXG")

    assert send_messages.report_of(one) == "R-7K3M-9QXF"
    assert send_messages.report_of("R-7K3M-9QXF." + other.partition(".")[2]) is None
    assert api


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"place": "", "email": SAM}, "Choose what you want to follow"),
        ({"place": "street:nowhere", "email": SAM}, "Choose what you want to follow"),
        ({"place": "defect:D-0000-0000", "email": SAM}, "Choose what you want to follow"),
        ({"place": "shape", "shape": "{}", "email": SAM}, "Draw an area on the map"),
        ({"place": "shape", "shape": '{"coordinates":[[[0,0],[1,1]]]}', "email": SAM}, "Draw an area with 3 to 200"),
    ],
)
def test_what_is_missing_is_said(api: TestClient, form: dict[str, str], words: str) -> None:
    answer = api.post("/follow", data=form)

    assert answer.status_code == 422
    assert words in answer.text
    assert "Error: " in answer.text


@pytest.mark.parametrize(("email", "words"), [("", "Enter your email address"), ("sam", "in the correct format")])
def test_an_address_that_is_none_is_said(api: TestClient, reference: str, email: str, words: str) -> None:
    answer = api.post("/follow", data={"place": f"defect:{reference}", "email": email})

    assert answer.status_code == 422
    assert words in answer.text


def test_a_drawn_area_is_followed(api: TestClient, box: Path) -> None:
    ring = [[-2.72, 53.76], [-2.70, 53.76], [-2.70, 53.77], [-2.72, 53.76]]
    shape = str({"type": "Polygon", "coordinates": [ring]}).replace("'", '"')

    asked(api, "", place="shape", shape=shape)

    assert "The area that you drew" in arrived(box)[0].text


# --- feeds for feed readers ------------------------------------------------------------------------------------------


def test_a_feed_tells_what_happened_and_holds_still(api: TestClient, reference: str) -> None:
    address = f"/follow/feed.atom?defect={reference}"

    first = api.get(address)
    again = api.get(address, headers={"If-None-Match": first.headers["etag"]})

    feed = ElementTree.fromstring(first.content)  # noqa: S314 (our own)
    (entry,) = feed.findall(f"{ATOM}entry")
    assert first.headers["content-type"].startswith("application/atom+xml")
    assert first.headers["cache-control"] == "public, max-age=300"
    assert first.headers["last-modified"].endswith("GMT")
    assert entry.findtext(f"{ATOM}title") == "Pothole: Somebody reported it."
    assert entry.find(f"{ATOM}link").attrib["href"].endswith(f"/defects/{reference}")  # type: ignore[union-attr]
    assert {child.tag for child in feed} >= {f"{ATOM}{name}" for name in ("id", "title", "updated", "author", "link")}
    assert {child.tag for child in entry} >= {f"{ATOM}{name}" for name in ("id", "title", "updated", "summary")}
    assert (again.status_code, again.content) == (304, b"")


def test_a_feed_of_a_place_has_what_lies_there(api: TestClient, reference: str) -> None:
    with transaction("test") as tx:
        where = select(defect.c.geom).where(defect.c.reference == reference).scalar_subquery()
        tx.execute(postcode.insert().values(postcode="PR18XJ", geom=where))

    near = api.get("/follow/feed.atom?postcode=pr1 8xj&radius=500")

    assert reference in near.text
    assert "<title>Road defects: PR1 8XJ and 500 m around it</title>" in near.text


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 422),
        ("street=a&area=b", 422),
        ("street=nowhere", 404),
        ("defect=D-0000-0000", 404),
        ("report=R-0000-0000", 404),
        ("postcode=ZZ1 1ZZ", 404),
        ("street=a&radius=5", 422),
    ],
)
def test_a_feed_of_nothing_is_refused(api: TestClient, query: str, status: int) -> None:
    assert api.get(f"/follow/feed.atom?{query}").status_code == status


# --- the mailbox -----------------------------------------------------------------------------------------------------


def test_the_mailbox_is_there_only_where_nothing_leaves(api: TestClient) -> None:
    assert api.get("/mailbox").status_code == 404
    assert api.get("/mailbox/abc").status_code == 404


def test_the_mailbox_shows_the_newest_first_and_each_by_itself(api: TestClient, box: Path, reference: str) -> None:
    for email in (SAM, "ali@example.org"):
        asked(api, reference, email)
        arrived(box)
    newest = mailbox.newest(box)[0]

    listed, one, inner = (
        api.get(path) for path in ("/mailbox", f"/mailbox/{newest.name}", f"/mailbox/{newest.name}/html")
    )

    assert listed.text.index("ali@example.org") < listed.text.index(SAM)
    assert newest.subject in one.text
    assert inner.headers["x-frame-options"] == "SAMEORIGIN"
    assert "sandbox" in inner.headers["content-security-policy"]
    assert api.get("/mailbox/../secret-key").status_code == 404


def test_a_message_that_is_sent_twice_is_in_the_mailbox_once(api: TestClient, box: Path, reference: str) -> None:
    asked(api, reference)
    arrived(box)
    with transaction("test") as tx:
        tx.execute(update(message).values(sent_at=None, tries=1, leased_until=None))

    arrived(box)

    assert len(mailbox.newest(box)) == 1
    assert api
