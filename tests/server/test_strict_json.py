"""JSON from clients: only as RFC 8259 allows it, and quickly."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom_server.errors import Malformed
from nsroom_server.strict_json import dumps, is_deeper, loads

TEXTS = st.text(st.characters(exclude_categories=()))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
)


@given(JSON.filter(lambda value: "Infinity" not in json.dumps(value)))
def test_values_survive(value: Any) -> None:
    assert loads(json.dumps(value), 64) == value
    assert json.loads(dumps(value)) == value


@pytest.mark.parametrize(
    "text", ["NaN", "[Infinity]", "1e999", "[1", "01", "'a'", "", '"\x00"', "[" * 9 + "]" * 9]
)
def test_invalid_json(text: str) -> None:
    with pytest.raises(Malformed):
        loads(text, 8)


def test_lone_surrogates() -> None:
    assert loads('"\\ud800"', 64) == "\ud800"
    assert dumps(["\ud800"]) == '["\\ud800"]'
    with pytest.raises(Malformed):
        loads('["\\ud800"' + ",1.5" * 100_000 + "]", 64)


def test_numbers_beyond_64_bits_lose_digits() -> None:
    assert loads("[18446744073709551615,18446744073709551616]", 64) == [2**64 - 1, 2.0**64]
    assert json.loads(dumps(2**70)) == 2**70


def test_binary_data_is_attached() -> None:
    attachments: list[bytes] = []
    text = dumps([b"1", "\ud800", bytearray(b"2")], attachments)
    assert json.loads(text) == [
        {"_placeholder": True, "num": 0},
        "\ud800",
        {"_placeholder": True, "num": 1},
    ]
    assert attachments == [b"1", b"2"]
    with pytest.raises(TypeError):
        dumps(b"1")


@pytest.mark.parametrize(
    ("text", "deeper_than_the_limit"),
    [
        ("[" * 64 + "]" * 64, False),
        ("[" * 65 + "]" * 65, True),
        ("[" + "[]," * 100 + "1]", False),
        ('["' + "[" * 100 + '"]', False),
        ('["\\"' + "[" * 100 + '"]', False),
        ('["\\\\",' + "[" * 64 + "]" * 64 + "]", True),
    ],
)
def test_depth(text: str, deeper_than_the_limit: bool) -> None:
    assert is_deeper(text, 64) == deeper_than_the_limit


@given(JSON, st.integers(1, 6))
def test_depth_of_any_value(value: Any, depth: int) -> None:
    def levels(value: Any) -> int:
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
        return 0 if inner is None else 1 + max(map(levels, inner), default=0)

    assert is_deeper(json.dumps(value), depth) == (levels(value) > depth)


@pytest.mark.parametrize("before", [0, 7, 32_768, 65_535, 100_000])
def test_depth_after_many_brackets(before: int) -> None:
    text = "[" + "[]," * before
    assert not is_deeper(text + "[" * 63 + "]" * 64, 64)
    assert is_deeper(text + "[" * 64 + "]" * 65, 64)


@pytest.mark.parametrize(
    "text",
    [
        "[" + "[]," * 330_000 + "[]]",
        "[" + "{}," * 330_000 + "{}]",
        "[" + "1.5," * 250_000 + "1]",
        "[" + "1e9," * 250_000 + "1]",
        "[" + "[" * 400 + "]" * 400 + ",[]" * 330_000 + "]",
        "[" + ("9" * 299 + ",") * 3300 + "1]",
        '["' + '\\"[' * 330_000 + '",[' + "[]," * 100 + "[]]]",
    ],
    ids=["arrays", "objects", "fractions", "exponents", "deep", "digits", "quotes"],
)
def test_a_megabyte_is_decoded_about_as_fast_as_by_the_standard_library(text: str) -> None:
    def read(reader: Callable[[str], object]) -> float:
        started = time.thread_time()
        try:
            reader(text)
        except Malformed:
            assert "[[[[" in text
        return time.thread_time() - started

    # The shortest of three: the garbage collector may run during any of them.
    ours, theirs = (
        min(read(reader) for _ in range(3)) for reader in (lambda text: loads(text, 64), json.loads)
    )
    assert ours < 6 * theirs
