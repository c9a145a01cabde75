"""Twenty processes and one hole."""

import json
import subprocess
import sys

import pytest

from tests.delivery.house import House, a_report

pytestmark = pytest.mark.slow

_SENDER = """
import json, sys, urllib.request
request = urllib.request.Request(sys.argv[1], sys.argv[2].encode(), {"Content-Type": "application/json"})
print("ready", flush=True)
sys.stdin.readline()
with urllib.request.urlopen(request, timeout=60) as answer:
    print(json.load(answer)["reference"], flush=True)
"""


def test_twenty_processes_that_post_the_same_hole_at_once_make_one_defect(house: House) -> None:
    house.stack.start_redis()
    house.stack.start_api()
    house.stack.start_worker("worker0", 4)
    house.stack.start_worker("worker1", 4)
    house.stack.start_beat()
    senders = [_sender(house, number) for number in range(20)]

    for sender in senders:
        assert sender.stdin is not None
        sender.stdin.write("go\n")
        sender.stdin.flush()
    references = {sender.communicate(timeout=90)[0].strip() for sender in senders}
    house.comes_to_rest()

    assert len(references) == 20
    assert house.ask("SELECT count(*) FROM defect") == 1
    assert house.ask("SELECT reports FROM defect") == 20
    assert house.ask("SELECT count(*) FROM report WHERE state = 'linked'") == 20
    assert house.broken() == []


def _sender(house: House, number: int) -> "subprocess.Popen[str]":
    """A process that has its report ready and waits for the word."""
    body = json.dumps(a_report(metres_north=number % 5 * 0.5))
    told = [sys.executable, "-S", "-c", _SENDER, f"{house.stack.url}/api/v1/reports", body]
    sender = subprocess.Popen(told, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert sender.stdout is not None
    assert sender.stdout.readline() == "ready\n"
    return sender
