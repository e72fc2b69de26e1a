"""Events to emit, from arguments."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom.client.events import (
    Acknowledge,
    Emit,
    fill,
    is_item,
    message,
    parse_arguments,
    relay,
)
from nsroom.errors import UsageError
from nsroom.protocol import socketio
from nsroom.protocol.socketio import Packet, PacketType
from nsroom.record import Json


@pytest.mark.parametrize(
    ("words", "args"),
    [
        ([], []),
        (["hi"], ["hi"]),
        (["42", "1.5", "true", "null", '"42"'], [42, 1.5, True, None, "42"]),
        (['{"a":[1]}', "[]"], [{"a": [1]}, []]),
        (["{oops", "01", "NaN", "Infinity", "-", ""], ["{oops", "01", "NaN", "Infinity", "-", ""]),
        (["name=ann", "age:=7", "tags:=[1]"], [{"name": "ann", "age": 7, "tags": [1]}]),
        (["1", "a=x", "2", "b=y", "a=z"], [1, {"a": "z", "b": "y"}, 2]),
        (["a=", "b==c", "c=d=e"], [{"a": "", "b": "=c", "c": "d=e"}]),
        (["x-y.z=1", "_a=2"], [{"x-y.z": "1", "_a": "2"}]),
        (["1a=b", "=x", "http://h/?a=b", "ü=1"], ["1a=b", "=x", "http://h/?a=b", "ü=1"]),
        (["a=line\nbreak"], [{"a": "line\nbreak"}]),
        (["9007199254740993"], [9007199254740993]),
    ],
)
def test_words_are_json_items_or_text(words: list[str], args: list[Any]) -> None:
    assert parse_arguments(words) == args


def test_plain_words_stay_text() -> None:
    words = ["42", "a=b", "@file", '{"a":1}']
    assert parse_arguments(words, plain=True) == words


def test_files_are_binary(tmp_path: Path) -> None:
    blob, data = tmp_path / "blob", tmp_path / "data.json"
    blob.write_bytes(b"\0\xff")
    data.write_text('{"n": 1}')
    assert parse_arguments([f"@{blob}", f"scan=@{blob}", f"data:=@{data}"]) == [
        b"\0\xff",
        {"scan": b"\0\xff", "data": {"n": 1}},
    ]


@pytest.mark.parametrize(
    ("word", "complaint"),
    [
        (
            "@/no/such",
            r"cannot read the file after @: No such file or directory; for text that starts with @",
        ),
        ("a=@/no/such", "cannot read the file after @: No such"),
        ("@/", "cannot read the file after @: Is a directory"),
        ("@a\0", "cannot read"),
        ("a:=", "a:= needs JSON"),
        ("a:={", "a:= needs JSON"),
        ("a:=NaN", "a:= needs JSON"),
    ],
)
def test_invalid_words(word: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        parse_arguments([word])


def test_an_event_relayed_to_rooms() -> None:
    emit = Emit("/chat", "price", [12.5])
    assert relay(emit, ["a", "b"], ["c"]) == Emit(
        "/chat", "emit", [{"event": "price", "args": [12.5], "to": ["a", "b"], "except": ["c"]}]
    )
    assert relay(emit, ["a"], []).args == [{"event": "price", "args": [12.5], "to": ["a"]}]


def test_packets() -> None:
    assert Emit("/x", "e", [1]).packet(7) == Packet(PacketType.EVENT, "/x", 7, ["e", 1])
    assert Acknowledge("/x", 7, [1]).packet() == Packet(PacketType.ACK, "/x", 7, [1])


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_any_word_is_an_argument_or_a_usage_error(word: str) -> None:
    try:
        args = parse_arguments([word])
    except UsageError:
        return
    assert len(socketio.encode(Emit("/", "e", args).packet())) >= 1


@pytest.mark.parametrize(
    ("value", "filled"),
    [
        ("{room}", "a"),
        ("x-{room}-{room}", "x-a-a"),
        ([1, ["{room}"], None], [1, ["a"], None]),
        ({"{room}": {"k": "{room}", "n": 1.5}}, {"a": {"k": "a", "n": 1.5}}),
        ("{other}", "{other}"),
    ],
)
def test_every_placeholder_of_a_template_is_filled(value: Json, filled: Json) -> None:
    assert fill(value, room="a") == filled


@pytest.mark.parametrize(("room", "args"), [("lobby", [{"room": "lobby", "text": "hi"}]), ("", ["hi"])])
def test_typed_text_is_a_message(room: str, args: list[Json]) -> None:
    assert message("/chat", room, "hi") == Emit("/chat", "message", args)


@pytest.mark.parametrize(
    ("text", "item"),
    [
        ('["e",1]', True),
        ('{"kind":"event"}', True),
        ("[", True),
        ("hi", False),
        (' ["e"]', False),
        ("", False),
    ],
)
def test_a_typed_line_that_starts_with_a_bracket_is_an_item(text: str, item: bool) -> None:
    assert is_item(text) is item
