"""Engine.IO 3, with the examples of its specification."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom.errors import DecodeError
from nsroom.protocol import engineio3


@pytest.mark.parametrize(
    ("body", "frames"),
    [
        (b"6:4hello2:4\xe2\x82\xac", ["4hello", "4€"]),
        (b"10:b4AQIDBA==", ["b4AQIDBA=="]),
        ("3:4😀1:2".encode(), ["4😀", "2"]),
        (b"\x00\x04\xff4\xe2\x82\xac\x01\x05\xff\x04\x01\x02\x03\x04", ["4€", b"\x04\x01\x02\x03\x04"]),
        (b"", []),
    ],
)
def test_payloads(body: bytes, frames: list[str | bytes]) -> None:
    assert engineio3.split_payload(body) == frames


@pytest.mark.parametrize("body", [b"hello", b":4", b"1", b"\x00hello", b"\x01\x02"])
def test_payloads_without_lengths(body: bytes) -> None:
    with pytest.raises(DecodeError, match="without its length"):
        engineio3.split_payload(body)


@pytest.mark.parametrize("body", [b"2:4", b"1:23:4x", b"\x01\x02\xff\x04"])
def test_truncated_payloads(body: bytes) -> None:
    with pytest.raises(DecodeError, match="shorter than its length"):
        engineio3.split_payload(body)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_payloads_round_trip(frames: list[str]) -> None:
    assert engineio3.split_payload(engineio3.join_payload(frames).encode()) == frames


@given(st.binary() | st.text("0123456789:4", max_size=9).map(str.encode))
def test_any_body_is_split_or_an_error(body: bytes) -> None:
    with contextlib.suppress(DecodeError):
        assert sum(map(len, engineio3.split_payload(body))) <= len(body)


@pytest.mark.parametrize(
    ("old", "new"), [("4x", "4x"), ("b4AA==", "bAA=="), (b"\x04\x01", b"\x01"), ("2probe", "2probe")]
)
def test_frames_convert_from_and_to_engine_io_4(old: str | bytes, new: str | bytes) -> None:
    assert engineio3.to_4(old) == new
    assert engineio3.from_4(new) == old


def test_a_frame_without_its_type_is_unchanged() -> None:
    assert engineio3.to_4(b"\x01") == b"\x01"


@pytest.mark.parametrize(
    ("body", "is_payload_of_3"), [("2:40", True), ("40", False), ('42["a:"]', False), ("", False)]
)
def test_payloads_are_distinguished_from_frames(body: str, is_payload_of_3: bool) -> None:
    assert engineio3.is_payload(body) is is_payload_of_3


@pytest.mark.parametrize(
    ("frame", "posted"),
    [
        ('42["e","zwölf €"]', r'42["e","zw\u00f6lf \u20ac"]'),
        ('421["😀"]', r'421["\ud83d\ude00"]'),
        ('451-/é,3["é",{"_placeholder":true,"num":0}]', r'451-/é,3["\u00e9",{"_placeholder":true,"num":0}]'),
        ('42["a"]', '42["a"]'),
        ("b4AQI=", "b4AQI="),
        ("2é", "2é"),
    ],
)
def test_posted_text_is_ascii(frame: str, posted: str) -> None:
    assert engineio3.escape_text(frame) == posted
