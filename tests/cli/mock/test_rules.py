"""The rules of a scripted server, and the errors in them with their places."""

from pathlib import Path

import pytest

from nsroom.errors import UsageError
from nsroom.mock.rules import Action, Rule, read
from nsroom.record import Direction, Kind, Record


@pytest.fixture
def script(tmp_path: Path) -> Path:
    return tmp_path / "shop.rules"


def rules(script: Path, text: str) -> list[Rule]:
    script.write_text(text)
    return read(script)


def record(event: str, *args: object, kind: Kind = Kind.EVENT) -> Record:
    return Record(0, 0, Direction.OUT, kind, "/", event=event, args=list(args))


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("ack", Action("ack")),
        ('ack {"ok": true} two 3  # a comment', Action("ack", [{"ok": True}, "two", 3])),
        ("emit order id:=7 to lobby", Action("emit", ["order", {"id": 7}], "lobby")),
        ("emit to to to", Action("emit", ["to"], "to")),
        ("emit a to", Action("emit", ["a", "to"])),
        ('emit a "b: ack" to *', Action("emit", ["a", "b: ack"], "*")),
        ("join lobby", Action("join", ["lobby"])),
        ("leave 7", Action("leave", ["7"])),
        ("kick", Action("kick")),
        ('refuse "not today"', Action("refuse", ["not today"])),
        ("after 200ms every 1.5s emit a", Action("emit", ["a"], delay=0.2, period=1.5)),
    ],
)
def test_actions(script: Path, text: str, action: Action) -> None:
    [rule] = rules(script, f"# a shop\n\non event=x: {text}\n")
    assert rule.actions == (action,)


def test_indented_lines_are_further_actions(script: Path) -> None:
    first, second = rules(script, "on event=a: ack\n  emit b\n\n  # more\n\tkick\non c: ack 1\n")
    assert [action.verb for action in first.actions] == ["ack", "emit", "kick"]
    assert [action.args for action in second.actions] == [[1]]


@pytest.mark.parametrize(
    ("expression", "matching"),
    [
        ("event=order & arg.0.total>5", [record("order", {"total": 6})]),
        ("order", [record("order")]),
        ('event="a: b"', [record("a: b")]),
        ("kind=connect", [record("", kind=Kind.CONNECT)]),
        ("ns=/", [record("x")]),
    ],
)
def test_what_a_rule_is_for(script: Path, expression: str, matching: list[Record]) -> None:
    [rule] = rules(script, f"on {expression}: ack")
    others = [record("order", {"total": 5}, kind=Kind.CONNECT), record("none", kind=Kind.DISCONNECT)]
    assert all(map(rule.matches, matching))
    assert not any(map(rule.matches, [each for each in others if each.kind is not matching[0].kind]))


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("event=a: ack", "1:1", "write a rule as: on EXPR: ACTION"),
        ("on event=a ack", "1:1", "write a rule as: on EXPR: ACTION"),
        ("on event=a: send b", "1:13", "write an action"),
        ("on event=a: after 1s", "1:13", "write an action"),
        ("on evnt=a: ack", "1:4", "unknown field"),
        ("on event=a & : ack", "1:14", "expected a field"),
        ("  ack", "1:3", "an action without a rule"),
        ("on event=a: ack\n  kik", "2:3", "write an action"),
        ("on event=a: kick now", "1:13", "kick takes no words"),
        ("on event=a: join", "1:13", "join takes one word"),
        ("on event=a: emit", "1:13", "emit takes an event"),
        ("on event=a: after soon ack", "1:13", "write it as 200ms or 1.5s"),
        ("on event=a: every 1ms emit b", "1:13", "every takes a time from 10ms to a day"),
        ("on event=a: every 1s ack", "1:13", "ack happens once"),
        ('on event=a: ack {"x": ', "1:13", "not closed"),
        ("on event=a: ack n:={x", "1:13", "not closed"),
        ("on event=a: ack n:=x", "1:13", "n:= needs JSON"),
        ("on event=a: ack \ue000", "1:17", "private use"),
    ],
)
def test_errors(script: Path, text: str, place: str, reason: str) -> None:
    with pytest.raises(UsageError) as raised:
        rules(script, text)
    assert str(raised.value).startswith(f"{script}:{place}: ")
    assert reason in str(raised.value)


def test_files_that_are_no_scripts(script: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read(script)
    for data, reason in ((b"\xff", "not UTF-8"), (b"#" * 1_000_001, "larger than"), (b"\n# x", "no rules")):
        script.write_bytes(data)
        with pytest.raises(UsageError, match=reason):
            read(script)
