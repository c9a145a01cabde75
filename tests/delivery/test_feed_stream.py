"""The live feed as a client meets it: lines as they happen, and a resume without a gap or a double."""

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import URL, create_engine, delete, text

from shared.domain.events import DefectStepped
from shared.store import deliveries, event_log, feed
from shared.store.engine import WriteTx
from shared.store.tables import feed_line
from tests import databases
from tests.stack import Stack


def tell(stack: Stack, *defect_ids: int, after: str = "confirmed") -> int:
    """Append events and project them, as a worker would, in this process. Returns the newest line's number."""
    engine = create_engine(stack.variables["ROADMEND_DATABASE_URL"])
    with engine.begin() as connection:
        tx, now = WriteTx(connection, "test"), datetime.now(UTC)
        said = [DefectStepped(defect_id=one, before="candidate", after=after, why="seen") for one in defect_ids]
        event_log.append(tx, said, now)
        due = deliveries.take(tx, "feed", now, 1000)
        feed.project(tx, due)
        deliveries.done(tx, due)
        newest = feed.last_number(tx)
    engine.dispose()
    return newest


def set_back(stack: Stack, number: int, *defect_ids: int) -> None:
    """What a restore does to the feed: nothing after that line was ever said, and other lines follow it."""
    engine = create_engine(stack.variables["ROADMEND_DATABASE_URL"])
    with engine.begin() as connection:
        tx, now = WriteTx(connection, "test"), datetime.now(UTC)
        tx.execute(delete(feed_line).where(feed_line.c.number > number))
        said = [DefectStepped(defect_id=one, before="candidate", after="monitor", why="else") for one in defect_ids]
        event_log.append(tx, said, now)
        due = deliveries.take(tx, "feed", now, 1000)
        feed.project(tx, due)
        deliveries.done(tx, due)
    with engine.begin() as connection:
        connection.execute(text(_CUT_OFF))
    engine.dispose()


_CUT_OFF = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


def place(line: dict[str, Any]) -> str:
    """The id that a client of this line sends back."""
    return f"{line['number']}-{line['hash'][:8]}"


@contextmanager
def following(stack: Stack, **params: Any) -> Iterator[Iterator[dict[str, Any]]]:
    """A client of the feed; it waits for at most 20 seconds between two lines."""
    headers = {"Last-Event-ID": str(params.pop("last"))} if "last" in params else {}
    with httpx.stream("GET", f"{stack.url}/api/v1/feed", params=params, headers=headers, timeout=20) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield (json.loads(line[5:]) for line in answer.iter_lines() if line.startswith("data:"))


@pytest.fixture(scope="module")
def api(template: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One API for the whole module: its feed grows from test to test."""
    url = databases.create(template, str(template.database))
    made = Stack(tmp_path_factory.mktemp("feed"), databases.as_setting(url))
    made.start_redis()
    made.run("roadmend", "policy", "adopt", "shared/policy/lancashire.toml")
    made.start_api()
    yield made
    made.stop_all()
    databases.drop(url)


def test_a_client_hears_what_it_missed_and_then_what_happens(api: Stack) -> None:
    newest = tell(api, 1, 2, 3)

    with following(api, after=newest - 2) as lines:
        missed = [next(lines)["reference"] for _ in range(2)]
        tell(api, 4)
        live = next(lines)

    assert missed == ["defect 2", "defect 3"]
    assert (live["number"], live["reference"], live["status"]) == (newest + 1, "defect 4", "Investigating")


def test_a_client_that_comes_back_sees_each_line_once_in_order(api: Stack) -> None:
    last = start = tell(api, 0)
    tell(api, *range(1, 11))
    seen: list[int] = []

    while len(seen) < 30:
        with following(api, last=last) as lines:
            seen += [next(lines)["number"] for _ in range(3)]
        last = seen[-1]
        if len(seen) % 2:
            tell(api, *range(5))

    assert seen == list(range(start + 1, start + len(seen) + 1))


def test_the_chain_can_be_checked_by_who_reads_it(api: Stack) -> None:
    newest = tell(api, 1, 2, 3)

    with following(api, after=newest - 3) as lines:
        first, second, third = (next(lines) for _ in range(3))

    assert [second["hash_before"], third["hash_before"]] == [first["hash"], second["hash"]]


def test_a_client_outlives_an_api_that_is_killed(api: Stack) -> None:
    newest = tell(api, 1, 2)
    with following(api, after=newest - 2) as lines:
        last = [next(lines)["number"] for _ in range(2)][-1]

    api.kill("api")
    tell(api, 3)
    api.start_again("api")

    with following(api, last=last) as lines:
        assert next(lines)["number"] == newest + 1


def test_the_id_of_a_line_is_its_number_and_the_beginning_of_its_hash(api: Stack) -> None:
    newest = tell(api, 1)

    with httpx.stream("GET", f"{api.url}/api/v1/feed", params={"after": newest - 1}, timeout=20) as answer:
        said = dict(line.split(": ", 1) for line in itertools.islice(answer.iter_lines(), 6) if ": " in line)

    assert said["id"] == place(json.loads(said["data"]))


@pytest.mark.parametrize("last", ["{ahead}", "{ahead}-00000000", "{newest}-0badc0de", "{before}-0badc0de"])
def test_a_client_of_another_history_is_told_to_begin_anew(api: Stack, last: str) -> None:
    newest = tell(api, 1, 2, 3)

    with following(api, last=last.format(ahead=newest + 1000, newest=newest, before=newest - 2)) as lines:
        first = next(lines)
        tell(api, 4)
        then = next(lines)

    assert (first["kind"], first["number"]) == ("Reset", newest)
    assert (then["number"], then["reference"]) == (newest + 1, "defect 4")


def test_clients_of_a_database_that_is_set_back_hear_of_it(api: Stack) -> None:
    newest = tell(api, 1, 2, 3)
    with following(api, after=newest - 3) as lines:
        first, second, third = (next(lines) for _ in range(3))

        set_back(api, newest - 2, 7, 8, 9)
        with pytest.raises(StopIteration):
            next(lines)

    with following(api, last=place(third)) as lines:
        assert next(lines)["kind"] == "Reset"
    with following(api, last=place(second)) as lines:
        assert next(lines)["kind"] == "Reset"
    with following(api, last=place(first)) as lines:
        assert [next(lines)["reference"] for _ in range(3)] == ["defect 7", "defect 8", "defect 9"]


def test_a_filter_lets_only_its_own_lines_through(api: Stack) -> None:
    newest = tell(api, 1)

    with following(api, after=newest - 1, state="confirmed") as wanted:
        assert next(wanted)["reference"] == "defect 1"
        tell(api, 2, after="monitor")
        tell(api, 3)
        assert next(wanted)["reference"] == "defect 3"


def test_a_place_that_cannot_be_is_refused_in_words(api: Stack) -> None:
    answer = httpx.get(f"{api.url}/api/v1/feed", headers={"Last-Event-ID": "yesterday"})

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
