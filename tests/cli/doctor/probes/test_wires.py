"""Polling bodies of both protocols, and error responses of both servers."""

import pytest

from nsroom.doctor.probes.wires import encode_body, parse_refusal, split_body


@pytest.mark.parametrize(
    ("frame", "four", "three"),
    [("40", "40", "2:40"), ("4é😀", "4é😀", "4:4é😀"), (b"\x01\x02", "bAQI=", "5:bAQI=")],
)
def test_bodies(frame: str | bytes, four: str, three: str) -> None:
    assert (encode_body(frame, 4), encode_body(frame, 3)) == (four, three)


def test_bodies_are_split() -> None:
    assert split_body(b"0{}\x1e40", 4) == ["0{}", "40"]
    assert split_body(b"3:0{}2:40", 3) == ["0{}", "40"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"code":3,"message":"Bad request"}', (3, "Bad request")),
        ('"Invalid session x"', (None, "Invalid session x")),
        ('{"message":7}', (None, None)),
        ('{"code":"x","message":"m"}', (None, "m")),
        ("<html>", (None, None)),
        ("", (None, None)),
        ("[]", (None, None)),
    ],
)
def test_refusals(text: str, expected: tuple[int | None, str | None]) -> None:
    assert parse_refusal(text) == expected
