"""Records are written and read back without loss."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom.output.ndjson import encode
from nsroom.record import (
    FIELDS,
    Direction,
    Json,
    Kind,
    Record,
    escape,
    format_time,
    from_json,
    parse_time,
    shallow,
    to_json,
    unescape,
    value_at,
)

# Two surrogates that make a pair are one character in JSON: only lone ones can be told apart.
LONE = st.sampled_from(["\ud800", "a\udfff", "\udc00\ud800", "\udbff "])
TEXT = st.text() | LONE
KEYS = TEXT | st.sampled_from(["$binary", "$$binary", "$$$binary", "binary", "$"])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
VALUES = st.recursive(
    LEAVES | st.integers(-(2**80), 2**80) | st.binary(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)
RECORDS = st.builds(
    Record,
    time=st.integers(parse_time("0001-01-01T00:00:00Z"), parse_time("9999-12-31T23:59:59Z")),
    seq=st.integers(0, 2**63),
    direction=st.sampled_from(Direction),
    kind=st.sampled_from(Kind),
    namespace=st.none() | TEXT,
    id=st.none() | st.integers(0),
    event=st.none() | TEXT | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    args=st.none() | st.lists(VALUES, max_size=3),
    rtt_ms=st.none() | st.floats(0, 1e6),
    sid=st.none() | TEXT,
    reason=st.none() | TEXT,
    message=st.none() | TEXT,
    data=VALUES,
    bytes=st.none() | st.integers(0),
    frames=st.none() | st.lists(TEXT | st.binary(), max_size=3),
)


@given(RECORDS)
def test_a_line_read_back_is_the_record(record: Record) -> None:
    assert from_json(json.loads(encode(record))) == record


@given(RECORDS)
def test_plain_json_read_back_is_the_record(record: Record) -> None:
    assert from_json(to_json(record)) == record


@given(VALUES)
def test_unescape_undoes_escape(value: Json) -> None:
    assert unescape(json.loads(json.dumps(escape(value)))) == value


@pytest.mark.parametrize(
    ("value", "escaped"),
    [
        (b"\x00\xff", {"$binary": "AP8="}),
        ({"$binary": "AP8="}, {"$$binary": "AP8="}),
        ({"$$binary": 1}, {"$$$binary": 1}),
        ({"$binary": b"\x00"}, {"$$binary": {"$binary": "AA=="}}),
        ({"$binary": "x", "more": b""}, {"$binary": "x", "more": {"$binary": ""}}),
        ([{"a": [b"\x01"]}], [{"a": [{"$binary": "AQ=="}]}]),
        ({"$binaryx": 1}, {"$binaryx": 1}),
    ],
)
def test_escape(value: Json, escaped: Json) -> None:
    assert escape(value) == escaped
    assert unescape(escaped) == value


def test_only_the_keys_that_are_there_are_written_in_order() -> None:
    record = Record(0, 1, Direction.LOCAL, Kind.GAP, message="nothing missed")
    assert list(to_json(record)) == ["time", "seq", "direction", "kind", "message"]
    full = Record(0, 1, Direction.IN, Kind.ACK, "/", 1, "e", [], 0.5, "s", "r", "m", {}, 3, ["x"])
    assert tuple(shallow(full)) == FIELDS


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (1, "1970-01-01T00:00:00.000001Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (1732363202123456, "2024-11-23T12:00:02.123456Z"),
    ],
)
def test_time(time: int, text: str) -> None:
    assert format_time(time) == text
    assert parse_time(text) == time


def test_time_in_another_zone() -> None:
    assert parse_time("1970-01-01T01:00:00+01:00") == 0


def test_omitted_keys_have_defaults() -> None:
    record = from_json({"event": "hi", "args": ["x"], "comment": "ignored"})
    assert record == Record(0, 0, Direction.OUT, Kind.EVENT, event="hi", args=["x"])
    assert from_json(dict.fromkeys(FIELDS)) == Record(0, 0, Direction.OUT, Kind.EVENT)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ([], "a record must be a JSON object"),
        ({"time": "now"}, "invalid time: 'now'"),
        ({"time": "2024-11-23T12:00:00"}, "time:"),
        ({"time": 5}, "time: 5"),
        ({"direction": "up"}, "direction: 'up'"),
        ({"kind": "evnt"}, "kind: 'evnt'"),
        ({"seq": True}, "seq must be an integer"),
        ({"id": "1"}, "id must be an integer"),
        ({"args": {}}, "args must be a list"),
        ({"event": True}, "event must be a string or a number"),
        ({"namespace": 1}, "namespace must be a string"),
        ({"frames": ["2", 3]}, "frames must be strings or binary"),
        ({"args": [{"$binary": "*"}]}, "$binary must be base64"),
        ({"args": [{"$binary": 1}]}, "$binary must be base64"),
        ({"data": {"$binary": "é"}}, "$binary must be base64"),
    ],
)
def test_an_invalid_record_is_refused_by_name_of_its_key(value: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason.replace("$", r"\$")):
        from_json(value)


@given(st.binary())
def test_bytes_are_base64(data: bytes) -> None:
    assert base64.b64decode(escape(data)["$binary"]) == data


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("", {"a": [1, None], "7": 2}),
        ("a.0", 1),
        ("a.1", None),
        ("7", 2),
        ("a.2", "-"),
        ("a.b", "-"),
        ("a.0.x", "-"),
    ],
)
def test_a_part_of_a_value(path: str, found: Json) -> None:
    steps = path.split(".") if path else []
    assert value_at({"a": [1, None], "7": 2}, steps, "-") == found


@pytest.mark.parametrize("step", ["-1", "²", "٣", "9" * 5000])
def test_a_step_that_is_not_an_index(step: str) -> None:
    assert value_at([1, 2, 3, 4], [step]) is None
