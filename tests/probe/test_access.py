"""Who sees and does what, object by object: contractors, vendors and reporters beside each other; cookies; keys."""

import re
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.factories import a_picture
from tests.probe.conftest import Answered
from tests.probe.house import PASSWORD, House
from tests.waiting import until

pytestmark = pytest.mark.slow

PAIRS = [("alder", "birch"), ("birch", "alder")]
A_BODY = {"client_id": "0191f3a4-6f0e-7cc3-98c4-dc0c0c07398f", "why": "Seen.", "reason": "Not ours to mend."}


def _places(house: House, owner: str) -> dict[str, str]:
    """Where each thing of a contractor's is, by what it is."""
    works = house.works[owner]
    return {
        "order": f"/api/v1/works-orders/{works.order}",
        "order that is done": f"/api/v1/works-orders/{works.visited}",
        "recall": f"/api/v1/recalls/{works.recall}",
    }


@pytest.mark.parametrize(("mine", "other"), PAIRS)
def test_a_contractor_sees_what_is_its_own_and_nothing_of_another(
    house: House, mine: str, other: str, answered: Answered
) -> None:
    own = {what: house.ask("GET", path, mine).status_code for what, path in _places(house, mine).items()}
    others = {what: house.ask("GET", path, mine).status_code for what, path in _places(house, other).items()}

    answered(f"own: {own}; another's: {others}")
    assert set(own.values()) == {200}
    assert set(others.values()) == {404}


@pytest.mark.parametrize(("mine", "other"), PAIRS)
def test_no_list_shows_a_contractor_what_is_anothers(house: House, mine: str, other: str, answered: Answered) -> None:
    theirs = house.works[other]
    lists = ["works-orders", f"works-orders?contractor={other}", "warranties", f"warranties?defect={theirs.defect}"]
    lists += ["recalls", f"recalls?defect={theirs.defect}"]

    shown = {one: house.ask("GET", f"/api/v1/{one}", mine).text for one in lists}

    foreign = [theirs.order, theirs.visited, theirs.recall, theirs.defect]
    answered(f"{len(lists)} lists, none with any of {len(foreign)} references of another's")
    assert [(path, name) for path, text in shown.items() for name in foreign if name in text] == []
    assert house.works[mine].order in shown["works-orders"]
    assert house.works[mine].defect in shown["warranties"]
    assert house.works[mine].recall in shown["recalls"]


@pytest.mark.parametrize(("mine", "other"), PAIRS)
def test_a_contractor_does_nothing_to_what_is_anothers(house: House, mine: str, other: str, answered: Answered) -> None:
    theirs = house.works[other]
    at = "2026-11-25T10:00:00Z"
    asked: list[tuple[str, dict[str, Any]]] = [
        (f"works-orders/{theirs.order}/accept", {}),
        (f"works-orders/{theirs.order}/decline", {"reason": "Not ours."}),
        (f"works-orders/{theirs.order}/schedule", {"scheduled_for": "2030-01-01T08:00:00Z"}),
        (f"works-orders/{theirs.order}/start", {"client_id": str(uuid4())}),
        (f"recalls/{theirs.recall}/dispute", {"why": "Not ours."}),
        (
            "visits",
            {
                "client_id": str(uuid4()),
                "order": theirs.order,
                "outcome": "permanent",
                "started_at": at,
                "ended_at": at,
            },
        ),
    ]

    said = {path: house.ask("POST", f"/api/v1/{path}", mine, json=body).status_code for path, body in asked}
    many = house.ask("POST", "/api/v1/works-orders/accept", mine, json={"references": [theirs.order]}).json()

    answered(f"{sorted(set(said.values()))} for {len(said)} deeds; of many: {many['results'][0]['problem']}")
    assert set(said.values()) == {404}
    assert many["results"][0]["problem"] == "not-found"


def test_a_photo_of_a_visit_is_for_its_contractor_and_staff(house: House, answered: Answered) -> None:
    path = f"/api/v1/visits/{house.works['alder'].visit}/photos"
    sent = house.ask("POST", path, "alder", data={"role": "after"}, files={"photo": ("a.jpg", a_picture(3))})
    assert sent.status_code in (200, 201), sent.text

    said = {who: house.ask("GET", sent.json()["url"], who).status_code for who in _EVERYBODY}

    answered(said)
    assert said == {"public": 404, "reporter": 404, "alder": 200, "birch": 404, "van": 404, "operator": 200}


