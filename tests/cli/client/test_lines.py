"""Lines of stdin: events and records, and the frames that they become."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom.client.events import Acknowledge, Emit
from nsroom.client.lines import parse_line, parse_recorded, recorded_event
from nsroom.output.ndjson import encode
from nsroom.protocol import socketio, strict_json
from nsroom.protocol.session import Observer
from nsroom.record import Direction, Json, Kind, Record, from_json, to_json, unescape

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
WRITERS = (
    lambda value: json.dumps(value).encode(),
    lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"),
    lambda value: json.dumps(value, indent=1).replace("\n", "\t").encode(),
)


def parsed(line: bytes, namespace: str = "/n") -> object:
    """Return the item in a line, without its text."""
    item = parse_line(line, namespace)
    return item._replace(text=None) if isinstance(item, Emit) else item


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
    assert parsed(line) == item


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


@given(st.binary() | st.text().map(str.encode))
def test_any_line_is_read_or_a_value_error(line: bytes) -> None:
    try:
        item = parse_line(line, "/")
    except ValueError:
        return
    assert item is None or item.packet()


def test_an_object_without_a_kind_may_write_its_arguments_as_data() -> None:
    assert parsed(b'{"event":"order","data":{"id":7}}', "/") == Emit("/", "order", [{"id": 7}])
    assert parsed(b'{"event":"order","data":[1,2]}', "/") == Emit("/", "order", [1, 2])
    assert parsed(b'{"kind":"event","event":"order","data":{"offset":"x"}}', "/") == Emit("/", "order", [])
    with pytest.raises(ValueError, match="unknown key 'payload'"):
        parse_line(b'{"event":"order","payload":{"id":7}}', "/")


@given(st.text(), st.lists(VALUES, max_size=3), st.sampled_from(WRITERS))
def test_a_ready_line_makes_the_packet_that_its_values_make(
    event: str, args: list[Json], write: object
) -> None:
    line = write([event, *args])  # type: ignore[operator]
    item = parse_line(line, "/")
    assert isinstance(item, Emit)
    value = strict_json.load(line.decode(), exact=True)
    slow = Emit("/", event, unescape(value[1:]))
    assert socketio.encode(item.packet(7)) == socketio.encode(slow.packet(7))


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b'["e",{"a":1.5,"b":"x y"}]', '["e",{"a":1.5,"b":"x y"}]'),
        (b'["e", {"a": 1.5, "b": "x y"}]', '["e",{"a":1.5,"b":"x y"}]'),
        ('["é","\\n"]'.encode(), '["é","\\n"]'),
        (b'["e",1e3]', None),
        (b'["e",1.50]', None),
        (b'["e",-0]', None),
        (b'["e",123456789012345678901234567890]', None),
        (b'["e",{"a":1,"a":2}]', None),
        (b'["e","\\u00e9"]', None),
        (b'["e","\\ud800"]', None),
        (b'["e",{ "$binary": "AAE=" }]', None),
        (b'["e",{"$$binary":1}]', None),
        (b"[7]", None),
        (b'["e"' + b",[]" * 300 + b"]", None),
        (b'{"event":"e"}', None),
    ],
)
def test_which_lines_are_ready(line: bytes, text: str | None) -> None:
    item = parse_line(line, "/")
    assert isinstance(item, Emit)
    assert item.text == text


@given(
    st.text(), st.lists(VALUES, max_size=3), st.none() | st.integers(0, 1000), st.sampled_from(["/", "/n"])
)
def test_the_record_of_a_ready_line_is_that_of_its_frame(
    event: str, args: list[Json], id: int | None, namespace: str
) -> None:
    item = parse_line(json.dumps([event, *args]).encode(), namespace)
    assert isinstance(item, Emit)
    ready = item if item.text else item._replace(text=strict_json.dump([item.event, *item.args]))
    packet = ready.packet(id)
    (text,) = socketio.encode(packet)
    for raw in (False, True):
        made, read = Observer(raw=raw), Observer(raw=raw)
        record = made.sent(packet, f"4{text!s}", 5)
        if item.text:
            assert to_json(record) == to_json(read.feed(Direction.OUT, f"4{text!s}", 5))  # type: ignore[arg-type]
            answer = f"43{'' if namespace == '/' else namespace + ','}{id}[1]"
            assert id is None or made.feed(Direction.IN, answer, 9) == read.feed(Direction.IN, answer, 9)
    assert packet.data == [item.event, *item.args]


RECORDS = st.fixed_dictionaries(
    {
        "time": st.integers(0, 4_000_000_000_000_000),
        "seq": st.integers(0, 10**16),
        "direction": st.sampled_from([Direction.IN, Direction.OUT]),
        "kind": st.just(Kind.EVENT),
        "namespace": st.sampled_from(["/", "/n", "/a b", "/é", ""]),
        "id": st.none() | st.integers(0, 1000),
        "event": st.sampled_from(["msg", "", "a b", "[", 'a"b', "é", 7]),
        "args": st.lists(
            st.sampled_from(["],", '"', 1.5, [], [[1]], {"a": [{}]}, b"x"]) | VALUES, max_size=3
        ),
        "sid": st.none() | st.sampled_from(["s1", '"']),
        "message": st.sampled_from([None, None, None, "]"]),
    }
).map(lambda fields: Record(**fields))


@given(RECORDS)
def test_a_recorded_event_is_that_of_its_record(record: Record) -> None:
    line = encode(record).rstrip()
    [recorded] = parse_recorded(line)
    if recorded is not None:
        read = from_json(json.loads(line))
        assert recorded == recorded_event(read)


@given(st.lists(RECORDS, min_size=1, max_size=5))
def test_records_are_the_same_together_and_one_by_one(records: list[Record]) -> None:
    lines = list(map(encode, records))
    assert parse_recorded(b"".join(lines)) == [parse_recorded(line)[0] for line in lines]


HEAD = '{"time":"2026-11-28T10:00:00.000001Z","seq":1,"direction":"in","kind":"event","namespace":"/n",'


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (HEAD + '"event":"e","args":[1,[2]]}', '["e",1,[2]]'),
        (HEAD + '"event":"e","args":[]}', '["e"]'),
        (HEAD + '"id":3,"event":"e","args":[1],"sid":"s"}', '["e",1]'),
        (HEAD + '"event":"e","args":["],\\"sid\\":\\"s"],"sid":"s"}', '["e","],\\"sid\\":\\"s"]'),
        (HEAD + '"event":"e","args":[1],"data":[2]}', None),
        (HEAD + '"event":"e","args":[1],"args":[2]}', None),
        (HEAD + '"event":"e","args":[1]]}', None),
        (HEAD + '"event":"e","args":[1],2]}', None),
        (HEAD + '"event":"e","args":[,1]}', None),
        (HEAD + '"event":"e","args":[ 1]}', '["e",1]'),
        (HEAD + '"event":"e","args":[1e3]}', None),
        (HEAD + '"event":"e","args":[{"$binary":"AAE="}]}', None),
        (HEAD + '"event":"e","args":[1],"frames":["2"]}', None),
        (HEAD.replace("-28T", "-31T") + '"event":"e","args":[1]}', None),
        (HEAD.replace("event", "ack") + '"event":"e","args":[1]}', None),
        (HEAD.replace('"/n"', '""') + '"event":"e","args":[1]}', None),
    ],
)
def test_which_records_are_ready(line: str, text: str | None) -> None:
    plain = HEAD + '"event":"e","args":[{"a":1}]}'
    one, empty, recorded, other = parse_recorded(f"{plain}\r\n\n{line}\n{plain}".encode())
    assert empty is None
    assert (recorded and recorded[2].text) == text
    assert one is not None
    assert one[2].text == '["e",{"a":1}]'
    assert one == other
