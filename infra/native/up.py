"""`make up`: from a clean clone to printed addresses, then watching what runs until Ctrl-C."""

import hashlib
import os
import secrets
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from infra.native import processes, say, servers
from infra.native.environment import prepare
from infra.native.layout import PYTHON, ROOT, VENV, Instance, SetupError
from infra.native.ports import Ports, held
from infra.native.postgres import comment, commented
from infra.native.settings import given, write_env
from infra.native.supervisor import Supervisor

DEMO_GRID = "27700"
"""The made-up county lies on this grid."""
DEMO_PHONE = "01632 960 555"
"""Of the numbers that Ofcom keeps for films: nobody is ever called by trying things out."""


def run(instance: Instance, with_demo: bool) -> None:
    """Set up, start everything, say where it is, and watch it until stopped.

    Raises:
        SetupError: a person has to put something right.
    """
    theirs = given()
    prepare(with_servers=servers.are_ours(theirs))
    with servers.running(instance) as supervisor:
        variables = _variables(instance, theirs, servers.start(instance, supervisor, theirs))
        if with_demo:
            variables.setdefault("ROADMEND_DANGER_PHONE", DEMO_PHONE)
        private = servers.DATABASE_URL not in theirs
        with held(int(variables["ROADMEND_PORT"]), variables["ROADMEND_HOST"]):
            said = _fill(instance, variables, private, with_demo)
        _start_processes(supervisor, variables)
        write_env(instance, variables, theirs)
        _tell(instance, variables, said)
        supervisor.watch()


def _variables(instance: Instance, theirs: Mapping[str, str], urls: Mapping[str, str]) -> dict[str, str]:
    """Every setting that was given, and ours for those that were not."""
    host = theirs.get("ROADMEND_HOST", "127.0.0.1")
    wanted = theirs.get("ROADMEND_PORT")
    ports = Ports(instance.folder / "ports.json")
    port = ports.choose("api", int(wanted or servers.FIRST_PORTS["api"]), host, insist=wanted is not None)
    policy = theirs.get("ROADMEND_POLICY_FILE", "shared/policy/lancashire.toml")
    ours = {
        "ROADMEND_HOST": host,
        "ROADMEND_PUBLIC_URL": f"http://localhost:{port}",
        "ROADMEND_PHOTO_DIR": str(instance.folder / "photos"),
        "ROADMEND_GRID_EPSG": DEMO_GRID,
        "ROADMEND_MAIL_PROVIDER": "mailbox",
        "ROADMEND_SMS_PROVIDER": "mailbox",
        "ROADMEND_MAILBOX_DIR": str(instance.folder / "mailbox"),
    }
    if "ROADMEND_SECRET_KEY" not in theirs:
        ours["ROADMEND_SECRET_KEY_FILE"] = str(_secret_key(instance))
    settled = {"ROADMEND_PORT": str(port), "ROADMEND_POLICY_FILE": str(ROOT / policy)}
    return {**ours, **theirs, **urls, **settled}


def _secret_key(instance: Instance) -> Path:
    file = instance.folder / "secret-key"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(48) + "\n")
    return file


def _fill(instance: Instance, variables: Mapping[str, str], private: bool, with_demo: bool) -> str:
    """Migrate, load the made-up county or adopt the policy; skipped where our own database bears the mark of just that.

    The county is loaded only into an empty database of our own on its grid.
    """
    county = with_demo and private and variables["ROADMEND_GRID_EPSG"] == DEMO_GRID
    url, told = variables[servers.DATABASE_URL], instance.folder / "told"
    mark = _mark(variables, county)
    if private and told.exists() and commented(url) == mark:
        return told.read_text()
    migrate: list[str | Path] = [PYTHON, "-m", "alembic", "-c", "infra/migrations/alembic.ini", "upgrade", "head"]
    _finish("Migrating the database", migrate, variables)
    said = _load_county(variables) if county else _adopt_policy(variables)
    if private:
        told.touch(mode=0o600)
        told.write_text(said)
        comment(url, mark)
    return said


def _mark(variables: Mapping[str, str], county: bool) -> str:
    """Changes with the migrations, the policy file, and whether the county is wanted."""
    migrations = sorted((ROOT / "infra" / "migrations" / "versions").glob("*.*"))
    files = [*migrations, Path(variables["ROADMEND_POLICY_FILE"])]
    texts = [file.read_bytes() if file.is_file() else b"" for file in files]
    return f"roadmend {hashlib.sha256(b'%d' % county + b''.join(texts)).hexdigest()}"


def _load_county(variables: Mapping[str, str]) -> str:
    return _finish("Loading the demo county", [str(VENV / "bin" / "roadmend"), "demo", "load"], variables)


def _adopt_policy(variables: Mapping[str, str]) -> str:
    command = [str(VENV / "bin" / "roadmend"), "policy", "adopt", variables["ROADMEND_POLICY_FILE"]]
    return _finish("Adopting the policy", command, variables)


def _finish(what: str, command: Sequence[str | Path], variables: Mapping[str, str]) -> str:
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
    supervisor.start(processes.api(variables), lambda: processes.answers(f"{url}/health/ready"), seconds=180)
    supervisor.wait_until("worker", "ready.", seconds=180)
    supervisor.wait_until("beat", "beat: Starting", seconds=180)
    say.step("API, worker and beat run")


def _reachable(host: str) -> str:
    """The address by which we reach what listens on this one."""
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 (only compared)


def _tell(instance: Instance, variables: Mapping[str, str], said: str) -> None:
    url = variables["ROADMEND_PUBLIC_URL"]
    say.line()
    say.line(f"  Roadmend     {url}")
    say.line(f"  API          {url}/api/v1, described at {url}/api/openapi.json")
    say.line(f"  Control hub  {url}/hub")
    say.line(f"  Live feed    {url}/api/v1/feed")
    if "mailbox" in (variables["ROADMEND_MAIL_PROVIDER"], variables["ROADMEND_SMS_PROVIDER"]):
        say.line(f"  Mail         {url}/mailbox (nothing is sent out)")
    say.line(f"  Command      . {instance.env_file.relative_to(ROOT)} && roadmend --help")
    say.line(f"  Logs         {instance.logs.relative_to(ROOT)}/")
    for text in said.splitlines():
        say.line(f"  {text}")
    say.line()
    say.step("Everything runs. Ctrl-C, or `make down` elsewhere, stops it.")
