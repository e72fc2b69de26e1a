"""A client of Socket.IO 2 against scripted servers."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from aiohttp import web

from nsroom.errors import ConnectError, LostError
from nsroom.record import Kind
from tests.cli.clients import Connect, until
from tests.cli.scripted import listening
from tests.peers import bad

OPEN = "0" + json.dumps(bad.OPEN)


@asynccontextmanager
async def polled(*bodies: bytes) -> AsyncIterator[str]:
    """Answer the handshake, then each poll with the next body, then none."""
    rest = iter(bodies)

    async def answer(request: web.Request) -> web.Response:
        assert request.query["EIO"] == "3"
        if request.method == "POST":
            return web.Response(text="ok")
        if "sid" not in request.query:
            return web.Response(body=f"{len(OPEN)}:{OPEN}2:40".encode())
        body = next(rest, None)
        if body is None:
            await asyncio.Event().wait()
        return web.Response(body=body, content_type="application/octet-stream")

    async with listening(answer) as url:
        yield url


async def test_text_binary_and_malformed_bodies(stack: AsyncExitStack, connect: Connect) -> None:
    """A poll with binary data is binary as a whole if the server ignores `b64`."""
    placeholder = b'\x00\x03\x09\xff451-["b",{"_placeholder":true,"num":0}]'
    url = await stack.enter_async_context(polled(b"9:42", placeholder + b"\x01\x03\xff\x04\x01\x02"))
    client = await connect(url, transport="polling", protocol="3", watch=True, raw=True)
    records = await until(client, event="b")
    [malformed] = [record for record in records if record.kind is Kind.PROTOCOL_ERROR]
    assert (malformed.message, malformed.frames) == (
        "a packet that is shorter than its length at offset 0",
        ["9:42"],
    )
    assert (records[-1].args, records[-1].frames) == (
        [b"\x01\x02"],
        ['451-["b",{"_placeholder":true,"num":0}]', b"\x04\x01\x02"],
    )


async def test_a_truncated_handshake(stack: AsyncExitStack, connect: Connect) -> None:
    url = await stack.enter_async_context(bad.answers(200, "96:0{}", "text/plain"))
    with pytest.raises(
        ConnectError, match=r"it speaks Socket\.IO 2 \(Engine\.IO 3\), but its handshake is malformed"
    ):
        await connect(url, transport="polling", protocol="3", connect_timeout=3)


async def test_a_heartbeat_without_an_answer_is_a_ping_timeout(
    stack: AsyncExitStack, connect: Connect
) -> None:
    async def script(talk: bad.Conversation) -> None:
        await talk.send("0" + json.dumps(bad.OPEN | {"pingInterval": 200, "pingTimeout": 100}), "40")
        assert await talk.receive() == "2"
        await talk.receive()

    url = await stack.enter_async_context(bad.conversation(script))
    client = await connect(url, protocol="3", watch=True, reconnect=False)
    with pytest.raises(LostError, match="ping timeout"):
        await until(client, kind="never")


async def test_messagepack_is_detected_from_the_first_packet(stack: AsyncExitStack, connect: Connect) -> None:
    """The detected parser is kept after a lost connection."""
    said: list[str] = []
    engines: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        engines.append(request.query["EIO"])
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        await ws.send_str(OPEN)
        await ws.send_str('4{"type":0,"nsp":"/"}')
        if engines == ["4", "3"]:
            await ws.close()
        async for _ in ws:
            pass
        return ws

    url = await stack.enter_async_context(listening(answer))
    client = await connect(url, watch=True, say=said.append)
    await until(client, kind="gap")
    assert engines == ["4", "3", "3"]
    assert sum("speaks Socket.IO 2 (Engine.IO 3) in msgpack" in line for line in said) == 1
