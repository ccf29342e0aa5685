"""The versions that the scripts install are those that setup.cfg asks for, and that are tested."""

from __future__ import annotations

import configparser
import json
import re
from collections.abc import Iterator
from importlib import metadata

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import repository

LOCKED = repository() / "scripts" / "locked"
PYTHONS = ("3.11", "3.12", "3.13")
FILES = {"core": ["core"], "embedded": ["core", "embedded"], "s3": ["core", "s3"]}
FILES["test"] = ["core", "embedded", "s3", "test"]
"""The files that are installed for each extra of setup.cfg."""


def locked(*names: str) -> Iterator[tuple[Requirement, int]]:
    """The packages of these files, and how many hashes each has."""
    for name in names:
        text = (LOCKED / f"{name}.txt").read_text()
        for block in re.findall(r"^\S.*\n(?:\s.*\n)*", text, re.MULTILINE):
            line = block.partition("\\")[0]
            yield Requirement(line.strip()), block.count("--hash=sha256:")


def pinned(python: str, *names: str) -> dict[str, str]:
    """The versions that these files give to a Python on this system."""
    found: dict[str, str] = {}
    for package, _ in locked(*names):
        if package.marker is None or package.marker.evaluate(_marks(python)):
            [version] = [each.version for each in package.specifier]
            found[canonicalize_name(package.name)] = version
    return found


def _marks(python: str) -> dict[str, str]:
    marks = {key: str(value) for key, value in default_environment().items()}
    return marks | {"python_version": python, "python_full_version": f"{python}.0"}


def wanted(extra: str) -> list[Requirement]:
    """What setup.cfg asks for."""
    settings = configparser.ConfigParser()
    settings.read(repository() / "setup.cfg")
    lines = settings["options"]["install_requires"]
    if extra != "core":
        lines += settings["options.extras_require"][extra]
    return [Requirement(line) for line in lines.splitlines() if line.strip()]


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("extra", FILES)
def test_locked_versions_are_what_setup_cfg_asks_for(extra: str, python: str) -> None:
    versions = pinned(python, *FILES[extra])
    for requirement in wanted(extra):
        if requirement.marker is None or requirement.marker.evaluate(_marks(python)):
            version = versions[canonicalize_name(requirement.name)]
            assert requirement.specifier.contains(version), (requirement, version)
    assert "setuptools" in versions  # pip builds chatd with it


def test_every_locked_package_has_one_version_and_hashes() -> None:
    libraries = [f"libraries/{each.stem}" for each in (LOCKED / "libraries").glob("*.txt")]
    assert libraries
    for package, hashes in locked("pip", *FILES["test"], *libraries):
        assert [each.operator for each in package.specifier] == ["=="], package
        assert hashes, package


def test_packages_of_node_are_locked_with_hashes_and_without_addresses() -> None:
    for folder in (LOCKED / "libraries" / "node", LOCKED / "libraries" / "selfbot"):
        wanted = json.loads((folder / "package.json").read_text())
        locked_packages = json.loads((folder / "package-lock.json").read_text())["packages"]
        assert locked_packages.pop("")["dependencies"] == wanted["dependencies"]
        for name, package in locked_packages.items():
            assert package["integrity"].startswith("sha512-"), name
            assert "resolved" not in package, name


def test_tests_run_on_the_locked_versions() -> None:
    marks = default_environment()
    versions = pinned(marks["python_version"], *FILES["test"])
    for name, version in versions.items():
        assert metadata.version(name) == version, name
