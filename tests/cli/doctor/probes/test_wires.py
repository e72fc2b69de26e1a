"""Polling bodies of both protocols."""

import pytest

from nsroom.doctor.probes.wires import encode_body, split_body


@pytest.mark.parametrize(
    ("frame", "four", "three"),
    [("40", "40", "2:40"), ("4é😀", "4é😀", "4:4é😀"), (b"\x01\x02", "bAQI=", "5:bAQI=")],
)
def test_bodies(frame: str | bytes, four: str, three: str) -> None:
    assert (encode_body(frame, 4), encode_body(frame, 3)) == (four, three)


def test_bodies_are_split() -> None:
    assert split_body(b"0{}\x1e40", 4) == ["0{}", "40"]
    assert split_body(b"3:0{}2:40", 3) == ["0{}", "40"]
