"""The record in plain words: every kind that a page shows has a sentence, and none shows a code or an id."""

from datetime import UTC
from zoneinfo import ZoneInfo

from shared.domain.event_words import TOLD, Said, sentence
from shared.domain.events import KINDS

SHOWN = {"report", "defect", "works_order", "warranty", "recall", "photo"}


def test_every_event_about_what_a_page_shows_has_words() -> None:
    shown = {name for name, kind in KINDS.items() if kind.SUBJECT in SHOWN}

    assert shown - TOLD == set()
    assert TOLD - shown == set()


def test_a_kind_that_is_not_known_is_told_by_its_name() -> None:
    assert sentence(Said("SomethingNew", None, None, {})).words == "SomethingNew."


def test_a_grade_tells_band_times_and_reasons() -> None:
    data = {"band": "P5", "was": "P20", "why": ["Deep.", "Busy."], "permanent_due": "2026-12-01T23:59:59+00:00"}

    said = sentence(Said("DefectGraded", None, None, data, zone=ZoneInfo("Europe/London")))

    assert said.words == "Graded P5; it was P20. To be mended by Tue 1 Dec 2026 23:59."
    assert said.why == "Deep. Busy."


def test_what_was_seen_again_is_counted() -> None:
    said = sentence(Said("DefectSighted", None, None, {"reports": 1, "detections": 3, "danger": True}, zone=UTC))

    assert said.words == "Seen again: 1 report, 3 detections. Danger was told of."


def test_a_merge_names_the_other_one() -> None:
    merged = Said("DefectMerged", "confirmed", "duplicate", {"why": "One hole."}, {"other": "D-2P5R-8ABC"})

    assert sentence(merged).words == "Found to be the same as D-2P5R-8ABC."
    assert sentence(merged).why == "One hole."