_EVERYBODY = ("public", "reporter", "alder", "birch", "van", "operator")


def test_a_visit_of_anothers_gets_no_photo(house: House, answered: Answered) -> None:
    """The phone's id of a visit is each contractor's own, so that a foreign one is another visit, not yet told."""
    path = f"/api/v1/visits/{house.works['birch'].visit}/photos"
    sent = house.ask("POST", path, "alder", data={"role": "after"}, files={"photo": ("a.jpg", a_picture(4))})

    shown = house.ask("GET", f"/api/v1/works-orders/{house.works['birch'].order}", "birch").json()

    answered(f"{sent.status_code}; the other's visit shows none of it")
    photos = [one["reference"] for visit in shown["visits"] for one in visit["photos"]]
    assert sent.status_code >= 400 or sent.json()["reference"] not in photos


def test_a_vendor_sees_its_own_batches_only(house: House, answered: Answered) -> None:
    seen = {"external_id": uuid4().hex, "captured_at": "2026-05-01T09:30:00Z", "class_code": "D40"}
    item = {**seen, "confidence": 0.9, "lat": 53.7632, "lon": -2.7031}
    batch = house.ask("POST", "/api/v1/detections", "van", json=[item]).json()["reference"]

    said = {who: house.ask("GET", f"/api/v1/detections/batches/{batch}", who).status_code for who in ("van", "bus")}
    again = house.ask("POST", "/api/v1/detections", "bus", json=[item]).json()

    answered(f"{said}; the same external_id of another source is another detection")
    assert said == {"van": 200, "bus": 404}
    assert (again["accepted"], again["repeated"]) == (1, 0)


def test_a_tracking_link_opens_its_one_report(house: House, answered: Answered) -> None:
    mine, other = house.post_report(description="Mine."), house.post_report(description="Not yours.")
    secret = {"Authorization": f"Bearer {mine['tracking']['secret']}"}
    at = f"/api/v1/reports/{other['reference']}"

    own = house.ask("GET", f"/api/v1/reports/{mine['reference']}", headers=secret).json()
    foreign = house.ask("GET", at, headers=secret).json()
    deeds = {
        path: house.ask("POST", f"{at}/{path}", headers=secret, json=body).status_code
        for path, body in (("withdraw", None), ("answer", {"words": "x"}), ("challenge", {"words": "x"}))
    }
    deeds["photos"] = house.ask(
        "POST", f"{at}/photos", headers=secret, files={"photo": ("a", a_picture(5))}
    ).status_code

    answered(f"own: whole; another's: as the public sees it; deeds on it: {deeds}")
    assert own["own"]["description"] == "Mine."
    assert foreign["own"] is None
    assert set(deeds.values()) == {404}


# --- the live feed ---------------------------------------------------------------------------------------------------


def _feed(house: House, who: str) -> str:
    """All of the feed that somebody may see, from its first line to the newest there is now."""
    newest = int(re.search(r"roadmend_feed_line (\d+)", house.ask("GET", "/metrics").text)[1])  # type: ignore[index]
    heard = ""
    with httpx.stream("GET", f"{house.stack.url}/api/v1/feed?after=0", headers=house.bearer(who), timeout=30) as live:
        assert live.headers["cache-control"] == "no-store"
        for piece in live.iter_text():
            heard += piece
            numbers = [int(number) for number in re.findall(r"^id: (\d+)-\w+$", heard, re.MULTILINE)]
            if numbers and numbers[-1] >= newest:
                break
    return heard


def test_the_feed_shows_each_only_what_is_theirs(house: House, answered: Answered) -> None:
    until(lambda: house.works["birch"].order in _feed(house, "operator"), 60, "the feed to tell of all works")

    heard = {who: _feed(house, who) for who in ("operator", "alder", "birch", "public", "van", "clerk")}

    orders = {who: house.works[who].order for who in ("alder", "birch")}
    shown = {who: [name for name, order in orders.items() if order in text] for who, text in heard.items()}
    answered(f"whose orders each hears of: {shown}")
    own = {"operator": ["alder", "birch"], "alder": ["alder"], "birch": ["birch"]}
    assert shown == {**own, "public": [], "van": [], "clerk": []}
    assert "person:" not in heard["alder"]


