"""JSON from clients: only as RFC 8259 allows it, and quickly."""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom_server.errors import Malformed
from nsroom_server.strict_json import brackets, dumps, is_deeper
from nsroom_server.strict_json import loads as load_bounded

MOST = 65_536
TEXTS = st.text(st.characters(exclude_categories=()))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
)


def loads(text: str, depth: int) -> Any:
    """Decode JSON with any number of arrays and objects."""
    return load_bounded(text, depth, len(text))


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
    assert is_deeper(brackets(text), 64) == deeper_than_the_limit


@given(JSON, st.integers(1, 6))
def test_depth_of_any_value(value: Any, depth: int) -> None:
    def levels(value: Any) -> int:
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
        return 0 if inner is None else 1 + max(map(levels, inner), default=0)

    assert is_deeper(brackets(json.dumps(value)), depth) == (levels(value) > depth)


@pytest.mark.parametrize("before", [0, 7, 32_768, 65_535, 100_000])
def test_depth_after_many_brackets(before: int) -> None:
    text = "[" + "[]," * before
    assert not is_deeper(brackets(text + "[" * 63 + "]" * 64), 64)
    assert is_deeper(brackets(text + "[" * 64 + "]" * 65), 64)


@pytest.mark.no_cover
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


@pytest.mark.parametrize("pair", ["[]", "{}"])
def test_the_number_of_arrays_and_objects(pair: str) -> None:
    text = '["' + "[{" * 100_000 + '"' + f",{pair}" * 9 + "]"
    assert len(load_bounded(text, 64, 10)) == 10
    with pytest.raises(Malformed, match="too many arrays and objects"):
        load_bounded(text, 64, 9)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 999_000,
        "[" + ",".join(["[" * 60 + "]" * 60] * 8200) + "]",
        "[" + "[]," * 330_000 + "[]]",
        "[" + "{}," * 330_000 + "{}]",
        "[" + "[]," * (MOST - 2) + "[]" + ",1" * 350_000 + "]",
        "[" + ",".join(["[" * 60 + "]" * 60] * 1090) + ",1" * 350_000 + "]",
        "[" + '{"a":[]},' * (MOST // 2 - 1) + "1" + ",1" * 300_000 + "]",
    ],
    ids=["open", "deep", "arrays", "objects", "most arrays", "most deep ones", "most objects"],
)
def test_no_text_costs_much_more_than_plain_values(text: str) -> None:
    def read(text: str) -> float:
        started = time.thread_time()
        with suppress(Malformed):
            load_bounded(text, 64, MOST)
        return time.thread_time() - started

    plain = "[" + ",".join(f'"{number:x}"' for number in range(125_000)) + "]"
    ours, theirs = (min(read(each) for _ in range(5)) for each in (text, plain))
    assert ours < 10 * theirs
