"""The handlers of /lab, over each transport."""

import asyncio
from typing import Any

import pytest

from tests.server.member import Connect, Serve


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


async def test_lab_kick(serve: Serve, connect: Connect) -> None:
    running = await serve()
    ann, bob = await connect(running, "/lab", "/chat"), await connect(running, "/lab")
    await ann.call("join", "lobby")
    await ann.emit("kick")
    await asyncio.wait_for(ann.disconnected.wait(), 10)
    assert (await bob.call("who", "lobby"))["count"] == 0
    assert (await ann.call("rooms", namespace="/chat"))["ok"]
