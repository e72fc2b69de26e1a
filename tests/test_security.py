"""The minimum versions of SECURITY.md hold in pyproject.toml and for the installed packages."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MINIMUMS = dict(re.findall(r"^\| `([\w-]+)` \| ([\d.]+) \|", (ROOT / "SECURITY.md").read_text("utf-8"), re.M))


def numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text))


def test_there_are_minimum_versions() -> None:
    assert {"aiohttp", "python-socketio", "python-engineio"} <= set(MINIMUMS)


@pytest.mark.parametrize("package", MINIMUMS)
def test_the_installed_version_is_not_older(package: str) -> None:
    assert numbers(version(package)) >= numbers(MINIMUMS[package])


@pytest.mark.parametrize("package", MINIMUMS)
def test_an_older_version_cannot_be_installed(package: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    (requirement,) = [each for each in project["dependencies"] if each.startswith(package)]
    lowest = re.search(r">=([\d.]+)", requirement)
    assert lowest
    assert numbers(lowest[1]) >= numbers(MINIMUMS[package])
