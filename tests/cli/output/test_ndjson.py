"""Records and values as lines of NDJSON."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom.output.ndjson import encode, encode_all, encode_value, reread, reread_flat
from nsroom.protocol.limits import Limits
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


PIECES = st.lists(
    st.sampled_from(['"a"', '"', ",", "[", "]", "],[", "1", "1.0", '{"a":', "}", "{", ":", " ", "é"]),
    max_size=8,
).map(lambda pieces: f"[{''.join(pieces)}]".encode())


@given(st.lists(PIECES, max_size=4))
def test_lines_that_are_read_at_once_are_read_as_they_are(lines: list[bytes]) -> None:
    limits = Limits(depth=3)
    if (values := reread_flat(lines, limits)) is not None:
        assert [(value, line) for value, line in zip(values, lines, strict=True)] == [
            reread(line, limits) for line in lines
        ]


@pytest.mark.parametrize(
    ("lines", "are_flat"),
    [
        (['["a",1]', '["b"]'], True),
        (['["a",{"x":{"y":"z"}}]', '["b",{}]'], True),
        (["[]"], True),
        ([], True),
        (['["a",[1]]', '["b"]'], False),
        (['["a","]"]', '["b"]'], False),
        (['["a", 1]', '["b"]'], False),
        (['["a",1e3]', '["b"]'], False),
        # Together these are lists, but one by one they are not.
        (['["a","],[",1]', '["b"]'], False),
        (['["a","]', '[",","b"]'], False),
    ],
)
def test_which_lines_are_read_at_once(lines: list[str], are_flat: bool) -> None:
    values = reread_flat([line.encode() for line in lines], Limits())
    assert values == ([json.loads(line) for line in lines] if are_flat else None)


def test_lines_that_are_read_at_once_have_the_limits_of_a_line() -> None:
    deep, long = b'["a",' + b'{"x":' * 4 + b"1" + b"}" * 4 + b"]", b'["' + b"a" * 100 + b'"]'
    assert reread_flat([deep], Limits(depth=6)) is not None
    assert reread_flat([deep] * 9, Limits(depth=6)) == [json.loads(deep)] * 9
    assert reread_flat([deep, b"[{}]"], Limits(depth=4)) is None
    assert reread_flat([long, b"[1]"], Limits(values=100)) is None
