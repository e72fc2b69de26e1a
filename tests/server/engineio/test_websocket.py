"""The server's WebSocket: its handshake and the frames that follow it."""

import asyncio

import aiohttp

from tests.server.member import WAIT, Serve
from tests.server.wire import HANDSHAKE, endpoint, masked, tcp


async def test_the_first_packet_comes_in_one_piece_with_the_answer(serve: Serve) -> None:
    async with tcp(await serve()) as (reader, writer):
        writer.write(HANDSHAKE)
        head, _, packet = (await asyncio.wait_for(reader.read(65536), WAIT)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 ")
    assert packet[:1] == b"\x81"
    assert b'0{"sid":"' in packet


async def test_what_comes_at_once_is_answered_behind_the_handshake(serve: Serve) -> None:
    async with tcp(await serve()) as (reader, writer):
        writer.write(HANDSHAKE + masked(b"p", 0x89) + masked("40"))
        read = await asyncio.wait_for(reader.readuntil(b"everyone!"), WAIT)
    order = [read.index(each) for each in (b"HTTP/1.1 101 ", b'0{"sid":"', b"\x8a\x01p", b'40{"sid":"')]
    assert order == sorted(order)


async def test_what_is_no_frame_at_once_is_refused_behind_the_handshake(serve: Serve) -> None:
    async with tcp(await serve()) as (reader, writer):
        writer.write(HANDSHAKE + b"\xff" * 50)
        read = await asyncio.wait_for(reader.read(), WAIT)
    assert read.startswith(b"HTTP/1.1 101 ")
    assert b'0{"sid":"' in read
    assert read.endswith(b"\x88\x02\x03\xea")


async def test_messages_are_not_compressed(serve: Serve, http: aiohttp.ClientSession) -> None:
    running = await serve()
    async with http.ws_connect(endpoint(running, "websocket"), compress=15) as ws:
        assert ws.compress == 0
    async with http.get(endpoint(running, "polling")) as response:
        assert "Content-Encoding" not in response.headers
