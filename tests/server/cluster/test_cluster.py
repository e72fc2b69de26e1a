"""Several servers that are one, and what becomes of them when Redis or one of them fails."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from redis.asyncio import Redis

from nsroom_server.app import Running, serving
from nsroom_server.chat.history import HistoryError
from nsroom_server.cluster.history import SharedHistory
from nsroom_server.cluster.publisher import LEASE, Publisher
from nsroom_server.settings.config import Config
from tests.peers.valkey_server import Valkey, valkey
from tests.server.member import Connect, Member
from tests.server.wire import closing, websocket

Servers = Callable[[int], Awaitable[list[Running]]]
SOON = 3.0
"""Seconds in which something local has happened for certain."""


@pytest.fixture
async def bus(stack: AsyncExitStack, tmp_path: Path) -> Valkey:
    """A Valkey that outlives the servers."""
    return await stack.enter_async_context(valkey(tmp_path))


@pytest.fixture
def servers(stack: AsyncExitStack, bus: Valkey) -> Servers:
    """Start several servers: `await servers(3)`."""

    async def start(count: int) -> list[Running]:
        config = Config(port=0, redis=bus.url, drain=1)
        return [await stack.enter_async_context(serving(config)) for _ in range(count)]

    return start


async def joined(connect: Connect, servers: list[Running], **options: Any) -> list[Member]:
    """Give one member of the lobby for each server, and nothing left of how they came."""
    members = [await connect(running, **options) for running in servers]
    for member in members:
        await member.call("join", "lobby")
    for member in members:
        while (await member.next("join-room"))["members"] < len(members):
            continue
    return members


async def presence(member: Member, count: int) -> list[tuple[str, str, int]]:
    """Give the next events that are no greeting."""
    found: list[tuple[str, str, int]] = []
    while len(found) < count:
        _, event, args = await asyncio.wait_for(member.events.get(), 10)
        if event != "hi":
            found.append((event, args[0]["sid"], args[0]["members"]))
    return found


async def until(check: Callable[[], Awaitable[bool]], seconds: float = 10) -> None:
    """Ask again and again until it is so."""
    async with asyncio.timeout(seconds):
        while not await check():  # noqa: ASYNC110 - nothing else tells
            await asyncio.sleep(0.05)


async def counts(member: Member, count: int, seconds: float = 10) -> None:
    """Wait until the lobby has so many members."""

    async def check() -> bool:
        return bool((await member.call("who", "lobby"))["count"] == count)

    await until(check, seconds)


async def test_everyone_is_greeted(servers: Servers, connect: Connect, transport: str) -> None:
    first, second = await servers(2)
    ann = await connect(first, "/chat", transport=transport)
    assert await ann.next("hi") == "everyone!"
    await connect(second, "/chat", transport=transport)
    assert await ann.next("hi") == "everyone!"


async def test_presence_once_on_every_server(servers: Servers, connect: Connect, transport: str) -> None:
    first, second, third = await servers(3)
    ann, bob, eve = [await connect(running, transport=transport) for running in (first, second, third)]
    await ann.call("join", {"room": "lobby", "nick": "ann"})
    answer = await bob.call("join", "lobby")
    assert answer["members"] == [{"sid": ann.sid, "nick": "ann"}, {"sid": bob.sid, "nick": None}]
    await bob.call("nick", "bob")
    assert (await bob.call("who", "lobby"))["members"][1] == {"sid": bob.sid, "nick": "bob"}
    await ann.call("leave", "lobby")
    bob_sid = bob.sid
    await bob.client.disconnect()
    created, deleted = ("create-room", ann.sid, 1), ("delete-room", bob_sid, 0)
    assert await presence(eve, 2) == [created, deleted]
    assert await presence(ann, 4) == [
        created,
        ("join-room", ann.sid, 1),
        ("join-room", bob_sid, 2),
        deleted,
    ]
    assert [event for event, _ in await eve.settled() if event != "hi"] == []
    assert (await eve.call("rooms"))["rooms"] == []


async def test_many_join_a_new_room_at_once(servers: Servers, connect: Connect) -> None:
    running = await servers(3)
    watcher = await connect(running[0])
    members = [await connect(running[number % 3]) for number in range(9)]
    await asyncio.gather(*(member.call("join", "lobby") for member in members))
    await asyncio.gather(*(member.call("leave", "lobby") for member in members))
    first, last = await presence(watcher, 2)
    assert (first[0], first[2], last[0], last[2]) == ("create-room", 1, "delete-room", 0)


async def test_binary_and_exceptions_travel(servers: Servers, connect: Connect, transport: str) -> None:
    running = await servers(2)
    ann, bob = await joined(connect, running, transport=transport)
    eve = await connect(running[1], transport=transport)
    await eve.call("join", "lobby")
    await eve.call("join", "quiet")
    relayed = {
        "event": "blob",
        "args": [{"data": b"\x00\xff", "$binary": "x"}],
        "to": "lobby",
        "except": "quiet",
    }
    assert await ann.call("emit", relayed) == {"ok": True, "recipients": 2}
    for member in (ann, bob):
        assert await member.next("blob") == {"data": b"\x00\xff", "$binary": "x"}
    assert "blob" not in dict(await eve.settled())


@pytest.mark.parametrize("namespace", ["/", "/chat"])
async def test_any_text_travels(servers: Servers, connect: Connect, transport: str, namespace: str) -> None:
    members = [await connect(each, namespace, transport=transport) for each in await servers(2)]
    for member in members:
        await member.call("join", "lobby", namespace=namespace)
    texts = ["plain", 'quoted " \\ \n \x1e \x7f \u2028', "é 漢 😀", "half \ud83d"]
    for text in texts:
        message = {"room": "lobby", "text": text, "key": [None, {"a": 1.5}]}
        assert (await members[0].call("message", message, namespace=namespace))["ok"]
    for member in members:
        messages = [await member.next("message") for _ in texts]
        assert [message["text"] for message in messages] == texts
        assert [message["key"] for message in messages] == [[None, {"a": 1.5}]] * len(texts)
        answer = await member.call("history", "lobby", namespace=namespace)
        assert answer["history"] == messages


async def test_a_socket_of_another_server_is_no_room(servers: Servers, connect: Connect) -> None:
    first, second = await servers(2)
    ann, bob = await connect(first), await connect(second)
    assert (await ann.call("join", bob.sid))["error"] == "bad_room"


async def test_while_redis_is_away_the_own_members_go_on(
    bus: Valkey, servers: Servers, connect: Connect
) -> None:
    running = await servers(2)
    ann, far = await joined(connect, running)
    near = await connect(running[0])
    await near.call("join", "lobby")
    await far.next("join-room")
    bus.pause()
    begun = time.monotonic()
    waiting = asyncio.create_task(ann.call("emit", {"event": "x", "args": [1], "to": "lobby"}))
    assert await near.next("x") == 1
    assert time.monotonic() - begun < SOON
    assert (await waiting)["error"] == "bus_unavailable"

    begun = time.monotonic()
    assert (await ann.call("message", {"room": "lobby", "text": "alone"}))["error"] == "bus_unavailable"
    message = await near.next("message")
    assert (message["id"], message["text"]) == (None, "alone")
    assert (await ann.call("join", "other"))["error"] == "bus_unavailable"
    assert (await ann.call("nick", "ann"))["error"] == "bus_unavailable"
    assert (await ann.call("who", "lobby"))["count"] == 3
    assert time.monotonic() - begun < SOON

    bus.resume()

    async def is_back() -> bool:
        return "ok" in await ann.call("message", {"room": "lobby", "text": "again"})

    await until(is_back)
    (message,) = (await far.call("history", "lobby"))["history"]
    assert (message["id"], message["text"], message["nick"]) == (1, "again", None)
    assert [item for event, item in await far.settled() if event in ("x", "message")] == [message]


async def test_a_short_outage_is_waited_for(bus: Valkey, servers: Servers, connect: Connect) -> None:
    ann, bob = await joined(connect, await servers(2))
    bus.pause()
    calls = [ann.call("message", {"room": "lobby", "text": str(number)}) for number in range(20)]
    waiting = asyncio.gather(*calls)
    await asyncio.sleep(0.5)
    bus.resume()
    assert [answer["id"] for answer in await waiting] == list(range(1, 21))
    assert [(await bob.next("message"))["text"] for _ in range(20)] == [str(number) for number in range(20)]


async def test_who_leaves_in_an_outage_is_gone_after_it(
    bus: Valkey, servers: Servers, connect: Connect
) -> None:
    ann, bob = await joined(connect, await servers(2))
    bob_sid = bob.sid
    await bus.kill()
    await bob.client.disconnect()
    assert (await ann.call("who", "lobby"))["count"] == 2
    await bus.start()
    while (event := await presence(ann, 1)) != [("leave-room", bob_sid, 1)]:
        assert event[0][0] == "join-room"
    assert (await ann.call("who", "lobby"))["count"] == 1


async def test_redis_that_comes_back_empty(servers: Servers, connect: Connect, redis: Redis) -> None:
    ann, bob = await joined(connect, await servers(2))
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

    async def is_told() -> bool:
        return len(await redis.keys("nsroom:members:*")) == 2

    await until(is_told)
    await asyncio.sleep(LEASE + 1)  # what does not happen then never does
    assert (await ann.call("who", "lobby"))["count"] == 2
    assert not [event for event, _ in await ann.settled() if event != "hi"]


async def test_whoever_fell_too_far_behind_has_its_clients_come_again(
    servers: Servers, connect: Connect, redis: Redis, http: aiohttp.ClientSession
) -> None:
    first, second = await servers(2)
    async with websocket(http, first) as ws:
        await redis.incr("nsroom:seq")
        await connect(second)
        assert await closing(ws) == aiohttp.WSCloseCode.SERVICE_RESTART
    ann = await connect(first)
    assert (await ann.call("join", "lobby"))["count"] == 1


async def test_a_server_that_ends_tells_the_others(servers: Servers, bus: Valkey, connect: Connect) -> None:
    (first,) = await servers(1)
    ann = await connect(first)
    async with serving(Config(port=0, redis=bus.url, drain=1)) as second:
        members = [await connect(second) for _ in range(3)]
        for member in (ann, *members):
            await member.call("join", "lobby")
    await counts(ann, 1, seconds=SOON)


async def test_history_in_pieces(servers: Servers, connect: Connect) -> None:
    (running,) = await servers(1)
    ann = await connect(running)
    await ann.call("join", "lobby")
    await asyncio.gather(*(ann.call("message", {"room": "lobby", "text": "x" * 90}) for _ in range(250)))

    async def ids(**page: int) -> list[int]:
        answer = await ann.call("history", {"room": "lobby", **page})
        return [entry["id"] for entry in answer["history"]]

    assert await ids(limit=1000) == list(range(1, 251))
    assert await ids(limit=17) == list(range(234, 251))
    assert await ids(after=100, limit=100) == list(range(101, 201))
    assert await ids(after=250) == []


async def test_the_last_id_of_a_room(servers: Servers, connect: Connect, bus: Valkey, redis: Redis) -> None:
    ann, _ = await joined(connect, await servers(2))
    for text in ("one", "two"):
        await ann.call("message", {"room": "lobby", "text": text})
    history = SharedHistory(redis, Publisher(redis, lambda: None, room_length=0))
    assert await history.last("/", "lobby") == 2
    assert await history.last("/", "other") == 0
    await bus.kill()
    with pytest.raises(HistoryError, match="Redis does not answer"):
        await history.last("/", "lobby")
