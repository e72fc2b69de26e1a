"""Polling bodies of both protocols."""

import pytest

from nsroom.doctor.probes.wires import encode_body, split_body
from nsroom.protocol.dialect import DEFAULT, Dialect

OLD = Dialect(3)


@pytest.mark.parametrize(
    ("frame", "four", "three"),
    [("40", "40", "2:40"), ("4é😀", "4é😀", "4:4é😀"), (b"\x01\x02", "bAQI=", "6:b4AQI=")],
)
def test_bodies(frame: str | bytes, four: str, three: str) -> None:
    assert (encode_body([frame], DEFAULT), encode_body([frame], OLD)) == (four, three)


def test_bodies_are_split() -> None:
    assert split_body(b"0{}\x1e40", DEFAULT) == ["0{}", "40"]
    assert split_body(b"3:0{}2:40", OLD) == ["0{}", "40"]
    assert split_body(b"6:b4AQI=", OLD) == ["bAQI="]


def test_several_frames_are_one_body() -> None:
    assert (encode_body(["3", "40"], DEFAULT), encode_body(["2", "40"], OLD)) == ("3\x1e40", "1:22:40")
