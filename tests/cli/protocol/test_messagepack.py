"""MessagePack as notepack.io encodes it, and any other bytes."""

import math
from collections.abc import Callable
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom.errors import DecodeError
from nsroom.protocol import messagepack
from nsroom.protocol.limits import Limits

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
    | st.binary()
)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=20)


def outcome(load: Callable[[bytes, Limits], Any], data: bytes) -> str:
    """Return the value, its types and the order of its keys too, or the error."""
    try:
        return repr(load(data, Limits(depth=5, values=30)))
    except DecodeError as error:
        return f"{error}, {error.offset}"


KEYS = TEXT | st.integers(0, 3) | st.none()


@given(JSON.map(messagepack.dump) | st.binary() | st.dictionaries(KEYS, KEYS).map(msgpack.packb))
def test_the_package_and_the_reader_return_the_same(data: bytes) -> None:
    assert outcome(messagepack.load, data) == outcome(messagepack._read, data)
    for at in range(min(len(data), 20)):
        for byte in (0x80, 0x91, 0xA1, 0xC1, 0xC4, 0xC7, 0xCA, 0xCB, 0xD4, 0xD6, 0xDC, 0xDE, 0xFF):
            changed = data[:at] + bytes([byte]) + data[at + 1 :]
            assert outcome(messagepack.load, changed) == outcome(messagepack._read, changed)
        assert outcome(messagepack.load, data[:at]) == outcome(messagepack._read, data[:at])


@pytest.mark.parametrize(
    "written",
    ["ca7fc00000", "caff800000", "cb7ff8000000000000", "cbfff0000000000000", "cb7fefffffffffffff"],
)
def test_numbers_at_the_edge_are_read_alike(written: str) -> None:
    data = bytes.fromhex(f"92{written}01")
    assert outcome(messagepack.load, data) == outcome(messagepack._read, data)


def test_most_data_is_left_to_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messagepack, "_read", None)
    value = {"type": 2, "data": ["a", {"b": 1.5}, None, [True] * 300], "nsp": "/"}
    assert messagepack.load(messagepack.dump(value)) == value


def error_offset(data: bytes) -> int:
    """Return the offset of the error in the data, or 0 if it is valid."""
    try:
        messagepack.load(data)
    except DecodeError as error:
        return error.offset
    return 0


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("00", 0),
        ("7f", 127),
        ("cc80", 128),
        ("cdffff", 65535),
        ("ce00010000", 65536),
        ("cf0000000100000000", 2**32),
        ("ff", -1),
        ("e0", -32),
        ("d0df", -33),
        ("d18000", -32768),
        ("d2ffff7fff", -32769),
        ("d3ffffffff00000000", -(2**32)),
        ("cb3ff8000000000000", 1.5),
        ("c0", None),
        ("c2", False),
        ("c3", True),
        ("a3e282ac", "€"),
        ("c403010203", b"\1\2\3"),
        ("9301a16190", [1, "a", []]),
        ("82a161c0a16280", {"a": None, "b": {}}),
    ],
)
def test_values_are_encoded_and_decoded(written: str, value: Any) -> None:
    assert messagepack.load(bytes.fromhex(written)) == value
    assert messagepack.dump(value).hex() == written


