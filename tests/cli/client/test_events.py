"""Events to emit, from arguments and from lines of stdin."""

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
    parse_line,
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


# Lines of stdin


@pytest.mark.parametrize(
    ("line", "item"),
    [
        (b'["e"]', Emit("/n", "e", [])),
        (b' ["e", 1, {"a": null}] ', Emit("/n", "e", [1, {"a": None}])),
        (b'[7, "number"]', Emit("/n", 7, ["number"])),
        (b'["e", {"$binary": "AAE="}]', Emit("/n", "e", [b"\0\1"])),
        (b'["e", {"$$binary": "AAE="}]', Emit("/n", "e", [{"$binary": "AAE="}])),
        ('["é", "\\ud800"]'.encode(), Emit("/n", "é", ["\ud800"])),
        (b'{"event": "e"}', Emit("/n", "e", [])),
        (b'{"event": "e", "args": [1], "namespace": "/x"}', Emit("/x", "e", [1])),
        (b'{"kind": "event", "direction": "in", "event": "e"}', Emit("/n", "e", [])),
        (b'{"kind": "ack", "id": 3, "args": [1]}', Acknowledge("/n", 3, [1])),
        (b'{"kind": "ack", "id": 0, "namespace": "/x"}', Acknowledge("/x", 0, [])),
        (b'{"kind": "ack", "direction": "in", "id": 3}', None),
        (b'{"kind": "ping"}', None),
        (b'{"kind": "connect", "namespace": "/x", "sid": "1"}', None),
    ],
)
def test_a_line_is_an_event_or_a_record(line: bytes, item: object) -> None:
    assert parse_line(line, "/n") == item


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b"", "not JSON"),
        (b"hello", "not JSON"),
        (b'["e"', "not JSON"),
        (b"[]", "an event needs a name"),
        (b"[true]", "an event needs a name"),
        (b"[null]", "an event needs a name"),
        (b"[[]]", "an event needs a name"),
        (b"{}", "an event needs a name"),
        (b"1", "a record must be a JSON object"),
        (b'"e"', "a record must be a JSON object"),
        (b"\xff", "not UTF-8"),
        (b'{"kind": "ack"}', "an acknowledgement needs the id"),
        (b'{"kind": "shout"}', "invalid kind: 'shout'"),
        (b'{"event": "e", "args": 1}', "args must be a list"),
        (b'["e", {"$binary": "!"}]', "must be base64"),
        (b'["e", NaN]', "not JSON"),
        (b"[" * 10_000, "nested"),
    ],
)
def test_a_line_that_is_neither(line: bytes, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_line(line, "/n")


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_any_word_is_an_argument_or_a_usage_error(word: str) -> None:
    try:
        args = parse_arguments([word])
    except UsageError:
        return
    assert len(socketio.encode(Emit("/", "e", args).packet())) >= 1


@given(st.binary() | st.text().map(str.encode))
def test_any_line_is_read_or_a_value_error(line: bytes) -> None:
    try:
        item = parse_line(line, "/")
    except ValueError:
        return
    assert item is None or item.packet()


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


def test_an_object_without_a_kind_may_write_its_arguments_as_data() -> None:
    assert parse_line(b'{"event":"order","data":{"id":7}}', "/") == Emit("/", "order", [{"id": 7}])
    assert parse_line(b'{"event":"order","data":[1,2]}', "/") == Emit("/", "order", [1, 2])
    assert parse_line(b'{"kind":"event","event":"order","data":{"offset":"x"}}', "/") == Emit(
        "/", "order", []
    )
    with pytest.raises(ValueError, match="unknown key 'payload'"):
        parse_line(b'{"event":"order","payload":{"id":7}}', "/")
