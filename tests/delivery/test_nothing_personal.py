"""A report stuffed with personal data goes through everything, and nothing of it is found where everybody can read."""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.delivery.house import NORTH_OF_M, PLACE, House, a_report, send
from tests.factories import a_picture
from tests.waiting import until

pytestmark = pytest.mark.slow

PERSONAL = (
    "Quimby",
    "quimby.ethel",
    "brockenhurst.example",
    "07700 900451",
    "07700900451",
    "7700900451",
    "900451",
    "LV51 XPL",
    "LV51XPL",
    "Needlemaker",
    "quimby_on_wheels",
    "Pixel-of-Ethel",
)
"""In every form in which it was sent. A needle that is found tells where."""

REPORT: dict[str, Any] = {
    "description": (
        "My name is Ethel Quimby. Call 07700 900451 or write to quimby.ethel@brockenhurst.example, "
        "see facebook.com/quimby_on_wheels. The van LV51 XPL broke the kerb, outside the bakery."
    ),
    "address": "17 Needlemaker Cottages, Preston",
    "contact": {
        "name": "Ethel Quimby",
        "email": "quimby.ethel@brockenhurst.example",
        "phone": "07700 900451",
    },
}
SPOKEN = "Ethel Quimby here, 07700900451: it is the lane of LV51XPL."


@dataclass
class Filed:
    """A report, and the defect that it was found to be."""

    reference: str
    secret: str
    defect: str
    photo: str


def test_nothing_personal_is_found_where_everybody_can_read(house: House) -> None:
    house.stack.start_all()
    staff = {"Authorization": f"Bearer {_operator_key(house)}"}
    filed = _file(house, staff)
    _say_more(house, filed, staff)
    house.comes_to_rest()

    read = dict(_everything(house, filed))

    assert len(read) > 25
    assert "bakery" in read[f"/reports/{filed.reference}"]
    assert filed.defect in read["/api/v1/feed"]
    assert _found(read, (*PERSONAL, filed.secret)) == []
    logs = {log.name: log.read_text(errors="replace") for log in house.stack.folder.glob("*.log")}
    assert any("report" in text for text in logs.values())
    assert _found(logs, (*PERSONAL, filed.secret)) == []
    assert house.broken() == []


def _operator_key(house: House) -> str:
    told = house.command("keys", "make", "Desk", "--role", "operator", "--scope", "*")
    assert told.returncode == 0, told.stderr
    return told.stdout.strip()


def _file(house: House, staff: dict[str, str]) -> Filed:
    """Send it with a photo that tells its sender's place, and let everybody see the photo."""
    url = house.stack.url
    told = send(url, a_report(**REPORT)).json()
    reference, secret = told["reference"], told["tracking"]["secret"]
    picture = a_picture(5, datetime.now(UTC), PLACE[0] + 0.0123, PLACE[1])
    sent = httpx.post(
        f"{url}/api/v1/reports/{reference}/photos",
        files={"photo": ("Pixel-of-Ethel.jpg", picture)},
        headers={"Authorization": f"Bearer {secret}"},
        timeout=30,
    ).json()

    def defect() -> str | None:
        defects = httpx.get(f"{url}/api/v1/reports/{reference}", timeout=30).json()["defects"]
        return str(defects[0]) if defects else None

    found = str(until(defect, 60, "the report to be matched"))
    released = httpx.post(
        f"{url}/api/v1/photos/{sent['reference']}/release", json={"why": "Nobody in it."}, headers=staff, timeout=30
    )
    assert released.status_code == 200, released.text
    return Filed(reference, secret, found, sent["reference"])


