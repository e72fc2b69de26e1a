"""The traffic of a browser and a server as scripts, and its records."""

import base64
import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom.output.ndjson import encode
from nsroom.protocol import msgpack_parser
from nsroom.protocol.socketio import Packet, PacketType
from nsroom.proxy.heartbeats import Heartbeats
from nsroom.proxy.ping_timeout import raise_timeout
from nsroom.proxy.sessions import MAX_SESSIONS
from nsroom.record import Direction, Kind, Record
from tests.cli.conversing import HANDSHAKE, Talk, new_sessions
from tests.frames import MASK, frame

IN, OUT = Direction.IN, Direction.OUT


@pytest.fixture
def talk() -> Talk:
    return Talk()


def brief(records: list[Record]) -> list[tuple[Any, ...]]:
    return [(record.direction, record.kind, record.event, record.sid) for record in records]


def test_polling_then_websocket_is_one_session() -> None:
    sessions = new_sessions()
    poll, socket = Talk(sessions), Talk(sessions)
    poll.ask("transport=polling")
    assert brief(poll.answer(HANDSHAKE)) == [(IN, Kind.OPEN, None, "eio")]
    records = poll.ask("transport=polling&sid=eio", "POST", '40{"token":"secret"}\x1e421["ask"]')
    assert brief(records) == [(OUT, Kind.CONNECT, None, "eio"), (OUT, Kind.EVENT, "ask", "eio")]
    assert poll.answer("ok") == []
    poll.ask("transport=polling&sid=eio")
    (connected,) = poll.answer('40{"sid":"socket","pid":"private"}')
    assert (connected.sid, connected.data) == ("eio", {"sid": "socket"})
    socket.upgrade("transport=websocket&sid=eio")
    assert brief(socket.say("2probe") + socket.hear("3probe") + socket.say("5")) == [
        (OUT, Kind.PING, None, "eio"),
        (IN, Kind.PONG, None, "eio"),
        (OUT, Kind.UPGRADE, None, "eio"),
    ]
    (ack,) = socket.hear("431[1]")
    assert (ack.kind, ack.event, ack.sid) == (Kind.ACK, "ask", "eio")
    assert ack.rtt_ms is not None
    assert [record.seq for record in (connected, ack)] == [4, 8]
    assert len(sessions) == 1
    assert socket.feed(OUT, frame(8, b"\x03\xe9", mask=MASK))[0].message == "code 1001"
    assert socket.conversation.close(OUT, "closed the connection", 99) == []
    assert len(sessions) == 0


def test_binary_over_both_transports(talk: Talk) -> None:
    talk.ask("transport=polling&sid=x", "POST", '451-["b",{"_placeholder":true,"num":0}]\x1ebAAE=')
    talk.answer("ok")
    talk.upgrade("transport=websocket&sid=x")
    assert talk.hear('451-["c",{"_placeholder":true,"num":0}]') == []
    (record,) = talk.hear(b"\x00\xff")
    assert (record.event, record.args) == ("c", [b"\x00\xff"])


def test_engine_io_3() -> None:
    talk = Talk()
    talk.feed(OUT, b"GET /socket.io/?EIO=3&transport=polling HTTP/1.1\r\nHost: a\r\n\r\n")
    opened, connected = talk.answer(f"{len(HANDSHAKE)}:{HANDSHAKE}2:40")
    assert (opened.kind, connected.kind, connected.sid) == (Kind.OPEN, Kind.CONNECT, "eio")
    talk.feed(
        OUT, b"GET /?EIO=3&transport=websocket&sid=eio HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n\r\n"
    )
    talk.feed(IN, b"HTTP/1.1 101 x\r\nUpgrade: WebSocket\r\n\r\n")
    talk.say('451-["b",{"_placeholder":true,"num":0}]')
    assert talk.say(b"\x04\x01")[0].args == [b"\x01"]


