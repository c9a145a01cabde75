"""Photos: told by content, bounded before they are decoded, stripped for the public, kept whole for staff."""

import io
import resource
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from struct import pack

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from PIL import Image
from sqlalchemy import select, update

from shared import pictures
from shared.domain.events import Consumer
from shared.domain.terms import Role
from shared.flows import act_on_order, receive_photo, report_to_defect
from shared.settings import ROOT, settings
from shared.store import photo_files
from shared.store.engine import transaction
from shared.store.tables import contractor, defect
from tests.api.conftest import MakeKey
from tests.factories import an_order, hear

PHOTOS = ROOT.parent / "shared" / "data" / "photos"
REPORT = {"category": "pothole", "location": {"lat": 53.7632, "lon": -2.7031, "accuracy_m": 8}}


@pytest.fixture
def report(api: TestClient) -> tuple[str, dict[str, str]]:
    """A report's reference, and the headers that its reporter sends."""
    answer = api.post("/api/v1/reports", json=REPORT).json()
    return answer["reference"], {"Authorization": f"Bearer {answer['tracking']['secret']}"}


def _send(api: TestClient, report: tuple[str, dict[str, str]], data: bytes, name: str = "photo.jpg") -> Response:
    reference, headers = report
    return api.post(f"/api/v1/reports/{reference}/photos", files={"photo": (name, data)}, headers=headers)


def _picture(form: str, size: tuple[int, int] = (320, 200), mode: str = "RGB", **options: object) -> bytes:
    """A picture with something on it, in a form."""
    image = Image.linear_gradient("L").resize(size).convert(mode)
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "HEIF"])
@pytest.mark.parametrize("name", ["photo.jpg", "photo.txt"])
def test_a_photo_is_known_by_its_content_and_not_by_its_name(
    api: TestClient, report: tuple[str, dict[str, str]], form: str, name: str
) -> None:
    answer = _send(api, report, _picture(form), name)

    assert answer.status_code == 201, answer.text
    assert (answer.json()["width_px"], answer.json()["height_px"]) == (320, 200)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "1", "I;16"])
def test_pictures_of_every_mode_are_shown_in_colour_on_white(mode: str) -> None:
    made = pictures.read(_picture("PNG", mode=mode), "Europe/London")

    assert Image.open(io.BytesIO(made.public)).mode == "RGB"


def test_the_public_copy_tells_nothing_of_its_sender(
    api: TestClient, report: tuple[str, dict[str, str]], a_key: MakeKey
) -> None:
    original = (PHOTOS / "exif_gps_iphone4s_a.jpg").read_bytes()
    url = _send(api, report, original).json()["url"]

    public = api.get(url, headers=report[1])
    staff = api.get(f"{url}?copy=original", headers=a_key(Role.OPERATOR).headers)

    shown = Image.open(io.BytesIO(public.content))
    assert dict(shown.getexif()) == {}
    assert b"iPhone" not in public.content
    assert staff.content == original


def test_an_original_is_not_for_its_reporter(api: TestClient, report: tuple[str, dict[str, str]]) -> None:
    url = _send(api, report, _picture("JPEG")).json()["url"]

    assert api.get(f"{url}?copy=original", headers=report[1]).status_code == 404


def test_a_photo_is_private(api: TestClient, report: tuple[str, dict[str, str]], a_key: MakeKey) -> None:
    url = _send(api, report, _picture("JPEG")).json()["url"]
    another = api.post("/api/v1/reports", json=REPORT).json()["tracking"]["secret"]

    assert api.get(url).status_code == 404
    assert api.get(url, headers={"Authorization": f"Bearer {another}"}).status_code == 404
    assert api.get(url, headers=a_key(Role.SUPERVISOR).headers).status_code == 200


def test_one_reporter_adds_no_photo_to_anothers_report(api: TestClient, report: tuple[str, dict[str, str]]) -> None:
    another = api.post("/api/v1/reports", json=REPORT).json()["reference"]

    answer = _send(api, (another, report[1]), _picture("JPEG"))

    assert answer.status_code == 404


def test_place_and_time_of_a_photo_are_kept_as_evidence() -> None:
    made = pictures.read((PHOTOS / "exif_gps_iphone4s_a.jpg").read_bytes(), "Europe/London")

    assert made.evidence.taken_at is not None
    assert made.evidence.lat == pytest.approx(37.7, abs=0.3)
    assert made.evidence.lon == pytest.approx(-122.4, abs=0.5)


