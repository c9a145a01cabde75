"""A private PostgreSQL with PostGIS: its own data, port and password, on this machine's loopback address only.

PostgreSQL refuses to run as root. Root's cluster belongs to the package's user instead. That user may not be able to
walk down to the project's folder (below a closed home such as root's), so the folder is opened first, as root, and
the server is given that open folder: /proc/self/fd/N leads there whatever the folders above it allow.
"""

import os
import secrets
import shutil
import signal
import subprocess
import urllib.parse
from pathlib import Path

from infra.native.child import Program, as_user
from infra.native.layout import SetupError

USER = "roadmend"
DATABASE = "roadmend"


def binaries() -> Path | None:
    """The newest installed PostgreSQL that has PostGIS, or None."""
    for version in sorted(_versions(), reverse=True):
        if Path(f"/usr/share/postgresql/{version}/extension/postgis.control").exists():
            return Path(f"/usr/lib/postgresql/{version}/bin")
    return None


def _versions() -> list[int]:
    folder = Path("/usr/lib/postgresql")
    return [int(p.name) for p in folder.iterdir() if (p / "bin" / "postgres").exists()] if folder.exists() else []


class Cluster:
    """A cluster in a folder of its own. Make it once, then run `program()` under a supervisor."""

    def __init__(self, folder: Path, durable: bool = True, memory_mb: int = 512, grid: Path | None = None) -> None:
        self._folder = folder
        self._grid = grid
        self._durable = durable
        self._memory_mb = memory_mb
        self._handle: int | None = None
        self._user = "postgres" if os.geteuid() == 0 else None

    @property
    def password(self) -> str:
        return self._password_file.read_text().strip()

    @property
    def _password_file(self) -> Path:
        return self._folder / "password"

    def url(self, port: int, database: str = DATABASE) -> str:
        """As SQLAlchemy wants it."""
        return f"postgresql+psycopg://{USER}:{self.password}@127.0.0.1:{port}/{database}"

    def make(self, log: Path) -> bool:
        """Make the cluster unless it is there. True when it was made now.

        Raises:
            SetupError: initdb failed; the message carries its last lines.
        """
        if (self._folder / "data" / "PG_VERSION").exists():
            self._check_version()
            return False
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(mode=0o700, parents=True)
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(secrets.token_urlsafe(24) + "\n")
        if self._user is not None:
            for path in (self._folder, self._password_file):
                shutil.chown(path, self._user, self._user)
        self._initdb(log)
        return True

    def _check_version(self) -> None:
        made_with = (self._folder / "data" / "PG_VERSION").read_text().strip()
        if not (Path("/usr/lib/postgresql") / made_with / "bin" / "postgres").exists():
            raise SetupError(
                f"The data in {self._folder} was made by PostgreSQL {made_with}, which is not installed now. "
                "Install it, or throw the data away with `make clean`."
            )

    def _initdb(self, log: Path) -> None:
        where = self._reachable()
        command = [
            str(self._program_file("initdb")),
            *("-D", f"{where}/data", "-U", USER, f"--pwfile={where}/password", "--auth=scram-sha-256"),
            *("--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"),
            *(() if self._durable else ("--no-sync",)),
        ]
        with log.open("ab") as output:
            done = subprocess.run(
                command,
                cwd="/",
                env=_plain_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=self._open_files(),
                check=False,
                **as_user(self._user),
            )
        if done.returncode != 0:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
            raise SetupError(f"PostgreSQL's initdb failed:\n{tail}")

    def program(self, port: int) -> Program:
        """The server in the foreground. SIGINT is PostgreSQL's "fast" stop: clients are cut off, nothing is lost."""
        self._place_grid()
        options = {**_settings(self._memory_mb), "port": str(port), "fsync": "on" if self._durable else "off"}
        return Program(
            name="postgres",
            command=[
                str(self._program_file("postgres")),
                *("-D", f"{self._reachable()}/data"),
                *(word for key, value in options.items() for word in ("-c", f"{key}={value}")),
            ],
            environment={**_plain_environment(), "PROJ_USER_WRITABLE_DIRECTORY": f"{self._reachable()}/proj"},
            folder=Path("/"),
            stop_with=signal.SIGINT,
            is_server=True,
            user=self._user,
            keep_open=self._open_files(),
            patience=30.0,
        )

    def _place_grid(self) -> None:
        """Put PROJ's grid where the server's user can read it."""
        if self._grid is None or (self._folder / "proj" / self._grid.name).exists():
            return
        folder = self._folder / "proj"
        folder.mkdir(mode=0o755, exist_ok=True)
        shutil.copyfile(self._grid, folder / self._grid.name)
        if self._user is not None:
            shutil.chown(folder, self._user, self._user)

    def create_database(self, port: int, name: str = DATABASE) -> None:
        """Create a database unless it is there."""
        url = self.url(port, "postgres")
        if ask(url, f"SELECT 1 FROM pg_database WHERE datname = '{name}'") != "1":
            ask(url, f'CREATE DATABASE "{name}"')

    def is_ready(self, port: int) -> bool:
        """True when a client can sign in and ask."""
        try:
            return ask(self.url(port, "postgres"), "SELECT 1") == "1"
        except SetupError:
            return False

    def _program_file(self, name: str) -> Path:
        made = self._folder / "data" / "PG_VERSION"
        folder = Path(f"/usr/lib/postgresql/{made.read_text().strip()}/bin") if made.exists() else binaries()
        if folder is None:
            raise SetupError("PostgreSQL with PostGIS is not installed.")
        return folder / name

    def _reachable(self) -> str:
        """The folder as the server's user can reach it."""
        if self._user is None or _can_reach(self._folder, self._user):
            return str(self._folder)
        if self._handle is None:
            self._handle = os.open(self._folder, os.O_PATH | os.O_DIRECTORY)
        return f"/proc/self/fd/{self._handle}"

    def _open_files(self) -> tuple[int, ...]:
        self._reachable()
        return () if self._handle is None else (self._handle,)


