"""The admin namespace of a cluster: an administrator on one server sees and controls the sockets of all."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from nsroom_server.app import Running, serving
from nsroom_server.settings.config import Administrator, Config
from tests.peers.valkey_server import Valkey
from tests.server.admin.test_namespace import LOGIN, told
from tests.server.member import WAIT, Connect, Member

StartServers = Callable[..., Awaitable[list[Running]]]
WRITER = Administrator(user="ann", password="secret", write=True)


@pytest.fixture
def servers(stack: AsyncExitStack, bus: Valkey) -> StartServers:
    """Start a server for each administrator, or for each None."""

    async def start(*admins: Administrator | None) -> list[Running]:
        configs = [Config(port=0, redis=bus.url, drain=1, admin=admin) for admin in admins]
        return [await stack.enter_async_context(serving(config)) for config in configs]

    return start


@pytest.fixture
async def pair(servers: StartServers) -> list[Running]:
    """Two servers whose administrators may change things."""
    return await servers(WRITER, WRITER)


async def administrator(connect: Connect, running: Running) -> tuple[Member, dict[str, Any]]:
    """Connect an administrator; return it, and the sockets of /chat that it sees, by sid."""
    admin = await connect(running, "/admin", auth=LOGIN)
    sockets = await admin.next("all_sockets")
    return admin, {each["id"]: each for each in sockets if each["nsp"] == "/chat"}


async def test_the_sockets_of_all_servers(servers: StartServers, connect: Connect) -> None:
    near, far, plain = await servers(WRITER, WRITER, None)
    members = [await connect(running, "/chat") for running in (near, far, far, plain)]
    await members[1].call("join", "den")
    _, sockets = await administrator(connect, near)
    assert sockets.keys() == {member.sid for member in members}
    assert sockets[members[1].sid]["rooms"] == [members[1].sid, "den"]


async def test_acting_on_another_server(pair: list[Running], connect: Connect) -> None:
    near, far = pair
    bob, eve = await connect(far, "/chat"), await connect(far, "/chat")
    admin, _ = await administrator(connect, near)
    assert await admin.call("join", "/chat", "den", bob.sid) == {"ok": True}
    assert (await bob.next("join-room"))["room"] == "den"
    assert await admin.call("emit", "/chat", bob.sid, "private", b"\x01", 2) == {"ok": True, "recipients": 1}
    assert await bob.next("private") == b"\x01"
    assert (await admin.call("emit", "/chat", "den", "news", 1))["recipients"] == 1
    assert await bob.next("news") == 1
    assert (await admin.call("emit", "/chat", None, "news", 2))["recipients"] == 2
    assert [await bob.next("news"), await eve.next("news")] == [2, 2]
    assert not [event for event, _ in await eve.settled() if event in ("private", "news")]
    await admin.call("leave", "/chat", "den", None)
    assert (await bob.next("delete-room"))["room"] == "den"
    assert await admin.call("_disconnect", "/chat", False, bob.sid) == {"ok": True}
    await asyncio.wait_for(bob.disconnected.wait(), WAIT)
    assert await admin.call("_disconnect", "/chat", True, eve.sid) == {"ok": True}
    await asyncio.wait_for(eve.disconnected.wait(), WAIT)


async def test_commands_that_all_servers_refuse(pair: list[Running], connect: Connect) -> None:
    admin, _ = await administrator(connect, pair[0])
    assert (await admin.call("_disconnect", "/nope", False, None))["error"] == "bad_request"
    assert (await admin.call("emit", "/chat", ["x"], "y"))["error"] == "bad_request"


async def test_events_of_another_server(pair: list[Running], connect: Connect) -> None:
    admin, _ = await administrator(connect, pair[0])
    bob = await connect(pair[1], "/chat")
    sid = bob.sid
    (socket, _at) = await told(admin, "socket_connected")
    while socket["nsp"] != "/chat":
        (socket, _at) = await told(admin, "socket_connected")
    assert socket["id"] == sid
    await bob.call("join", "den")
    assert (await told(admin, "room_joined"))[:3] == ("/chat", "den", sid)
    await bob.call("leave", "den")
    assert (await told(admin, "room_left"))[:3] == ("/chat", "den", sid)
    await bob.client.disconnect()
    assert (await told(admin, "socket_disconnected"))[:2] == ("/chat", sid)
    seen: set[str] = set()
    while len(seen) < 2:
        seen.add((await told(admin, "server_stats"))[0]["serverId"])


async def test_an_outage_limits_a_command_to_its_server(
    bus: Valkey, pair: list[Running], connect: Connect
) -> None:
    near, far = pair
    bob, eve = await connect(near, "/chat"), await connect(far, "/chat")
    admin, _ = await administrator(connect, near)
    bus.pause()
    answer = await admin.call("_disconnect", "/chat", False, None)
    assert (answer["error"], "this server only" in answer["message"]) == ("bus_unavailable", True)
    await asyncio.wait_for(bob.disconnected.wait(), WAIT)
    _, sockets = await administrator(connect, near)
    assert sockets == {}
    assert not eve.disconnected.is_set()
    bus.resume()
