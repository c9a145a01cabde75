"""Bodies that mean harm: photos that are none or too much, detections without end. A clear no, in bounded memory."""

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from random import Random

import httpx
import pillow_heif
import pytest
from PIL import Image

from infra.native.layout import ROOT
from tests.factories import a_picture
from tests.probe.conftest import Answered
from tests.probe.house import House
from tests.probe.memory import MB, watched

pillow_heif.register_heif_opener()
pytestmark = pytest.mark.slow

PHOTOS = ROOT.parent / "shared" / "data" / "photos"
PHOTO_MEMORY = 400 * MB
"""For one photo of 60 million pixels: 240 MB decoded, and a little."""
BATCH_MEMORY = 450 * MB
"""For one batch: 320 MB inflated at most, with room for a growing buffer."""
BODY_MEMORY = 100 * MB
NDJSON = {"Content-Type": "application/x-ndjson"}
GZIP = {**NDJSON, "Content-Encoding": "gzip"}


def _api(house: House) -> int:
    return house.stack.children["api"].pid


def _problem(answer: httpx.Response, *statuses: int) -> str:
    """That it is a problem of one of these statuses; and in a word, which."""
    assert answer.status_code in statuses, answer.text[:500]
    assert answer.headers["content-type"] == "application/problem+json"
    return f"{answer.status_code} {answer.json()['type']}"


@pytest.fixture
def report(house: House) -> tuple[str, dict[str, str]]:
    """Where photos of a fresh report go, and the headers of its reporter."""
    told = house.post_report()
    return f"/api/v1/reports/{told['reference']}/photos", {"Authorization": f"Bearer {told['tracking']['secret']}"}


def _send(house: House, report: tuple[str, dict[str, str]], data: bytes, name: str = "photo.jpg") -> httpx.Response:
    return house.ask("POST", report[0], headers=report[1], files={"photo": (name, data, "image/jpeg")})


# --- photos ----------------------------------------------------------------------------------------------------------


