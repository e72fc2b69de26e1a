"""Thresholds of latencies and errors."""

import pytest

from nsroom.bench.histogram import Histogram
from nsroom.bench.plan import Scenario
from nsroom.bench.tally import Tally
from nsroom.bench.thresholds import missed, parse_errors, parse_latency
from nsroom.errors import UsageError


def results() -> dict[Scenario, Tally]:
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
    assert missed([parse_latency("--max-p99", 99, text)], results()) == lines


def test_connect_is_checked_if_it_is_the_only_scenario() -> None:
    only = {Scenario.CONNECT: results()[Scenario.CONNECT]}
    assert missed([parse_latency("--max-p99", 99, "50ms")], only) == ["--max-p99 50ms: connect took 99.02 ms"]
    assert missed([parse_latency("--max-p99", 99, "ack=0ms")], only) == []


@pytest.mark.parametrize(
    ("text", "kept"), [("0", False), ("1", False), ("2", True), ("0.9%", False), ("1%", True), ("100%", True)]
)
def test_errors(text: str, kept: bool) -> None:
    both = {name: tally for name, tally in results().items() if name is not Scenario.CONNECT}
    lines = missed([parse_errors(text)], both)
    assert lines == ([] if kept else [f"--max-errors {text}: there were 2"])


@pytest.mark.parametrize("text", ["", "50", "ack=", "ack=50", "who=50ms", "-1ms", "ack=fan-out=1ms"])
def test_invalid_latencies(text: str) -> None:
    with pytest.raises(UsageError, match="--max-p50"):
        parse_latency("--max-p50", 50, text)


@pytest.mark.parametrize("text", ["", "-1", "x", "1.5", "%", "1 %"])
def test_invalid_errors(text: str) -> None:
    with pytest.raises(UsageError, match="--max-errors"):
        parse_errors(text)