@pytest.mark.parametrize("size", [31, 32, 255, 256, 65535, 65536])
def test_lengths(size: int) -> None:
    for value in ("x" * size, b"x" * size, [1] * size, dict.fromkeys(map(str, range(size)), 0)):
        assert messagepack.load(messagepack.dump(value)) == value


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("d40000", None),
        ("9201d40000", [1, None]),
        ("82a161d40000a16201", {"b": 1}),
        ("d7000000019e0f3a6b21", "2026-05-10T00:12:27.297Z"),
        ("d700ffffffffffffffff", "1969-12-31T23:59:59.999Z"),
        ("d7007fffffffffffffff", None),
        ("c70100ff", b"\xff"),
        ("c70800" + "01" * 8, b"\1" * 8),
        ("c7020501ff", [5, b"\1\xff"]),
        ("d60100000001", [1, b"\0\0\0\1"]),
        ("ca3fc00000", 1.5),
        ("cb7ff8000000000000", None),
        ("cbfff0000000000000", None),
        ("a1ff", "�"),
        ("8101a161", {"1": "a"}),
    ],
)
def test_extensions_of_javascript(written: str, value: Any) -> None:
    """Dates and undefined as in JSON, ArrayBuffers as bytes, other extensions as notepack decodes them."""
    assert messagepack.load(bytes.fromhex(written)) == value


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", "unexpected end"),
        ("91", "unexpected end"),
        ("ddffffffff", "unexpected end"),
        ("dfffffffff00", "unexpected end"),
        ("c6ffffffff00", "unexpected end"),
        ("c1", "the byte c1"),
        ("0000", "extra data after the value"),
        ("81c0c0", "a key must be a string"),
        ("81cb3ff8000000000000c0", "a key must be a string"),
        ("91" * 257 + "00", "nested more than 256 levels"),
        ("81" * 300, "nested more than 256 levels|nested too deeply"),
    ],
)
def test_malformed_data(written: str, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        messagepack.load(bytes.fromhex(written))


def test_the_number_of_values_is_limited() -> None:
    with pytest.raises(DecodeError, match="more than 1000000 values"):
        messagepack.load(b"\xdd" + (5_000_001).to_bytes(4) + b"\x80" * 5_000_001)


def test_the_depth_limit_is_the_callers() -> None:
    assert messagepack.load(b"\x91\x91\x01", Limits(depth=2)) == [[1]]
    with pytest.raises(DecodeError, match="nested more than 1 levels"):
        messagepack.load(b"\x91\x91\x01", Limits(depth=1))


@given(JSON)
def test_every_value_round_trips(value: Any) -> None:
    assert messagepack.load(messagepack.dump(value)) == value


@given(
    st.binary()
    | st.lists(st.sampled_from([b"\x81", b"\x92", b"\xc7", b"\xd7", b"\0", b"\xdf"])).map(b"".join)
)
def test_any_bytes_are_a_value_or_an_error(data: bytes) -> None:
    assert 0 <= error_offset(data) <= len(data)


@given(st.lists(JSON, max_size=5) | st.dictionaries(TEXT, JSON, max_size=5))
def test_elements_are_at_their_offsets(value: Any) -> None:
    data = messagepack.dump(value)
    found = list(messagepack.elements(data))
    assert [messagepack.load(data[each.start : each.end]) for each in found] == [each.value for each in found]
    assert [each.value for each in found] == list(value.values() if isinstance(value, dict) else value)
    assert [each.key for each in found if each.key is not None] == list(
        value if isinstance(value, dict) else []
    )


@pytest.mark.parametrize("size", [15, 16, 65536])
def test_elements_of_any_length(size: int) -> None:
    assert len(list(messagepack.elements(messagepack.dump([0] * size)))) == size
    assert len(list(messagepack.elements(messagepack.dump(dict.fromkeys(map(str, range(size))))))) == size


@pytest.mark.parametrize(
    ("value", "reason"),
    [(math.nan, "not a JSON number"), (10**400, "out of range"), ({1, 2}, "set is not JSON")],
)
def test_values_that_cannot_be_encoded(value: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        messagepack.dump(value)


def test_a_value_that_is_nested_too_deeply_cannot_be_encoded() -> None:
    value: Any = []
    for _ in range(2000):
        value = [value]
    with pytest.raises(ValueError, match="nested too deeply"):
        messagepack.dump(value)


def test_large_integers_and_lone_surrogates_are_encoded_as_javascript_reads_them() -> None:
    assert messagepack.load(messagepack.dump(2**70)) == float(2**70)
    assert messagepack.load(messagepack.dump("a\ud800b\ud83d\ude00")) == "a�b😀"