def test_a_photo_with_a_time_but_no_place_is_taken_with_its_time() -> None:
    made = pictures.read((PHOTOS / "exif_gps_time_only_mi3.jpg").read_bytes(), "Europe/London")

    assert made.evidence.taken_at is not None
    assert made.evidence.lat is None


@pytest.mark.parametrize("name", [path.name for path in sorted(PHOTOS.glob("*.jpg"))])
def test_photos_of_the_world_are_read(name: str) -> None:
    made = pictures.read((PHOTOS / name).read_bytes(), "Europe/London")

    assert len(made.phash) == 16
    assert max(Image.open(io.BytesIO(made.public)).size) <= pictures.PUBLIC_EDGE_PX
    assert max(Image.open(io.BytesIO(made.small)).size) <= pictures.SMALL_EDGE_PX


@pytest.mark.parametrize(("name", "turned"), [("exif_orientation_8.jpg", True), ("exif_orientation_4.jpg", False)])
def test_a_photo_is_turned_upright(name: str, turned: bool) -> None:
    data = (PHOTOS / name).read_bytes()
    width, height = Image.open(io.BytesIO(data)).size

    made = pictures.read(data, "Europe/London")

    assert (made.width_px, made.height_px) == ((height, width) if turned else (width, height))


def test_the_same_scene_has_nearly_the_same_hash_in_another_size_and_form() -> None:
    scene = Image.open(PHOTOS / "pothole_street.jpg").convert("RGB")
    smaller = io.BytesIO()
    scene.resize((scene.width // 2, scene.height // 2)).save(smaller, "WEBP", quality=60)

    first = pictures.read((PHOTOS / "pothole_street.jpg").read_bytes(), "Europe/London").phash
    second = pictures.read(smaller.getvalue(), "Europe/London").phash
    other = pictures.read((PHOTOS / "detections_SETX_1.jpg").read_bytes(), "Europe/London").phash

    assert (int(first, 16) ^ int(second, 16)).bit_count() <= 4
    assert (int(first, 16) ^ int(other, 16)).bit_count() > 10


def _png_that_claims(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header promises a huge picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return pack(">I", len(data)) + kind + data + pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(60_000, 60_000), (20_000, 4_000), (2**31 - 1, 1)])
def test_a_decompression_bomb_is_refused_before_it_is_decoded(
    api: TestClient, report: tuple[str, dict[str, str]], size: tuple[int, int]
) -> None:
    answer = _send(api, report, _png_that_claims(*size))

    assert answer.status_code in (413, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_photo_of_too_many_bytes_is_refused(api: TestClient, report: tuple[str, dict[str, str]]) -> None:
    answer = _send(api, report, b"\xff\xd8\xff" + b"\0" * pictures.MOST_BYTES)
    far_more = _send(api, report, b"\0" * (20 * 1024 * 1024))

    assert (answer.status_code, far_more.status_code) == (413, 413)
    assert far_more.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"GIF89a" + b"\0" * 100,
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7",
        _picture("JPEG")[:400],
        _picture("PNG")[:-200],
        _picture("WEBP")[:100],
        _picture("HEIF")[:300],
        _picture("BMP"),
        _picture("TIFF"),
        _picture("JPEG", (20, 20)),
    ],
    ids=["empty", "text", "gif", "svg", "pdf", "cut jpeg", "cut png", "cut webp", "cut heic", "bmp", "tiff", "tiny"],
)
def test_what_is_not_a_whole_photo_is_refused_in_plain_words(
    api: TestClient, report: tuple[str, dict[str, str]], data: bytes
) -> None:
    answer = _send(api, report, data)

    assert answer.status_code == 422, answer.text
    assert answer.json()["type"] in ("/problems/not-a-photo", "/problems/invalid-input")


def test_the_same_photo_again_is_the_same_photo(api: TestClient, report: tuple[str, dict[str, str]]) -> None:
    first, again = _send(api, report, _picture("JPEG")), _send(api, report, _picture("JPEG"))

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["reference"] == first.json()["reference"]


def test_a_report_has_ten_photos_at_most(api: TestClient, report: tuple[str, dict[str, str]]) -> None:
    answers = [_send(api, report, _picture("JPEG", (100 + n, 100))).status_code for n in range(11)]

    assert answers == [201] * 10 + [409]


def test_a_refused_photo_leaves_no_file_that_is_not_swept(api: TestClient, report: tuple[str, dict[str, str]]) -> None:
    _send(api, report, b"not a photo")

    assert [file for file in settings().photo_dir.rglob("*") if file.is_file()] == []


