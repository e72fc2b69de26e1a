"""Records and values as lines of NDJSON."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom.output.ndjson import encode, encode_all, encode_value
from nsroom.record import Direction, Json, Kind, Record, from_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("$binary"), inner),
)


def event(args: list[Json], **fields: Any) -> Record:
    return Record(1732363202123456, 1, Direction.IN, Kind.EVENT, "/", event="hi", args=args, **fields)


@pytest.mark.parametrize(
    ("args", "written"),
    [
        (["x", 1, 2.5, None, True, {"b": [], "a": {}}], '["x",1,2.5,null,true,{"b":[],"a":{}}]'),
        (["é漢👩"], r'["\u00e9\u6f22\ud83d\udc69"]'),
        (["\ud800"], r'["\ud800"]'),
        (["\x7f"], r'["\u007f"]'),
        (["\x1b\u2028"], r'["\u001b\u2028"]'),
        ([2**53 + 1, 2**64, -(2**70)], "[9007199254740993,18446744073709551616,-1180591620717411303424]"),
        ([b"\x00"], '[{"$binary":"AA=="}]'),
        ([{"$binary": "AA=="}], '[{"$$binary":"AA=="}]'),
        ([{"$$binary": 1}], '[{"$$$binary":1}]'),
        (["$binary"], '["$binary"]'),
        ([math.nan, math.inf], "[null,null]"),
        ([b"", {"x": [-math.inf, 1.5]}], '[{"$binary":""},{"x":[null,1.5]}]'),
    ],
)
def test_encode(args: list[Json], written: str) -> None:
    head = '{"time":"2024-11-23T12:00:02.123456Z","seq":1,"direction":"in","kind":"event","namespace":"/"'
    assert encode(event(args)).decode("ascii") == f'{head},"event":"hi","args":{written}}}\n'


def test_encode_value() -> None:
    assert encode_value([{"ok": True}, b"\x00", "é", math.nan]) == (
        b'[{"ok":true},{"$binary":"AA=="},"\\u00e9",null]\n'
    )


@given(st.lists(VALUES.filter(lambda value: value not in (float("inf"), float("-inf")))))
def test_a_line_decodes_to_its_record(args: list[Json]) -> None:
    record = event(args)
    line = encode(record)
    assert line.isascii()
    assert line.count(b"\n") == 1
    assert encode(from_json(json.loads(line))) == line


def test_several_records_are_their_lines() -> None:
    records = [event([1]), event([b"x"])]
    assert encode_all(records) == encode(records[0]) + encode(records[1])
    assert encode_all([]) == b""
