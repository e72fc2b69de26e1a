"""Joining a cluster, leaving it, and recovering after Redis has lost entries."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest
from redis.asyncio import Redis

from nsroom_server.app import serving
from nsroom_server.cluster.publisher import LEASE
from nsroom_server.errors import BusError, ConfigError
from nsroom_server.settings.config import Config
from tests.peers.valkey_server import Valkey, valkey
from tests.server.cluster.lobby import Servers, join_lobby, until
from tests.server.member import Connect
from tests.server.recovering import Socket, connected, join
from tests.server.wire import closing, websocket

SOON = 3.0
"""Seconds, less than a lease."""


async def test_an_unreachable_redis() -> None:
    with pytest.raises(BusError, match=r"^Redis at 127.0.0.1:1: connection refused; .*--redis$") as caught:
        async with serving(Config(port=0, redis="redis://:secret@127.0.0.1:1/0")):
            pass
    assert "secret" not in str(caught.value)


async def test_a_wrong_password(stack: AsyncExitStack, tmp_path: Path) -> None:
    server = await stack.enter_async_context(valkey(tmp_path, "--requirepass", "right"))
    url = server.url.replace("redis://", "redis://:wrong@")
    with pytest.raises(BusError, match="password") as caught:
        async with serving(Config(port=0, redis=url)):
            pass
    assert "wrong@" not in str(caught.value)
    async with serving(Config(port=0, redis=url.replace("wrong", "right"))):
        pass


async def test_a_user_without_rights_to_the_channel(stack: AsyncExitStack, tmp_path: Path) -> None:
    rights = ("app", "on", ">secret", "~nsroom:*", "+@all")
    server = await stack.enter_async_context(valkey(tmp_path, "--user", *rights))
    url = server.url.replace("redis://", "redis://app:secret@")
    with pytest.raises(BusError, match=r"[Nn]o permissions to access .*channel"):
        async with serving(Config(port=0, redis=url)):
            pass
    async with Redis.from_url(server.url) as redis:
        await redis.acl_setuser("app", enabled=True, channels=["nsroom:*"])
    async with serving(Config(port=0, redis=url)):
        pass


@pytest.mark.parametrize("url", ["localhost", "http://localhost", "redis://localhost:port"])
async def test_invalid_urls(url: str) -> None:
    with pytest.raises(ConfigError, match="URL of Redis"):
        async with serving(Config(port=0, redis=url)):
            pass


def test_a_history_file_is_refused_with_redis(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="kept there"):
        Config(redis="redis://localhost", history=tmp_path / "h.db")
    assert "secret" not in repr(Config(redis="redis://:secret@localhost"))


async def test_clients_of_all_servers_are_greeted(servers: Servers, connect: Connect, transport: str) -> None:
    first, second = await servers(2)
    ann = await connect(first, "/chat", transport=transport)
    assert await ann.next("hi") == "everyone!"
    await connect(second, "/chat", transport=transport)
    assert await ann.next("hi") == "everyone!"


async def test_a_server_that_stops_removes_its_members(
    servers: Servers, bus: Valkey, connect: Connect
) -> None:
    (first,) = await servers(1)
    ann = await connect(first)
    async with serving(Config(port=0, redis=bus.url, drain=1)) as second:
        members = [await connect(second) for _ in range(3)]
        for member in (ann, *members):
            await member.call("join", "lobby")

    async def is_alone() -> bool:
        return bool((await ann.call("who", "lobby"))["count"] == 1)

    await until(is_alone, SOON)


async def test_a_redis_that_has_lost_its_data(servers: Servers, connect: Connect, redis: Redis) -> None:
    ann, bob = await join_lobby(connect, await servers(2))
    answer = await ann.call("message", {"room": "lobby", "text": "old"})
    epoch = (await ann.call("history", "lobby"))["epoch"]
    assert answer["id"] == 1
    await redis.flushall()

    async def is_renewed() -> bool:
        return bool((await ann.call("history", "lobby"))["epoch"] != epoch)

    await until(is_renewed)
    assert (await bob.call("message", {"room": "lobby", "text": "new"}))["id"] == 1
    texts = [(await member.next("message"))["text"] for _ in range(2) for member in (ann, bob)]
    assert texts == ["old", "old", "new", "new"]

    async def has_all_members() -> bool:
        return len(await redis.keys("nsroom:members:*")) == 2

    await until(has_all_members)
    await asyncio.sleep(LEASE + 1)  # until the snapshot after the data loss has been applied
    assert (await ann.call("who", "lobby"))["count"] == 2
    assert not [event for event, _ in await ann.settled() if event != "hi"]


async def test_a_server_that_missed_entries_disconnects_its_clients(
    servers: Servers, connect: Connect, redis: Redis, http: aiohttp.ClientSession
) -> None:
    first, second = await servers(2)
    async with websocket(http, first) as ws:
        # As if an entry had been written and trimmed.
        await redis.incr("nsroom:seq")
        await redis.xtrim("nsroom:bus", maxlen=0, approximate=False)
        await connect(second)
        assert await closing(ws) == aiohttp.WSCloseCode.SERVICE_RESTART
    ann = await connect(first)
    assert (await ann.call("join", "lobby"))["count"] == 1


async def test_a_client_is_recovered_by_its_own_server(
    bus: Valkey, stack: AsyncExitStack, connect: Connect, http: aiohttp.ClientSession
) -> None:
    config = Config(port=0, redis=bus.url, drain=1, recovery=60)
    here, there = [await stack.enter_async_context(serving(config)) for _ in range(2)]
    bob, ann = await connect(there, "/chat"), Socket()
    await bob.call("join", "lobby")
    async with connected(http, here, ann) as ws:
        await join(ws, ann)
    await bob.call("message", {"room": "lobby", "text": "missed"})
    assert (await bob.call("who", "lobby"))["count"] == 2
    async with connected(http, here, ann) as ws:
        assert ann.recovered
        while ann.seen() == []:
            ann.take(await ws.receive_str(timeout=10), "/chat")
        assert [said["text"] for said in ann.seen()] == ["missed"]
    async with connected(http, there, ann):
        assert not ann.recovered
