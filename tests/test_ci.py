"""The scripts of .ci, and the verdict of the soak."""

import re
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import pytest

from benchmarks.soak import Sample, growth

ROOT = Path(__file__).parents[1]
MIB = 2**20


def test_the_floors_are_the_minimums_of_all_requirements() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / ".ci" / "floors"], capture_output=True, text=True, check=True
    )
    floors = dict(line.split("==") for line in done.stdout.splitlines())
    needed = [each for each in requires("nsroom") or [] if "extra == 'dev'" not in each]
    assert set(floors) == {re.split(r"[\[<>=; ]", each)[0] for each in needed}
    assert all(version[0].isdigit() for version in floors.values())


@pytest.mark.parametrize("arguments", [["--minutes"], ["--minutes", "0"], ["--minutes", "x"], ["2"]])
def test_a_wrong_call_of_the_nightly_checks(arguments: list[str]) -> None:
    command = ["bash", str(ROOT / ".ci" / "nightly"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "usage: .ci/nightly [--minutes N]\n")


@pytest.mark.parametrize(
    ("samples", "grown"),
    [
        ([Sample(50 * MIB, 20)] * 8, None),
        ([Sample(at * MIB, 20) for at in (10, 50, 50, 51, 50, 52, 50, 53)], None),
        (
            [Sample(50 * MIB + at * 10 * MIB, 20) for at in range(8)],
            "memory grew from 78,643,200 to 120,586,240",
        ),
        ([Sample(50 * MIB, 20 + 5 * at) for at in range(8)], "descriptors grew from 32 to 52"),
        ([Sample(50 * MIB, 90 if at == 4 else 20) for at in range(8)], None),
    ],
)
def test_what_the_soak_calls_growth(samples: list[Sample], grown: str | None) -> None:
    assert growth(samples) == grown
