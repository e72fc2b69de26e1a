"""The client's WebSocket, with a peer that writes raw bytes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from nsroom.client.target import Target
from nsroom.client.transports.asyncio_websocket import WebSocket, is_accepted
from nsroom.client.transports.handshake import new_key, request
from nsroom.protocol.websocket import Message, Opcode, Reader, accept
from tests.cli.clients import WAIT
from tests.frames import MASK, frame

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def _written(message: str | bytes) -> bytes:
    return frame(1, message.encode()) if isinstance(message, str) else frame(2, message)


@dataclass
class Peer:
    """A WebSocket, its peer's end, and the messages that it received."""

    websocket: WebSocket
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    messages: "asyncio.Queue[str | bytes]" = field(default_factory=asyncio.Queue)
    pongs: "asyncio.Queue[bytes]" = field(default_factory=asyncio.Queue)
    _frames: Reader = field(default_factory=Reader)
    _read: list[Message] = field(default_factory=list)

    async def message(self) -> str | bytes:
        """Return the next message."""
        return await asyncio.wait_for(self.messages.get(), WAIT)

    async def frame(self) -> Message:
        """Return the next frame that the WebSocket sent."""
        while not self._read:
            data = await asyncio.wait_for(self.reader.read(65536), WAIT)
            assert data, "it sends no more"
            self._read += self._frames.feed(data)
        return self._read.pop(0)

    async def code(self) -> int | None:
        """Wait for the end and return its code."""
        await asyncio.wait_for(asyncio.shield(self.websocket.closed), WAIT)
        return self.websocket.close_code


@asynccontextmanager
async def connected(answer: Callable[[str], bytes]) -> AsyncIterator[tuple[Peer, str]]:
    """Connect to a peer; `answer` returns its answer to a handshake with this key."""
    met: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]]
    met = asyncio.get_running_loop().create_future()
    server = await asyncio.start_server(lambda *ends: met.set_result(ends), "127.0.0.1", 0)
    messages: asyncio.Queue[str | bytes] = asyncio.Queue()
    pongs: asyncio.Queue[bytes] = asyncio.Queue()
    key = new_key()
    port = server.sockets[0].getsockname()[1]

    def on_messages(some: Sequence[str | bytes]) -> None:
        for each in some:
            messages.put_nowait(each)

    _, websocket = await asyncio.get_running_loop().create_connection(
        lambda: WebSocket(on_messages, pongs.put_nowait), "127.0.0.1", port
    )
    reader, writer = await met
    try:
        writer.write(answer(key))
        yield Peer(websocket, reader, writer, messages, pongs), key
    finally:
        websocket.abort()
        writer.close()
        server.close()


def switching(key: str) -> bytes:
    """Return the answer that switches to WebSocket."""
    head = f"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: {accept(key)}\r\n"
    return f"{head}Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n".encode()


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    """An open WebSocket."""
    async with connected(switching) as (peer, key):
        assert is_accepted(await peer.websocket.handshake(request(Target(), key)), key)
        assert (await peer.reader.readuntil(b"\r\n\r\n")).startswith(b"GET /socket.io/?EIO=4&")
        yield peer


async def test_messages_arrive_unchanged(peer: Peer) -> None:
    long = "ü" * 3000
    peer.writer.write(frame(1, "π".encode()) + frame(2, b"\0\xff") + frame(1, long.encode()) + frame(1, b""))
    assert [await peer.message() for _ in range(4)] == ["π", b"\0\xff", long, ""]


async def test_messages_of_one_write_keep_their_order(peer: Peer) -> None:
    said = ['42["a"]', b"\1", '42["b"]', "π" * 200, b"", "3", "x" * 70_000, '42["c"]', "4"]
    peer.writer.write(b"".join(_written(each) for each in said * 20))
    assert [await peer.message() for _ in said * 20] == said * 20


async def test_text_before_invalid_utf_8_is_received(peer: Peer) -> None:
    peer.writer.write(frame(1, b'42["a"]') + frame(1, b'42["\xff"]') + frame(1, b'42["b"]'))
    assert (await peer.message(), await peer.code()) == ('42["a"]', 1007)
    assert peer.messages.empty()


async def test_every_split_of_the_bytes_is_equivalent(peer: Peer) -> None:
    for byte in frame(1, b"42[") + frame(9, b"t") + frame(2, bytes(200)):
        peer.writer.write(bytes([byte]))
        await peer.writer.drain()
    assert [await peer.message(), await peer.message()] == ["42[", bytes(200)]


async def test_fragments_are_joined_around_a_ping(peer: Peer) -> None:
    peer.writer.write(frame(1, "a€".encode()[:2], False) + frame(9, b"now") + frame(0, "€".encode()[1:]))
    assert await peer.message() == "a€"
    pong = await peer.frame()
    assert (pong.opcode, pong.data) == (Opcode.PONG, b"now")


@pytest.mark.parametrize("data", ["", "40", "π" * 60, "x" * 126, "x" * 70_000, b"", b"\1" * 65_536])
async def test_sent_frames_are_masked(peer: Peer, data: str | bytes) -> None:
    peer.websocket.send(data)
    first = await peer.reader.readexactly(2)
    assert first[1] & 0x80
    peer._read += peer._frames.feed(first)
    sent = await peer.frame()
    assert (sent.opcode, sent.data) == (Opcode.TEXT if isinstance(data, str) else Opcode.BINARY, data)


async def test_a_pong_is_reported(peer: Peer) -> None:
    peer.websocket.ping(b"token")
    ping = await peer.frame()
    assert (ping.opcode, ping.data) == (Opcode.PING, b"token")
    peer.writer.write(frame(10, b"token"))
    assert await asyncio.wait_for(peer.pongs.get(), WAIT) == b"token"


