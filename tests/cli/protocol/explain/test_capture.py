"""The frames in lines, polling bodies and recordings."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom.errors import DataError
from nsroom.protocol.explain.capture import find_frames
from nsroom.protocol.explain.explainer import Explainer, Found
from nsroom.record import Direction


def find(data: str | bytes) -> list[Found]:
    return list(find_frames((data if isinstance(data, bytes) else data.encode()).splitlines(keepends=True)))


def frames(data: str | bytes) -> list[str | bytes]:
    return [found.frame for found in find(data)]


def recording(*records: dict[str, Any]) -> str:
    return "".join(
        json.dumps({"time": "2026-11-23T19:00:00Z", "seq": 1, **record}) + "\n" for record in records
    )


def test_lines() -> None:
    assert find('42["é"]\r\n\n2\n') == [Found('42["é"]', 1), Found("2", 3)]


def test_a_polling_body_among_lines() -> None:
    assert find("4hello\x1e2\x1e4world\n3") == [
        Found("4hello", 1),
        Found("2", 1),
        Found("4world", 1),
        Found("3", 2),
    ]


def test_empty_input() -> None:
    assert find("") == find("\n \n") == []


def test_a_line_that_is_not_text_is_malformed_at_its_offset() -> None:
    good, bad, next_one = find(b"2\n4\xc3\xa9\xff\n3\n")
    assert (good.frame, next_one.frame, bad.line) == ("2", "3", 2)
    assert bad.error
    assert (bad.error.reason, bad.error.offset) == ("not UTF-8", 2)


@pytest.mark.parametrize("data", [b"\x1f\x8b\x08\x00", b"\xff\xfe4\x002\x00", b"4\x00", b"\x80"])
def test_binary_input_is_refused(data: bytes) -> None:
    with pytest.raises(DataError, match="binary data"):
        find(data)


def test_the_length_of_a_line_is_limited() -> None:
    with pytest.raises(DataError, match="line 2: longer than"):
        list(find_frames([b"2\n", b"4" * 100_000_001]))


def test_frames_are_yielded_while_lines_arrive() -> None:
    def endless() -> Any:
        while True:
            yield b"2\n"

    assert next(find_frames(endless())) == Found("2", 1)


def test_a_recording_with_frames() -> None:
    text = recording(
        {
            "direction": "out",
            "kind": "event",
            "event": "b",
            "frames": ['451-["b",{"_placeholder":true,"num":0}]', {"$binary": "AQID"}],
        },
        {"direction": "in", "kind": "protocol_error", "sid": "x", "frames": ["9"]},
    )
    time = 1795460400000000
    assert find(text) == [
        Found('451-["b",{"_placeholder":true,"num":0}]', 1, Direction.OUT, None, time),
        Found(b"\1\2\3", 1, Direction.OUT, None, time),
        Found("9", 2, Direction.IN, "x", time),
    ]


@pytest.mark.parametrize(
    ("record", "written"),
    [
        ({"kind": "event", "namespace": "/chat", "event": "a", "args": [1]}, ['42/chat,["a",1]']),
        ({"event": "a", "id": 3}, ['423["a"]']),
        (
            {"kind": "event", "event": "b", "args": [{"$binary": "AQID"}]},
            ['451-["b",{"_placeholder":true,"num":0}]', b"\1\2\3"],
        ),
        ({"kind": "ack", "id": 3, "args": [{"$$binary": 1}]}, ['433[{"$binary":1}]']),
        ({"kind": "ack", "id": 3}, ["433[]"]),
        ({"kind": "connect", "direction": "in", "sid": "x", "data": {"a": 1}}, ['40{"sid":"x","a":1}']),
        ({"kind": "connect", "namespace": "/chat"}, ["40/chat,"]),
        ({"kind": "connect_error", "direction": "in", "data": {"message": "no"}}, ['44{"message":"no"}']),
        ({"kind": "disconnect"}, ["41"]),
        (
            {"kind": "open", "direction": "in", "sid": "x", "data": {"upgrades": []}},
            ['0{"sid":"x","upgrades":[]}'],
        ),
        ({"kind": "ping", "direction": "in", "data": "probe"}, ["2probe"]),
        ({"kind": "pong"}, ["3"]),
        ({"kind": "upgrade"}, ["5"]),
        ({"kind": "close"}, ["1"]),
        ({"kind": "gap", "direction": "in"}, []),
        ({"kind": "disconnect", "direction": "local", "reason": "transport close"}, []),
    ],
)
def test_a_recording_without_frames(record: dict[str, Any], written: list[str | bytes]) -> None:
    assert frames(json.dumps(record)) == written


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"time":"2026-', "not a complete record: not JSON: unterminated string"),
        ("42[]", "not a complete record: not JSON: extra data after the value"),
        ("[1]", "not a record: a record must be a JSON object"),
        ("{}", "not a record: the payload of EVENT must be a list that starts with the event's name"),
        ('{"kind":"x"}', "not a record: invalid kind: 'x'"),
        ('{"event":"a","namespace":"b"}', "not a record: 'b' cannot be a namespace"),
        ('{"frames":[1]}', "not a record: frames must be strings or binary"),
        ('{"kind":"ping","data":{"a":1}}', "not a record: only a message carries binary data"),
        ('{"kind":"open","data":[1,{"$binary":""}]}', ""),
        ('{"kind":"open","data":{"a":{"$binary":""}}}', "not a record: Object of type bytes is not JSON"),
    ],
)
def test_a_malformed_record_does_not_affect_the_others(line: str, reason: str) -> None:
    first, strange, last = find(recording({"kind": "pong"}) + line + "\n" + recording({"kind": "pong"}))
    assert (first.frame, last.frame) == ("3", "3")
    assert not reason or (strange.error and strange.error.reason.startswith(reason))


def test_input_that_is_not_a_recording_may_be_a_har_file() -> None:
    entry = {
        "request": {"method": "GET", "url": "http://x/?EIO=4&transport=websocket&sid=s"},
        "_webSocketMessages": [{"type": "receive", "time": 1, "opcode": 1, "data": "2"}],
    }
    for indent in (None, 2):
        text = json.dumps({"log": {"entries": [entry]}}, indent=indent)
        assert find(text) == [Found("2", None, Direction.IN, "s", 1_000_000)]
    with pytest.raises(DataError, match="neither a recording nor a whole HAR file"):
        find(text[:-5])


@given(
    st.lists(
        st.binary() | st.sampled_from([b"{}\n", b'{"kind":"ping","data":', b'42["a"]\n', b"\n", b"\x1e"])
    )
)
def test_any_input_is_explained_or_one_error(lines: list[bytes]) -> None:
    explainer = Explainer()
    with contextlib.suppress(DataError):
        for found in find_frames(lines):
            assert explainer.explain(found).to_json()


def test_a_polling_body_of_engine_io_3_among_lines() -> None:
    assert find("4:42😀10:b4AQIDBA==\n3") == [
        Found("42😀", 1, is_old=True),
        Found("b4AQIDBA==", 1, is_old=True),
        Found("3", 2),
    ]
    (torn,) = find("9:42")
    assert torn.error
    assert torn.error.reason == "a packet that is shorter than its length"