def _say_more(house: House, filed: Filed, staff: dict[str, str]) -> None:
    """The reporter opens the link, follows the defect too, is asked and answers, challenges; staff search for words."""
    page = f"/reports/{filed.reference}"
    with httpx.Client(base_url=house.stack.url, timeout=30, follow_redirects=True) as reporter:
        assert "LV51 XPL" in reporter.get(page, params={"token": filed.secret}).text
        follow = {"email": REPORT["contact"]["email"]}
        assert reporter.post(f"/defects/{filed.defect}/follow", data=follow).status_code == 200
        with httpx.Client(base_url=house.stack.url, timeout=30, headers=staff) as desk:
            _decide(desk, f"/api/v1/reports/{filed.reference}/unlink", defect=filed.defect, why="The other lane.")
            _decide(desk, f"/api/v1/reports/{filed.reference}/decide", decision="ask", question="Which lane?")
            assert "Thank you" in reporter.post(f"{page}/answer", data={"words": SPOKEN}).text
            _decide(
                desk, f"/api/v1/reports/{filed.reference}/decide", decision="no_defect", why="None.", evidence="Seen."
            )
            assert "looking at it again" in reporter.post(f"{page}/not-fixed", data={"words": SPOKEN}).text
            assert filed.reference in desk.get("/api/v1/search", params={"q": "Quimby bakery"}).text
            link = {"decision": "link", "defect": filed.defect, "why": "It is this one."}
            _decide(desk, f"/api/v1/reports/{filed.reference}/decide", **link)
        assert "We will not write" in reporter.post(f"{page}/stop").text


def _decide(desk: httpx.Client, path: str, **body: Any) -> None:
    answer = desk.post(path, json=body)
    assert answer.status_code == 200, answer.text


# --- all that everybody can read -------------------------------------------------------------------------------------


def _everything(house: House, filed: Filed) -> Iterator[tuple[str, str]]:
    """Every page and every answer of the API that needs no sign-in, and what each says."""
    newest = house.ask("SELECT max(number) FROM feed_line WHERE public")
    with httpx.Client(base_url=house.stack.url, timeout=30, follow_redirects=True) as anybody:
        yield "/api/v1/feed", "\n".join(_feed(anybody, newest))
        for path in (*_documented(anybody, filed), *_pages(filed)):
            answer = anybody.get(path)
            assert answer.status_code in (200, 204, 304, 404, 422), f"{path}: {answer.status_code}"
            headers = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
            yield path, f"{headers}\n{answer.content.decode('utf-8', 'replace')}"


def _documented(anybody: httpx.Client, filed: Filed) -> Iterator[str]:
    """The documented addresses that anybody may read, each about this report and this place."""
    document = anybody.get("/api/openapi.json").json()
    for path, methods in document["paths"].items():
        if "get" not in methods or "public" not in methods["get"]["x-roles"] or path == "/api/v1/feed":
            continue
        for zoom in (8, 13, 17) if "{z}" in path else (0,):
            filled = path.replace("{z}/{x}/{y}", "/".join(map(str, _tile(zoom))))
            for reference in (filed.reference, filed.defect, filed.photo) if "{reference}" in path else ("",):
                yield filled.replace("{reference}", reference)
    yield "/api/v1/places?q=Need"
    yield f"/api/v1/places/at?lat={PLACE[0]}&lon={PLACE[1]}"
    yield "/api/v1/defects?limit=5000"


def _tile(zoom: int) -> tuple[int, int, int]:
    lat, lon = math.radians(PLACE[0] + NORTH_OF_M), PLACE[1]
    x = int((lon + 180) / 360 * 2**zoom)
    y = int((1 - math.asinh(math.tan(lat)) / math.pi) / 2 * 2**zoom)
    return zoom, x, y


def _pages(filed: Filed) -> tuple[str, ...]:
    return (
        "/",
        "/status",
        "/find",
        f"/find?reference={filed.reference}",
        f"/reports/{filed.reference}",
        f"/reports/{filed.reference}?token={'x' * 32}",
        f"/reports/{filed.reference}/answer",
        f"/reports/{filed.reference}/not-fixed",
        f"/reports/{filed.reference}/photos/{filed.photo}",
        f"/defects/{filed.defect}",
        f"/map?defect={filed.defect}",
        "/follow",
        "/report",
    )


def _feed(anybody: httpx.Client, newest: int) -> Iterator[str]:
    """The feed from its first line to the last that is for everybody."""
    with anybody.stream("GET", "/api/v1/feed", params={"after": 0}) as answer:
        for line in answer.iter_lines():
            yield line
            if line.startswith("data:") and json.loads(line.removeprefix("data:"))["number"] >= newest:
                return


def _found(read: dict[str, str], needles: tuple[str, ...]) -> list[str]:
    """Every needle that stands somewhere, with where."""
    return [
        f"{needle} in {where}: …{match.group()}…"
        for where, text in read.items()
        for needle in needles
        for match in [re.search(rf".{{0,40}}{re.escape(needle)}.{{0,40}}", text, re.IGNORECASE | re.DOTALL)]
        if match
    ]
