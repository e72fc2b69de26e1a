"""The connection over python-socketio: polling requests, their answers and cookies."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiohttp import web

from nsroom.client.events import Emit
from nsroom.errors import LostError
from tests.cli.clients import Connect
from tests.cli.scripted import Polling, listening


async def test_a_cookie_of_the_server_is_sent_back(stack: AsyncExitStack, connect: Connect) -> None:
    """A load balancer relies on its cookie; aiohttp's default jar drops those of numeric hosts."""
    polling, cookies = Polling(), []
    answer_ = polling.answer

    async def sticky(request: Any) -> Any:
        cookies.append(request.cookies.get("lb"))
        response = await answer_(request)
        response.set_cookie("lb", "node1")
        return response

    polling.answer = sticky  # type: ignore[method-assign]
    await connect(await stack.enter_async_context(polling.listening()), transport="polling")
    assert cookies[0] is None
    assert set(cookies[1:]) == {"node1"}


async def test_a_burst_is_split_to_the_servers_limit(stack: AsyncExitStack, connect: Connect) -> None:
    polling = Polling(maxPayload=200)
    client = await connect(await stack.enter_async_context(polling.listening()), transport="polling")
    await client.emit(*(Emit("/", "n", ["é" * 20, n]) for n in range(20)))
    assert all(len(body.encode()) <= 200 for body in polling.posts)
    assert 5 < len(polling.posts) < 20
    frames = [frame for body in polling.posts for frame in body.split("\x1e")]
    assert frames == [f'42["n","{"é" * 20}",{n}]' for n in range(20)]


@pytest.mark.parametrize("status", [400, 413, 502])
async def test_packets_that_a_server_refuses_are_lost(
    status: int, stack: AsyncExitStack, connect: Connect
) -> None:
    polling = Polling()
    client = await connect(await stack.enter_async_context(polling.listening()), transport="polling")
    polling.status = status
    with pytest.raises(LostError, match=f"HTTP {status}"):
        await client.emit(Emit("/", "n", []))


async def test_the_answers_to_posts_are_released(stack: AsyncExitStack, connect: Connect) -> None:
    """An answer in pieces would keep a connection busy for each packet."""
    polling = Polling()
    plain = polling.answer

    async def slowly(request: Any) -> Any:
        response = await plain(request)
        if request.method != "POST":
            return response
        stream = web.StreamResponse()
        await stream.prepare(request)
        await asyncio.sleep(0.02)
        await stream.write(b"ok")
        return stream

    client = await connect(await stack.enter_async_context(listening(slowly)), transport="polling")
    for n in range(3):
        await client.emit(Emit("/", "n", [n]))
    assert polling.posts == ['42["n",0]', '42["n",1]', '42["n",2]']
