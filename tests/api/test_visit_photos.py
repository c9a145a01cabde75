"""Photos of visits over HTTP: before the visit, after it, at the same instant; the evidence is whole in the end."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.api.test_works import Caller, a_visit, alder, birch, issued, operator, order, worked
from tests.factories import a_picture

__all__ = ["alder", "birch", "operator", "order"]

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)


def send(caller: Caller, visit: dict[str, Any], role: str, data: bytes) -> Any:
    return caller.api.post(
        f"/api/v1/visits/{visit['client_id']}/photos",
        files={"photo": ("IMG_1.jpg", data, "image/jpeg")},
        data={"role": role},
        headers=caller.headers,
    )


def send_both(caller: Caller, visit: dict[str, Any], seed: int = 1) -> None:
    assert send(caller, visit, "before", a_picture(seed, NOW - 1.9 * HOUR)).status_code == 201
    assert send(caller, visit, "after", a_picture(seed + 1, NOW - 1.1 * HOUR)).status_code == 201


def test_photos_that_come_before_their_visit_count_for_it(alder: Caller, order: str) -> None:
    told = a_visit(order)

    send_both(alder, told)
    alder.post("/visits", told)
    worked()

    shown = alder.get(f"/works-orders/{order}").json()
    assert (shown["state"], shown["missing"]) == ("evidence_ok", [])
    assert [photo["role"] for photo in shown["visits"][0]["photos"]] == ["before", "after"]
    assert shown["visits"][0]["evidence"]["flags"] == []


def test_photos_that_come_after_the_evidence_failed_complete_it(alder: Caller, order: str) -> None:
    told = a_visit(order)
    alder.post("/visits", told)
    worked()
    assert alder.get(f"/works-orders/{order}").json()["state"] == "evidence_failed"

    send_both(alder, told)
    worked()

    assert alder.get(f"/works-orders/{order}").json()["state"] == "evidence_ok"


def test_the_same_photo_sent_again_is_the_same_photo(alder: Caller, order: str) -> None:
    told, data = a_visit(order), a_picture(1, NOW - HOUR)

    first, again = send(alder, told, "after", data), send(alder, told, "after", data)

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["reference"] == again.json()["reference"]


def test_a_photo_taken_elsewhere_is_named(alder: Caller, order: str) -> None:
    told = a_visit(order)
    send(alder, told, "before", a_picture(1, NOW - 1.9 * HOUR))
    send(alder, told, "after", a_picture(2, NOW - 1.1 * HOUR, lat=53.7684))
    alder.post("/visits", told)
    worked()

    (missing,) = alder.get(f"/works-orders/{order}").json()["missing"]
    assert "was taken 46" in missing


def test_a_photo_of_another_repair_is_found_out(alder: Caller, order: str) -> None:
    first, second = a_visit(order), a_visit(issued(street_key="another-street"))
    send_both(alder, first)
    send(alder, second, "before", a_picture(7, NOW - 1.9 * HOUR))
    used_again = a_picture(2, NOW - 1.1 * HOUR)
    assert send(alder, second, "after", used_again).status_code == 201
    alder.post("/visits", second)
    worked()

    shown = alder.get(f"/works-orders/{second['order']}").json()

    assert shown["state"] == "evidence_failed"
    (missing,) = shown["missing"]
    assert "came with another visit" in missing


def test_another_contractors_photo_is_not_for_my_visit(alder: Caller, birch: Caller, order: str) -> None:
    told = a_visit(order)
    send_both(birch, told)
    alder.post("/visits", told)
    worked()

    assert alder.get(f"/works-orders/{order}").json()["state"] == "evidence_failed"


def test_what_is_no_photo_is_refused(alder: Caller, order: str) -> None:
    assert send(alder, a_visit(order), "after", b"not a picture").status_code == 422
    assert send(alder, a_visit(order), "during", a_picture(1)).status_code == 422


def test_staff_send_no_photos_of_visits(operator: Caller, order: str) -> None:
    assert send(operator, a_visit(order), "after", a_picture(1)).status_code == 403


def test_a_visit_and_its_photos_told_at_the_same_instant_are_judged_together(alder: Caller, order: str) -> None:
    told = a_visit(order)

    with ThreadPoolExecutor(3) as phones:
        sent = [
            phones.submit(send, alder, told, "before", a_picture(1, NOW - 1.9 * HOUR)),
            phones.submit(alder.post, "/visits", told),
            phones.submit(send, alder, told, "after", a_picture(2, NOW - 1.1 * HOUR)),
        ]
        assert [one.result().status_code for one in sent] == [201, 201, 201]
    worked()

    assert alder.get(f"/works-orders/{order}").json()["state"] == "evidence_ok"
