"""`make up`: from a clean clone to printed addresses, then watching what runs until Ctrl-C."""

import os
import secrets
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path

from infra.native import processes, say, servers
from infra.native.environment import prepare
from infra.native.layout import PYTHON, ROOT, VENV, Instance, SetupError
from infra.native.ports import Ports
from infra.native.supervisor import Supervisor

DEMO_GRID = "27700"
"""The made-up county lies on this grid."""


def run(instance: Instance, with_demo: bool) -> None:
    """Set up, start everything, say where it is, and watch it until stopped.

    Raises:
        SetupError: a person has to put something right.
    """
    _read_env_file(ROOT / ".env")
    prepare()
    with servers.running(instance) as supervisor:
        given = os.environ.get(servers.DATABASE_URL, "")
        variables = _variables(instance, servers.start(instance, supervisor, os.environ))
        _finish(
            "Migrating the database",
            [PYTHON, "-m", "alembic", "-c", "infra/migrations/alembic.ini", "upgrade", "head"],
            variables,
        )
        said = _fill(variables, with_demo and variables[servers.DATABASE_URL] != given)
        _start_processes(supervisor, variables)
        servers.write_env(instance, variables)
        _tell(instance, variables, said)
        supervisor.watch()


def _read_env_file(file: Path) -> None:
    """Take NAME=value lines that the environment has not got. `#` begins a comment line, quotes are shell quotes."""
    for number, line in enumerate(file.read_text().splitlines() if file.exists() else [], start=1):
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if name.startswith("#") or not name:
            continue
        if not equals:
            raise SetupError(f"{file}, line {number}: NAME=value was expected, this was found: {line!r}")
        os.environ.setdefault(name.strip(), "".join(shlex.split(value)))


def _variables(instance: Instance, urls: Mapping[str, str]) -> dict[str, str]:
    """Every setting that was given, and ours for those that were not."""
    host = os.environ.get("ROADMEND_HOST", "127.0.0.1")
    wanted = os.environ.get("ROADMEND_PORT")
    port = Ports(instance.folder / "ports.json").choose(
        "api", int(wanted or servers.FIRST_PORTS["api"]), host, bool(wanted)
    )
    ours = {
        "ROADMEND_HOST": host,
        "ROADMEND_PUBLIC_URL": f"http://localhost:{port}",
        "ROADMEND_PHOTO_DIR": str(instance.folder / "photos"),
        "ROADMEND_GRID_EPSG": DEMO_GRID,
    }
    if not os.environ.get("ROADMEND_SECRET_KEY"):
        ours["ROADMEND_SECRET_KEY_FILE"] = str(_secret_key(instance))
    given = {key: value for key, value in os.environ.items() if key.startswith("ROADMEND_") and value}
    return {**ours, **given, **urls, "ROADMEND_PORT": str(port)}


def _secret_key(instance: Instance) -> Path:
    file = instance.folder / "secret-key"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(48) + "\n")
    return file


def _fill(variables: Mapping[str, str], with_demo: bool) -> str:
    """Load the made-up county if the database is empty, ours, and on its grid; else adopt the policy that is named."""
    roadmend = VENV / "bin" / "roadmend"
    if with_demo and variables["ROADMEND_GRID_EPSG"] == DEMO_GRID:
        return _finish("Loading the demo county if the database is empty", [roadmend, "demo", "load"], variables)
    policy = variables.get("ROADMEND_POLICY_FILE", "shared/policy/lancashire.toml")
    return _finish("Adopting the policy unless it was", [roadmend, "policy", "adopt", policy], variables)


def _finish(what: str, command: list[str | Path], variables: Mapping[str, str]) -> str:
    """Run a command to its end and give back what it said."""
    say.step(what)
    environment = processes.environment(variables)
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-20:])
        raise SetupError(f"{what}: it ended with code {done.returncode}.\n{tail}")
    return done.stdout.strip()


def _start_processes(supervisor: Supervisor, variables: Mapping[str, str]) -> None:
    size = max(2, min(4, os.cpu_count() or 2))
    url = f"http://{_reachable(variables['ROADMEND_HOST'])}:{variables['ROADMEND_PORT']}"
    supervisor.start(processes.worker(variables, processes=size))
    supervisor.start(processes.beat(variables))
    supervisor.start(processes.api(variables), lambda: processes.answers(f"{url}/health/ready"), seconds=90)
    supervisor.wait_until("worker", "ready.", seconds=60)
    supervisor.wait_until("beat", "beat: Starting", seconds=60)
    say.step("API, worker and beat run")


def _reachable(host: str) -> str:
    """The address by which we reach what listens on this one."""
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 (only compared)


def _tell(instance: Instance, variables: Mapping[str, str], said: str) -> None:
    url = variables["ROADMEND_PUBLIC_URL"]
    say.line()
    say.line(f"  Roadmend     {url}")
    say.line(f"  API          {url}/api/v1, described at {url}/api/openapi.json")
    say.line(f"  Live feed    {url}/api/v1/feed")
    say.line(f"  Command      . {instance.env_file.relative_to(ROOT)} && roadmend --help")
    say.line(f"  Logs         {instance.logs.relative_to(ROOT)}/")
    for text in said.splitlines():
        say.line(f"  {text}")
    say.line()
    say.step("Everything runs. Ctrl-C, or `make down` elsewhere, stops it.")
