"""python3 -m infra.native COMMAND: what the Makefile calls."""

import argparse
import os
import sys
from pathlib import Path

from infra.native import say, servers
from infra.native.environment import check_python
from infra.native.layout import VENV, Instance, Lock, SetupError
from infra.native.supervisor import Stopped, heed_signals


def _instance(name: str) -> Instance:
    return Instance(name, durable=name != "test")


def _servers(arguments: argparse.Namespace) -> int:
    servers.in_background(_instance(arguments.instance))
    return 0


def _hold_servers(arguments: argparse.Namespace) -> int:
    servers.hold(_instance(arguments.instance))
    return 0


def _down(arguments: argparse.Namespace) -> int:
    stopped = Lock(_instance(arguments.instance)).stop_holder()
    say.line("Stopped." if stopped else f"{arguments.instance} was not running.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m infra.native")
    commands = parser.add_subparsers(required=True)
    for name, function, instance in (
        ("servers", _servers, "test"),
        ("hold-servers", _hold_servers, "test"),
        ("down", _down, "up"),
    ):
        command = commands.add_parser(name)
        command.add_argument("--instance", default=instance)
        command.set_defaults(function=function)
    return parser


def _leave_the_venv() -> None:
    """Go on with the Python that the virtual environment was made from: what makes it must not run in it."""
    if Path(sys.prefix) == VENV:
        python = str(Path(sys.executable).resolve())
        os.execv(python, [python, "-m", "infra.native", *sys.argv[1:]])  # noqa: S606


def main() -> int:
    """Run one command; what a person has to put right is said in a sentence, not in a traceback."""
    _leave_the_venv()
    arguments = _parser().parse_args()
    heed_signals()
    try:
        check_python()
        return int(arguments.function(arguments))
    except Stopped:
        return 0
    except SetupError as error:
        say.problem(str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main())
