"""The report of versions, platform and paths."""

import platform

import pytest

from nsroom import __version__
from nsroom.cli.versions import report
from tests.peers.program import Runner


def test_the_report_names_every_library_once() -> None:
    names = [line.split()[0] for line in report().splitlines()]
    assert len(names) == len(set(names))
    assert {"nsroom", "Python", "aiohttp", "python-socketio", "redis", "rich", "typer", "uvloop"} <= set(
        names
    )
    assert "pytest" not in names
    assert f"{__version__}\n" in report()
    assert platform.python_version() in report()


@pytest.mark.parametrize("line", ["-V -v", "-v -V", "--version --verbose", "--verbose -V", "-Vv"])
async def test_version_with_verbose_prints_it(nsroom: Runner, line: str) -> None:
    result = await nsroom(*line.split())
    assert (result.code, result.stderr) == (0, "")
    assert "configuration" in result.stdout


async def test_version_alone_is_one_line(nsroom: Runner) -> None:
    assert (await nsroom("-V")).stdout == f"nsroom {__version__}\n"
