"""Polling bodies of both protocols, and the refusals of both servers."""

import pytest

from nsroom.doctor.checks.namespaces import is_msgpack, message_of, refusal_text
from nsroom.doctor.probes.wires import encode_body, parse_refusal, split_body


@pytest.mark.parametrize(
    ("frame", "four", "three"),
    [("40", "40", "2:40"), ("4é😀", "4é😀", "4:4é😀"), (b"\x01\x02", "bAQI=", "5:bAQI=")],
)
def test_bodies(frame: str | bytes, four: str, three: str) -> None:
    assert (encode_body(frame, 4), encode_body(frame, 3)) == (four, three)


def test_bodies_are_taken_apart() -> None:
    assert split_body(b"0{}\x1e40", 4) == ["0{}", "40"]
    assert split_body(b"3:0{}2:40", 3) == ["0{}", "40"]


@pytest.mark.parametrize(
    ("text", "said"),
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
def test_refusals(text: str, said: tuple[int | None, str | None]) -> None:
    assert parse_refusal(text) == said


@pytest.mark.parametrize(
    ("frame", "known"),
    [(b"\x83\xa4type\x00", True), (b"\x82\xa4type\x00\xa3nsp\xa1/", True), (b"", False), (b"\x04ab", False)],
)
def test_msgpack(frame: bytes, known: bool) -> None:
    assert is_msgpack(frame) is known


@pytest.mark.parametrize(
    ("data", "message", "text"),
    [
        ({"message": "no"}, "no", '"no"'),
        ({"message": "no", "data": {"code": 1}}, "no", '"no", data {"code": 1}'),
        ("Invalid namespace", "Invalid namespace", '"Invalid namespace"'),
        ({"error": 1}, "", '{"error": 1}'),
        (None, "", "disconnected at once"),
    ],
)
def test_refused_namespaces(data: object, message: str, text: str) -> None:
    assert (message_of(data), refusal_text(data)) == (message, text)
