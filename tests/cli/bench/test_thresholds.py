"""Thresholds of latencies and errors."""

import pytest

from nsroom.bench.histogram import Histogram
from nsroom.bench.plan import Load, Scenario
from nsroom.bench.report import Report
from nsroom.bench.tally import Tally
from nsroom.bench.thresholds import missed, parse_errors, parse_latency, scenario_names
from nsroom.errors import UsageError


def report(*scenarios: Scenario) -> Report:
    """Return a report with these scenarios."""
    results: dict[str, Tally] = {name: tally for name, tally in _all().items() if name in scenarios}
    return Report("http://localhost", "/", Load(2), results)


def _all() -> dict[Scenario, Tally]:
    quick, slow = Tally(Histogram(), answered=100), Tally(Histogram(), answered=100)
    for number in range(1, 101):
        quick.histogram.record(number * 10_000)
        slow.histogram.record(number * 1_000_000)
    slow.error("refused: no", 2)
    return {Scenario.CONNECT: slow, Scenario.ACK: quick, Scenario.FANOUT: slow}


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("100ms", []),
        ("50ms", ["--max-p99 50ms: fan-out took 99.02 ms"]),
        ("ack=50ms", []),
        ("fan-out=0.05s", ["--max-p99 fan-out=0.05s: fan-out took 99.02 ms"]),
        ("connect=50ms", ["--max-p99 connect=50ms: connect took 99.02 ms"]),
        ("0ms", ["--max-p99 0ms: ack took 0.9902 ms", "--max-p99 0ms: fan-out took 99.02 ms"]),
    ],
)
def test_latencies(text: str, lines: list[str]) -> None:
    limit = parse_latency("--max-p99", 99, text, scenario_names(list(Scenario)))
    assert missed([limit], report(*Scenario)) == lines


@pytest.mark.parametrize(
    ("text", "lines"), [("50ms", ["--max-p99 50ms: connect took 99.02 ms"]), ("ack=0ms", [])]
)
def test_connect_is_checked_if_it_is_the_only_scenario(text: str, lines: list[str]) -> None:
    limit = parse_latency("--max-p99", 99, text, scenario_names([Scenario.CONNECT]))
    assert missed([limit], report(Scenario.CONNECT)) == lines


@pytest.mark.parametrize(
    ("text", "kept"), [("0", False), ("1", False), ("2", True), ("0.9%", False), ("1%", True), ("100%", True)]
)
def test_errors(text: str, kept: bool) -> None:
    lines = missed([parse_errors(text)], report(Scenario.ACK, Scenario.FANOUT))
    assert lines == ([] if kept else [f"--max-errors {text}: there were 2"])


@pytest.mark.parametrize("text", ["", "50", "ack=", "ack=50", "who=50ms", "-1ms", "ack=fan-out=1ms", "=1ms"])
def test_invalid_latencies(text: str) -> None:
    with pytest.raises(UsageError, match="--max-p50"):
        parse_latency("--max-p50", 50, text, scenario_names(list(Scenario)))


def test_the_lines_of_a_scenario() -> None:
    names = {"": ["a:2 call x"], "2": ["a:2 call x"], "connect": ["a:1 connect"], "run": ["run"]}
    [slow, run] = [parse_latency("--max-p50", 50, text, names) for text in ("2=1ms", "run=1s")]
    tally = Tally(answered=1)
    tally.histogram.record(5_000_000)
    tally.error("refused", 2)
    made = Report("", "", Load(2), {"a:2 call x": tally, "run": tally}, script="a", lines=("a:2 call x",))
    [line] = missed([slow, run], made)
    assert line.startswith("--max-p50 2=1ms: a:2 call x took ")
    assert missed([parse_errors("50%")], made) == ["--max-errors 50%: there were 2"]
    with pytest.raises(UsageError, match="'x=1ms': unknown name; choose connect, run, or the number of a li"):
        parse_latency("--max-p50", 50, "x=1ms", names)


@pytest.mark.parametrize("text", ["", "-1", "x", "1.5", "%", "1 %"])
def test_invalid_errors(text: str) -> None:
    with pytest.raises(UsageError, match="--max-errors"):
        parse_errors(text)