def test_compressed_polls(talk: Talk) -> None:
    packed = gzip.compress(b'42["a"]\x1e42["b"]')
    talk.ask("transport=polling&sid=x")
    records = talk.answer(packed, more="Content-Encoding: gzip\r\n")
    assert [record.event for record in records] == ["a", "b"]
    talk.ask("transport=polling&sid=x")
    (gap,) = talk.answer(packed, more="Content-Encoding: br\r\n")
    assert (gap.kind, gap.message) == (
        Kind.GAP,
        "a polling body of the server is not shown: it is compressed with br",
    )
    assert gap.data == {"direction": "in", "bytes": len(packed)}


def test_refusals(talk: Talk) -> None:
    talk.ask("transport=polling&sid=gone")
    (record,) = talk.answer('{"code":1,"message":"Session ID unknown"}', "400 Bad Request")
    assert (record.kind, record.sid, record.reason) == (Kind.CLOSE, "gone", "HTTP 400")
    assert record.message == "Session ID unknown"
    upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n"
    for body, message, data in (
        ("<h1>no</h1>", "Forbidden", "<h1>no</h1>"),
        ('"not an accepted origin"', "not an accepted origin", "not an accepted origin"),
        ("no\x1b[31m", "no\x1b[31m", "no\x1b[31m"),
        ("x" * 3000, "x" * 2000, "x" * 2000),
        ('{"a":1}', "Forbidden", {"a": 1}),
        ('{"a":"' + "x" * 3000 + '"}', '{"a":"' + "x" * 1994, '{"a":"' + "x" * 1994),
        ("", "Forbidden", None),
        (b"\xff", "\ufffd", "\ufffd"),
    ):
        talk.ask("transport=websocket", more=upgrade)
        (record,) = talk.answer(body, "403 Forbidden")
        assert (record.kind, record.reason) == (Kind.CONNECT_ERROR, "HTTP 403")
        assert (record.message, record.data) == (message, data)
    talk.ask("transport=polling", "OPTIONS")
    assert talk.answer("", "204 No Content") == []


