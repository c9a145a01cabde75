"""What stands against a save: what another decided, what changed its ground; not what a machine saw once more."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.events import KINDS
from shared.domain.meanwhile import GROUND, Happened, ago, changes, in_words
from shared.domain.terms import OrderState

NOW = datetime(2026, 11, 26, 14, 5, tzinfo=UTC)
ADA, BEN = "person:1", "person:2"
NAMES = {ADA: "Ada Fell", BEN: "Ben Carr"}
_numbers = iter(range(1, 10_000))


def an_event(kind: str, actor: str, minutes_ago: float = 2, **more: Any) -> Happened:
    known = {"reference": "D-7K3M-9QXF", "name": NAMES.get(actor), "data": {}}
    return Happened(
        id=next(_numbers), at=NOW - timedelta(minutes=minutes_ago), kind=kind, actor=actor, **{**known, **more}
    )


def confirmed(actor: str, band: str = "P5") -> list[Happened]:
    return [
        an_event("DefectStepped", actor, before="candidate", after="confirmed"),
        an_event("DefectGraded", actor, data={"band": band, "was": None}),
    ]


def test_who_did_what_when_is_said_in_a_sentence() -> None:
    found = changes(confirmed(BEN), ADA)

    assert in_words(found, NOW) == ("Ben Carr confirmed it as P5 two minutes ago. Look at it again before you save.")


def test_what_one_did_oneself_does_not_stand_against_ones_save() -> None:
    assert changes(confirmed(ADA), ADA) == ()


@pytest.mark.parametrize(
    "seen_again",
    [
        an_event("DefectSighted", "worker:detections", data={"detections": 1}),
        an_event("DefectSighted", "worker:triage", data={"reports": 1}),
        an_event("DefectGraded", "worker:grade", data={"band": "P5", "was": "P5"}),
        an_event("DeadlineMoved", "command:holidays"),
        an_event("ReportPhotoAdded", "reporter:4"),
    ],
    ids=lambda one: f"{one.kind} {one.data}",
)
def test_what_a_machine_saw_once_more_does_not_stand_against_a_save(seen_again: Happened) -> None:
    assert changes([seen_again], ADA) == ()


@pytest.mark.parametrize(
    ("changed", "did"),
    [
        (an_event("DefectGraded", "worker:grade", data={"band": "P2", "was": "P5"}), "A rule graded it P2"),
        (an_event("DefectOrdered", "worker:assign", before="confirmed", after="ordered"), "A rule ordered its repair"),
        (
            an_event("DefectMerged", BEN, other="D-2P5R-8ABC", before="confirmed", after="duplicate"),
            "Ben Carr merged it into D-2P5R-8ABC",
        ),
        (
            an_event("DefectMerged", BEN, other="D-2P5R-8ABC", of_other=True, before="confirmed", after="duplicate"),
            "Ben Carr merged D-2P5R-8ABC into it",
        ),
        (an_event("DefectSighted", BEN, data={"reports": 1}), "Ben Carr linked a report"),
        (
            an_event("ReportLinked", "worker:triage", before="linked", after="linked", other="D-1"),
            "A rule linked it to D-1",
        ),
        (an_event("VisitPhotoAdded", "key:3", name="Alder's phones"), "Alder's phones sent a photo of the repair"),
        (
            an_event("RecallDecided", BEN, data={"decision": "not_attributable", "ruling": True}),
            "Ben Carr ruled that the failure is not the repair's",
        ),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_what_changes_the_ground_of_a_save_stands_against_it(changed: Happened, did: str) -> None:
    (found,) = changes([changed], ADA)

    assert f"{found.by} {found.did}" == did


def test_a_persons_decision_is_told_before_what_followed_on_it() -> None:
    followed = an_event("DefectOrdered", "worker:assign", 1, before="confirmed", after="ordered")

    said = in_words(changes([*confirmed(BEN), followed], ADA), NOW)

    assert said.startswith("Ben Carr confirmed it as P5 two minutes ago. It is one of 2 changes since you looked.")


@pytest.mark.parametrize("state", list(OrderState))
def test_every_state_of_an_order_that_it_can_come_into_has_words(state: OrderState) -> None:
    (found,) = changes([an_event("OrderStepped", BEN, before="draft", after=state)], ADA)

    assert found.did != "changed it" or state is OrderState.DRAFT


def test_every_kind_that_stands_against_a_save_has_words_of_its_own() -> None:
    first_of_its_subject = {"DefectRecorded", "DefectDetected", "ReportReceived", "WarrantyStarted", "WarrantyStepped"}

    wordless = {
        kind
        for kind in GROUND - first_of_its_subject
        if changes([an_event(kind, BEN, after="verified", data={"band": "E", "was": None})], ADA)[0].did == "changed it"
    }

    assert wordless == set()
    assert set(KINDS) >= GROUND


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=1), "a minute ago"),
        (timedelta(minutes=11), "11 minutes ago"),
        (timedelta(hours=1), "an hour ago"),
        (timedelta(hours=47), "47 hours ago"),
        (timedelta(days=3), "three days ago"),
    ],
)
def test_how_long_ago_is_said_as_people_say_it(passed: timedelta, words: str) -> None:
    assert ago(passed) == words
