"""The handlers of /lab, over each transport."""

import asyncio
from typing import Any

import aiohttp
import pytest

from nsroom_server.chat import lab
from tests.server.member import Connect, Serve
from tests.server.wire import endpoint


async def test_lab_echo(serve: Serve, connect: Connect, transport: str) -> None:
    ann = await connect(await serve(), "/lab", transport=transport)
    args = ["😀", {"a": [None, True, 1.5, 2**53 + 1]}, b"\x00\x01", ""]
    assert await ann.client.call("echo", tuple(args), "/lab") == tuple(args)
    assert await ann.call("echo", 1) == 1
    await ann.next("echo")
    assert await ann.next("echo") == 1


async def test_lab_delay_does_not_hold_up_what_comes_after(
    serve: Serve, connect: Connect, transport: str
) -> None:
    ann = await connect(await serve(), "/lab", transport=transport)
    order: asyncio.Queue[str] = asyncio.Queue()
    for event, arg in (("delay", {"ms": 300}), ("never", {}), ("echo", 1)):
        await ann.client.emit(event, arg, "/lab", callback=lambda *_, event=event: order.put_nowait(event))
    assert [await order.get(), await order.get()] == ["echo", "delay"]


@pytest.mark.parametrize("arg", [None, {}, {"ms": "1"}, {"ms": -1}, {"ms": 60_001}])
async def test_lab_delay_is_checked(serve: Serve, connect: Connect, arg: Any) -> None:
    ann = await connect(await serve(), "/lab")
    assert (await ann.call("delay", arg))["error"] == "bad_request"


async def test_lab_error(serve: Serve, connect: Connect) -> None:
    ann = await connect(await serve(), "/lab")
    assert (await ann.call("error"))["error"] == "lab_error"


async def test_lab_binary(serve: Serve, connect: Connect, transport: str) -> None:
    ann = await connect(await serve(), "/lab", transport=transport)
    assert await ann.call("binary", {"size": 3}) == b"\x00\x01\x02"
    assert await ann.next("binary") == b"\x00\x01\x02"
    assert len(await ann.call("binary")) == 16
    assert await ann.call("binary", b"mine") == b"mine"
    assert (await ann.call("binary", {"size": 10**7}))["error"] == "bad_request"


async def test_lab_flood(serve: Serve, connect: Connect) -> None:
    ann = await connect(await serve(), "/lab")
    assert await ann.call("flood", {"count": 3000, "size": 100}) == {"ok": True, "count": 3000}
    numbers = [(await ann.next("flood"))["n"] for _ in range(3000)]
    assert numbers == list(range(3000))


async def test_lab_ask(serve: Serve, connect: Connect, transport: str) -> None:
    ann = await connect(await serve(), "/lab", transport=transport)
    ann.client.on("add", lambda one, other: one + other, namespace="/lab")
    ann.client.on("blob", lambda: b"\x00\x01", namespace="/lab")
    answer = await ann.call("ask", {"event": "add", "args": [1, 2]})
    assert (answer["ok"], answer["answer"]) == (True, [3])
    assert 0 <= answer["ms"] < 10_000
    assert (await ann.call("ask", {"event": "blob"}))["answer"] == [b"\x00\x01"]
    assert (await ann.call("ask", {"event": "message"}))["error"] == "reserved_event"


async def test_lab_ask_without_an_acknowledgement(
    serve: Serve, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lab, "LONGEST_ANSWER", 0.2)
    async with http.ws_connect(endpoint(await serve(), "websocket")) as ws:
        await ws.send_str("40/lab,")
        await ws.send_str('42/lab,7["ask",{"event":"x"}]')
        for unasked in ("43/lab,999[1]", "43/lab,2[1]"):
            await ws.send_str(unasked)
        async with asyncio.timeout(5):
            while not (answer := await ws.receive_str()).startswith("43/lab,7"):
                continue
        assert '"error":"no_acknowledgement"' in answer
        assert "x: no acknowledgement within 0.2 s" in answer
        await ws.send_str("43/lab,1[1]")  # too late
        await ws.send_str('42/lab,8["echo"]')
        assert "echo" in await ws.receive_str()


async def test_lab_ask_a_client_that_disconnects(serve: Serve, connect: Connect) -> None:
    running = await serve()
    ann = await connect(running, "/lab")
    await ann.client.emit("ask", {"event": "x"}, "/lab", callback=print)
    await ann.emit("kick")
    await asyncio.wait_for(ann.disconnected.wait(), 10)


async def test_lab_upgrade(serve: Serve, connect: Connect, transport: str) -> None:
    running = await serve()
    ann = await connect(running, "/lab", transport=transport)
    assert await ann.call("upgrade") == {"ok": True, "transport": transport, "upgraded": False}


async def test_lab_says_what_the_server_got(serve: Serve, connect: Connect) -> None:
    auth = {"token": "s3cret", "user": "ann", "deep": [{"apiKey": {"a": "s3cret"}, "n": 1}], "password": None}
    running = await serve(token="s3cret")
    ann = await connect(running, "/lab", auth=auth)
    answer = await ann.call("auth")
    assert answer["auth"] == {
        "token": "***", "user": "ann", "deep": [{"apiKey": {"a": "***"}, "n": 1}], "password": None
    }  # fmt: skip
    headers = dict((await ann.call("headers"))["headers"])
    assert headers["Host"].startswith("127.0.0.1")


async def test_lab_kick(serve: Serve, connect: Connect) -> None:
    running = await serve()
    ann, bob = await connect(running, "/lab", "/chat"), await connect(running, "/lab")
    await ann.call("join", "lobby")
    await ann.emit("kick")
    await asyncio.wait_for(ann.disconnected.wait(), 10)
    assert (await bob.call("who", "lobby"))["count"] == 0
    assert (await ann.call("rooms", namespace="/chat"))["ok"]
