"""From the wire to a reader: nothing is lost and everything is limited, however slow either is."""

import asyncio
from contextlib import AsyncExitStack

import aiohttp
import pytest
from aiohttp import web

from nsroom.client.transports import aiohttp_taps
from nsroom.client.transports.aiohttp_taps import CookieJar
from nsroom.errors import LostError
from nsroom.protocol.limits import Limits
from nsroom.record import Kind
from tests.cli.clients import WAIT, Connect, Reference, until
from tests.cli.scripted import Polling
from tests.peers import bad


async def test_a_poll_may_carry_any_number_of_packets(stack: AsyncExitStack, connect: Connect) -> None:
    polling = Polling()
    client = await connect(
        await stack.enter_async_context(polling.listening()), transport="polling", watch=True
    )
    polling.bodies.put_nowait("\x1e".join(f'42["n",{n}]' for n in range(500)))
    polling.bodies.put_nowait("2")
    records = await until(client, kind="pong")
    assert [record.args for record in records if record.kind is Kind.EVENT] == [[n] for n in range(500)]
    async with asyncio.timeout(WAIT):
        while polling.posts != ["3"]:  # noqa: ASYNC110 - the peer gets requests, without an event to await
            await asyncio.sleep(0.01)


async def test_a_stalled_reader_pauses_the_server(stack: AsyncExitStack, connect: Connect) -> None:
    total, size = 600, 100_000
    sent = 0

    async def flood(talk: bad.Conversation) -> None:
        nonlocal sent
        await talk.welcome()
        for sent in range(1, total + 1):
            await talk.send(f'42["n",{sent},"{"x" * size}"]')
        await talk.receive()

    url = await stack.enter_async_context(bad.conversation(flood))
    client = await connect(url, watch=True, transport="websocket")
    records = client.records()
    seen = [*await anext(records)]
    before = -1
    while before != sent:  # until every buffer between client and server is full
        before = sent
        await asyncio.sleep(0.2)
    assert sent < total
    async with asyncio.timeout(30):
        while not seen or seen[-1].args is None or seen[-1].args[0] != total:
            seen += await anext(records)
    assert [record.args[0] for record in seen if record.kind is Kind.EVENT and record.args] == [
        *range(1, total + 1)
    ]
    await records.aclose()


async def test_a_stalled_reader_stops_the_polling(stack: AsyncExitStack, connect: Connect) -> None:
    polling = Polling()
    client = await connect(
        await stack.enter_async_context(polling.listening()), transport="polling", watch=True
    )
    for poll in range(10):
        polling.bodies.put_nowait("\x1e".join(f'42["n",{poll * 1000 + n}]' for n in range(1000)))
    records = client.records()
    seen = [*await anext(records)]
    await asyncio.sleep(0.3)
    assert polling.bodies.qsize() >= 6
    async with asyncio.timeout(WAIT):
        while seen[-1].args != [9999]:
            seen += await anext(records)
    assert [each.args for each in seen if each.kind is Kind.EVENT] == [[n] for n in range(10_000)]
    await records.aclose()


async def test_a_poll_has_a_size_limit(
    stack: AsyncExitStack, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aiohttp_taps, "LIMITS", Limits(frame=1000))
    polling = Polling()
    client = await connect(
        await stack.enter_async_context(polling.listening()), transport="polling", watch=True, reconnect=False
    )
    polling.bodies.put_nowait(f'42["big","{"x" * 1000}"]')
    with pytest.raises(LostError, match="the connection ended"):
        await until(client, kind=Kind.EVENT)


async def test_a_reader_may_be_slower_than_the_heartbeat(stack: AsyncExitStack, connect: Connect) -> None:
    async def script(talk: bad.Conversation) -> None:
        await talk.welcome(pingInterval=200, pingTimeout=200)
        await talk.send(*(f'42["n",{n}]' for n in range(5000)))
        while True:
            await talk.send("2")
            await asyncio.sleep(0.2)

    client = await connect(await stack.enter_async_context(bad.conversation(script)), watch=True)
    records = client.records()
    seen = [*await anext(records)]
    await asyncio.sleep(1.2)
    async with asyncio.timeout(WAIT):
        while sum(record.kind is Kind.PONG for record in seen) < 3:
            seen += await anext(records)
    assert not [record for record in seen if record.kind in (Kind.CLOSE, Kind.RECONNECT, Kind.GAP)]
    assert [record.args for record in seen if record.kind is Kind.EVENT] == [[n] for n in range(5000)]
    await records.aclose()


async def test_a_silent_server_is_a_ping_timeout(stack: AsyncExitStack, connect: Connect) -> None:
    url = await stack.enter_async_context(bad.sends(handshake={"pingInterval": 200, "pingTimeout": 100}))
    client = await connect(url, watch=True, reconnect=False)
    with pytest.raises(LostError, match="ping timeout"):
        await until(client, kind="never")


async def test_records_end_with_the_client(reference: Reference, connect: Connect) -> None:
    server = await reference()
    client = await connect(server.url, watch=True)
    asyncio.get_running_loop().call_later(0.1, lambda: closing.append(asyncio.ensure_future(client.close())))
    closing: list[asyncio.Future[None]] = []
    kinds = [record.kind async for records in client.records() for record in records]
    assert kinds[:4] == ["open", "connect", "connect", "event"]
    await closing[0]
    assert [records async for records in client.records()] == []


@pytest.mark.parametrize("value", ["ab+c/d==", 'say="hi"', '"x y,z"', "x y", "a,b", "é"])
async def test_cookies_come_back_byte_for_byte(value: str) -> None:
    received: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        received.append(request.headers.get("Cookie", ""))
        return web.Response(headers={"Set-Cookie": f"AWSALB={value}; Path=/"})

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with aiohttp.ClientSession(cookies={"v": value}, cookie_jar=CookieJar()) as http:
        for _ in range(2):
            async with http.get(f"http://127.0.0.1:{port}/") as response:
                assert response.status == 200
    await runner.cleanup()
    assert received[0] == f"v={value}"
    assert sorted(received[1].split("; ")) == [f"AWSALB={value}", f"v={value}"]
