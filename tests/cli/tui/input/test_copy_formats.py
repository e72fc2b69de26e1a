import json
import shlex

import pytest

from nsroom.client.events import parse_arguments, parse_line
from nsroom.record import Json, Record, from_json
from nsroom.tui.input import copy_formats
from nsroom.tui.input.shell_words import split
from tests.cli.tui.records import event

ARGS: list[list[Json]] = [
    [],
    ["text"],
    ["5", 5, True, None],
    [{"a": [1, {"b": "it's"}]}],
    ["a b", "$HOME", "`x`", "-t", "@file", "key=value", 'quo"te', "new\nline", "ünï \u202e"],
    [{"$binary": "x"}],
]
records = pytest.mark.parametrize("record", [event("my event", *args, namespace="/chat") for args in ARGS])


@records
def test_json_reads_back_as_the_record(record: Record) -> None:
    assert from_json(json.loads(copy_formats.as_json(record))) == record


@records
def test_the_command_emits_the_same_event(record: Record) -> None:
    words = shlex.split(copy_formats.as_emit(record))
    assert words[:4] == ["nsroom", "emit", "-n", "/chat"]
    name, *args = [word for word in words[4:] if word != "--"]
    assert name == "my event"
    assert parse_arguments(args) == record.args


@records
def test_the_input_line_emits_the_same_event(record: Record) -> None:
    line = copy_formats.as_typed(record)
    _, namespace, name, *args = split(line.removeprefix("/emit"))
    assert (namespace, name, parse_arguments(args)) == ("/chat", "my event", record.args)


def test_binary_is_copied_as_ndjson() -> None:
    record = event("chart", {"png": b"\x89PNG"}, namespace="/")
    emit = parse_line(copy_formats.as_typed(record).encode(), "/")
    assert emit is not None
    assert emit.args == record.args
    assert copy_formats.as_emit(record) == (
        """echo '["chart", {"png": {"$binary": "iVBORw=="}}]' | nsroom emit -"""
    )


@pytest.mark.parametrize(
    ("args", "javascript", "python"),
    [
        ([], 'socket.emit("e");', "await sio.emit('e', ())"),
        ([1], 'socket.emit("e", 1);', "await sio.emit('e', 1)"),
        ([None], 'socket.emit("e", null);', "await sio.emit('e', (None,))"),
        (
            ["a", {"b": True}],
            'socket.emit("e", "a", {"b": true});',
            "await sio.emit('e', ('a', {'b': True}))",
        ),
        ([b"hi"], 'socket.emit("e", Buffer.from("aGk=", "base64"));', "await sio.emit('e', b'hi')"),
    ],
)
def test_code(args: list[Json], javascript: str, python: str) -> None:
    record = event("e", *args, namespace="/")
    assert (copy_formats.as_javascript(record), copy_formats.as_python(record)) == (javascript, python)


def test_code_names_the_namespace() -> None:
    assert copy_formats.as_python(event("e", 1)) == "await sio.emit('e', 1, namespace='/chat')"
