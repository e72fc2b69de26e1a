"""The floors of SECURITY.md hold: in pyproject.toml, and for what is installed."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = dict(re.findall(r"^\| `([\w-]+)` \| ([\d.]+) \|", (ROOT / "SECURITY.md").read_text("utf-8"), re.M))


def numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text))


def test_there_are_floors() -> None:
    assert {"aiohttp", "python-socketio", "python-engineio"} <= set(FLOORS)


@pytest.mark.parametrize("package", FLOORS)
def test_what_is_installed_is_not_older(package: str) -> None:
    assert numbers(version(package)) >= numbers(FLOORS[package])


@pytest.mark.parametrize("package", FLOORS)
def test_older_ones_cannot_be_installed(package: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    (wanted,) = [each for each in project["dependencies"] if each.startswith(package)]
    lowest = re.search(r">=([\d.]+)", wanted)
    assert lowest
    assert numbers(lowest[1]) >= numbers(FLOORS[package])
