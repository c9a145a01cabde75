"""What is worth a message, and that every message can be written, in words that keep their promises."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shared.domain.events import KINDS, Consumer, listeners
from shared.domain.telling import ABORTED, HEADLINES, NO_REASON, Fact, Said, Telling, To, headline, tell, together
from shared.domain.terms import AbortReason, DefectState
from shared.letters import render as letters
from shared.letters.render import Frame, Letter, render

NOW = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
DUE = datetime(2026, 12, 4, 23, 59, 59, tzinfo=UTC)
FRAME = Frame("https://roads.example.org", "Example County Council", ZoneInfo("Europe/London"), {})
LINKS = {
    "link": "https://roads.example.org/reports/R-7K3M-9QXF?token=abc",
    "manage": "https://roads.example.org/follow/R-7K3M-9QXF.sig",
    "unsubscribe": "https://roads.example.org/follow/R-7K3M-9QXF.sig/unsubscribe",
}


def fact(kind: str, **more: Any) -> Fact:
    return Fact(kind=kind, at=NOW, **more)


def told(kind: str, **more: Any) -> Telling:
    found = tell(fact(kind, **more))
    assert found is not None
    return found


def written(template: str, reader: str = "report", **values: Any) -> Letter:
    """A message as its reader gets it."""
    named = {"what": "Pothole", "street": "Fishergate", "defect": "D-2222-3333", "follow": "Fishergate"}
    report = {"report": "R-7K3M-9QXF"} if reader == "report" else {}
    return render(template, {**LINKS, **named, **report, "reader": reader, **values}, FRAME, NOW)


# --- what is worth telling -------------------------------------------------------------------------------------------


def test_what_is_delivered_to_tell_is_what_it_has_a_rule_for() -> None:
    delivered = {kind for kind in KINDS if Consumer.TELL in listeners(kind)}
    data = {
        "question": "Which one?",
        "target": "Blackpool",
        "why": "It lies there.",
        "reason": "not_highways",
        "due_at": DUE.isoformat(),
        "was": (DUE - timedelta(days=1)).isoformat(),
        "clock": "permanent",
        "words": "We mend it on Monday.",
    }

    worth = {kind for kind in KINDS if _worth(kind, data)}

    assert worth == delivered


def _worth(kind: str, data: dict[str, Any]) -> bool:
    if kind == "DefectGraded":
        data = {"was": None, "permanent_due": None}
    return tell(fact(kind, data=data, after="confirmed", state="candidate")) is not None


@pytest.mark.parametrize("kind", ["ReportTriaged", "ReportLinked", "DefectSighted", "OrderStepped", "WarrantyStarted"])
def test_internal_steps_are_told_to_nobody(kind: str) -> None:
    assert tell(fact(kind)) is None


@pytest.mark.parametrize("after", [DefectState.IN_WARRANTY, DefectState.CLOSED])
def test_a_warranty_that_begins_or_ends_is_nobodys_news(after: str) -> None:
    assert tell(fact("DefectStepped", before="verified", after=after)) is None


def test_whoever_sends_spam_gets_no_answer() -> None:
    assert tell(fact("ReportRejected", data={"reason": "spam", "why": "Spam."})) is None
    assert told("ReportRejected", data={"reason": "test", "why": "A test."}).to is To.REPORTER


def test_a_cancelled_order_is_no_news_unless_a_date_slips() -> None:
    assert tell(fact("DefectStepped", before="ordered", after="confirmed")) is None


@pytest.mark.parametrize(("days", "template"), [(3, "moved"), (0, None), (-3, None)])
def test_a_grade_that_makes_a_date_later_is_a_slip(days: int, template: str | None) -> None:
    data = {"was": "P10", "permanent_due": (DUE + timedelta(days=days)).isoformat(), "why": ["It is smaller."]}

    found = tell(fact("DefectGraded", data=data, state="ordered", permanent_was=DUE))

    assert (found and found.template) == template
    if found is not None:
        assert (found.standing, found.to) == (False, To.ALL)
        assert found.values["why"] == "It was graded anew: It is smaller."


@pytest.mark.parametrize(("days", "template"), [(1, "moved"), (-1, None)])
def test_a_due_time_that_moves_is_told_when_it_is_later(days: int, template: str | None) -> None:
    data = {
        "clock": "permanent",
        "was": DUE.isoformat(),
        "due_at": (DUE + timedelta(days=days)).isoformat(),
        "why": ".",
    }

    found = tell(fact("DeadlineMoved", data=data))

    assert (found and found.template) == template


@pytest.mark.parametrize(
    ("clock", "state", "worth"),
    [
        ("make_safe", "ordered", True),
        ("permanent", "made_safe", True),
        ("verify", "repair_claimed", False),
        ("inspect", "candidate", True),
        ("inspect", "monitor", False),
    ],
)
def test_a_promise_that_was_broken_is_told_and_only_a_promise(clock: str, state: str, worth: bool) -> None:
    found = tell(fact("DeadlineMissed", data={"clock": clock, "due_at": DUE.isoformat()}, state=state))

    assert (found is not None) == worth


def test_a_slip_is_told_with_its_reason() -> None:
    data = {"clock": "permanent", "due_at": DUE.isoformat()}

    for reason in AbortReason:
        assert told("DeadlineMissed", data=data, aborted=reason.value).values["why"] == ABORTED[reason]
    assert told("DeadlineMissed", data=data).values["why"] == NO_REASON


def test_a_new_defect_is_news_to_its_place_once() -> None:
    new = {"was": None, "permanent_due": None}

    assert told("DefectGraded", data=new, state="candidate").to is To.PLACE
    assert tell(fact("DefectGraded", data={"was": "P20", "permanent_due": None}, state="candidate")) is None


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_message_stands_for_the_others_in_whatever_order_they_come(order: tuple[int, ...]) -> None:
    said = [
        Said(template, {"event": number, "at": NOW.isoformat(), "what": template})
        for number, template in enumerate(("confirmed", "ordered", "made_safe"))
    ]

    first, second, third = (said[number] for number in order)
    one = together(together(first, second), third)

    assert (one.template, one.values["what"]) == ("made_safe", "made_safe")
    assert [line["words"] for line in one.values["earlier"]] == [HEADLINES["confirmed"], HEADLINES["ordered"]]


# --- how it is written -----------------------------------------------------------------------------------------------

VALUES: dict[str, dict[str, Any]] = {
    "received": {"look_by": DUE, "danger": True},
    "asked": {"question": "Which of the two holes?"},
    "referred": {"target": "Blackpool Council", "why": "It lies in Blackpool."},
    "rejected": {"why": "It is not on a road."},
    "moved": {"clock": "permanent", "was": NOW.isoformat(), "due": DUE.isoformat(), "why": "It was graded anew."},
    "missed": {"clock": "permanent", "due": DUE.isoformat(), "why": NO_REASON},
    "note": {"words": "We mend it on Monday, at night."},
    "merged": {"other": "D-4444-5555"},
    "follow_confirm": {"confirmed": False, "also": ["PR1 8XJ and 1 km around it"]},
    "digest": {
        "rhythm": "daily",
        "since": NOW.isoformat(),
        "until": DUE.isoformat(),
        "more": 2,
        "items": [
            {
                "defect": "D-2222-3333",
                "what": "Pothole",
                "street": None,
                "steps": [{"at": NOW.isoformat(), "words": HEADLINES["made_safe"]}],
            }
        ],
    },
}


OF_A_REPORT = {"received", "joined", "asked", "referred", "rejected"}
OF_A_FOLLOW = {"reported", "follow_confirm", "digest"}
WRITTEN = [
    *((template, "report") for template in letters.templates() if template not in OF_A_FOLLOW),
    *((template, "follow") for template in letters.templates() if template not in OF_A_REPORT),
]


@pytest.mark.parametrize(("template", "reader"), WRITTEN)
def test_every_message_says_the_same_in_text_and_html_and_leads_somewhere(template: str, reader: str) -> None:
    letter = written(template, reader, **VALUES.get(template, {}))

    assert letter.subject
    assert "closed" not in (letter.text + letter.html).lower()
    assert "!" not in letter.text
    assert "None" not in letter.text + letter.sms
    assert "\n\n\n" not in letter.text
    assert LINKS["manage"] in letter.text
    assert LINKS["manage"] in letter.html
    assert f"<h1>{letter.subject}" in letter.html
    assert "http" in letter.sms
    assert "\n" not in letter.subject + letter.sms


def test_every_step_that_is_told_has_its_template() -> None:
    assert set(HEADLINES) <= set(letters.templates())


def test_made_safe_is_not_told_as_mended() -> None:
    letter = written("made_safe", due=DUE.isoformat())

    assert letter.subject == "Pothole on Fishergate: made safe, not mended yet"
    assert "The lasting repair is still to come. We aim to mend it by the end of Friday 4 December 2026." in letter.text


@pytest.mark.parametrize(
    ("at", "words"),
    [
        (DUE, "the end of Friday 4 December 2026"),
        (datetime(2026, 7, 1, 11, 0, tzinfo=UTC), "12pm on Wednesday 1 July 2026"),
        (datetime(2026, 7, 1, 23, 5, tzinfo=UTC), "12:05am on Thursday 2 July 2026"),
        (datetime(2026, 12, 1, 16, 20, tzinfo=UTC), "4:20pm on Tuesday 1 December 2026"),
    ],
)
def test_times_are_told_by_the_local_clock(at: datetime, words: str) -> None:
    assert f"by {words}." in written("received", look_by=at, danger=False).text


def test_what_people_typed_cannot_become_markup_or_a_header() -> None:
    letter = written("asked", street="<b>High\nStreet</b>", question="<script>alert(1)</script>")

    assert "<script>" not in letter.html
    assert "&lt;script&gt;" in letter.html
    assert letter.subject == "We need to know more about your report: Pothole on <b>High Street</b>"
    assert "<b>" not in letter.html


def test_a_value_that_is_missing_is_a_mistake_and_no_gap() -> None:
    with pytest.raises(Exception, match="question"):
        written("asked")


def test_a_text_message_stays_within_three_parts() -> None:
    long = {name: len(written(name, **VALUES.get(name, {})).sms) for name in letters.templates()}

    assert {name: size for name, size in long.items() if size > 459} == {}


@pytest.mark.parametrize(
    ("kind", "after", "clock", "words"),
    [
        ("DefectStepped", "monitor", None, HEADLINES["watched"]),
        ("DefectStepped", "in_warranty", None, None),
        ("DeadlineMissed", None, "verify", None),
        ("RepairVerified", "verified", None, HEADLINES["verified"]),
        ("OrderIssued", None, None, None),
    ],
)
def test_a_line_of_news_is_told_for_what_is_news(
    kind: str, after: str | None, clock: str | None, words: str | None
) -> None:
    assert headline(kind, after, clock) == words
