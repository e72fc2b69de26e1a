"""Clients whose connection is lost, by hand and over both transports."""

import asyncio
import json
import logging
from typing import Any

import aiohttp
import pytest

from nsroom_server.settings.config import Administrator
from nsroom_server.settings.faults import Faults
from nsroom_server.settings.limits import Limits
from tests.server.member import WAIT, Connect, Json, Serve
from tests.server.recovering import Socket, connected, join, until
from tests.server.wire import endpoint

LONG = 600


async def state(member: Any, room: str = "lobby") -> int:
    return int((await member.call("who", room))["count"])


async def test_twenty_cuts_lose_and_double_nothing(
    serve: Serve, connect: Connect, http: aiohttp.ClientSession
) -> None:
    running = await serve(recovery=LONG)
    ann, bob = Socket(), await connect(running, "/chat")
    await bob.call("join", "lobby")
    async with connected(http, running, ann) as ws:
        await join(ws, ann)
    sid, pid = ann.sid, ann.pid
    for number in range(20):
        await bob.call("message", {"room": "lobby", "text": f"away {number}"})
        await bob.call("message", {"room": "lobby", "text": f"unseen {number}"})
        async with connected(http, running, ann) as ws:
            assert (ann.recovered, ann.sid, ann.pid) == (True, sid, pid)
            await bob.call("message", {"room": "lobby", "text": f"here {number}"})
            await until(ws, ann, "42")
            await bob.call("message", {"room": "lobby", "text": f"in flight {number}"})
    texts = [said["text"] for said in ann.seen()]
    wanted = [f"{what} {number}" for number in range(20) for what in ("away", "unseen", "here", "in flight")]
    assert texts == wanted[:-1]
    presence = [name for _, name, _ in list(bob.events._queue) if name.endswith("-room")]
    assert "leave-room" not in presence
    assert await state(bob) == 2


async def test_after_the_time_it_starts_over_and_its_rooms_are_empty(
    serve: Serve, connect: Connect, http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "nsroom_server")
    running = await serve(recovery=0.2)
    ann, bob = Socket(), await connect(running, "/chat")
    async with connected(http, running, ann) as ws:
        await join(ws, ann)
    sid = ann.sid
    assert (await bob.next("delete-room"))["sid"] == sid
    assert (await bob.call("rooms"))["rooms"] == []
    async with connected(http, running, ann):
        assert not ann.recovered
        assert ann.sid != sid
    assert any(record.message == "not recovered" for record in caplog.records)


async def test_a_client_that_says_goodbye_is_not_kept(
    serve: Serve, connect: Connect, http: aiohttp.ClientSession
) -> None:
    running = await serve(recovery=LONG)
    ann, bob = Socket(), await connect(running, "/chat")
    async with connected(http, running, ann) as ws:
        await join(ws, ann)
        await ws.send_str("41/chat,")
        await bob.next("delete-room")
    async with connected(http, running, ann):
        assert not ann.recovered


async def test_it_takes_its_place_while_the_old_connection_seems_alive(
    serve: Serve, connect: Connect, http: aiohttp.ClientSession
) -> None:
    running = await serve(recovery=LONG)
    ann, bob = Socket(), await connect(running, "/chat")
    async with connected(http, running, ann) as old:
        await join(old, ann)
        await bob.call("message", "hello")
        sid = ann.sid
        async with connected(http, running, ann):
            assert (ann.recovered, ann.sid) == (True, sid)
            assert [said["text"] for said in ann.seen()] == ["hello"]
            while not old.closed:
                await old.receive(timeout=WAIT)
            assert await state(bob) == 1


async def test_more_than_a_queue_holds_is_recovered(
    serve: Serve, connect: Connect, http: aiohttp.ClientSession
) -> None:
    running = await serve(recovery=LONG, limits=Limits(queued_frames=16))
    ann, bob = Socket(), await connect(running, "/chat")
    async with connected(http, running, ann):
        pass
    for number in range(200):
        await bob.call("message", str(number))
    async with connected(http, running, ann):
        assert ann.recovered
        assert [said["text"] for said in ann.seen()] == [str(number) for number in range(200)]