def test_other_requests_are_not_recorded(talk: Talk) -> None:
    talk.feed(OUT, b"GET /socket.io/socket.io.js HTTP/1.1\r\nHost: a\r\n\r\n")
    assert talk.answer('42["x"]') == []
    talk.feed(OUT, b"GET /hmr HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
    talk.feed(IN, b"HTTP/1.1 101 x\r\nUpgrade: websocket\r\n\r\n" + frame(1, b'42["x"]'))
    assert talk.say('42["x"]') == []
    assert talk.conversation.close(IN, "closed the connection", 9) == []


def test_an_interim_response_is_skipped(talk: Talk) -> None:
    talk.ask("transport=polling&sid=x")
    assert talk.feed(IN, b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n") == []
    assert talk.answer('42["a"]')[0].event == "a"


def test_a_body_to_the_end_of_the_connection(talk: Talk) -> None:
    talk.ask("transport=polling&sid=x")
    assert talk.feed(IN, b'HTTP/1.0 200 OK\r\n\r\n42["a"]') == []
    assert talk.conversation.end(IN, 9).records[0].event == "a"


def test_a_cancelled_poll(talk: Talk) -> None:
    talk.ask("transport=polling&sid=x")
    assert talk.conversation.end(OUT, 8).records == []
    (record,) = talk.conversation.close(OUT, "closed the connection", 9)
    assert (record.kind, record.sid) == (Kind.CLOSE, "x")
    assert record.reason == "the client closed the connection before a request was answered"


SECRET = "hunter2"


def records_with_credentials() -> Iterator[Record]:
    """Yield the records of every place where a client may send credentials."""
    talk = Talk()
    cookies = f"Cookie: sid={SECRET}\r\nAuthorization: Bearer {SECRET}\r\n"
    talk.ask(f"transport=polling&token={SECRET}", more=cookies)
    yield from talk.answer(HANDSHAKE, more=f"Set-Cookie: x={SECRET}\r\n")
    for packet in ('40{"t":"%s"}', '40/a,{"t":"%s"}', '40{"t":"%s"', "40/a?t=%s,"):
        yield from talk.ask("transport=polling&sid=eio", "POST", packet % SECRET)
        talk.answer("ok")
    talk.upgrade("transport=websocket&sid=eio")
    yield from talk.say(f'40{{"t":"{SECRET}"}}')
    yield from talk.say(b"\x83\xa4type\x00\xa3nsp\xa1/\xa4data\x81\xa1t\xa7" + SECRET.encode())
    yield from talk.hear('40{"sid":"s","pid":"p"}')


def test_credentials_are_not_recorded() -> None:
    records = list(records_with_credentials())
    assert len(records) == 8
    assert SECRET not in str(records)


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_pass(noise: bytes, upgraded: bool) -> None:
    talk = Talk()
    if upgraded:
        talk.upgrade()
    else:
        talk.ask("transport=polling&sid=x", "POST", "x" * 10)
    for direction in (IN, OUT):
        seen = talk.conversation.feed(direction, noise, 1)
        held = talk.conversation.end(direction, 2).data
        passed = b"".join(each.data for each in seen) + held
        assert passed == noise or direction is IN


def test_sessions_are_limited() -> None:
    sessions = new_sessions()
    for number in range(MAX_SESSIONS + 10):
        sessions.find(str(number))
    assert len(sessions) == MAX_SESSIONS


def test_records_are_json() -> None:
    assert all(json.loads(encode(record)) for record in records_with_credentials())


# Credentials, in every dialect


CONNECT = msgpack_parser.encode(Packet(PacketType.CONNECT, "/chat", data={"token": "s3cret"}))
SECRETS = [
    ("4", '40/chat,{"token":"s3cret"}'),
    ("3", "40/chat?token=s3cret,"),
    ("3", '4{"type":0,"nsp":"/chat?token=s3cret"}'),
    ("4", CONNECT),
    ("3", b"\x04" + CONNECT),
    ("4", CONNECT[:-1]),
    ("3", b"\x04" + CONNECT[:-1]),
]


@pytest.mark.parametrize(("engine", "frame"), SECRETS)
def test_credentials_pass_and_are_not_recorded(engine: str, frame: str | bytes) -> None:
    talk = Talk()
    talk.feed(
        OUT,
        f"GET /?EIO={engine}&transport=websocket HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n\r\n".encode(),
    )
    talk.feed(IN, b"HTTP/1.1 101 x\r\nUpgrade: WebSocket\r\n\r\n")
    (record,) = talk.say(frame)
    assert record.frames
    assert "s3cret" not in repr(record)


@pytest.mark.parametrize("torn", [False, True])
@pytest.mark.parametrize("engine", ["3", "4"])
def test_polled_credentials_are_not_recorded(engine: str, torn: bool) -> None:
    talk = Talk()
    text = base64.b64encode(CONNECT[: -1 if torn else None]).decode()
    body = f"{len(text) + 2}:b4{text}" if engine == "3" else f"b{text}"
    length = f"Content-Length: {len(body)}\r\n\r\n"
    (record,) = talk.feed(
        OUT, f"POST /?EIO={engine}&transport=polling&sid=x HTTP/1.1\r\nHost: a\r\n{length}{body}".encode()
    )
    assert record.kind is (Kind.PROTOCOL_ERROR if torn else Kind.CONNECT)
    assert record.frames == ["{…}"]


def test_packets_in_messagepack(talk: Talk) -> None:
    talk.upgrade()
    (asked,) = talk.say(msgpack_parser.encode(Packet(PacketType.EVENT, "/", 1, ["e", b"\1"])))
    (answered,) = talk.hear(msgpack_parser.encode(Packet(PacketType.ACK, "/", 1, [b"\2"])))
    assert (asked.event, asked.args, answered.event, answered.args) == ("e", [b"\1"], "e", [b"\2"])
    assert answered.rtt_ms is not None


@pytest.mark.parametrize(
    ("kind", "body", "said"),
    [
        ("text/html; charset=utf-8", '<script>io("http://a/chat")</script>', True),
        ("application/javascript", "const url = 'ws://a'", True),
        ("text/html", "<script>io()</script>", False),
        ("text/html", "http://a.example, http://ab", False),
        ("application/json", '"http://a"', False),
        ("text/html", "x" * 2 * 2**20 + '"http://a"', False),
    ],
)
def test_a_page_that_names_the_server_is_reported(
    kind: str, body: str, said: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    for data, more in ((body.encode(), ""), (gzip.compress(body.encode()), "Content-Encoding: gzip\r\n")):
        talk = Talk()
        for _ in range(2):
            talk.feed(OUT, b"GET /a?secret HTTP/1.1\r\nHost: a\r\n\r\n")
            talk.answer(data, more=f"Content-Type: {kind}\r\n{more}")
        out = capsys.readouterr().out
        assert out.count("/a names") == out.count("itself") == said
        assert "secret" not in out


def test_bytes_after_an_upgrade_request_wait_for_its_response(talk: Talk) -> None:
    upgrade = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n"
    (seen,) = talk.conversation.feed(OUT, upgrade + b"hello", 1)
    assert (seen.data, talk.conversation.take_unread(), talk.conversation.take_unread()) == (
        upgrade,
        b"hello",
        b"",
    )
    talk.feed(IN, b"HTTP/1.1 101 x\r\nUpgrade: other\r\n\r\n\0")
    assert talk.feed(OUT, b"hello") == talk.feed(IN, b"GET") == []


# Held sessions


def held_talk() -> tuple[Talk, Heartbeats]:
    heartbeats = Heartbeats()
    return Talk(new_sessions(heartbeats=heartbeats), insert=print), heartbeats


def test_a_polling_handshake_is_changed() -> None:
    talk, heartbeats = held_talk()
    head = b"GET /?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\n%bCookie: b\r\n\r\n"
    (asked,) = talk.conversation.feed(OUT, head % b"Accept-Encoding: br\r\n", 1)
    assert asked.data == head % b""
    answer = f"HTTP/1.1 200 OK\r\nContent-Length: {len(HANDSHAKE)}\r\n\r\n{HANDSHAKE}".encode()
    (seen,) = talk.conversation.feed(IN, answer, 2)
    raised = raise_timeout(HANDSHAKE)
    assert seen.data == f"HTTP/1.1 200 OK\r\nContent-Length: {len(raised)}\r\n\r\n{raised}".encode()
    assert seen.records[0].data["pingTimeout"] == 20_000
    held = heartbeats.find("eio")
    assert held is not None
    assert (held.request, held.last, held.send) == (head % b"", 2, None)
    (more,) = talk.conversation.feed(OUT, b"GET / HTTP/1.1\r\nAccept-Encoding: br\r\nHost: a\r\n\r\n", 3)
    assert b"br" in more.data


def test_a_handshake_to_the_end_of_the_connection_is_changed() -> None:
    for body in (HANDSHAKE, "other"):
        talk, _ = held_talk()
        talk.ask("transport=polling")
        assert talk.conversation.feed(IN, f"HTTP/1.0 200 OK\r\n\r\n{body}".encode(), 1)[0].data == b""
        assert talk.conversation.end(IN, 2).data.endswith(
            raise_timeout(body).encode() if body == HANDSHAKE else b"other"
        )
    talk, _ = held_talk()
    talk.ask("transport=polling")
    torn = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n0"
    assert talk.conversation.feed(IN, torn, 1)[0].data == b""
    assert talk.conversation.end(IN, 2).data == torn


def test_posts_of_held_sessions_are_counted() -> None:
    talk, heartbeats = held_talk()
    talk.ask("transport=polling")
    talk.answer(HANDSHAKE)
    held = heartbeats.find("eio")
    assert held is not None
    assert talk.conversation.posting is None
    talk.ask("transport=polling&sid=eio", "POST", "40")
    assert (held.posts, talk.conversation.posting) == (1, "eio")
    talk.answer("ok")
    assert held.posts == 0
    talk.ask("transport=polling&sid=eio", "POST", "3")
    assert held.last == talk.at
    talk.answer("{}", "400 Bad Request")
    assert heartbeats.find("eio") is None
