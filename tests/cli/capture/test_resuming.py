"""Data at which reading can start."""

import random

import pytest

from nsroom.capture import resuming
from tests.frames import MASK, frame


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"GET /socket.io/?EIO=4 HTTP/1.1\r\nHost: a\r\n", True),
        (b"POST http://a/ HTTP/1.0\n", True),
        (b"GET / HTTP/1.1", False),
        (b"GET /\x01 HTTP/1.1\r\n", False),
        (b"get / HTTP/1.1\r\n", False),
        (b"more of a body GET / HTTP/1.1\r\n", False),
    ],
)
def test_requests(data: bytes, expected: bool) -> None:
    assert resuming.is_request(data) is expected


def test_responses_and_tls() -> None:
    assert resuming.is_response(b"HTTP/1.1 200 OK\r\n")
    assert not resuming.is_response(b"HTTP/1.1 999")
    assert resuming.is_tls(b"\x16\x03\x01\x02\x00\x01")
    assert not resuming.is_tls(b"\x16\x04\x01")


FRAMES = {
    "ping": frame(1, b"2"),
    "event": frame(1, b'42["a"]'),
    "namespace": frame(1, b"40/chat,"),
    "messagepack": frame(1, b'4{"type":2}'),
    "base64": frame(1, b"bAQID"),
    "several": frame(1, b'42["a"]') * 3 + frame(9, b"x"),
    "long": frame(1, b"42" + b"x" * 70_000),
    "attachment": frame(1, b'451-["a"]') + frame(2, b"\0\1"),
    "close": frame(8, b"\x03\xe8"),
}


@pytest.mark.parametrize("data", FRAMES.values(), ids=FRAMES)
def test_frames(data: bytes) -> None:
    assert resuming.is_websocket(data, masked=False)
    assert not resuming.is_websocket(data, masked=True)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 8, 20, 1000])
def test_the_last_frame_may_be_incomplete(size: int) -> None:
    whole, last = frame(1, b"2"), frame(1, b"42" + b"x" * 2000, mask=MASK)
    assert resuming.is_websocket(frame(1, b"3", mask=MASK) + last[:size], masked=True)
    assert resuming.is_websocket(last[:size], masked=True) is (size > 8)
    assert not resuming.is_websocket(whole + last[: max(size, 2)], masked=False)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x81",
        frame(1, b"hello"),
        frame(1, b"49"),
        frame(0, b"2"),
        frame(3, b"2"),
        frame(1, b"2") + b"hello",
        frame(9, b"x" * 126),
        frame(9, b"x", final=False),
        frame(2, b"x" * 100)[:50],
        frame(1, b"\x2a", compressed=True),
        bytes([0x91, 1]) + b"2",
    ],
)
def test_other_data(data: bytes) -> None:
    assert not resuming.is_websocket(data, masked=False)


def test_compressed_frames_where_they_were_agreed_on() -> None:
    assert resuming.is_websocket(frame(1, b"\x2a", compressed=True), masked=False, deflate=True)
    assert not resuming.is_websocket(frame(9, b"\x2a", compressed=True), masked=False, deflate=True)


def test_random_data_is_hardly_ever_taken_for_frames() -> None:
    rng = random.Random(1)
    assert sum(resuming.is_websocket(rng.randbytes(50), masked) for masked in (True, False) * 5000) <= 2


@pytest.mark.parametrize(
    ("first", "expected"), [(0x81, True), (0x01, True), (0x82, True), (0x80, False), (0x91, False)]
)
def test_what_may_follow_an_incomplete_frame(first: int, expected: bool) -> None:
    assert resuming.may_follow(bytes([first])) is expected
