"""Real requests of a real city, replayed: in batches, one by one, twice, and every line twice give the same defects."""

import csv
import gzip
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

import pytest
from sqlalchemy import URL

from services.cli.score import CITIES, Run, replay
from services.cli.score_figures import Joined, Row, figures, plain_circle, rows
from shared.settings import ROOT

DATA = ROOT.parent / "shared" / "data" / "dedupe_requests"
pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the cities' requests are not beside the project")


def a_stretch() -> list[Row]:
    """Two days of potholes in Baltimore, after its hardest winter months."""
    events = list(rows(DATA / "baltimore_events.csv.gz"))
    wanted = {
        row["request_id"] for row in events if row["category"] == "pothole" and "2015-03-10" <= row["at"] < "2015-03-12"
    }
    return [row for row in events if row["request_id"] in wanted]


def replayed(folder: Path, lines: Iterable[Row], *, singly: bool = False) -> dict[str, Joined]:
    folder.mkdir()
    with gzip.open(folder / "baltimore_events.csv.gz", "wt", encoding="utf-8", newline="") as file:
        listed = list(lines)
        writer = csv.DictWriter(file, list(listed[0]))
        writer.writeheader()
        writer.writerows(listed)
    return replay(folder, CITIES, Run("baltimore", "suggestions"), singly=singly)


def groups(outcome: dict[str, Joined]) -> set[frozenset[str]]:
    """Which requests are together, whatever the defects are called."""
    together: dict[int, set[str]] = {}
    for request, one in outcome.items():
        together.setdefault(one.defect, set()).add(request)
    return {frozenset(each) for each in together.values()}


def test_batches_repeats_and_doubled_lines_give_what_one_by_one_gives(server: URL, tmp_path: Path) -> None:
    stretch = a_stretch()

    singly = replayed(tmp_path / "singly", stretch, singly=True)
    batches = replayed(tmp_path / "batches", stretch)
    twice = replayed(tmp_path / "twice", [*stretch, *stretch])
    doubled = replayed(tmp_path / "doubled", chain.from_iterable((one, one) for one in stretch))

    assert len(singly) > 100
    assert sum(one.joined for one in singly.values()) > 20
    for other in (batches, twice, doubled):
        assert groups(other) == groups(singly)
        assert {request for request, one in other.items() if one.joined} == {
            request for request, one in singly.items() if one.joined
        }


def test_chicago_beats_the_plain_circle_by_the_figures_that_were_asked_for(server: URL) -> None:
    events = list(rows(DATA / "chicago_events.csv.gz"))
    labels = list(rows(DATA / "chicago_labels.csv.gz"))
    category = {row["request_id"]: row["category"] for row in events}

    (automatic,), (suggested,) = (
        figures("chicago", replay(DATA, CITIES, Run("chicago", setting)), category, labels)
        for setting in ("automatic", "suggestions")
    )
    (floor,) = figures("chicago", plain_circle(events, 75.0), category, labels)

    assert automatic.precision is not None
    assert automatic.recall is not None
    assert automatic.precision >= 0.88
    assert automatic.recall >= 0.60
    assert suggested.f1 is not None
    assert floor.f1 is not None
    assert suggested.f1 >= 0.83 > floor.f1
    assert suggested.false_far is not None
    assert suggested.false_far <= 0.03