@pytest.mark.parametrize(
    ("sent", "code", "answered"),
    [
        (frame(8, b"\x0f\xa8too slow"), 4008, 4008),
        (frame(8, b""), 1005, 1000),
        (frame(1, b"\xff"), 1007, 1007),
        (frame(1, b"a", False) + frame(0, b"\xc3"), 1007, 1007),
        (frame(3, b""), 1002, 1002),
        (frame(0, b"no beginning"), 1002, 1002),
        (frame(9, b"", False), 1002, 1002),
        (b"\x82\x7f" + (2**40).to_bytes(8, "big"), 1002, 1002),
    ],
)
async def test_the_close_code(peer: Peer, sent: bytes, code: int, answered: int) -> None:
    peer.writer.write(frame(1, b"last") + sent + frame(1, b"too late"))
    assert await peer.code() == code
    close = await peer.frame()
    assert (close.opcode, close.data) == (Opcode.CLOSE, answered.to_bytes(2, "big"))
    assert (await peer.message(), peer.messages.empty()) == ("last", True)
    with pytest.raises(ConnectionError):
        peer.websocket.send("x")


async def test_the_close_code_of_a_broken_connection(peer: Peer) -> None:
    peer.writer.close()
    assert await peer.code() == 1006


async def test_closing_waits_for_the_other_side(peer: Peer) -> None:
    closing = asyncio.ensure_future(peer.websocket.close())
    assert (await peer.frame()).data == (1000).to_bytes(2, "big")
    assert not closing.done()
    peer.writer.write(frame(1, b"on its way") + frame(8, (1000).to_bytes(2, "big")))
    await asyncio.wait_for(closing, WAIT)
    assert (await peer.message(), peer.websocket.close_code) == ("on its way", 1000)


async def test_drain_waits_for_a_peer_that_does_not_read(peer: Peer) -> None:
    for _ in range(64):
        peer.websocket.send(bytes(1 << 20))
    assert peer.websocket._writable is not None
    waiting = asyncio.ensure_future(peer.websocket.drain())
    await asyncio.sleep(0)
    assert not waiting.done()
    while not waiting.done():
        assert await asyncio.wait_for(peer.reader.read(1 << 20), WAIT)
        await asyncio.sleep(0)
    peer.websocket._writable = asyncio.get_running_loop().create_future()
    waiting = asyncio.ensure_future(peer.websocket.drain())
    peer.websocket.abort()
    with pytest.raises(ConnectionError):
        await asyncio.wait_for(waiting, WAIT)


async def test_pausing_after_the_end_does_nothing(peer: Peer) -> None:
    peer.websocket.close_now()
    peer.websocket.pause()
    peer.websocket.resume()
    assert await peer.code() == 1000


async def test_nothing_is_read_while_it_is_paused(peer: Peer) -> None:
    peer.websocket.pause()
    peer.writer.write(frame(1, b"x") * 3)
    await peer.writer.drain()
    await asyncio.sleep(0.05)
    assert peer.messages.empty()
    peer.websocket.resume()
    assert [await peer.message() for _ in range(3)] == ["x"] * 3


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n", "not an HTTP response"),
        (b"HTTP/9 ?\r\n\r\n", "not an HTTP response"),
        (b"\0" * 100, "not an HTTP response"),
    ],
)
async def test_an_answer_that_is_not_http_is_refused(answer: bytes, error: str) -> None:
    async with connected(lambda _: answer) as (peer, key):
        with pytest.raises(ValueError, match=error):
            await asyncio.wait_for(peer.websocket.handshake(request(Target(), key)), WAIT)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: guess\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 Switching Protocols\r\n\r\n",
    ],
)
async def test_answers_that_refuse_the_websocket(answer: bytes) -> None:
    async with connected(lambda _: answer) as (peer, key):
        head = await asyncio.wait_for(peer.websocket.handshake(request(Target(), key)), WAIT)
        assert not is_accepted(head, key)


async def test_a_peer_that_closes_is_an_error() -> None:
    async with connected(lambda _: b"HTTP/1.1 1") as (peer, key):
        shaking = asyncio.ensure_future(peer.websocket.handshake(request(Target(), key)))
        await peer.reader.readuntil(b"\r\n\r\n")
        peer.writer.close()
        with pytest.raises(ConnectionError):
            await asyncio.wait_for(shaking, WAIT)


async def test_frames_right_after_the_answer_are_read() -> None:
    async with connected(lambda key: switching(key) + frame(1, b"0{}")) as (peer, key):
        await asyncio.wait_for(peer.websocket.handshake(request(Target(), key)), WAIT)
        assert await peer.message() == "0{}"


@pytest.mark.parametrize(
    ("sent", "code", "fault"),
    [
        (frame(8, (5000).to_bytes(2, "big")), 1002, "a close frame with the invalid code 5000"),
        (frame(8, b"\x03"), 1002, "a close frame of one byte"),
        (frame(9, bytes(126)), 1002, "a control frame of 126 bytes, more than 125"),
        (frame(1, b"x", mask=MASK), 1002, "a masked frame, which only clients may send"),
        (frame(1, b"x", compressed=True), 1002, "a frame with a reserved bit"),
        (frame(11, b""), 1002, "a frame with the reserved opcode 11"),
        (frame(1, b"\xff"), 1007, "a text that is not UTF-8"),
    ],
)
async def test_data_that_breaks_the_protocol_ends_the_connection(
    peer: Peer, sent: bytes, code: int, fault: str
) -> None:
    peer.writer.write(sent)
    assert await peer.code() == code
    assert str(peer.websocket.fault).startswith(fault)
    close = await peer.frame()
    assert (close.opcode, close.data) == (Opcode.CLOSE, code.to_bytes(2, "big"))
