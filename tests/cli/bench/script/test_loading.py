"""Scenarios that can be a load, and those that cannot."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nsroom.bench.plan import Load
from nsroom.bench.script.loading import check_options, load_plan, prepare
from nsroom.bench.script.plan import ScriptPlan
from nsroom.cli.connection_options import ConnectionOptions
from nsroom.errors import RefusedError, UsageError
from tests.cli.clients import Reference

PAIR = "ann: connect /chat\nbob: connect /chat\nann: call echo {group}\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def plan_of(text: str, values: Sequence[str] = (), url: str = ":1", **load: Any) -> ScriptPlan:
    Path("a.nsroom").write_text(text)
    options = ConnectionOptions(url=url)
    return load_plan("a.nsroom", values, options, Load(**{"clients": 10, **load}), options.target())


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("server: node app.js\nann: connect", "a.nsroom:1:1: bench loads a server that runs"),
        (
            f"{PAIR}eve: connect http://127.0.0.1:2/chat",
            "a.nsroom:4:14: bench loads one server, http://localhost:1, but this is http://127.0.0.1:2",
        ),
        (f"{PAIR}eve: connect -u :2", "a.nsroom:4:14: bench loads one server, "),
        (f"{PAIR}ann: call x as url=arg.0\neve: connect {{url}}", "a.nsroom:5:14: "),
        ("ann: connect unix:/run/app.sock", "bench needs a TCP address"),
        (f"{PAIR}ann: call", "a.nsroom:4:6: "),
        (PAIR + "ann: call x\n" * 400, "a.nsroom: bench takes at most 400 lines, but it has 403"),
    ],
)
def test_what_a_load_cannot_do(text: str, complaint: str) -> None:
    with pytest.raises(UsageError) as error:
        plan_of(text)
    assert str(error.value).startswith(complaint)


@pytest.mark.parametrize(
    ("values", "load", "complaint"),
    [
        (["group=1"], {}, "--set group: bench numbers the groups itself"),
        (["x=1"], {}, "--set x: no scenario uses {x}"),
        ([], {"clients": 1}, "--clients 1: at least 2 are needed, 2 of the scenario for each worker"),
        ([], {"workers": 6}, "--clients 10: at least 12 are needed"),
        ([], {"ramp": 1.0, "rate": 5.0}, "--ramp has no effect here"),
    ],
)
def test_numbers_that_do_not_fit(values: list[str], load: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UsageError) as error:
        plan_of(PAIR, values, **load)
    assert str(error.value).startswith(complaint)


@pytest.mark.parametrize(
    ("target", "load", "given", "left_out"),
    [
        ("/chat", Load(2), [], "/chat"),
        (":1", Load(2, rooms=2), [], "--rooms"),
        (":1", Load(2, in_flight=2), [], "--in-flight"),
        (None, Load(2), [("--event", "x")], "--event"),
    ],
)
def test_options_that_the_scenario_replaces(
    target: str | None, load: Load, given: list[tuple[str, object]], left_out: str
) -> None:
    check_options(":1", Load(2, rate=1.0), [("--event", None)])
    with pytest.raises(UsageError, match=f"leave out {left_out}$"):
        check_options(target, load, given)


async def test_the_report_has_whole_groups(reference: Reference, capsys: pytest.CaptureFixture[str]) -> None:
    plan = plan_of(f"eve: connect /nope\neve: expect refused\n{PAIR}", url=(await reference()).url)
    prepared, report = await prepare(plan, plan.options.target(), yes=False)
    assert (prepared.groups, report.load.clients, report.groups, len(report.lines)) == (3, 9, 3, 5)
    assert capsys.readouterr().err == "nsroom: 9 clients: 3 groups of 3\n"


async def test_a_command_for_credentials_runs_once(reference: Reference) -> None:
    options = ConnectionOptions(url=(await reference()).url, auth_command="echo token=1")
    plan = replace(plan_of(PAIR), options=options)
    prepared, _ = await prepare(plan, options.target(), yes=False)
    assert (prepared.options.auth, prepared.options.auth_command) == (['{"token": "1"}'], None)


async def test_a_refused_client_and_consent(reference: Reference) -> None:
    refused = plan_of("ann: connect /nope", url=(await reference()).url)
    with pytest.raises(RefusedError, match="/nope"):
        await prepare(refused, refused.options.target(), yes=False)
    far = plan_of(PAIR, url="http://192.0.2.1:9")
    with pytest.raises(UsageError, match="add --yes"):
        await prepare(far, far.options.target(), yes=False)