@pytest.fixture
def no_room() -> Iterator[None]:
    """This process may write no file of more than 64 KB."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("no_room")
def test_no_room_on_the_disk_is_said_and_leaves_nothing(api: TestClient, report: tuple[str, dict[str, str]]) -> None:
    answer = _send(api, report, _picture("PNG", (500, 500), compress_level=0))

    assert answer.status_code == 503, answer.text
    assert answer.json()["type"] == "/problems/storage-full"
    assert answer.headers["retry-after"]
    assert [file for file in settings().photo_dir.rglob("*") if file.is_file()] == []


def test_files_that_no_row_names_are_swept_when_they_are_old(
    api: TestClient, report: tuple[str, dict[str, str]]
) -> None:
    kept = _send(api, report, _picture("JPEG")).json()
    photo_files.write("0f" * 16, {copy: b"left behind" for copy in photo_files.Copy})
    now = datetime.now(UTC)

    with transaction("test") as tx:
        soon = receive_photo.sweep_orphans(tx, now)
        later = receive_photo.sweep_orphans(tx, now + receive_photo.ORPHAN_AGE + timedelta(minutes=1))

    assert (soon, later) == (0, 1)
    assert api.get(kept["url"], headers=report[1]).status_code == 200
    assert not photo_files.path("0f" * 16, photo_files.Copy.ORIGINAL).exists()


def test_a_contractor_sees_the_photos_of_reports_on_its_own_orders_only(
    api: TestClient, report: tuple[str, dict[str, str]], a_key: MakeKey
) -> None:
    url = _send(api, report, _picture("JPEG")).json()["url"]
    now = datetime.now(UTC)
    with transaction("test") as tx:
        hear(tx, Consumer.TRIAGE, report_to_defect.run, now)
        defect_id = tx.scalar(select(defect.c.id))
        tx.execute(update(defect).values(state="confirmed", band="P10", permanent_due_at=now + timedelta(days=9)))
        order = an_order(tx, defect_id)
        mine = tx.scalar(select(contractor.c.code).where(contractor.c.id == order.contractor_id))
        another = tx.scalar(select(contractor.c.code).where(contractor.c.id != order.contractor_id).limit(1))

    own = api.get(url, headers=a_key(Role.CONTRACTOR, contractor=mine).headers)
    anothers = api.get(url, headers=a_key(Role.CONTRACTOR, contractor=another).headers)
    original = api.get(f"{url}?copy=original", headers=a_key(Role.CONTRACTOR, contractor=mine).headers)

    assert (own.status_code, anothers.status_code, original.status_code) == (200, 404, 404)


def test_a_contractor_who_lost_an_order_sees_no_photo_that_came_later(
    api: TestClient, report: tuple[str, dict[str, str]], a_key: MakeKey
) -> None:
    reference, alder = _ordered(api, report), a_key(Role.CONTRACTOR, contractor="alder").headers
    with transaction("test") as tx:
        act_on_order.cancel(tx, reference, "The scheme covers it.", datetime.now(UTC))
    later = _send(api, report, _picture("JPEG", (200, 200))).json()

    shown = api.get(f"/api/v1/works-orders/{reference}", headers=alder).json()["report_photos"]

    assert api.get(later["url"], headers=alder).status_code == 404
    (before,) = shown
    assert before["reference"] != later["reference"]
    assert api.get(f"/api/v1/photos/{before['reference']}", headers=alder).status_code == 200


def test_a_contractor_who_declined_an_order_sees_no_photo_of_it(
    api: TestClient, report: tuple[str, dict[str, str]], a_key: MakeKey
) -> None:
    reference, alder = _ordered(api, report), a_key(Role.CONTRACTOR, contractor="alder").headers
    (photo,) = api.get(f"/api/v1/works-orders/{reference}", headers=alder).json()["report_photos"]

    api.post(f"/api/v1/works-orders/{reference}/decline", json={"reason": "No crew this week."}, headers=alder)

    assert api.get(f"/api/v1/works-orders/{reference}", headers=alder).json()["report_photos"] == []
    assert api.get(f"/api/v1/photos/{photo['reference']}", headers=alder).status_code == 404


def _ordered(api: TestClient, report: tuple[str, dict[str, str]]) -> str:
    """The reference of Alder's order for what a report with a photo tells of."""
    _send(api, report, _picture("JPEG"))
    now = datetime.now(UTC)
    with transaction("test") as tx:
        hear(tx, Consumer.TRIAGE, report_to_defect.run, now)
        defect_id = tx.scalar(select(defect.c.id))
        values = {"state": "confirmed", "band": "P10", "permanent_due_at": now + timedelta(days=9)}
        tx.execute(update(defect).values(area_code="E07000123", **values))
        return an_order(tx, defect_id).reference
