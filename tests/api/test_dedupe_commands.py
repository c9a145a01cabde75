"""`roadmend dedupe report`: counts by source and model, rates with their denominators, and what they cannot tell."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import URL, select
from typer.testing import CliRunner

from services.cli.main import app
from shared.flows import answer_question, merge_defects
from shared.flows.answer_question import Answer
from shared.store.engine import transaction
from shared.store.tables import defect, report
from tests.factories import adopt_default_policy, triaged

NOW = datetime.now(UTC).replace(microsecond=0)


def _run(*words: str) -> str:
    answer = CliRunner().invoke(app, ["dedupe", "report", *words])
    assert answer.exit_code == 0, answer.output
    return answer.stdout


@pytest.fixture
def told(own_db: URL) -> URL:
    """A defect, a report that the machine joined to it and a person unlinked, and one that was asked about."""
    with transaction("person:7") as tx:
        adopt_default_policy(tx)
        triaged(tx, NOW)
        joined = triaged(tx, NOW, easting=353_004.0)
        asked = triaged(tx, NOW, easting=353_030.0)
        named = {row.id: row.reference for row in tx.execute(select(report.c.id, report.c.reference))}
        (one,) = tx.scalars(select(defect.c.reference))
        merge_defects.unlink(tx, named[joined], one, "Another one.", NOW)
        answer_question.answer(tx, named[asked], Answer.SAME, one, "The same cover.", NOW)
    return own_db


def test_it_counts_and_says_what_it_cannot_tell(told: URL) -> None:
    shown = _run()

    assert told
    assert "1 (100.0%)" in shown
    assert "Of 2 verdicts that the machine took alone, people said something of 1." in shown
    assert "Their error is not known." in shown


def test_programs_get_json_and_spreadsheets_csv(told: URL) -> None:
    found = json.loads(_run("--json"))
    (line,) = csv.DictReader(io.StringIO(_run("--csv")))

    assert told
    assert (found["total"]["same"], found["total"]["same_against"]) == (1, 1)
    assert (found["lines"][0]["source"], found["lines"][0]["said_first"]) == ("web", 1)
    assert (line["source"], line["same_against"], line["same_against_share"]) == ("web", "1", "1.0000")


def test_only_what_the_machine_said_in_the_period_is_counted(told: URL) -> None:
    day = (NOW - timedelta(days=40)).date().isoformat()

    found = json.loads(_run("--json", "--from", day, "--to", day))

    assert told
    assert (found["lines"], found["total"]["same"]) == ([], 0)


@pytest.mark.parametrize(
    ("words", "says"),
    [(("--csv", "--json"), "Choose one"), (("--from", "2026-11-02", "--to", "2026-11-01"), "before the first")],
)
def test_what_cannot_be_meant_is_refused(told: URL, words: tuple[str, ...], says: str) -> None:
    answer = CliRunner().invoke(app, ["dedupe", "report", *words])

    assert told
    assert answer.exit_code == 2
    assert says in answer.stderr
