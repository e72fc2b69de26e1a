"""Engine.IO 3, with the examples of its specification."""

import pytest

from nsroom.errors import DecodeError
from nsroom.protocol import engineio3


@pytest.mark.parametrize(
    ("body", "frames"),
    [
        (b"6:4hello2:4\xe2\x82\xac", ["4hello", "4€"]),
        (b"10:b4AQIDBA==", ["bAQIDBA=="]),
        ("3:4😀1:2".encode(), ["4😀", "2"]),
        (b"\x00\x04\xff4\xe2\x82\xac\x01\x05\xff\x04\x01\x02\x03\x04", ["4€", b"\x01\x02\x03\x04"]),
        (b"", []),
    ],
)
def test_payloads(body: bytes, frames: list[str | bytes]) -> None:
    assert engineio3.split_payload(body) == frames


@pytest.mark.parametrize("body", [b"hello", b":4", b"1", b"\x00hello", b"\x01\x02"])
def test_payloads_without_lengths(body: bytes) -> None:
    with pytest.raises(DecodeError, match="without its length"):
        engineio3.split_payload(body)


@pytest.mark.parametrize(
    ("data", "frame"), [("4x", "4x"), ("b4AA==", "bAA=="), (b"\x04\x01", b"\x01"), (b"\x01", b"\x01")]
)
def test_frames(data: str | bytes, frame: str | bytes) -> None:
    assert engineio3.frame(data) == frame
