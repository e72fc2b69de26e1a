"""`python -m benchmarks.scale`: every subject is measured."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SUBJECTS = {
    *("connections", "greeting", "rooms", "members", "namespaces"),
    *("history", "recordings", "sockets"),
}

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")


def scale(*options: str) -> "subprocess.CompletedProcess[str]":
    """Run the benchmark to its end."""
    command = [sys.executable, "-m", "benchmarks.scale", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.timeout(300)
def test_every_subject_is_measured() -> None:
    done = scale("--sizes", "2", "--runs", "1", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert {"processor", "cores", "python", "sqlite", "nsroom"} <= set(report["machine"])
    assert {series["subject"] for series in report["series"]} == SUBJECTS
    for series in report["series"]:
        assert (series["sizes"], series["cpu_growth"], series["faults"]) == ([2], None, [])
        # In the seconds in which `top` is watched it may have nothing to do.
        assert series["cpu_seconds"][0] > 0 or series["job"] == "`top`, a second"


@pytest.mark.parametrize("options", [["cows"], ["rooms", "--sizes", "0"], ["--runs=-1"]])
def test_a_wrong_call(options: list[str]) -> None:
    done = scale(*options)
    assert (done.returncode, done.stdout) == (2, "")
