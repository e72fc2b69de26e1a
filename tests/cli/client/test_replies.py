"""Rules for acknowledgements: which events they answer, with what, and what is reported."""

import asyncio
import shlex
import sys

import pytest

from nsroom.client.events import Acknowledge
from nsroom.client.replies import Program, Replier, Rule, Rules, parse_program, parse_rules
from nsroom.errors import LostError, UsageError
from nsroom.filters import parse
from nsroom.record import Direction, Json, Kind, Record


def event(name: str | int = "ask", *args: Json, id: int | None = 1) -> Record:
    return Record(0, 1, Direction.IN, Kind.EVENT, "/chat", id, name, list(args))


def python(code: str) -> Program:
    return parse_program(shlex.join([sys.executable, "-c", code]))


class Sent:
    """The acknowledgements that were sent, and the lines that were reported."""

    def __init__(self, rules: Rules, timeout: float = 20) -> None:
        self.answers: list[Acknowledge] = []
        self.lines: list[str] = []
        self.replier = Replier(rules, self._send, self.lines.append, timeout)

    async def _send(self, answer: Acknowledge) -> None:
        self.answers.append(answer)

    async def after(self, *records: Record) -> list[list[Json]]:
        """Return the arguments of all acknowledgements after these records."""
        await self.replier.handle(records)
        while self.replier._tasks:
            await asyncio.wait(self.replier._tasks)
        return [answer.args for answer in self.answers]


@pytest.mark.parametrize(
    ("text", "event", "args"),
    [
        ('ask={"ok":true}', "ask", [{"ok": True}]),
        ("ask=yes", "ask", ["yes"]),
        ("ask=ok:=true", "ask", [{"ok": True}]),
        ("ask=", "ask", [""]),
        ("ask", "ask", []),
    ],
)
def test_a_rule_of_the_command_line(text: str, event: str, args: list[Json]) -> None:
    assert parse_rules([text]) == {event: Rule(args)}


def test_a_rule_without_an_event() -> None:
    with pytest.raises(UsageError, match="write it as EVENT=ARG"):
        parse_rules(["=1"])


@pytest.mark.parametrize(
    ("line", "message"), [("'", "no closing"), ("", "name a command"), ("no-such-x", "cannot find")]
)
def test_a_program_must_exist(line: str, message: str) -> None:
    with pytest.raises(UsageError, match=f"--exec: {message}"):
        parse_program(line)


async def test_only_questions_with_a_rule_are_answered() -> None:
    sent = Sent({"ask": Rule([1, "a"]), "7": Rule([])})
    out = event()._replace(direction=Direction.OUT)
    records = [event(), event("other"), event(id=None), out, event()._replace(kind=Kind.ACK), event(7, id=2)]
    assert await sent.after(*records) == [[1, "a"], []]
    assert sent.answers[1] == Acknowledge("/chat", 2, [])


async def test_a_rule_for_some_events() -> None:
    sent = Sent({"ask": Rule([], parse("arg.0=2"))})
    await sent.after(event("ask", 1, id=1), event("ask", 2, id=2))
    assert [answer.id for answer in sent.answers] == [2]


@pytest.mark.parametrize(
    ("code", "args"),
    [
        ("import json, sys; print(json.load(sys.stdin)['args'][0] + 1)", [42]),
        ("import os; print(os.environ['NSROOM_EVENT'], 'it is')", ["ask it is"]),
        ("", []),
        (r"import sys; sys.stdout.buffer.write(b'\xff\0')", [b"\xff\0"]),
    ],
)
async def test_the_output_of_a_program_is_the_answer(code: str, args: list[Json]) -> None:
    sent = Sent({"ask": Rule(python(code))})
    answers = await sent.after(event("ask", 41))
    assert (answers, sent.lines) == ([args], [])


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("raise SystemExit(3)", "failed with code 3"),
        ("print('x' * 2_000_000)", "printed more than 1000000 bytes"),
    ],
)
async def test_a_failed_program_does_not_answer(code: str, why: str) -> None:
    sent = Sent({"ask": Rule(python(code))})
    assert await sent.after(event()) == []
    assert (sent.replier.failed, len(sent.lines)) == (1, 1)
    assert sent.lines[0].startswith("'ask' is not acknowledged: --exec: ")
    assert why in sent.lines[0]


async def test_a_lost_connection_is_reported() -> None:
    lines: list[str] = []

    async def fail(_: Acknowledge) -> None:
        raise LostError("not connected to the server")

    replier = Replier({"ask": Rule([])}, fail, lines.append)
    await replier.handle([event()])
    assert lines == ["'ask' is not acknowledged: not connected to the server"]


async def test_few_programs_run_at_once_and_closing_stops_them() -> None:
    sent = Sent({"ask": Rule(python("import time; time.sleep(60)"))}, 60)
    handling = asyncio.create_task(sent.replier.handle([event(id=number) for number in range(20)]))
    for _ in range(100):
        await asyncio.sleep(0)
    assert (len(sent.replier._tasks), handling.done()) == (8, False)
    handling.cancel()
    await sent.replier.close()
    assert (sent.replier._tasks, sent.answers) == (set(), [])
