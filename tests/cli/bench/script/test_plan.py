"""Plans of a load of scenarios, and the names of what they measure."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from nsroom.bench.plan import Load
from nsroom.bench.script.plan import ScriptPlan, clients_of, from_json, name_of, names_of
from nsroom.cli.connection_options import ConnectionOptions
from nsroom.client.target import Transport

TEXT = """\
ann: connect /chat
bob: connect
ann: call /chat message room=lobby-{group} {user}
bob: expect event=message & arg.0=1
bob: never event=x for 1s
eve: connect /nope
eve: expect refused
ann: reply ask
"""


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ScriptPlan:
    monkeypatch.chdir(tmp_path)
    Path("a.nsroom").write_text(TEXT)
    options = ConnectionOptions(url=":3000", transport=Transport.POLLING, given=frozenset({"url"}))
    return ScriptPlan("a.nsroom", ["user=7"], options, Load(32, workers=3), 3, 1)


def test_a_plan_survives_json(plan: ScriptPlan) -> None:
    assert from_json(json.loads(json.dumps(plan.to_json()))) == plan
    assert plan.script().values == {"group": 0, "user": 7}


def test_groups_are_spread_over_the_workers(plan: ScriptPlan) -> None:
    assert plan.groups == 10
    assert [list(plan.for_worker(number).own_groups) for number in range(3)] == [
        [0, 3, 6, 9],
        [1, 4, 7],
        [2, 5, 8],
    ]
    assert clients_of(plan.script()) == 3


def test_names_of_lines(plan: ScriptPlan) -> None:
    assert [name_of(line) for line in plan.script().lines] == [
        "a.nsroom:1 connect /chat",
        "a.nsroom:2 connect",
        "a.nsroom:3 call /chat message",
        "a.nsroom:4 expect event=message",
        "a.nsroom:5 never event=x",
        "a.nsroom:6 connect /nope",
        "a.nsroom:7 expect refused",
        "a.nsroom:8 reply ask",
    ]


def test_thresholds_name_lines_verbs_and_runs(plan: ScriptPlan) -> None:
    names = names_of(plan.script(), plan.load)
    call, expect = "a.nsroom:3 call /chat message", "a.nsroom:4 expect event=message"
    assert (names[""], names["3"], names["a.nsroom:4"]) == ([call, expect], [call], [expect])
    assert [name.partition(" ")[0] for name in names["connect"]] == ["a.nsroom:1", "a.nsroom:2", "a.nsroom:6"]
    assert names["run"] == ["run"]
    assert names.keys().isdisjoint({"never", "reply", "7", "8", "start"})
    assert names_of(plan.script(), replace(plan.load, rate=1.0))["start"] == ["start"]
