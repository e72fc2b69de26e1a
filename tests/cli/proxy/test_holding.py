"""Heartbeats sent by the proxy through a WebSocket and by polling."""

import asyncio

from nsroom.proxy.heartbeats import HELD
from nsroom.proxy.ping_timeout import raise_timeout
from nsroom.record import Direction, Kind
from tests.cli.relaying import SWITCHED, UPGRADE, closing, drained, raw_server, relaying
from tests.frames import frame

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter
HANDSHAKE = '0{"sid":"eio","upgrades":[],"pingInterval":20,"pingTimeout":20}'
POLL = "{} /socket.io/?EIO=4&transport=polling{} HTTP/1.1\r\nHost: localhost\r\nCookie: a=b\r\n\r\n"


def response(body: str, status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


async def test_a_heartbeat_through_a_websocket() -> None:
    heartbeat, pong = frame(1, b"3", mask=bytes(4)), frame(10, b"x", mask=bytes(4))
    got: list[bytes] = []

    async def talk(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(SWITCHED + frame(1, HANDSHAKE.encode()))
        got.append(await reader.readexactly(2 * len(heartbeat)))
        writer.write(frame(9, b"x"))
        got.append(await reader.readuntil(pong))
        writer.write(frame(1, b"6"))
        await reader.read()

    async with raw_server(talk) as url, relaying(url, hold=True) as proxy:
        reader, writer = await proxy.connect()
        async with closing(writer):
            writer.write(UPGRADE % b"localhost")
            expected = (
                SWITCHED + frame(1, raise_timeout(HANDSHAKE).encode()) + frame(9, b"x") + frame(1, b"6")
            )
            assert await reader.readexactly(len(expected)) == expected
        record = await proxy.seen(reason=HELD)
        assert (record.kind, record.direction, record.sid) == (Kind.PONG, Direction.OUT, "eio")
        assert proxy.said[0] == "--hold: clients receive a pingTimeout of a day in their handshake"
        await proxy.seen(kind=Kind.CLOSE)
    assert got[0] == heartbeat * 2
    assert set(got[1].removesuffix(pong)) <= set(heartbeat)


class PollingServer:
    """Answers handshakes, and POSTs only when it may."""

    def __init__(self, status: str = "200 OK") -> None:
        self.posts: list[bytes] = []
        self.posted = asyncio.Event()
        self.may_answer = asyncio.Event()
        self._status = status

    async def talk(self, reader: Reader, writer: Writer) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"GET"):
            writer.write(response(HANDSHAKE))
            return
        self.posts.append(head + await reader.readexactly(1))
        self.posted.set()
        await self.may_answer.wait()
        writer.write(response("ok", self._status))


async def test_a_heartbeat_by_polling() -> None:
    server = PollingServer()
    async with raw_server(server.talk) as url, relaying(url, hold=True) as proxy:
        reader, writer = await proxy.connect()
        async with closing(writer):
            writer.write(POLL.format("GET", "").encode())
            assert (await drained(reader)).endswith(raise_timeout(HANDSHAKE).encode())
        await server.posted.wait()
        (post,) = server.posts
        assert post.startswith(b"POST /socket.io/?EIO=4&transport=polling&sid=eio HTTP/1.1\r\nHost: ")
        assert b"\r\nCookie: a=b\r\n" in post
        assert post.endswith(b"\r\n\r\n3")
        reader, writer = await proxy.connect()
        async with closing(writer):
            length = "HTTP/1.1\r\nContent-Length: 1"
            writer.write(POLL.format("POST", "&sid=eio").replace("HTTP/1.1", length).encode() + b"x")
            # The record of the client's request shows that the proxy has read it, and holds it back.
            await proxy.seen(kind=Kind.PROTOCOL_ERROR)
            assert len(server.posts) == 1
            server.may_answer.set()
            assert (await drained(reader)).endswith(b"ok")
        assert server.posts[1].endswith(b"x")
        await proxy.seen(reason=HELD, kind=Kind.PONG, sid="eio")


async def test_a_session_that_the_server_has_ended_is_not_held() -> None:
    server = PollingServer("400 Bad Request")
    server.may_answer.set()
    async with raw_server(server.talk) as url, relaying(url, hold=True) as proxy:
        reader, writer = await proxy.connect()
        async with closing(writer):
            writer.write(POLL.format("GET", "").encode())
            await drained(reader)
        await proxy.told("cannot hold a session: the server responds to a heartbeat with 'HTTP/1.1 400'")
        assert all(record.reason != HELD for record in proxy.records)
