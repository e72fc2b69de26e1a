"""JSON as JavaScript reads and writes it, within limits."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom.errors import DecodeError
from nsroom.protocol import strict_json
from nsroom.protocol.limits import Limits

TEXT = st.text(st.characters(exclude_categories=[]))
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=20)


def paired(value: Any) -> Any:
    """Return a value with each high surrogate joined to the low one after it, as JSON reads them."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    if isinstance(value, list):
        return [paired(item) for item in value]
    if isinstance(value, dict):
        return {paired(key): paired(item) for key, item in value.items()}
    return value


@pytest.mark.parametrize(
    ("text", "reason", "offset"),
    [
        ("", "not JSON: expecting value", 0),
        ("[1,]", "not JSON", 3),
        ('{"a":1 , }', "not JSON", 9),
        ("[1] [2]", "not JSON: extra data after the value", 4),
        ("[1]\x0b", "not JSON: extra data after the value", 3),
        ('["a", NaN]', "not JSON: NaN", 6),
        ('["NaN", -Infinity]', "not JSON: -Infinity", 8),
        ('["Infinity 1e999", 1e999]', "number out of range", 19),
        ('["\\"1e999", -1E+999]', "number out of range", 12),
        pytest.param("[" + "9" * 4301 + "]", "number out of range", 1, id="huge"),
        ("[1, 2.5e3, -1e999]", "number out of range", 11),
        ("[٣]", "not JSON", 1),
        ("['a']", "not JSON", 1),
        ('["a\x1b"]', "not JSON: invalid control character", 3),
        ('["', "not JSON: unterminated string", 1),
        pytest.param("[" * 257 + "]" * 257, "nested more than 256 levels deep", 256, id="too deep"),
        pytest.param(
            '["[[", ' + '{"a":' * 256, "nested more than 256 levels deep", 7 + 255 * 5, id="objects"
        ),
        pytest.param("[" * 1_000_000, "nested more than 256 levels deep", 256, id="very deep"),
        pytest.param('["' + '\\"[' * 100_000, "not JSON: unterminated string", 1, id="torn string"),
        ("\ufeff[]", "not JSON", 0),
    ],
)
def test_refuses(text: str, reason: str, offset: int) -> None:
    with pytest.raises(DecodeError) as caught:
        strict_json.load(text)
    assert caught.value.reason.startswith(reason)
    assert (caught.value.frame, caught.value.offset) == (text, offset)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (" \t\r\n[ 1 , 2 ] \n", [1, 2]),
        pytest.param("[" * 256 + "]" * 256, None, id="deep"),
        pytest.param('["' + "[" * 1000 + '","\\"[["]', ["[" * 1000, '"[['], id="brackets in text"),
        ('"\\ud800"', "\ud800"),
        ("9007199254740993", 2**53 + 1),
        pytest.param("9" * 4300, 10**4300 - 1, id="huge"),
        ("[1.5,1e3,-0.0]", [1.5, 1000.0, -0.0]),
        ('{"a":1,"a":2}', {"a": 2}),
        ('"\u2028"', "\u2028"),
    ],
)
def test_accepts(text: str, value: Any) -> None:
    loaded = strict_json.load(text)
    assert value is None or loaded == value


def test_the_depth_limit_is_the_callers() -> None:
    assert strict_json.load("[[1]]", limits=Limits(depth=2)) == [[1]]
    with pytest.raises(DecodeError, match="nested more than 1 levels deep at offset 1"):
        strict_json.load("[[1]]", limits=Limits(depth=1))


@pytest.mark.parametrize("item", ["1", "[]", "{}", '"a,[{\\""', "[1,2]", '{"a":[],"b":","}'])
def test_the_number_of_values_is_limited(item: str) -> None:
    limits = Limits(values=100, depth=5)
    text = f"[{','.join([item] * 20)}]"
    assert len(strict_json.load(text, limits=limits)) == 20
    with pytest.raises(DecodeError, match="more than 100 values"):
        strict_json.load(f"[{','.join([item] * 101)}]", limits=limits)


@pytest.mark.parametrize("end", ['"', "", "\\"])
def test_separators_in_a_string_do_not_count(end: str) -> None:
    text = '["' + "[{," * 200_000 + end
    with pytest.raises(DecodeError, match="not JSON"):
        strict_json.load(text, limits=Limits(values=100))
    assert strict_json.load(f'["{"[{," * 200}"]', limits=Limits(values=100)) == ["[{," * 200]


def test_a_depth_beyond_pythons_recursion_is_a_decode_error() -> None:
    with pytest.raises(DecodeError, match="nested too deeply"):
        strict_json.load("[" * 100_000, limits=Limits(depth=200_000))


def test_reading_starts_at_an_offset() -> None:
    assert strict_json.load('2["a"]', 1) == ["a"]
    with pytest.raises(DecodeError, match="at offset 6"):
        strict_json.load('2["a"]]', 1)


@given(JSON)
def test_values_round_trip_in_valid_utf_8(value: Any) -> None:
    text = strict_json.dump(value)
    assert strict_json.load(text.encode().decode()) == paired(value)
    assert text == json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":")) or "\\ud" in text


@given(TEXT)
def test_any_text_is_a_value_or_an_error_in_it(text: str) -> None:
    offset = 0
    try:
        strict_json.load(text)
    except DecodeError as error:
        offset = error.offset
    assert 0 <= offset <= len(text)


@given(st.lists(JSON) | st.dictionaries(TEXT, JSON), st.integers(0, 2))
def test_elements_are_at_their_offsets(value: Any, indent: int) -> None:
    text = "42" + json.dumps(value, indent=indent or None)
    elements = list(strict_json.elements(text, 2))
    assert [element.value for element in elements] == list(
        value.values() if isinstance(value, dict) else value
    )
    assert all(json.loads(text[element.start : element.end]) == element.value for element in elements)
    assert [element.key for element in elements if element.key is not None] == list(
        value if isinstance(value, dict) else []
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [float("-inf")], object(), {"a": b"x"}])
def test_refuses_to_write(value: Any) -> None:
    with pytest.raises(ValueError, match=r"JSON"):
        strict_json.dump(value)


def test_refuses_to_write_values_nested_too_deeply() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(ValueError, match="nested too deeply"):
        strict_json.dump(value)