async def test_what_takes_too_much_space_is_not_recovered(
    serve: Serve, connect: Connect, http: aiohttp.ClientSession
) -> None:
    running = await serve(recovery=LONG, limits=Limits(recovery_bytes=20_000))
    ann, bob = Socket(), await connect(running, "/chat")
    async with connected(http, running, ann) as ws:
        await join(ws, ann)
    for _ in range(5):
        await bob.call("message", "x" * 1000)
    async with connected(http, running, ann):
        assert not ann.recovered
        assert ann.seen() == []
    assert await state(bob) == 0


async def test_the_oldest_absent_client_makes_room(serve: Serve, http: aiohttp.ClientSession) -> None:
    running = await serve(recovery=LONG, limits=Limits(recovery_bytes=3 * 8192))
    sockets = [Socket() for _ in range(5)]
    for socket in sockets:
        async with connected(http, running, socket):
            pass
    for socket, recovered in zip(reversed(sockets), (True, True, True, False, False), strict=True):
        async with connected(http, running, socket):
            assert socket.recovered is recovered
            await asyncio.sleep(0)


@pytest.mark.parametrize("payload", [{"pid": 7}, {"pid": "x", "offset": "y"}, {"pid": ["x"]}, {"pid": None}])
async def test_a_wrong_pid_is_a_new_client(serve: Serve, http: aiohttp.ClientSession, payload: Json) -> None:
    running = await serve(recovery=LONG)
    async with http.ws_connect(endpoint(running, "websocket")) as ws:
        await ws.send_str(f"40/chat,{json.dumps(payload)}")
        ann = Socket()
        await until(ws, ann, "40")
        assert ann.pid


async def test_a_pid_of_another_namespace_or_a_wrong_offset_is_a_new_client(
    serve: Serve, http: aiohttp.ClientSession
) -> None:
    running = await serve(recovery=LONG)
    ann = Socket()
    async with connected(http, running, ann):
        pass
    async with connected(http, running, ann, "/lab"):
        assert not ann.recovered
    async with connected(http, running, ann, "/lab") as ws:
        assert ann.recovered
        await until(ws, ann, "42", "/lab") if ann.offset is None else None
    ann.offset = "7777777"
    async with connected(http, running, ann, "/lab"):
        assert not ann.recovered


async def test_forget(serve: Serve, connect: Connect, http: aiohttp.ClientSession) -> None:
    running = await serve(recovery=LONG, faults=Faults.parse(["forget"]))
    ann, bob = Socket(), await connect(running, "/chat")
    async with connected(http, running, ann) as ws:
        assert ann.pid
        await join(ws, ann)
    await bob.next("delete-room")
    async with connected(http, running, ann):
        assert not ann.recovered


async def test_off_by_default(serve: Serve, http: aiohttp.ClientSession) -> None:
    ann = Socket()
    async with connected(http, await serve(), ann) as ws:
        await until(ws, ann, "42")
        assert (ann.pid, ann.events) == ("", [["hi", "everyone!"]])


async def test_an_absent_client_can_be_kicked_and_is_not_shown(
    serve: Serve, connect: Connect, http: aiohttp.ClientSession
) -> None:
    admin = Administrator(user="root", password="secret", write=True)
    running = await serve(recovery=LONG, admin=admin)
    root = await connect(running, "/admin", auth={"username": "root", "password": "secret"})
    ann = Socket()
    async with connected(http, running, ann) as ws:
        await join(ws, ann)
    while (await root.next("socket_disconnected")) != "/chat":
        continue
    await root.call("_disconnect", "/chat", False, ann.sid)
    bob = await connect(running, "/chat")
    assert await state(bob) == 0
    async with connected(http, running, ann):
        assert not ann.recovered
    shown = [args for _, event, args in list(root.events._queue) if event == "room_left"]
    assert shown == []
