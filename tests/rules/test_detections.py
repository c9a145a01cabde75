"""Detections as vendors send them: read one by one, refused one by one, in three shapes and through gzip."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api import detection_input
from services.api.detection_input import Kept, read
from shared.domain.detection import Detection, Fault, Reader, Unreadable
from shared.domain.policy import Policy, parse
from shared.errors import Invalid, Refusal, TooLarge

NOW = datetime(2026, 5, 2, 12, tzinfo=UTC)
GOOD: dict[str, Any] = {
    "external_id": "a-1",
    "survey_pass_id": "pass-1",
    "captured_at": "2026-05-01T09:30:00+01:00",
    "class_scheme": "rdd2022",
    "class_code": "D40",
    "confidence": 0.9,
    "lat": 53.76,
    "lon": -2.7,
    "h_accuracy_m": 1.5,
    "est_depth_mm": 45,
    "bbox": [1, 2, 3, 4],
    "conditions": {"wet": True},
}


@pytest.fixture(scope="module")
def policy() -> Policy:
    file = Path("shared/policy/lancashire.toml")
    return parse(file.read_text(), file.name)


def lines(*items: Any) -> bytes:
    return b"\n".join(item if isinstance(item, bytes) else json.dumps(item).encode() for item in items)


def sent(body: bytes, kind: str = "application/json", encoding: str = "") -> list[Kept | Unreadable]:
    return list(read(body, kind, encoding, 100_000).items)


def outcome(policy: Policy, **changed: Any) -> Detection | Fault:
    item = {name: value for name, value in {**GOOD, **changed}.items() if value is not None}
    return Reader(policy, "van", NOW).read(0, sent(lines(item), "application/x-ndjson")[0])


def test_an_array_a_collection_and_lines_say_the_same() -> None:
    flat = {name: value for name, value in GOOD.items() if name not in ("lat", "lon")}
    feature = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [-2.7, 53.76]}, "properties": flat}
    collection = {"type": "FeatureCollection", "features": [feature]}

    told = {
        str(sent(body, kind))
        for body, kind in (
            (json.dumps([GOOD]).encode(), "application/json"),
            (json.dumps([GOOD], indent=2).encode(), ""),
            (json.dumps(collection).encode(), "application/geo+json"),
            (json.dumps(collection, indent=1).encode(), "application/json"),
            (lines(GOOD), "application/x-ndjson"),
            (lines(GOOD) + b"\r\n\r\n", "application/x-ndjson; charset=utf-8"),
        )
    }

    assert len(told) == 1


def test_lines_are_known_for_lines_whatever_the_content_type_says() -> None:
    assert len(sent(lines(GOOD, GOOD), "application/json")) == 2


def test_what_decides_stands_in_columns_and_the_rest_is_kept_with_it(policy: Policy) -> None:
    kept = outcome(policy)

    assert isinstance(kept, Detection)
    assert (kept.class_code, kept.accuracy_m, kept.depth_mm) == ("pothole", 1.5, 45.0)
    assert kept.captured_at == datetime(2026, 5, 1, 8, 30, tzinfo=UTC)
    assert json.loads(kept.more) == {"bbox": [1, 2, 3, 4], "conditions": {"wet": True}}


def test_an_accuracy_that_is_not_told_is_the_policys(policy: Policy) -> None:
    kept = outcome(policy, h_accuracy_m=None)

    assert isinstance(kept, Detection)
    assert kept.accuracy_m == policy.place.default_accuracy_m


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"confidence": 1.2}, "confidence"),
        ({"confidence": True}, "confidence"),
        ({"confidence": "0.9"}, "confidence"),
        ({"lat": 91}, "lat"),
        ({"lon": None}, "lon"),
        ({"lat": 10**400}, "lat"),
        ({"external_id": ""}, "external_id"),
        ({"external_id": "x" * 201}, "external_id"),
        ({"external_id": "a\0b"}, "external_id"),
        ({"model_name": "a\u001bb"}, "model_name"),
        ({"captured_at": "2026-05-01T09:30:00"}, "captured_at"),
        ({"captured_at": "yesterday"}, "captured_at"),
        ({"captured_at": "2026-05-02T12:11:00Z"}, "captured_at"),
        ({"captured_at": "1999-05-02T12:11:00Z"}, "captured_at"),
        ({"class_code": "D99"}, "class_code"),
        ({"class_scheme": "ours", "class_code": "D40"}, "class_code"),
        ({"source": "another"}, "source"),
        ({"bbox": [1, 2, 3]}, "bbox"),
        ({"depth_method": "guess"}, "depth_method"),
        ({"conditions": {"foggy": True}}, "conditions"),
        ({"heading_deg": 361}, "heading_deg"),
        ({"image_url": "javascript:alert(1)"}, "image_url"),
        ({"image_sha256": "abc"}, "image_sha256"),
    ],
)
def test_a_fault_is_told_with_its_field(policy: Policy, changed: dict[str, Any], field: str) -> None:
    refused = outcome(policy, **changed)

    assert isinstance(refused, Fault)
    assert refused.field == field
    assert refused.reason


@pytest.mark.parametrize(
    "bad",
    [
        b'{"confidence": NaN}',
        b"{",
        b"5",
        b"[]",
        b'"x"',
        b'{"external_id": "\xff"}',
        b'{"external_id": "\\ud800"}',
        b'{"x": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"x": "' + b"y" * 20_000 + b'"}',
    ],
)
def test_one_bad_line_harms_no_other(bad: bytes) -> None:
    first, refused, last = sent(lines(GOOD, bad, {**GOOD, "external_id": "a-2"}), "application/x-ndjson")

    assert isinstance(first, Kept)
    assert isinstance(refused, Unreadable)
    assert isinstance(last, Kept)


def test_fields_that_are_not_known_are_named_and_not_kept() -> None:
    body = read(lines({**GOOD, "colour": "grey", "more": {"x": 1}}), "application/x-ndjson", "", 10)

    assert body.ignored == ["colour", "more"]
    assert isinstance(body.items[0], Kept)
    assert "grey" not in body.items[0].more


def test_a_feature_without_a_point_is_refused_by_itself() -> None:
    flat = {name: value for name, value in GOOD.items() if name not in ("lat", "lon", "external_id")}
    good = {
        "type": "Feature",
        "id": 7,
        "geometry": {"type": "Point", "coordinates": [-2.7, 53.76, 12]},
        "properties": flat,
    }
    bad = {"type": "Feature", "geometry": None, "properties": flat}

    kept, refused = sent(json.dumps({"type": "FeatureCollection", "features": [good, bad]}).encode())

    assert isinstance(kept, Kept)
    assert kept.sent.external_id == "7"
    assert isinstance(refused, Unreadable)
    assert refused.field == "geometry"


def test_gzip_is_read_in_one_member_or_in_several() -> None:
    whole = gzip.compress(lines(GOOD, GOOD))
    parts = gzip.compress(lines(GOOD) + b"\n") + gzip.compress(lines(GOOD))

    assert len(sent(whole, "application/x-ndjson", "gzip")) == 2
    assert len(sent(parts, "application/x-ndjson", "gzip")) == 2


@pytest.mark.parametrize(
    ("body", "encoding", "says"),
    [
        (gzip.compress(b"[]" * 5000, mtime=0)[:40], "gzip", "cut off"),
        (b"plain", "gzip", "not gzip"),
        (b"[]", "br", "br is not read here"),
        (b"", "", "is empty"),
        (b"  \n", "", "is empty"),
        (b"hello", "", "neither a JSON array"),
        (b"[NaN]", "", "neither a JSON array"),
        (b'{"type": "FeatureCollection", "features": 5}', "", "neither a JSON array"),
        (b"[" * 100_000 + b"]" * 100_000, "", "neither a JSON array"),
    ],
)
def test_a_body_that_cannot_be_taken_apart_is_refused_whole(body: bytes, encoding: str, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        sent(body, "application/json", encoding)


def test_a_body_that_swells_beyond_its_bound_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detection_input, "MOST_INFLATED", 1000)

    with pytest.raises(TooLarge, match="once inflated"):
        sent(gzip.compress(bytes(100_000)), "application/x-ndjson", "gzip")


def test_more_detections_than_are_taken_are_too_many() -> None:
    with pytest.raises(TooLarge, match="3 detections came; send 2"):
        read(lines({}, {}, {}), "application/x-ndjson", "", 2)


@pytest.mark.parametrize(
    ("body", "kind", "says"),
    [
        (b"[" + b"0," * 100 + b"0]", "application/json", "not 2 detections at most"),
        (b"[{}" + b",0" * 100 + b"]", "application/json", "not 2 detections at most"),
        (b'{"features": [' + b"0," * 100 + b'0], "type": "FeatureCollection"}', "", "not 2 detections at most"),
        (b"[" + b"{}," * 100 + b"{}]", "application/json", "101 objects came"),
        (b"a" + b"\n" * 100 + b"a", "application/x-ndjson", "101 lines came"),
        (b'{"a": 1}' + b"\n" * 100 + b"{}", "application/json", "101 lines came"),
    ],
    ids=["numbers", "numbers after an object", "numbers for features", "empty objects", "empty lines", "known lines"],
)
def test_scraps_are_refused_before_a_thing_is_made_of_each(body: bytes, kind: str, says: str) -> None:
    with pytest.raises(TooLarge, match=says):
        read(body, kind, "", 2)


def test_detections_with_long_fields_of_the_vendors_own_are_no_scraps() -> None:
    outlined = {**GOOD, "outline": [[n, n] for n in range(100)]}
    point = {"type": "Point", "coordinates": [-2.7, 53.76]}
    collection = {
        "type": "FeatureCollection",
        "features": [{"type": "Feature", "geometry": point, "properties": outlined}],
    }

    assert len(read(json.dumps([outlined, outlined]).encode(), "", "", 2).items) == 2
    assert len(read(json.dumps(collection).encode(), "", "", 2).items) == 1


def test_the_fields_of_one_that_is_too_long_are_not_named() -> None:
    body = read(b'{"x": 1}\n{"' + b"y" * 20_000 + b'": 1}', "application/x-ndjson", "", 10)

    assert body.ignored == ["x"]


@given(st.binary(max_size=300), st.sampled_from(["", "application/json", "application/x-ndjson"]))
def test_any_bytes_are_read_or_refused_and_never_fail(body: bytes, kind: str) -> None:
    try:
        items = sent(body, kind)
    except Refusal:
        return

    assert all(isinstance(item, Kept | Unreadable) for item in items)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(field=st.sampled_from(sorted(detection_input.FIELDS)), value=_json)
def test_any_value_of_a_field_is_kept_or_refused_with_that_item_alone(policy: Policy, field: str, value: Any) -> None:
    body = lines({**GOOD, field: value}, {**GOOD, "external_id": "the-other"})

    first, second = sent(body, "application/x-ndjson")

    assert isinstance(Reader(policy, "van", NOW).read(0, first), Detection | Fault)
    assert isinstance(second, Kept)
