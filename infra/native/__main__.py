"""python3 -m infra.native COMMAND: what the Makefile calls."""

import argparse
import os
import signal
import sys
from pathlib import Path

from infra.native import processes, say, servers, testing, up, web
from infra.native.child import die_with_parent
from infra.native.cleaning import clean
from infra.native.environment import check_python, prepare
from infra.native.layout import ROOT, VENV, Instance, Lock, SetupError
from infra.native.settings import read_env
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


def _up(arguments: argparse.Namespace) -> int:
    if "MAKELEVEL" in os.environ:
        die_with_parent(signal.SIGTERM)
    up.run(_instance(arguments.instance), with_demo=os.environ.get("DEMO", "yes") != "no")
    return 0


def _test(arguments: argparse.Namespace) -> int:
    return testing.run(_instance(arguments.instance), ["pytest", *_words(arguments)])


def _with_servers(arguments: argparse.Namespace) -> int:
    return testing.run(_instance(arguments.instance), _words(arguments))


def _words(arguments: argparse.Namespace) -> list[str]:
    """What stands after `--`."""
    words: list[str] = arguments.words
    return words[1:] if words[:1] == ["--"] else words


def _run(arguments: argparse.Namespace) -> int:
    given = processes.environment(read_env(_instance(arguments.instance)))
    os.chdir(ROOT)
    os.execvpe(_words(arguments)[0], _words(arguments), given)  # noqa: S606


def _prepare(arguments: argparse.Namespace) -> int:
    prepare(with_servers=arguments.with_servers)
    return 0


def _check_web(_: argparse.Namespace) -> int:
    web.check()
    return 0


def _clean(_: argparse.Namespace) -> int:
    clean()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m infra.native")
    commands = parser.add_subparsers(required=True)
    for name, function, instance in (
        ("up", _up, "up"),
        ("down", _down, "up"),
        ("test", _test, "test"),
        ("servers", _servers, "test"),
        ("hold-servers", _hold_servers, "test"),
        ("with-servers", _with_servers, "test"),
        ("run", _run, "up"),
        ("prepare", _prepare, ""),
        ("check-web", _check_web, ""),
        ("clean", _clean, ""),
    ):
        command = commands.add_parser(name)
        command.add_argument("--instance", default=instance)
        if name == "prepare":
            command.add_argument("--with-servers", action="store_true")
        if name in ("test", "with-servers", "run"):
            command.add_argument("words", nargs=argparse.REMAINDER)
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
