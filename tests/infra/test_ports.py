"""Ports: remembered, and avoided when somebody else has them."""

import socket
from pathlib import Path

import pytest

from infra.native.ports import Ports, held, is_free
from tests.stack import free_port


def test_a_port_that_is_taken_is_avoided_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        wanted = taken.getsockname()[1]

        chosen = Ports(tmp_path / "ports.json").choose("api", wanted)

    assert chosen > wanted
    assert capsys.readouterr().out == f"Port {wanted} is taken; api uses {chosen}.\n"


def test_the_port_stays_the_same_from_start_to_start(tmp_path: Path) -> None:
    first = Ports(tmp_path / "ports.json").choose("api", free_port())

    again = Ports(tmp_path / "ports.json").choose("api", first + 100)

    assert again == first


def test_a_port_that_was_asked_for_wins_over_the_remembered_one(tmp_path: Path) -> None:
    ports = Ports(tmp_path / "ports.json")
    ports.choose("api", free_port())
    wanted = free_port()

    assert ports.choose("api", wanted, insist=True) == wanted


def test_two_servers_of_one_instance_never_get_the_same_port(tmp_path: Path) -> None:
    ports = Ports(tmp_path / "ports.json")
    wanted = free_port()

    assert ports.choose("postgres", wanted) != ports.choose("redis", wanted)


def test_a_port_is_free_again_when_its_server_has_gone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        while_it_runs = is_free(port)

    assert (while_it_runs, is_free(port)) == (False, True)


def test_a_port_that_is_chosen_is_nobody_elses_until_its_server_starts(tmp_path: Path) -> None:
    wanted = free_port()

    with held(wanted, "127.0.0.1"):
        beside = Ports(tmp_path / "ports.json").choose("api", wanted)

    assert beside > wanted
    assert is_free(wanted)
