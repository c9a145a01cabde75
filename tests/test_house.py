"""Rules of the house that a machine can hold. Each has its named escapes here, with a reason."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from packaging.requirements import Requirement
from sqlalchemy import URL

from infra.native.layout import ROOT
from shared.settings import Settings
from shared.store.engine import engine
from shared.store.tables import metadata

LONG_FILES = {
    "shared/domain/events.py": "one thing that is long: every event and who hears it",
    "shared/domain/policy_sections.py": "one thing that is long: every section of a policy",
    "shared/store/tables.py": "one thing that is long: every table",
}
LONGEST_FILE = 350
MACHINE_PATH = re.compile(r"(?<![\w.])/(work|root|opt|home|Users)/|(?<![\w./])/tmp/\w")
CLOCKS = {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"), ("time", "time")}


def _ours() -> list[Path]:
    """Every file that git has or would take."""
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def _python(*folders: str) -> list[Path]:
    return [file for folder in folders for file in sorted((ROOT / folder).rglob("*.py"))]


def _calls(file: Path) -> Iterator[tuple[ast.expr, int]]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call):
            yield node.func, node.lineno


def _where(file: Path, line: int) -> str:
    return f"{file.relative_to(ROOT)}:{line}"


def test_only_the_engine_commits() -> None:
    commits = {
        _where(file, line)
        for file in _python("shared", "services")
        for function, line in _calls(file)
        if isinstance(function, ast.Attribute) and function.attr == "commit"
    }

    assert {place for place in commits if not place.startswith("shared/store/engine.py:")} == set()


def test_the_domain_has_no_clock() -> None:
    clocks = {
        _where(file, line)
        for file in _python("shared/domain")
        for function, line in _calls(file)
        if isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name | ast.Attribute)
        and (ast.unparse(function.value).rpartition(".")[2], function.attr) in CLOCKS
    }

    assert clocks == set()


def test_what_runs_before_the_virtual_environment_needs_the_standard_library_only() -> None:
    foreign = {
        f"{_where(file, line)} {name}"
        for file in _python("infra/native")
        for name, line in _imports(file)
        if name not in sys.stdlib_module_names | {"infra"}
    }

    assert foreign == set()


@pytest.mark.parametrize(
    ("folders", "lock"),
    [
        (("shared", "services", "infra/migrations", "infra/demo"), "requirements.lock"),
        (("infra", "tests", "bench", "chaos"), "requirements-dev.lock"),
    ],
)
def test_every_package_that_is_imported_is_locked(folders: tuple[str, ...], lock: str) -> None:
    locked = {_canonical(name) for name in re.findall(r"^([\w.-]+)", (ROOT / lock).read_text(), re.MULTILINE)}

    homes = packages_distributions()
    unlocked = {
        f"{_where(file, line)} {name}"
        for file in _python(*folders)
        for name, line in _imports(file)
        if name not in sys.stdlib_module_names | {"shared", "services", "infra", "tests", "bench", "chaos"}
        and not locked & {_canonical(home) for home in homes.get(name, [])}
    }

    assert unlocked == set()


def test_every_declared_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for declared, lock in (
        (project["project"]["dependencies"], "requirements.lock"),
        (project["dependency-groups"]["dev"], "requirements-dev.lock"),
    ):
        locked = dict(re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==(\S+)", (ROOT / lock).read_text(), re.MULTILINE))
        wanted = [Requirement(line) for line in declared]
        assert [w.name for w in wanted if not w.specifier.contains(locked.get(_canonical(w.name), "0"))] == []


def _imports(file: Path) -> Iterator[tuple[str, int]]:
    """The first part of the name of all that a file imports."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name.partition(".")[0], node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").partition(".")[0], node.lineno


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_files_are_short_enough_to_be_read() -> None:
    lengths = {
        str(file.relative_to(ROOT)): len(file.read_text().splitlines())
        for file in _python("shared", "services", "infra")
    }

    assert {name: size for name, size in lengths.items() if size > LONGEST_FILE and name not in LONG_FILES} == {}


def test_every_long_file_is_still_long() -> None:
    short = {name for name in LONG_FILES if len((ROOT / name).read_text().splitlines()) <= LONGEST_FILE}

    assert short == set()


def test_no_file_names_a_machine() -> None:
    named = {
        _where(file, number)
        for file in _ours()
        if file.suffix in {".py", ".md", ".toml", ".sql", ".yml", ".lock", ".html", ".mako", ".ini", ".example", ""}
        and file.name != Path(__file__).name
        for number, line in enumerate(file.read_text(errors="replace").splitlines(), start=1)
        if MACHINE_PATH.search(line)
    }

    assert named == set()


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock", "infra/native/node.lock"])
def test_every_locked_package_has_a_hash_and_none_an_address(name: str) -> None:
    text = (ROOT / name).read_text()

    entries = re.split(r"\n(?=\S)", text)
    unhashed = [entry.splitlines()[0] for entry in entries if "==" in entry and "--hash=sha256:" not in entry]

    assert unhashed == []
    assert not re.search(r"https?://|file:|--(extra-)?index-url|--find-links| @ ", text)


def test_what_tests_run_with_is_what_runs() -> None:
    def versions(name: str) -> set[str]:
        return set(re.findall(r"^([\w.-]+(?:\[[\w,-]+\])?==\S+)", (ROOT / name).read_text(), re.MULTILINE))

    assert versions("requirements.lock") <= versions("requirements-dev.lock")


def test_every_setting_is_documented_and_every_documented_setting_is_read() -> None:
    documented = set(re.findall(r"^#?(ROADMEND_\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    of_the_compose_file = {"ROADMEND_DATABASE_PASSWORD", "ROADMEND_PUBLISH"}

    assert documented - of_the_compose_file == {f"ROADMEND_{name.upper()}" for name in Settings.model_fields}
    assert all(f"${{{name}:" in (ROOT / "docker-compose.yml").read_text() for name in of_the_compose_file)


def test_the_documented_defaults_are_the_defaults() -> None:
    documented = dict(re.findall(r"^#(ROADMEND_\w+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    defaults = {f"ROADMEND_{name.upper()}": field.default for name, field in Settings.model_fields.items()}
    plain = {name: value for name, value in defaults.items() if isinstance(value, bool | int | str)}

    assert {name: documented[name] for name in plain} == {name: _as_text(value) for name, value in plain.items()}


def _as_text(value: bool | int | str) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.filterwarnings("ignore:Expression #1 .* operator clause:UserWarning")
def test_the_migrated_database_is_what_tables_py_says(shared_db: URL) -> None:
    assert shared_db
    with engine().connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_object": _is_ours})
        differences = compare_metadata(context, metadata)

    assert [difference for difference in differences if not _is_an_operator_class(difference)] == []


def _is_an_operator_class(difference: object) -> bool:
    """Alembic cannot compare such an index, so it is left out of the comparison, not of the database."""
    return "text_pattern_ops" in str(difference)


def _is_ours(thing: object, name: str | None, kind: str, reflected: bool, other: object) -> bool:
    """Neither PostGIS's own tables nor a month's partition, which a sweep makes."""
    del thing, other
    partition = bool(re.search(r"_(y?\d{4}_?m?\d{2}|default)$", name or ""))
    return not (kind == "table" and reflected and (name == "spatial_ref_sys" or partition))


def test_the_readme_points_to_what_exists() -> None:
    table = (ROOT / "README.md").read_text().partition("## Where is")[2]
    places = re.findall(r"`((?:shared|services|infra|docs)/[^`]*)`", table)

    assert len(places) > 20
    assert [place for place in places if not (ROOT / place).exists()] == []