def ask(url: str, sql: str) -> str:
    """What psql answers to a statement, on the server of an SQLAlchemy URL.

    Raises:
        SetupError: the server is not there or says no.
    """
    parts = urllib.parse.urlsplit(url)
    environment = {
        **_plain_environment(),
        "PGHOST": parts.hostname or "",
        "PGPORT": str(parts.port or 5432),
        "PGUSER": urllib.parse.unquote(parts.username or ""),
        "PGPASSWORD": urllib.parse.unquote(parts.password or ""),
        "PGDATABASE": parts.path.removeprefix("/"),
        "PGCONNECT_TIMEOUT": "5",
    }
    folder = binaries()
    command = [str(folder / "psql" if folder else "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql]
    done = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SetupError(f"PostgreSQL: {done.stderr.strip()}")
    return done.stdout.strip()


def commented(url: str) -> str:
    """The comment that the database bears, "" when none."""
    return ask(url, "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()")


def comment(url: str, words: str) -> None:
    """Let the database bear a comment: it goes when the database goes."""
    ask(url, f"COMMENT ON DATABASE \"{urllib.parse.urlsplit(url).path.removeprefix('/')}\" IS '{words}'")


def _can_reach(folder: Path, user: str) -> bool:
    probe = subprocess.run(["test", "-x", str(folder)], cwd="/", check=False, **as_user(user))
    return probe.returncode == 0


def _settings(memory_mb: int) -> dict[str, str]:
    """For a small machine with a fast disk. Commits are durable: synchronous_commit stays on."""
    return {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "max_connections": "200",
        "shared_buffers": f"{memory_mb}MB",
        "effective_cache_size": f"{memory_mb * 4}MB",
        "maintenance_work_mem": "128MB",
        "work_mem": "16MB",
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "max_wal_size": "4GB",
        "wal_compression": "lz4",
        # After a crash, the file system is synced once and not file by file: ready again in 0.5 s, was 4.1 s.
        "recovery_init_sync_method": "syncfs",
        "checkpoint_timeout": "15min",
        "random_page_cost": "1.1",
        "jit": "off",
        "synchronous_commit": "on",
        "password_encryption": "scram-sha-256",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_line_prefix": "%m [%p] %d ",
        "log_checkpoints": "off",
    }


def _plain_environment() -> dict[str, str]:
    """Without the caller's PG* variables and locale, which would steer the server and psql."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
