"""WebSocket connections, byte by byte: the opening handshake, malformed frames, and closing."""

import asyncio
import random
import socket
from contextlib import suppress
from typing import Any, cast

import aiohttp
import pytest

from nsroom_server.engineio.packets import Batch, messages
from nsroom_server.engineio.transport import CorkableTransport
from nsroom_server.engineio.websocket import Flusher, WebSocket
from tests.frames import masked
from tests.server.member import WAIT, Connect, Serve
from tests.server.wire import HANDSHAKE, closing, endpoint, raw_closing, raw_websocket, tcp, websocket

PATIENT = {"ping_interval": 20.0, "ping_timeout": 20.0}
"""A heartbeat that does not close a session which should have been closed before."""


async def test_the_first_packet_arrives_in_one_piece_with_the_response(serve: Serve) -> None:
    async with tcp(await serve()) as (reader, writer):
        writer.write(HANDSHAKE)
        head, _, packet = (await asyncio.wait_for(reader.read(65536), WAIT)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 ")
    assert packet[:1] == b"\x81"
    assert b'0{"sid":"' in packet


async def test_frames_sent_with_the_handshake_are_answered_after_it(serve: Serve) -> None:
    async with tcp(await serve()) as (reader, writer):
        writer.write(HANDSHAKE + masked(b"p", 0x89) + masked("40"))
        read = await asyncio.wait_for(reader.readuntil(b"everyone!"), WAIT)
    order = [read.index(each) for each in (b"HTTP/1.1 101 ", b'0{"sid":"', b"\x8a\x01p", b'40{"sid":"')]
    assert order == sorted(order)


async def test_a_malformed_frame_sent_with_the_handshake_is_refused_after_it(serve: Serve) -> None:
    async with tcp(await serve()) as (reader, writer):
        writer.write(HANDSHAKE + b"\xff" * 50)
        read = await asyncio.wait_for(reader.read(), WAIT)
    assert read.startswith(b"HTTP/1.1 101 ")
    assert b'0{"sid":"' in read
    assert read.endswith(b"\x88\x02\x03\xea")


async def test_an_answer_is_sent_before_the_close_frame_for_what_came_with_its_event(serve: Serve) -> None:
    async with tcp(await serve()) as (reader, writer):
        writer.write(HANDSHAKE + masked("40/lab,"))
        await asyncio.wait_for(reader.readuntil(b"40/lab,{"), WAIT)
        writer.write(masked('42/lab,["echo",1]') + b"\xff" * 50)
        read = await asyncio.wait_for(reader.read(), WAIT)
    assert b'42/lab,["echo",1]' in read
    assert read.endswith(b"\x88\x02\x03\xea")


@pytest.mark.parametrize("direct", [True, False], ids=["by the socket", "by the transport"])
async def test_everything_leaves_in_the_order_in_which_it_is_written(direct: bool) -> None:
    for seed in range(20):
        ours, theirs = socket.socketpair()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        theirs.setblocking(False)
        ours.setblocking(False)
        inner, _ = await asyncio.get_running_loop().connect_accepted_socket(asyncio.Protocol, ours)
        try:
            await write_at_random(
                random.Random(seed), CorkableTransport(inner, ours if direct else None), theirs
            )
        finally:
            inner.abort()
            theirs.close()


async def write_at_random(dice: random.Random, transport: CorkableTransport, peer: socket.socket) -> None:
    """Write in all ways to a WebSocket, and assert that the peer receives everything in that order."""
    written, read = bytearray(), bytearray()
    collected: list[Batch] = []

    def send_collected() -> None:
        while collected:
            batch = collected.pop()
            if ws.offer(batch):
                written.extend(batch.data)

    flusher = Flusher(send_collected)
    ws = WebSocket(cast(Any, None), cast(Any, None), transport, flusher)
    transport.cork(ws.flush)
    transport.uncork()
    for _ in range(200):
        data = dice.randbytes(dice.choice((1, 100, 3000, 40_000)))
        step = dice.randrange(6)
        if step < 2:
            ws.write(data)
        elif step == 2:
            transport.write(data)  # as aiohttp does with its own frames
        elif step == 3:
            collected.append(Batch([messages((data, data))]))
            flusher.schedule()
        written += data if step < 3 else b""
        if step == 4:
            await asyncio.sleep(0)
        elif step == 5:
            with suppress(BlockingIOError):
                read += peer.recv(len(data))
    async with asyncio.timeout(WAIT):
        while len(read) < len(written):
            read += await asyncio.get_running_loop().sock_recv(peer, 65536)
    same = read == written  # pytest would compare a megabyte line by line
    assert same
    assert ws.unsent == 0


async def test_frames_are_not_compressed(serve: Serve, http: aiohttp.ClientSession) -> None:
    async with http.ws_connect(endpoint(await serve(), "websocket"), compress=15) as ws:
        assert ws.compress == 0


async def test_pings_are_answered_between_messages(serve: Serve) -> None:
    async with raw_websocket(await serve(**PATIENT)) as (reader, writer):
        writer.write(masked('421["rooms"]') + masked(b"ping", 0x89) + masked('422["rooms"]'))
        read = await asyncio.wait_for(reader.readuntil(b"432[{"), WAIT)
    assert read.index(b"431[{") < read.index(b"\x8a\x04ping")


async def test_a_message_in_fragments(serve: Serve) -> None:
    async with raw_websocket(await serve(**PATIENT)) as (reader, writer):
        for first, part in ((0x01, '421["'), (0x00, "roo"), (0x80, 'ms"]')):
            writer.write(masked(part, first))
        assert await asyncio.wait_for(reader.readuntil(b'431[{"ok":true'), WAIT)


async def test_the_largest_message_is_accepted_and_one_byte_more_is_not(
    serve: Serve, http: aiohttp.ClientSession
) -> None:
    packet = '42["nope","' + "x" * (1000 - 13) + '"]'
    async with websocket(http, await serve(max_payload=1000)) as ws:
        await ws.send_str(packet)
        await ws.send_str('421["rooms"]')
        assert await ws.receive_str(timeout=WAIT) == '431[{"ok":true,"rooms":[]}]'
        await ws.send_str(packet + " ")
        assert await closing(ws) == aiohttp.WSCloseCode.MESSAGE_TOO_BIG


MALFORMED_FRAMES = {
    "compressed": masked("x", 0xC1),
    "reserved": masked("x", 0x91),
    "unknown": masked("x", 0x83),
    "continued": masked("x", 0x80),
    "fragmented control": masked("x", 0x09),
    "long control": masked("x" * 126, 0x89),
    "too long": b"\x82\xff" + b"\x7f" + b"\xff" * 7 + bytes(4),
    "invalid UTF-8": masked(b"\xff\xfe", 0x81),
}


@pytest.mark.parametrize("name", MALFORMED_FRAMES)
async def test_a_malformed_frame_closes_the_session_at_once(serve: Serve, name: str) -> None:
    async with raw_websocket(await serve(**PATIENT)) as (reader, writer):
        writer.write(MALFORMED_FRAMES[name])
        assert await raw_closing(reader) in (1002, 1003, 1007, 1009)


async def test_fragments_without_an_end(serve: Serve, connect: Connect) -> None:
    running = await serve(max_payload=100_000, **PATIENT)
    async with raw_websocket(running) as (reader, writer):
        writer.write(masked("4", 0x01) + masked("", 0x00) * 50_000 + masked("x" * 1000, 0x00) * 100)
        assert await raw_closing(reader) in (1002, 1009)
    assert (await (await connect(running)).call("rooms"))["ok"]


async def test_a_peer_that_does_not_answer_a_close_is_dropped(serve: Serve) -> None:
    async with raw_websocket(await serve(**PATIENT)) as (reader, writer):
        writer.write(masked("9"))
        assert await raw_closing(reader) == 1002
        assert await asyncio.wait_for(reader.read(), WAIT) == b""


async def test_a_peer_that_closes_gets_its_code_back(serve: Serve) -> None:
    running = await serve(**PATIENT)
    async with raw_websocket(running) as (reader, writer):
        writer.write(masked((1001).to_bytes(2), 0x88))
        assert await raw_closing(reader) == 1001
        assert await asyncio.wait_for(reader.read(), WAIT) == b""
    assert running.engines[0].close_reasons == {"transport close": 1}


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535])
async def test_a_close_code_that_must_not_be_sent_is_answered_1002(serve: Serve, code: int) -> None:
    async with raw_websocket(await serve()) as (reader, writer):
        writer.write(masked(code.to_bytes(2), first=0x88))
        assert await raw_closing(reader) == 1002


@pytest.mark.parametrize("code", [0, 1000, 1001, 1011, 3000, 4999])
async def test_a_close_is_answered_with_its_code(serve: Serve, code: int) -> None:
    async with raw_websocket(await serve()) as (reader, writer):
        writer.write(masked(code.to_bytes(2) if code else b"", first=0x88))
        assert await raw_closing(reader) == (code or 1000)
