"""Scenarios against the reference server: every verb, and what is said when a line fails."""

from pathlib import Path

import pytest

from nsroom.cli.connection_options import ConnectionOptions
from nsroom.errors import ExitCode
from nsroom.scenarios.check import load
from nsroom.scenarios.result import Result
from nsroom.scenarios.runner import Plan, run_all, run_script
from tests.cli.clients import Reference

LOBBY = """
ann: connect /chat -a token=@ann.txt
bob: connect /chat
ann: join lobby
bob: join lobby --as bob
cat: connect /chat
ann: call message room=lobby text=hi as id=arg.0.id
bob: expect event=message & arg.0.id={id} as text=arg.0.text
cat: never event=message for 50ms
ann: emit message room=lobby text="{text} there" id:={id}
bob: expect event=message & arg.0.text="hi there"
bob: leave lobby
ann: expect event=leave-room & arg.0.nick=bob
bob: disconnect
bob: connect /chat
"""
LAB = """
bob: connect /lab /chat
bob: reply question ok:=true
bob: call /lab ask event=question as got=arg.0.answer
bob: expect event=question
bob: call /lab error
bob: expect refused "lab_error"
bob: emit /lab echo {"a":[1,{"$binary":"AP8="}]} {got}
bob: expect event=echo & arg.0.a.0=1 & arg.1.0.ok=true within 20s
bob: expect kind=connect & dir=in
cat: connect /nope
cat: expect refused "Invalid namespace"
bob: wait 1ms
"""


@pytest.fixture
async def plan(reference: Reference) -> Plan:
    """Options that name the reference server."""
    return Plan(ConnectionOptions(url=(await reference()).url))


async def run(text: str, plan: Plan, tmp_path: Path) -> Result:
    file = tmp_path / "a.nsroom"
    file.write_text(text)
    (tmp_path / "ann.txt").write_text("secret\n")
    return await run_script(load(file, "a", {}), plan)


def reason(result: Result) -> tuple[int, str]:
    """Return the number of the line that failed, and the reason."""
    assert result.failure is not None
    return result.failure.line.number, result.failure.reason


async def test_members_of_a_room(plan: Plan, tmp_path: Path) -> None:
    assert (await run(LOBBY, plan, tmp_path)).failure is None


async def test_replies_refusals_and_binary_data(plan: Plan, tmp_path: Path) -> None:
    text = LAB.replace("bob: expect kind=connect & dir=in\n", "")
    assert (await run(text, plan, tmp_path)).failure is None


@pytest.mark.parametrize(
    ("lines", "number", "why"),
    [
        ("a: call never --timeout 0.1", 2, "no acknowledgement of 'never' within 0.1 s"),
        ("a: call error", 2, "the server answered lab_error"),
        ("a: emit echo {}\na: call echo 1 --fail arg.0=1", 3, "the answer matches arg.0=1: [1]"),
        ("a: call echo oh --error-first", 2, "the server answered with an error: oh"),
        ("a: call echo 1 as x=arg.0.y\na: emit echo {x}", 2, "{x}: arg.0.y is missing"),
        ("a: expect event=x within 10ms", 2, "not received, "),
        ("a: call echo 1\na: expect 3 event=echo within 10ms", 3, "1 of 3, "),
        ("a: call echo 1\na: never event=echo for 9s", 3, "it was received"),
        ("a: call echo 1\na: expect refused", 3, "it was not refused"),
        ("a: call error\na: expect refused other", 3, "it was refused, but not with 'other'"),
        ("a: emit connect", 2, "'connect' is a reserved event name"),
        ("a: emit kick\na: expect event=x within 20s", 3, "the server disconnected us from every namespace"),
        ("a: leave nowhere", 2, "the server answered "),
    ],
)
async def test_a_failed_line(lines: str, number: int, why: str, plan: Plan, tmp_path: Path) -> None:
    result = await run(f"a: connect /lab\n{lines}", plan, tmp_path)
    assert (reason(result)[0], why in reason(result)[1]) == (number, True), reason(result)
    assert result.failure is not None
    assert result.failure.code is ExitCode.NO


async def test_the_closest_records_are_details(plan: Plan, tmp_path: Path) -> None:
    text = "a: connect /lab\na: call echo 6\na: expect event=echo & arg.0=7 within 10ms"
    failure = (await run(text, plan, tmp_path)).failure
    assert failure is not None
    assert failure.details[1] == "  ✗ arg.0=7, but it is 6"


async def test_a_client_that_cannot_connect(plan: Plan, tmp_path: Path) -> None:
    refused = (await run("a: connect /nope", plan, tmp_path)).failure
    nothing = (await run("a: connect http://127.0.0.1:1", plan, tmp_path)).failure
    assert refused is not None
    assert nothing is not None
    assert (refused.code, nothing.code) == (ExitCode.REFUSED, ExitCode.CONNECT)


async def test_recordings_of_every_client(plan: Plan, tmp_path: Path) -> None:
    saving = Plan(plan.options, folder=str(tmp_path / "saved"))
    assert (await run(LOBBY, saving, tmp_path)).failure is None
    names = ["ann.ndjson", "bob-2.ndjson", "bob.ndjson", "cat.ndjson"]
    assert sorted(file.name for file in (tmp_path / "saved" / "a").iterdir()) == names
    number, why = reason(await run(LOBBY, saving, tmp_path))
    assert (number, "already exists" in why) == (2, True)


async def test_fifty_clients(plan: Plan, tmp_path: Path) -> None:
    names = [f"c{number}" for number in range(50)]
    text = "".join(f"{name}: connect /chat\n{name}: join big\n" for name in names)
    text += "c1: call message room=big text=x as id=arg.0.id\n"
    text += "".join(f"{name}: expect event=message & arg.0.id={{id}} within 30s\n" for name in names)
    assert (await run(text, plan, tmp_path)).failure is None


async def test_several_at_the_same_time(plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "ann.txt").write_text("secret")
    scripts = []
    for number in range(10):
        file = tmp_path / f"s{number}.nsroom"
        file.write_text(LOBBY.replace("lobby", f"room{number}"))
        scripts.append(load(file, file.stem, {}))
    results: list[Result] = []
    await run_all(scripts, plan, 4, results.append)
    assert [result.failure for result in results] == [None] * 10