def _png(width: int, height: int) -> bytes:
    """A whole and valid black PNG: a few bytes for each thousand pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    deflate, row = zlib.compressobj(9), b"\0" * (1 + width * 3)
    rows = b"".join(deflate.compress(row) for _ in range(height)) + deflate.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def _jpeg(width: int, height: int) -> bytes:
    out = io.BytesIO()
    Image.new("L", (width, height)).save(out, "JPEG")
    return out.getvalue()


def _heic() -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(out, "HEIF")
    return out.getvalue()


SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><script>alert(1)</script>"
NO_PHOTO = {
    "nothing": b"",
    "svg": SVG,
    "html": HTML,
    "html after the mark of a jpeg": b"\xff\xd8\xff\xe0" + HTML,
    "truncated": a_picture(1)[:900],
    "only the mark of a heic": b"\0\0\0\x18ftypheic" + b"\0" * 12,
    "endless boxes of a heic": b"\0\0\0\x18ftypheic\0\0\0\0heicmif1" + b"\0\0\0\x08free" * 50_000,
    "gzip": gzip.compress(a_picture(1)),
}


@pytest.mark.parametrize("data", NO_PHOTO.values(), ids=NO_PHOTO)
def test_what_is_no_photo_is_refused_whatever_its_name(
    house: House, report: tuple[str, dict[str, str]], data: bytes, answered: Answered
) -> None:
    with watched(_api(house)) as peak:
        answer = _send(house, report, data)

    answered(f"{_problem(answer, 422)}, +{peak.grown // MB} MB")
    assert peak.grown < BODY_MEMORY


BOMBS = {"png of 400 MP": (_png, 20_000, 20_000), "jpeg of 100 MP": (_jpeg, 10_000, 10_000)}


@pytest.mark.parametrize(("make", "width", "height"), BOMBS.values(), ids=BOMBS)
def test_a_decompression_bomb_is_refused_before_it_is_decoded(
    house: House, report: tuple[str, dict[str, str]], make: object, width: int, height: int, answered: Answered
) -> None:
    bomb = make(width, height)  # type: ignore[operator]
    with watched(_api(house)) as peak:
        answer = _send(house, report, bomb)

    answered(f"{len(bomb) / 1e6:.1f} MB sent: {_problem(answer, 413)}, +{peak.grown // MB} MB")
    assert peak.grown < BODY_MEMORY


def test_the_largest_photo_that_is_taken_needs_no_more_memory_than_is_said(
    house: House, report: tuple[str, dict[str, str]], answered: Answered
) -> None:
    with watched(_api(house)) as peak:
        answer = _send(house, report, _png(7_500, 8_000))

    answered(f"60 MP in PNG: {answer.status_code}, +{peak.grown // MB} MB")
    assert answer.status_code == 201, answer.text
    assert peak.grown < PHOTO_MEMORY


def test_what_rides_on_a_photo_is_shown_to_nobody(
    house: House, report: tuple[str, dict[str, str]], answered: Answered
) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("page.html", HTML)
    url = _send(house, report, a_picture(2) + HTML + archive.getvalue()).json()["url"]

    shown = house.ask("GET", url, headers=report[1])
    original = house.ask("GET", f"{url}?copy=original", "operator")

    answered("201; the copy that is shown holds neither page nor archive, the original is sent as a picture")
    assert b"script" not in shown.content
    assert b"PK\x03\x04" not in shown.content
    for one in (shown, original):
        assert one.headers["content-type"] == "image/jpeg"
        assert one.headers["x-content-type-options"] == "nosniff"
        assert one.headers["content-security-policy"] == "sandbox"


@pytest.mark.parametrize("name", ["exif_malformed_canon_s400.jpg", "exif_gps_time_only_mi3.jpg", "pothole_street.jpg"])
def test_a_photo_of_the_world_is_taken_whatever_its_exif_says(
    house: House, report: tuple[str, dict[str, str]], name: str, answered: Answered
) -> None:
    answer = _send(house, report, (PHOTOS / name).read_bytes())

    answered(answer.status_code)
    assert answer.status_code == 201, answer.text


def _damaged(whole: bytes, chance: Random) -> bytes:
    """Some bytes of it are others now."""
    data = bytearray(whole)
    for _ in range(chance.randrange(1, 20)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data)


@pytest.mark.parametrize("form", ["heic", "jpeg with exif"])
def test_a_damaged_photo_is_read_or_refused_and_ends_no_process(house: House, form: str, answered: Answered) -> None:
    whole = _heic() if form == "heic" else (PHOTOS / "exif_gps_iphone4s_a.jpg").read_bytes()[:60_000]
    chance, before, said = Random(7), _api(house), []
    for _ in range(4):
        told = house.post_report()
        to = f"/api/v1/reports/{told['reference']}/photos", {"Authorization": f"Bearer {told['tracking']['secret']}"}
        said += [_send(house, to, _damaged(whole, chance)).status_code for _ in range(9)]

    answered(", ".join(f"{said.count(status)} × {status}" for status in sorted(set(said))))
    assert set(said) <= {200, 201, 413, 422}
    assert _api(house) == before
    assert house.stack.children["api"].ended() is None


# --- detections ------------------------------------------------------------------------------------------------------


def _batch(house: House, content: bytes | Iterator[bytes], headers: dict[str, str]) -> httpx.Response:
    return house.ask("POST", "/api/v1/detections", "van", content=content, headers=headers)


def _gzipped(megabytes: int) -> bytes:
    """So many megabytes of one line, packed."""
    pack, piece = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS | 16), b"a" * MB
    return b"".join(pack.compress(piece) for _ in range(megabytes)) + pack.flush()


def test_a_line_of_a_gigabyte_in_gzip_is_refused(house: House, answered: Answered) -> None:
    bomb = _gzipped(1024)
    with watched(_api(house)) as peak:
        answer = _batch(house, bomb, GZIP)

    answered(f"{len(bomb) / 1e6:.1f} MB sent: {_problem(answer, 413)}, +{peak.grown // MB} MB")
    assert peak.grown < BATCH_MEMORY


def test_a_line_of_a_gigabyte_is_refused_when_its_limit_is_passed(house: House, answered: Answered) -> None:
    sent = 0

    def pieces() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(1024):
            sent += MB
            yield b"a" * MB

    with watched(_api(house)) as peak:
        try:
            said = _problem(_batch(house, pieces(), NDJSON), 413)
        except httpx.TransportError as error:
            # The answer came and the connection was closed while we were still sending.
            said = type(error).__name__

    answered(f"{said} after {sent // MB} MB, +{peak.grown // MB} MB")
    assert sent < 300 * MB
    assert peak.grown < 2 * BODY_MEMORY
    assert house.ask("GET", "/health/ready").status_code == 200


def _packed(head: bytes, piece: bytes, tail: bytes, megabytes: int = 300) -> bytes:
    """So many megabytes of a piece again and again between a head and a tail, packed."""
    pack, pieces = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS | 16), piece * (MB // len(piece))
    packed = [pack.compress(head), *(pack.compress(pieces) for _ in range(megabytes)), pack.compress(tail)]
    return b"".join(packed) + pack.flush()


OF_ARRAY = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
SCRAPS = {
    "numbers": (b"[", b"0,", b"0]", OF_ARRAY),
    "numbers after an object": (b"[{}", b",0", b"]", OF_ARRAY),
    "empty objects": (b"[", b"{},", b"{}]", OF_ARRAY),
    "numbers for features": (b'{"type": "FeatureCollection", "features": [', b"0,", b"0]}", OF_ARRAY),
    "empty lines": (b"a", b"\n", b"a", GZIP),
}


@pytest.mark.parametrize(("head", "piece", "tail", "headers"), SCRAPS.values(), ids=SCRAPS)
def test_hundreds_of_millions_of_scraps_are_refused_before_a_thing_is_made_of_each(
    house: House, head: bytes, piece: bytes, tail: bytes, headers: dict[str, str], answered: Answered
) -> None:
    body = _packed(head, piece, tail)
    with watched(_api(house)) as peak:
        answer = _batch(house, body, headers)

    answered(f"{len(body) / 1e6:.1f} MB sent: {_problem(answer, 413)}, +{peak.grown // MB} MB")
    assert peak.grown < BATCH_MEMORY


WHOLE = {
    "nested gzip": (gzip.compress(gzip.compress(b'{"a": 1}')), GZIP),
    "half a gzip": (gzip.compress(b'{"a": 1}' * 1000)[:-20], GZIP),
    "no gzip": (b'{"a": 1}', GZIP),
    "another packing": (b"abc", {**NDJSON, "Content-Encoding": "br"}),
    "nothing": (b"", NDJSON),
    "a deep array": (b"[" * 1_000_000, {"Content-Type": "application/json"}),
    "not UTF-8": (b"\xff\xfe{", {"Content-Type": "application/json"}),
    "NaN alone": (b"NaN", {"Content-Type": "application/json"}),
}


@pytest.mark.parametrize(("content", "headers"), WHOLE.values(), ids=WHOLE)
def test_a_batch_that_cannot_be_told_apart_is_refused(
    house: House, content: bytes, headers: dict[str, str], answered: Answered
) -> None:
    with watched(_api(house)) as peak:
        answer = _batch(house, content, headers)

    # What stands on lines is refused line by line; what is one thing, as a whole.
    if answer.status_code == 202:
        assert (answer.json()["accepted"], answer.json()["refused"]) == (0, 1)
        answered(f"202, refused: {answer.json()['refused_items'][0]['reason']}")
    else:
        answered(f"{_problem(answer, 422)}, +{peak.grown // MB} MB")
    assert peak.grown < BODY_MEMORY


LINE = (
    '{"external_id": "a", "captured_at": "2026-05-01T09:30:00Z", "class_code": "D40", "confidence": 0.9, '
    '"lat": 53.7632, "lon": -2.7031, %s}'
)
BAD = {
    "NaN": '"est_width_mm": NaN',
    "infinity": '"est_width_mm": Infinity',
    "1e999": '"est_width_mm": 1e999',
    "a huge integer": '"est_width_mm": ' + "9" * 5_000,
    "deep nesting": '"conditions": ' + "[" * 7_000 + "]" * 7_000,
    "NUL in a text": '"survey_pass_id": "a\\u0000b"',
    "NUL in a name": '"conditions": {"a\\u0000b": 1}',
    "half a surrogate pair": '"survey_pass_id": "\\ud800"',
    "the longest line": '"model_name": "' + "a" * 20_000 + '"',
}


@pytest.mark.parametrize("field", BAD.values(), ids=BAD)
def test_a_bad_detection_is_refused_by_itself(house: House, field: str, answered: Answered) -> None:
    answer = _batch(house, (LINE % field).encode(), NDJSON)

    assert answer.status_code == 202, answer.text
    told = answer.json()
    (fault,) = told["refused_items"]
    answered(f"202, refused: {fault['field']} {fault['reason'][:100]}")
    assert (told["accepted"], told["refused"]) == (0, 1)


def test_a_line_that_is_not_utf8_is_refused_by_itself(house: House, answered: Answered) -> None:
    answer = _batch(house, (LINE % '"survey_pass_id": "?"').encode().replace(b"?", b"\xff"), NDJSON)

    answered(f"202, refused: {answer.json()['refused_items'][0]['reason']}")
    assert answer.json()["refused"] == 1


# --- every other body ------------------------------------------------------------------------------------------------

JSON = {
    "a deep array": b"[" * 500_000,
    "a deep object": b'{"a":' * 100_000,
    "not UTF-8": b'{"category": "\xff"}',
    "UTF-16": '{"category": "pothole"}'.encode("utf-16"),
    "NaN": b'{"category": "pothole", "location": {"lat": NaN, "lon": -2.7}}',
    "infinity": b'{"category": "pothole", "location": {"lat": Infinity, "lon": -2.7}}',
    "1e999": b'{"category": "pothole", "location": {"lat": 1e999, "lon": -2.7}}',
    "a huge integer": b'{"category": "pothole", "location": {"lat": ' + b"9" * 500_000 + b', "lon": -2.7}}',
    "half a surrogate pair": b'{"category": "\\ud800", "location": {"lat": 53.7, "lon": -2.7}}',
    "NUL": b'{"category": "pot\\u0000hole", "location": {"lat": 53.7, "lon": -2.7}}',
    "more than the limit": b'"' + b"a" * 2 * MB + b'"',
}


@pytest.mark.parametrize(
    ("path", "who"),
    [("/api/v1/reports", "public"), ("/api/v1/people", "admin"), ("/api/v1/visits", "alder")],
    ids=["report", "person", "visit"],
)
@pytest.mark.parametrize("body", JSON.values(), ids=JSON)
def test_json_that_means_harm_is_refused(house: House, path: str, who: str, body: bytes, answered: Answered) -> None:
    with watched(_api(house)) as peak:
        answer = house.ask("POST", path, who, content=body, headers={"Content-Type": "application/json"})

    answered(f"{_problem(answer, 400, 413, 422)}, +{peak.grown // MB} MB")
    assert peak.grown < BODY_MEMORY
