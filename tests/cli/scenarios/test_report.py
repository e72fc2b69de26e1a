"""Results as lines and as JUnit XML."""

from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

from nsroom.errors import ExitCode
from nsroom.scenarios.report import junit, lines, summary
from nsroom.scenarios.result import Failure, Result, exit_code
from nsroom.scenarios.script import Line, Script

LINE = Line(Path("t/a.nsroom"), 9, "cat", "never", text="cat: never event=x for 1s")


def result(name: str, code: ExitCode | None = None, *details: str) -> Result:
    failure = None if code is None else Failure(LINE, "it was \0received\x1b", details, code)
    return Result(Script(name, Path("t/a.nsroom"), (LINE,), {}), 0.5, failure)


PASSED, FAILED = result("t/good"), result("t/bad", ExitCode.NO, "← x  <1>")
ERROR, REFUSED = result("alone", ExitCode.CONNECT), result("r", ExitCode.REFUSED)


def test_lines() -> None:
    assert lines(PASSED) == ["✓ t/good  0.50 s"]
    assert lines(FAILED) == [
        "✗ t/bad  0.50 s",
        "  t/a.nsroom:9: cat: never event=x for 1s: it was \\x00received\\x1b",
        "    ← x  <1>",
    ]


def test_the_summary() -> None:
    assert summary([PASSED], 1) == "1 passed in 1.00 s"
    assert summary([PASSED, FAILED, ERROR], 2.5) == "1 passed, 2 failed in 2.50 s"
    assert summary([FAILED], 1) == "1 failed in 1.00 s"


def test_the_exit_code() -> None:
    assert exit_code([PASSED]) == 0
    assert exit_code([PASSED, ERROR, REFUSED]) == 3
    assert exit_code([REFUSED]) == 4
    assert exit_code([ERROR, FAILED]) == 1


def test_junit() -> None:
    root = ElementTree.fromstring(junit([PASSED, FAILED, ERROR], 1.5, datetime(2026, 1, 2, tzinfo=UTC)))
    [suite] = root
    assert {key: suite.get(key) for key in ("tests", "failures", "errors", "timestamp")} == {
        "tests": "3",
        "failures": "1",
        "errors": "1",
        "timestamp": "2026-01-02T00:00:00",
    }
    good, bad, alone = suite
    assert (good.get("classname"), good.get("name"), len(good)) == ("t", "good", 0)
    [failure] = bad
    assert (failure.tag, failure.get("type"), failure.get("message")) == (
        "failure",
        "never",
        "it was �received�",
    )
    assert "t/a.nsroom:9" in str(failure.text)
    assert "← x  <1>" in str(failure.text)
    assert (alone.get("classname"), alone[0].tag) == ("nsroom", "error")
