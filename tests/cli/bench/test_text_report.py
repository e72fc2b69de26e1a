"""The report as text."""

import pytest

from nsroom.bench.histogram import Histogram
from nsroom.bench.plan import Load, Scenario
from nsroom.bench.report import Report
from nsroom.bench.tally import Tally
from nsroom.bench.text_report import format_duration, lines


def report(busy: float = 0.5, rate: float | None = None) -> Report:
    made = Report("http://localhost:3000", "/chat", Load(1000, rooms=2, rate=rate))
    tally = Tally(Histogram(), answered=1000, seconds=2.0, busy=busy)
    for number in range(1000):
        tally.histogram.record(1_200_000 + number * 5000)
    tally.error("refused: \x1b[2Jno", 3)
    made.results = {Scenario.CONNECT: tally, Scenario.ACK: Tally(Histogram())}
    return made


def text(made: Report, width: int = 80) -> list[str]:
    return [line.text for line in lines(made, width)]


@pytest.mark.parametrize(
    ("nanoseconds", "shown"),
    [
        (0, "0.00 µs"),
        (8_700, "8.70 µs"),
        (87_000, "87.0 µs"),
        (1_234_567, "1.23 ms"),
        (12_345_678, "12.3 ms"),
        (123_456_789, "123 ms"),
        (1_234_567_890, "1.23 s"),
        (123_000_000_000, "123 s"),
    ],
)
def test_durations(nanoseconds: int, shown: str) -> None:
    assert format_duration(nanoseconds) == shown


def test_a_whole_report() -> None:
    assert text(report(), 40) == [
        "http://localhost:3000/chat",
        "1,000 clients  2 rooms  1 worker  saturated",
        "",
        "             connect       ack",
        "answered       1,000         0",
        "per second       500         0",
        "p50          3.70 ms         -",
        "p90          5.70 ms         -",
        "p99          6.15 ms         -",
        "p99.9        6.19 ms         -",
        "longest      6.20 ms         -",
        "errors             3         0",
        "",
        "connect latency",
        "    < 2 ms   16.0 %  █████▏",
        "    < 5 ms   60.0 %  ███████████████████",
        "   < 10 ms   24.0 %  ███████▋",
        "",
        "         3  connect: refused: \\x1b[2Jno",
        "CPU time of bench, as a share of a core: connect 50%, ack 0%",
        "saturated: a late answer delays the next event, which hides the delay; --rate measures it",
    ]


@pytest.mark.parametrize("width", [30, 40, 80, 100])
def test_the_plot_fits(width: int) -> None:
    assert max(len(line) for line in text(report(), width) if "%  " in line) <= width


def test_a_busy_worker_is_reported() -> None:
    assert [line for line in text(report(busy=0.95)) if "use more --workers" in line]
    assert not [line for line in text(report()) if "use more --workers" in line]


def test_a_limit_of_the_server_is_explained() -> None:
    made = report()
    made.results[Scenario.ACK].error("refused: rate_limited")
    assert [line for line in text(made) if "more --rooms" in line]
    assert not [line for line in text(report()) if "more --rooms" in line]


def test_corrected_latencies_are_marked() -> None:
    assert [line for line in text(report(rate=10)) if "coordinated omission" in line]


def test_the_lines_of_a_scenario() -> None:
    made = report(rate=2)
    made.results = dict(zip(("a.nsroom:2 call message", "run"), made.results.values(), strict=True))
    made.script, made.groups, made.namespace = "a.nsroom", 2, ""
    assert text(made, 80) == [
        "http://localhost:3000  a.nsroom",
        "1,000 clients  2 groups  1 worker  2 runs/s",
        "",
        "                   count    errors       p50       p90       p99   longest",
        "2 call message     1,000         3   3.70 ms   5.70 ms   6.15 ms   6.20 ms",
        "run                    0         0         -         -         -         -",
        "",
        "         3  a.nsroom:2 call message: refused: \\x1b[2Jno",
        "CPU time of bench, as a share of a core: 50%",
        "latencies count from when a line should have started (corrected for coordinated omission)",
    ]
    assert text(made, 70)[4].startswith("2 call me… ")
