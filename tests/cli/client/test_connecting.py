"""Connecting to a server and its namespaces: refusals and time limits."""

import asyncio
import json
import time
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiohttp import web

from nsroom.client.events import Emit
from nsroom.errors import ConnectError, LostError, RefusedError, UsageError
from tests.cli.clients import WAIT, Connect, Reference, answer, make, until
from tests.cli.scripted import listening
from tests.peers import bad


async def test_each_namespace_has_its_own_sid(reference: Reference, connect: Connect, transport: str) -> None:
    server = await reference()
    client = await connect(server.url, "/", "/chat", "/my-namespace", transport=transport, watch=True)
    assert list(client.namespaces) == ["/", "/chat", "/my-namespace"]
    assert len({*client.namespaces.values()} - {None}) == 3
    assert client.transport == transport
    assert (await answer(client, "who", {"room": "x"}, namespace="/chat"))[0]["ok"]


async def test_namespaces_can_be_entered_and_left_later(
    reference: Reference, connect: Connect, transport: str
) -> None:
    server = await reference()
    client = await connect(server.url, transport=transport, watch=True)
    await client.enter("/chat")
    await client.enter("/lab")
    await client.leave("/")
    assert list(client.namespaces) == ["/chat", "/lab"]
    assert await answer(client, "echo", 1, namespace="/lab") == [1]
    with pytest.raises(UsageError, match="cannot emit to /: not connected"):
        await client.emit(Emit("/", "rooms", []))
    await client.enter("/")
    assert (await answer(client, "rooms"))[0]["ok"]


async def test_another_namespace_may_be_refused(
    reference: Reference, connect: Connect, transport: str
) -> None:
    server = await reference()
    client = await connect(server.url, "/chat", transport=transport)
    with pytest.raises(RefusedError, match="/secret is refused: Invalid namespace"):
        await client.enter("/secret")
    assert list(client.namespaces) == ["/chat"]
    assert (await answer(client, "rooms", namespace="/chat"))[0]["ok"]


async def test_a_namespace_is_entered_and_left_once(reference: Reference, connect: Connect) -> None:
    server = await reference()
    client = await connect(server.url)
    with pytest.raises(UsageError, match="already in /"):
        await client.enter("/")
    entering = [asyncio.ensure_future(client.enter("/chat")) for _ in range(2)]
    outcomes = await asyncio.gather(*entering, return_exceptions=True)
    assert [type(each) for each in outcomes] == [type(None), UsageError]
    await client.leave("/chat")
    with pytest.raises(UsageError, match="not in /chat"):
        await client.leave("/chat")
    assert (await answer(client, "rooms"))[0]["ok"]


async def test_no_namespace_can_be_entered_while_disconnected(reference: Reference, connect: Connect) -> None:
    server = await reference()
    client = await connect(server.url)
    await client.close()
    for _ in range(2):
        with pytest.raises(LostError, match="not connected to the server"):
            await client.enter("/chat")


async def test_no_answer_for_another_namespace(stack: AsyncExitStack, connect: Connect) -> None:
    url = await stack.enter_async_context(bad.sends())
    client = await connect(url, connect_timeout=0.2)
    with pytest.raises(ConnectError, match=r"no answer for /mute within 0\.2 s"):
        await client.enter("/mute")


async def test_one_is_refused_and_the_others_stay_connected(
    reference: Reference, connect: Connect, transport: str
) -> None:
    said: list[str] = []
    server = await reference()
    client = await connect(server.url, "/secret", "/chat", transport=transport, say=said.append)
    assert list(client.namespaces) == ["/chat"]
    assert client.refused == {"/secret": "Invalid namespace"}
    assert said[0] == "/secret is refused: Invalid namespace"
    with pytest.raises(UsageError, match="cannot emit to /secret: Invalid namespace"):
        await client.emit(Emit("/secret", "x", []))


async def test_all_are_refused(reference: Reference, connect: Connect, transport: str) -> None:
    server = await reference(token="right")
    with pytest.raises(RefusedError, match=r"/ is refused: .*; /chat is refused: "):
        await connect(server.url, "/", "/chat", transport=transport, auth={"token": "wrong"})
    client = await connect(server.url, transport=transport, auth={"token": "right"})
    assert client.namespaces


# Connecting has a time limit


async def test_a_server_without_websocket_is_polled(reference: Reference, connect: Connect) -> None:
    said: list[str] = []
    server = await reference(transports=("polling",))
    client = await connect(server.url, say=said.append)
    assert (client.transport, said) == ("polling", [f"connected to {server.url} over polling"])


@pytest.mark.parametrize("peer", [bad.silent, bad.open_then_silence, bad.plain_websocket, bad.garbage])
async def test_connecting_ends_in_time(
    peer: Any, stack: AsyncExitStack, connect: Connect, transport: str
) -> None:
    url = await stack.enter_async_context(peer())
    began = time.monotonic()
    with pytest.raises(ConnectError):
        await connect(url, transport=transport, connect_timeout=0.5)
    assert time.monotonic() - began < WAIT


@pytest.mark.parametrize("peer", [bad.silent, bad.open_then_silence])
async def test_connecting_can_be_cancelled(peer: Any, stack: AsyncExitStack, transport: str) -> None:
    client = make(await stack.enter_async_context(peer()), transport=transport)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await client.connect()
    await client.close()


async def test_an_answer_that_nobody_asked_for_starts_no_room(
    stack: AsyncExitStack, connect: Connect
) -> None:
    joined = '[{"ok":true,"room":"lobby","members":[],"epoch":"e","last":5}]'
    message = '42["message",{"id":9,"room":"lobby"}]'
    url = await stack.enter_async_context(bad.sends(f"430{joined}", message, message, '42["end"]'))
    client = await connect(url, watch=True)
    records = await until(client, event="end")
    assert [record.event for record in records][-3:] == ["message", "message", "end"]


@pytest.mark.parametrize(("path", "is_found"), [("/x", True), ("x", True), ("/x/", False)])
@pytest.mark.parametrize("status", [404, 302])
async def test_a_server_without_a_slash_at_the_end_of_the_path(
    path: str, is_found: bool, status: int, stack: AsyncExitStack
) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        if request.path != "/x":
            return web.Response(status=status, headers={"Location": "/login"} if status == 302 else {})
        websocket = web.WebSocketResponse()
        await websocket.prepare(request)
        await websocket.send_str("0" + json.dumps(bad.OPEN))
        async for _ in websocket:
            await websocket.send_str('40{"sid":"s"}')
        return websocket

    client = make(await stack.enter_async_context(listening(handle)), path=path, transport="websocket")
    stack.push_async_callback(client.close)
    if is_found:
        await client.connect()
        assert client.namespaces == {"/": "s"}
    else:
        with pytest.raises(ConnectError, match=r"HTTP 404|redirects"):
            await client.connect()
