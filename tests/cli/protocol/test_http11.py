"""The HTTP/1.1 reader: parts of messages, without a byte lost or changed."""

import itertools
import random
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom.protocol import http11
from nsroom.protocol.http11 import Body, End, Framing, Head, Opaque, Part, Reader

GET = b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a:1\r\nCookie: k=v\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"4\r\nwiki\r\n5;name=x\r\npedia\r\n0\r\nTrailer: x\r\n\r\n"
)


def read(data: bytes, cuts: Iterable[int] = (), answer_to: str = "") -> list[Part]:
    """Return the parts of requests, or of responses to `answer_to`, fed in the pieces that the cuts make."""
    framing = (lambda head: http11.response_framing(head, answer_to)) if answer_to else http11.request_framing
    reader = Reader(framing)
    edges = [0, *sorted(cuts), len(data)]
    parts = [part for a, b in itertools.pairwise(edges) for part in reader.feed(data[a:b])]
    return [*parts, Opaque(reader.end())]


def raw(parts: list[Part]) -> bytes:
    return b"".join(part.raw for part in parts)


def contents(parts: list[Part]) -> list[bytes | str]:
    """Return the start line and the decoded body of each message."""
    found: list[bytes | str] = []
    for part in parts:
        if isinstance(part, Head):
            found += [part.start, b""]
        elif isinstance(part, Body):
            found[-1] += part.data  # type: ignore[operator]
    return found


def test_consecutive_requests() -> None:
    parts = read(GET + POST + GET)
    assert contents(parts)[1::2] == [b"", b"hello", b""]
    head = parts[0]
    assert isinstance(head, Head)
    assert (head.method, head.target) == ("GET", "/socket.io/?EIO=4&transport=polling")
    assert (head.get("cookie"), head.get("missing")) == ("k=v", "")


def test_a_chunked_body_and_its_trailer() -> None:
    parts = read(CHUNKED + b"HTTP/1.1 204 No Content\r\n\r\n", answer_to="GET")
    assert contents(parts) == ["HTTP/1.1 200 OK", b"wikipedia", "HTTP/1.1 204 No Content", b""]
    assert sum(isinstance(part, End) for part in parts) == 2


@pytest.mark.parametrize(
    ("head", "method", "framing"),
    [
        ("HTTP/1.1 200 OK\r\nContent-Length: 5", "HEAD", 0),
        ("HTTP/1.1 304 Not Modified\r\nContent-Length: 5", "GET", 0),
        ("HTTP/1.1 100 Continue", "POST", 0),
        ("HTTP/1.1 101 Switching Protocols", "GET", Framing.SWITCH),
        ("HTTP/1.1 200 Established", "CONNECT", Framing.SWITCH),
        ("HTTP/1.0 200 OK", "GET", Framing.CLOSE),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0", "GET", 0),
    ],
)
def test_framing_of_responses(head: str, method: str, framing: Framing | int) -> None:
    (first, *_) = read(f"{head}\r\n\r\n".encode(), answer_to=method)
    assert isinstance(first, Head)
    assert http11.response_framing(first, method) == framing


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: 1\r\n folded\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 5000,
        b"GET /" + b"a" * http11.MAX_HEAD,
    ],
)
def test_malformed_and_ambiguous_messages_pass_unread(data: bytes) -> None:
    parts = read(data + GET)
    assert [part for part in parts if isinstance(part, Opaque) and part.reason]
    assert raw(parts) == data + GET


@given(st.lists(st.sampled_from([GET, POST, b"\r\n" + GET]), max_size=5), st.data())
def test_pieces_do_not_matter(messages: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(messages)
    cuts = data.draw(st.lists(st.integers(0, len(whole)), max_size=20))
    assert contents(read(whole, cuts)) == contents(read(whole))


@given(st.binary(max_size=300), st.lists(st.integers(0, 600), max_size=8), st.sampled_from(["", "GET"]))
def test_no_byte_is_lost(noise: bytes, cuts: list[int], method: str) -> None:
    for data in (noise, GET + noise, CHUNKED[:60] + noise, POST[:-2] + noise):
        assert raw(read(data, [cut for cut in cuts if cut <= len(data)], method)) == data


def test_no_byte_of_a_corrupted_message_is_lost() -> None:
    chance = random.Random(3)
    for _ in range(3000):
        data = bytearray(chance.choice([GET + POST + GET, CHUNKED * 2]))
        for _ in range(chance.randrange(3)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        cuts = [chance.randrange(len(data)) for _ in range(chance.randrange(4))]
        assert raw(read(bytes(data), cuts, chance.choice(["", "GET"]))) == data


def test_editing_a_header_changes_nothing_else() -> None:
    head = b"GET /?Host: HTTP/1.1\r\nhOsT:\ta:1\r\nX-Host: b\r\nOrigin: http://a\r\nAccept: *\r\n\r\n"
    changed = http11.change_header(head, "Host", lambda host: f"c:{int(host[2:]) + 1}")
    assert changed == head.replace(b"\ta:1", b"\tc:2")
    assert http11.change_header(head, "Cookie", lambda _: "x") == head
    assert http11.drop_header(head, "origin") == head.replace(b"Origin: http://a\r\n", b"")


@pytest.mark.parametrize(
    "data",
    [
        *(b"40GET / HTTP/1.1\r\n\r\n", b"M-SEARCH * HTTP/1.1\r\n\r\n", b"!x / HTTP/1.0\r\n\r\n"),
        *("GET /ключ HTTP/1.1\r\n\r\n".encode(), b"GET /\0 HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 \xff\r\n\r\n"),
        *(b"\x16\x03\x01\0\r\n\r\n", b"GET\0/ HTTP/1.1\r\n\r\n", b"HTTP1.1 200 OK\r\n\r\n", b"\n\r\r\n\r\n"),
        b"GET / HTTP/1.1\r\nA: " + b"x" * http11.MAX_HEAD + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"x" * 4092 + b"\r\ny\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"x" * 4093 + b"\r\ny\r\n0\r\n\r\n",
    ],
    ids=range(13),
)
def test_what_is_http_does_not_depend_on_the_cuts(data: bytes) -> None:
    whole = read(data, answer_to="GET" if data.startswith(b"HTTP") else "")
    for cuts in (range(min(len(data), 20)), [len(data) - 30], [len(data) - 1]):
        parts = read(data, [max(cut, 0) for cut in cuts], answer_to="GET" if data.startswith(b"HTTP") else "")
        assert contents(parts) == contents(whole)


def test_headers_are_replaced_whatever_their_case_and_number() -> None:
    head = b"GET / HTTP/1.1\r\nconnection: a\r\nX: 1\r\nCONNECTION: b\r\n\r\n"
    changed = http11.replace_headers(head, {"Connection": "close", "New": "1"})
    assert changed == b"GET / HTTP/1.1\r\nX: 1\r\nConnection: close\r\nNew: 1\r\n\r\n"
