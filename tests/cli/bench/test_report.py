"""The report as JSON and as a log."""

import pytest

from nsroom.bench.plan import Load, Scenario
from nsroom.bench.report import Report, per_second
from nsroom.bench.tally import Tally


def report() -> Report:
    tally = Tally(sent=3, answered=2, seconds=0.5, busy=0.5, connected=2)
    tally.histogram.record(1_000_000)
    tally.histogram.record(3_000_000)
    tally.error("refused: no")
    load = Load(2, in_flight=4)
    return Report("http://localhost:3000", "/chat", load, {Scenario.CONNECT: tally, Scenario.ACK: Tally()})


def test_json() -> None:
    value = report().to_json()
    assert isinstance(value, dict)
    assert (value["target"], value["in_flight"], value["interrupted"]) == ("http://localhost:3000", 4, False)
    scenarios = value["scenarios"]
    assert isinstance(scenarios, dict)
    connect = scenarios["connect"]
    assert isinstance(connect, dict)
    assert (connect["sent"], connect["count"], connect["per_second"]) == (3, 2, 4.0)
    assert connect["errors"] == {"refused: no": 1}
    latency = connect["latency_ms"]
    assert isinstance(latency, dict)
    assert (latency["p50"], latency["max"]) == pytest.approx((1.0, 3.0), rel=0.001)
    ack = scenarios["ack"]
    assert isinstance(ack, dict)
    assert ack["latency_ms"] is None


def scenario() -> Report:
    call, run = Tally(sent=2, answered=1, seconds=0.5), Tally(sent=1, answered=1, busy=0.25)
    call.histogram.record(1_000_000)
    call.error("it was refused")
    load = Load(6, rate=2.0)
    names = ("a b.nsroom:2 call x", "a b.nsroom:3 never event=y")
    results = {names[0]: call, names[1]: Tally(), "run": run}
    return Report("http://localhost:3000", "", load, results, script="a b.nsroom", groups=2, lines=names)


def test_the_lines_of_a_scenario_as_json() -> None:
    value = scenario().to_json()
    assert list(value) == [
        *("target", "script", "clients", "groups", "workers", "rate"),
        *("lines", "run", "busy", "missed", "interrupted"),
    ]
    assert (value["clients"], value["groups"], value["busy"]) == (6, 2, 0.25)
    line, never = value["lines"].values()
    assert (line["sent"], line["count"], line["errors"]) == (2, 1, {"it was refused": 1})
    assert line["latency_ms"]["max"] == pytest.approx(1.0, rel=0.001)
    assert never["latency_ms"] is None


def test_the_lines_of_a_scenario_as_requests_and_tags() -> None:
    assert [tally.sent for tally in scenario().requests] == [2, 0]
    tags = [line.split(",")[0] for line in list(scenario().log())[4:]]
    assert tags == ["Tag=a-b.nsroom:2-call-x", "Tag=a-b.nsroom:3-never-event=y", "Tag=run"]


def test_in_flight_applies_only_without_a_rate() -> None:
    value = Report("http://localhost", "/", Load(2, rate=5.0, in_flight=4)).to_json()
    assert isinstance(value, dict)
    assert (value["rate"], value["in_flight"]) == (5.0, None)


def test_the_log_has_a_line_for_each_scenario() -> None:
    lines = list(report().log())
    assert lines[1] == "#[Histogram log format version 1.2]"
    assert [line.split(",")[:3] for line in lines[4:]] == [
        ["Tag=connect", "0.000", "0.500"],
        ["Tag=ack", "0.500", "0.000"],
    ]


@pytest.mark.parametrize(("busy", "expected"), [(0.5, None), (0.95, Scenario.CONNECT)])
def test_a_busy_worker(busy: float, expected: Scenario | None) -> None:
    made = report()
    made.results[Scenario.CONNECT].busy = busy
    assert made.busy == expected


def test_answers_per_second() -> None:
    assert per_second(Tally(answered=3, seconds=2.0)) == 1.5
    assert per_second(Tally()) == 0.0
