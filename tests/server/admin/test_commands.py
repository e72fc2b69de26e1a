"""The commands of administrators."""

import asyncio
from typing import Any

import aiohttp
import pytest

from tests.server.admin.test_namespace import LOGIN, READER, WRITER
from tests.server.member import WAIT, Connect, Serve
from tests.server.wire import masked, poll, raw_websocket


@pytest.mark.parametrize("event", ["emit", "join", "leave", "_disconnect"])
async def test_without_write_nothing_can_be_done(serve: Serve, connect: Connect, event: str) -> None:
    running = await serve(admin=READER)
    admin = await connect(running, "/admin", auth=LOGIN)
    ann = await connect(running, "/chat")
    answer = await admin.call(event, "/chat", "den", None)
    assert answer["error"] == "unknown_event"
    assert (await ann.call("rooms"))["rooms"] == []


async def test_acting(serve: Serve, connect: Connect) -> None:
    running = await serve(admin=WRITER)
    admin = await connect(running, "/admin", auth=LOGIN)
    assert (await admin.next("config"))["supportedFeatures"][:4] == ["EMIT", "JOIN", "LEAVE", "DISCONNECT"]
    ann, bob = await connect(running, "/chat"), await connect(running, "/chat")
    await admin.call("join", "/chat", "den", ann.sid)
    assert (await ann.next("join-room"))["room"] == "den"
    assert (await admin.call("emit", "/chat", "den", "news", 1))["recipients"] == 1
    assert await ann.next("news") == 1
    assert (await admin.call("emit", "/chat", None, "news", 2))["recipients"] == 2
    assert [await ann.next("news"), await bob.next("news")] == [2, 2]
    await admin.call("leave", "/chat", "den", None)
    assert (await ann.next("delete-room"))["room"] == "den"
    await admin.call("_disconnect", "/chat", False, ann.sid)
    await asyncio.wait_for(ann.disconnected.wait(), WAIT)
    await admin.call("_disconnect", "/chat", True, bob.sid)
    await asyncio.wait_for(bob.disconnected.wait(), WAIT)


async def test_closing_a_connection_disconnects_each_of_its_namespaces_first(
    serve: Serve, connect: Connect
) -> None:
    running = await serve(admin=WRITER)
    admin = await connect(running, "/admin", auth=LOGIN)
    async with raw_websocket(running, "/chat") as (reader, writer):
        writer.write(masked("40/lab,"))
        await reader.readuntil(b"everyone!")
        assert running.server
        (sid,) = running.server.rooms.sockets("/chat")
        await admin.call("_disconnect", "/chat", True, sid)
        read = await asyncio.wait_for(reader.readuntil(b"\x88\x02"), WAIT)
    assert read.index(b"41/chat,") < read.index(b"41/lab,")


@pytest.mark.parametrize("is_polling", [False, True])
async def test_a_client_that_polls_reads_the_disconnect_before_its_session_is_closed(
    serve: Serve, connect: Connect, http: aiohttp.ClientSession, is_polling: bool
) -> None:
    running = await serve(admin=WRITER)
    admin = await connect(running, "/admin", auth=LOGIN)
    session = await poll(http, running)
    assert running.server
    (sid,) = running.server.rooms.sockets("/")
    polled = asyncio.create_task(session.get()) if is_polling else None
    await asyncio.sleep(0.1 if is_polling else 0)
    await admin.call("_disconnect", "/", True, sid)
    assert await (polled or session.get()) == (200, "41")
    assert (await session.get())[0] == 400


async def test_a_sockets_own_room_cannot_be_joined(serve: Serve, connect: Connect) -> None:
    running = await serve(admin=WRITER)
    admin = await connect(running, "/admin", auth=LOGIN)
    ann, bob = await connect(running, "/chat"), await connect(running, "/chat")
    for of in (ann.sid, bob.sid, None):
        assert (await admin.call("join", "/chat", bob.sid, of))["error"] == "bad_room"
    assert running.server
    assert running.server.rooms.recipients("/chat", bob.sid).keys() == {bob.sid}


@pytest.mark.parametrize(
    ("event", "args"),
    [
        ("emit", ["/nope", None, "x"]),
        ("emit", ["/chat", ["room"], "x"]),
        ("emit", ["/chat", None, "connect"]),
        ("emit", []),
        ("join", ["/chat", "\x00", None]),
        ("leave", ["/chat"]),
        ("_disconnect", [None, True]),
    ],
)
async def test_commands_that_make_no_sense(
    serve: Serve, connect: Connect, event: str, args: list[Any]
) -> None:
    running = await serve(admin=WRITER)
    admin = await connect(running, "/admin", auth=LOGIN)
    await connect(running, "/chat")
    assert "error" in await admin.call(event, *args)
