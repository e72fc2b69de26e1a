"""Groups of clients that run a scenario again and again: their counts, latencies and errors."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from nsroom.bench.plan import Load
from nsroom.bench.script.plan import ScriptPlan, clients_of
from nsroom.bench.script.runs import Runs, Timer
from nsroom.bench.tally import Tally
from nsroom.channel import now
from nsroom.cli.connection_options import ConnectionOptions
from nsroom.record import Direction, Kind, Record
from nsroom.scenarios.check import load
from nsroom.scenarios.result import Failure
from nsroom.scenarios.script import Line
from tests.cli.clients import Reference

MS = 1_000_000
LOBBY = """\
ann: connect /chat
bob: connect /chat
ann: join lobby-{group}
bob: join lobby-{group}
ann: call message room=lobby-{group} text=hi as id=arg.0.id
bob: expect event=message & arg.0.id={id} within 30s
bob: never event=message for 10ms
"""


def make(text: str, folder: Path, url: str, **options: Any) -> Runs:
    """Return the groups of a scenario `a`, not started yet."""
    file = folder / "a"
    file.write_text(text)
    made = Load(**{"clients": 4, "duration": 0.5, "timeout": 30.0, **options})
    clients = clients_of(load(file, "a", {}))
    plan = ScriptPlan(str(file), [], ConnectionOptions(url=url), made, clients)
    return Runs(plan, plan.script())


async def run(runs: Runs) -> dict[str, Tally]:
    """Run to the end; return the parts by the number of the line, or by their name."""
    await runs.run("script", "")
    await runs.close()
    return {name.partition(" ")[0].rpartition(":")[2]: part for name, part in runs.tally.parts.items()}


async def test_lines_are_counted_and_measured(reference: Reference, tmp_path: Path) -> None:
    parts = await run(make(LOBBY, tmp_path, (await reference()).url))
    assert list(parts) == ["1", "2", "3", "4", "5", "6", "7", "run"]
    assert [dict(part.errors) for part in parts.values()] == [{}] * 8
    assert parts["run"].answered == parts["5"].answered == parts["7"].answered >= 2
    assert parts["6"].histogram.total == parts["6"].answered
    assert parts["7"].histogram.total == 0
    assert parts["run"].histogram.percentile(0) >= 10 * MS


async def test_a_failed_line_is_an_error_and_the_group_starts_again(
    reference: Reference, tmp_path: Path
) -> None:
    text = "ann: connect /lab\nann: call echo 1 --fail arg.0=1\nann: call echo 1\n"
    parts = await run(make(text, tmp_path, (await reference()).url))
    assert list(parts["2"].errors) == ["the answer matches arg.0=1: [1]"]
    assert parts["2"].errors.total() == parts["2"].sent == parts["1"].answered >= 2
    assert (parts["3"].sent, parts["run"].answered) == (0, 0)


async def test_groups_differ_by_their_number(reference: Reference, tmp_path: Path) -> None:
    text = "ann: connect /lab\nann: call echo {group} as n=arg.0\nann: expect event=echo & arg.0={n}\n"
    text += "ann: call echo {group} --fail arg.0=3\n"
    parts = await run(make(text, tmp_path, (await reference()).url))
    assert list(parts["4"].errors) == ["the answer matches arg.0=3: [3]"]
    assert parts["4"].answered > 0
    assert parts["3"].errors == {}


async def test_runs_start_at_a_rate(reference: Reference, tmp_path: Path) -> None:
    url = (await reference()).url
    parts = await run(make("ann: connect\n", tmp_path, url, rate=20.0, duration=1.0))
    assert parts["start"].answered == parts["1"].answered == parts["run"].answered == 20


async def test_a_late_start_counts_against_every_line(reference: Reference, tmp_path: Path) -> None:
    text = "ann: connect /lab\nann: call echo 1\nann: wait 300ms\n"
    options = {"clients": 1, "rate": 20.0, "duration": 0.2}
    parts = await run(make(text, tmp_path, (await reference()).url, **options))
    assert parts["run"].answered == 4
    for name in ("start", "1", "2"):
        assert parts[name].histogram.percentile(100) >= 3 * 250 * MS


async def test_runs_that_cannot_start_are_errors(reference: Reference, tmp_path: Path) -> None:
    options = {"clients": 1, "rate": 20.0, "duration": 0.5, "timeout": 0.1}
    parts = await run(make("ann: connect\nann: wait 30s\n", tmp_path, (await reference()).url, **options))
    assert dict(parts["1"].errors) == {"not started: all clients were busy until 0.1 s after the end": 9}
    assert (parts["start"].sent, parts["run"].sent) == (1, 0)


async def test_a_group_that_cannot_connect_waits_before_it_tries_again(tmp_path: Path) -> None:
    parts = await run(make("ann: connect\n", tmp_path, "http://127.0.0.1:1", clients=1, timeout=0.1))
    assert 1 <= parts["1"].errors.total() <= 2


async def test_a_stop_ends_all_runs(reference: Reference, tmp_path: Path) -> None:
    runs = make("ann: connect\nann: wait 300s\n", tmp_path, (await reference()).url, duration=300.0)
    asyncio.get_running_loop().call_later(0.5, runs.stop.set)
    parts = await asyncio.wait_for(run(runs), 30)
    assert (parts["2"].answered, parts["run"].answered) == (0, 0)


@pytest.mark.parametrize(("age", "low", "high"), [(0, 50, 10_000), (60_000, 0, 1)])
def test_an_expected_record_counts_from_the_line_that_sent(age: int, low: int, high: int) -> None:
    file = Path("a")
    call, wait, expect = [
        Line(file, number, "a", verb) for number, verb in enumerate(("call", "wait", "expect"))
    ]
    tally = Tally(
        parts={f"a:{number} {verb}": Tally() for number, verb in enumerate(("call", "wait", "expect"))}
    )
    timer = Timer(tally, 0, {})
    timer.on_line(call, None)
    time.sleep(0.05)
    timer.on_line(wait, None)
    timer.on_line(expect, Record(now() - age * 1000, 1, Direction.IN, Kind.EVENT))
    assert low * MS <= tally.parts["a:2 expect"].histogram.percentile(100) < high * MS
    assert tally.parts["a:1 wait"].histogram.total == 0


def test_messages_that_differ_in_numbers_count_as_the_first() -> None:
    line = Line(Path("a"), 1, "a", "call")
    tally = Tally(parts={"a:1 call": Tally()})
    timer = Timer(tally, 0, {})
    for text in ("1 of 3, waited 1.5 s", "2 of 3, waited 2 s", *(f"{letter} 1" for letter in "abcdef")):
        timer.on_failure(Failure(line, text))
    others = {f"{letter} 1": 1 for letter in "abcd"}
    assert tally.parts["a:1 call"].errors == {"1 of 3, waited 1.5 s": 2, **others, "other causes": 2}
