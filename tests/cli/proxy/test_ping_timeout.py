"""The handshake on its way to the client, with a longer pingTimeout."""

import gzip
import json
from typing import Any

import pytest

from nsroom.protocol import http11
from nsroom.protocol.websocket import Reader
from nsroom.proxy.ping_timeout import DAY, FirstMessage, FirstResponse, raise_timeout
from tests.cli.conversing import HANDSHAKE
from tests.frames import frame

RAISED = HANDSHAKE.replace("20000", str(DAY))
EVENT = '42["x"]'


def open_packet(**fields: Any) -> str:
    return "0" + json.dumps({"sid": "a", "upgrades": [], "pingInterval": 25, "pingTimeout": 20} | fields)


@pytest.mark.parametrize(
    ("interval", "timeout", "raised"),
    [
        (25_000, 20_000, DAY),
        (25_000, 2 * DAY, 2 * DAY),
        (2**31 - 1001, 20_000, 20_000),
        (2**31 - 50_001, 20_000, 50_000),
        (2**40, 7, 7),
    ],
)
def test_timers_in_javascript_do_not_overflow(interval: int, timeout: int, raised: int) -> None:
    text = raise_timeout(open_packet(pingInterval=interval, pingTimeout=timeout, more="π"))
    assert json.loads(text[1:])["pingTimeout"] == raised
    assert json.loads(text[1:])["more"] == "π"


@pytest.mark.parametrize("text", ["", "40", b"0", "0", "0[]", "0{}", "0{", open_packet(pingTimeout="1")])
def test_other_packets_are_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        raise_timeout(text)


# WebSocket


def feed_message(data: bytes, size: int) -> tuple[bytes, list[str]]:
    """Return the data that passes when it is fed in pieces, and the reports."""
    reports: list[str] = []
    first = FirstMessage(reports.append)
    pieces = [first.feed(data[start : start + size]) for start in range(0, len(data), size)]
    return b"".join(pieces) + first.end(), reports


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_the_first_message_is_changed(size: int) -> None:
    before, after = frame(9, b"ping"), frame(1, EVENT.encode()) + b"\xff any bytes"
    passed, reports = feed_message(before + frame(1, HANDSHAKE.encode()) + after, size)
    assert passed == before + frame(1, RAISED.encode()) + after
    assert [message.data for message in Reader().feed(passed[: -len(after)])] == [b"ping", RAISED]
    assert reports == []


@pytest.mark.parametrize(
    "data",
    [
        frame(1, EVENT.encode()) + frame(1, HANDSHAKE.encode()),
        frame(1, HANDSHAKE[:9].encode(), final=False) + frame(0, HANDSHAKE[9:].encode()),
        frame(1, b"0" * 70_000),
        frame(9, bytes(100)) * 1000,
        b"\xff\x00",
    ],
)
def test_other_messages_pass_and_are_reported(data: bytes) -> None:
    for size in (1000, 100_000):
        passed, (report,) = feed_message(data, size)
        assert passed == data
        assert report


def test_a_message_that_never_ends_passes_at_the_end() -> None:
    assert feed_message(b"\x81\x05ab", 1) == (b"\x81\x05ab", [])


# Polling


def feed_response(data: bytes, is_old: bool = False) -> tuple[bytes, list[str]]:
    """Return the response that passes, and the reports."""
    reports: list[str] = []
    first = FirstResponse(is_old, reports.append)
    reader = http11.Reader(lambda head: http11.response_framing(head, "GET"), b"HTTP/1.")
    passed = [
        first.feed(part, part.raw)
        for start in range(len(data))
        for part in reader.feed(data[start : start + 1])
    ]
    if reader.is_unbounded:
        passed.append(first.feed(http11.End(), b""))
    return b"".join(passed) + first.end(), reports


def response(body: bytes, more: str = "", status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nA: b\r\n{more}Content-Length: {len(body)}\r\n\r\n".encode() + body


def plain(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nA: b\r\n\r\n%b" % (len(body), body)


def binary(packet: str) -> bytes:
    return b"\x00" + bytes(map(int, str(len(packet)))) + b"\xff" + packet.encode()


@pytest.mark.parametrize(
    ("body", "raised", "is_old"),
    [
        (HANDSHAKE.encode(), RAISED.encode(), False),
        (f"{HANDSHAKE}\x1e{EVENT}".encode(), f"{RAISED}\x1e{EVENT}".encode(), False),
        (f"{len(HANDSHAKE)}:{HANDSHAKE}2:40".encode(), f"{len(RAISED)}:{RAISED}2:40".encode(), True),
        (binary(HANDSHAKE) + binary("40"), binary(RAISED) + binary("40"), True),
    ],
)
def test_the_first_response_is_changed(body: bytes, raised: bytes, is_old: bool) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nA: b\r\n\r\n"
    for data in (
        response(body),
        response(gzip.compress(body), "Content-Encoding: gzip\r\n"),
        chunked + b"3\r\n%b\r\n%x;x\r\n%b\r\n0\r\n\r\n" % (body[:3], len(body) - 3, body[3:]),
        b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n" + body,
    ):
        assert feed_response(data, is_old) == (plain(raised), [])


@pytest.mark.parametrize(
    "data",
    [
        response(EVENT.encode()),
        response(b""),
        response(HANDSHAKE.encode(), "Content-Encoding: br\r\n"),
        response(b"x" * 70_000),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 20_000 + b"0\r\n\r\n",
    ],
)
def test_other_bodies_pass_and_are_reported(data: bytes) -> None:
    passed, reports = feed_response(data)
    assert passed == data
    assert len(reports) == 1


@pytest.mark.parametrize(
    "data",
    [
        response(HANDSHAKE.encode(), status="400 Bad Request"),
        response(HANDSHAKE.encode())[:-1],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"anything",
    ],
)
def test_other_responses_pass(data: bytes) -> None:
    passed, reports = feed_response(data)
    assert data.startswith(passed)
    assert reports == []


def test_an_interim_response_passes_at_once() -> None:
    early = b"HTTP/1.1 103 Early Hints\r\n\r\n"
    assert feed_response(early + response(HANDSHAKE.encode())) == (early + plain(RAISED.encode()), [])