# --- cookies ---------------------------------------------------------------------------------------------------------


class Browser:
    """A browser in which somebody is signed in."""

    def __init__(self, house: House, email: str) -> None:
        self.client = httpx.Client(base_url=house.stack.url, timeout=60)
        answer = self.client.post("/api/v1/sign-in", json={"email": email, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        self.token: str = answer.json()["csrf_token"]


Browse = Callable[[str], Browser]


@pytest.fixture
def browse(house: House) -> Iterator[Browse]:
    """Sign somebody in, in a browser of their own: `browse("admin@roadmend.example")`."""
    opened: list[Browser] = []

    def sign_in(email: str) -> Browser:
        opened.append(Browser(house, email))
        return opened[-1]

    yield sign_in
    for one in opened:
        one.client.close()


def _unsafe(house: House) -> Iterator[tuple[str, str, list[str]]]:
    """Method, address and roles of every operation that changes something and is not for the public."""
    for path, operations in house.ask("GET", "/api/openapi.json").json()["paths"].items():
        for method, operation in operations.items():
            if method not in ("get", "head", "options") and "public" not in operation["x-roles"]:
                yield method.upper(), re.sub(r"\{\w+\}", "R-0000-0000", path), operation["x-roles"]


FORGED = {
    "no token": {},
    "another token": {"X-CSRF-Token": "0" * 64},
    "a page of another site": {"Sec-Fetch-Site": "cross-site"},
    "another origin": {"Origin": "https://elsewhere.example"},
    "no origin to speak of": {"Origin": "null"},
}


@pytest.mark.parametrize("told", FORGED.values(), ids=FORGED)
def test_a_cookie_alone_changes_nothing_anywhere(
    house: House, browse: Browse, told: dict[str, str], answered: Answered
) -> None:
    browser = browse("admin@roadmend.example")
    if "X-CSRF-Token" not in told and told:
        told = {**told, "X-CSRF-Token": browser.token}

    said = {
        f"{method} {path}": browser.client.request(method, path, json=A_BODY, headers=told).status_code
        for method, path, _ in _unsafe(house)
    }

    answered(f"{len(said)} operations: {sorted(set(said.values()))}")
    assert {called for called, status in said.items() if status != 401} == set()
    assert len(said) > 30
    assert browser.client.get("/api/v1/me").json()["role"] == "admin"


def test_a_cookie_with_its_token_counts_everywhere(house: House, browse: Browse, answered: Answered) -> None:
    browser, wrong, signed = browse("admin@roadmend.example"), [], {"X-CSRF-Token": ""}
    signed["X-CSRF-Token"] = browser.token

    for method, path, roles in _unsafe(house):
        if "admin" in roles and not path.endswith("sign-out"):
            status = browser.client.request(method, path, json=A_BODY, headers=signed).status_code
            wrong += [f"{method} {path}: {status}"] if status in (401, 403) else []

    answered("none answered 401 or 403")
    assert wrong == []


def test_a_session_that_was_there_before_the_sign_in_does_not_become_the_persons(
    house: House, browse: Browse, answered: Answered
) -> None:
    planted = browse("operator@roadmend.example")
    fixed = planted.client.cookies["roadmend_session"]

    body = {"email": "admin@roadmend.example", "password": PASSWORD}
    began = house.ask("POST", "/api/v1/sign-in", json=body, headers={"Cookie": f"roadmend_session={fixed}"})

    before = httpx.get(f"{house.stack.url}/api/v1/me", headers={"Cookie": f"roadmend_session={fixed}"}).json()["role"]
    answered(f"the planted cookie is still {before}'s alone")
    assert before == "operator"
    assert began.cookies["roadmend_session"] != fixed


def test_the_cookie_has_its_flags(house: House, answered: Answered) -> None:
    answer = house.ask("POST", "/api/v1/sign-in", json={"email": "admin@roadmend.example", "password": PASSWORD})

    flags = sorted(part.strip().partition("=")[0].lower() for part in answer.headers["set-cookie"].split(";")[1:])
    answered(", ".join(flags))
    assert flags == ["httponly", "max-age", "path", "samesite"]
    assert "samesite=lax" in answer.headers["set-cookie"].lower()


def test_sign_out_ends_the_session_wherever_its_cookie_is(house: House, browse: Browse, answered: Answered) -> None:
    browser = browse("operator@roadmend.example")
    kept = {"Cookie": f"roadmend_session={browser.client.cookies['roadmend_session']}"}

    out = browser.client.post("/api/v1/sign-out", headers={"X-CSRF-Token": browser.token}).status_code
    after = house.ask("GET", "/api/v1/reports", headers=kept).status_code

    answered(f"sign-out {out}; the kept cookie {after}")
    assert (out, after) == (204, 401)


def test_a_disabled_persons_sessions_and_a_revoked_key_end_at_once(
    house: House, browse: Browse, answered: Answered
) -> None:
    email = f"{uuid4().hex}@roadmend.example"
    person = {"email": email, "name": "New", "role": "operator", "password": PASSWORD}
    assert house.ask("POST", "/api/v1/people", "admin", json=person).status_code == 201
    browser = browse(email)
    made = house.ask("POST", "/api/v1/keys", "admin", json={"name": "New", "role": "operator", "scopes": ["*"]}).json()
    key = {"Authorization": f"Bearer {made['key']}"}
    before = (
        browser.client.get("/api/v1/reports").status_code,
        house.ask("GET", "/api/v1/reports", headers=key).status_code,
    )

    house.ask("POST", "/api/v1/people/disable", "admin", json={"email": email})
    house.ask("POST", f"/api/v1/keys/{made['prefix']}/revoke", "admin")

    after = (
        browser.client.get("/api/v1/reports").status_code,
        house.ask("GET", "/api/v1/reports", headers=key).status_code,
    )
    answered(f"session and key: {before} before, {after} after")
    assert (before, after) == ((200, 200), (401, 401))


# --- what is told nobody ---------------------------------------------------------------------------------------------


def test_nothing_personal_is_in_any_log(house: House, answered: Answered) -> None:
    mark = uuid4().hex[:10]
    contact = {"name": f"Xanthippe {mark}", "email": f"{mark}@residents.example", "phone": f"07700 {mark}"}
    told = house.post_report(contact=contact, description=f"Words {mark}", address=f"1 {mark} Street")
    secret = told["tracking"]["secret"]
    at = f"/api/v1/reports/{told['reference']}"
    wrong = {"category": "pothole", "location": {"lat": 999, "lon": "x"}, "contact": contact, mark: mark}
    asked = [
        ("GET", f"{at}?token={secret}", {}),
        ("GET", f"{at}?token={mark}", {}),
        ("GET", f"/{mark}", {}),
        ("GET", f"/api/v1/places?q={mark}", {}),
        ("GET", f"/api/v1/defects?area={mark}%00", {}),
        ("POST", "/api/v1/reports", {"json": wrong}),
        (
            "POST",
            "/api/v1/reports",
            {"content": f'{{"contact": "{mark}', "headers": {"Content-Type": "application/json"}},
        ),
        ("POST", "/api/v1/sign-in", {"json": {"email": f"{mark}@roadmend.example", "password": f"{mark}{mark}"}}),
        ("POST", f"{at}/answer", {"json": {"words": mark}, "headers": {"Authorization": f"Bearer {secret}"}}),
        (
            "POST",
            f"{at}/withdraw",
            {"headers": {"Authorization": f"Bearer {secret}", "X-Correlation-ID": f"{mark} {mark}"}},
        ),
        ("GET", "/api/v1/me", {"headers": {"Authorization": f"Bearer rmk_{mark}_{mark}", "User-Agent": mark}}),
    ]
    said = [house.ask(method, path, **more).status_code for method, path, more in asked]
    until(lambda: _last_is_logged(house), 10, "the last request to be logged")

    lines = [line for name in house.stack.children for line in house.log(name).splitlines()]
    leaked = [line for line in lines if mark in line or secret in line]
    answered(f"{len(said)} requests ({sorted(set(said))}), {len(lines)} lines of the logs, {len(leaked)} leaks")
    assert leaked == []
    assert len(lines) > len(said)


def _last_is_logged(house: House) -> bool:
    mark = f"probe-{time.monotonic_ns()}"
    house.ask("GET", "/health/live", headers={"X-Correlation-ID": mark})
    return mark in house.log("api")
