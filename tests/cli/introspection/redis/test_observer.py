"""Servers as they are seen through a real Valkey: those that answer, are silent, or send nonsense."""

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis

from nsroom.errors import LostError, NotSocketIOError, RefusedError, WaitError
from nsroom.introspection.redis.observer import RedisObserver
from nsroom.protocol import messagepack
from nsroom.record import Record
from tests.cli.introspection.redis.conftest import lists
from tests.peers.valkey_server import Valkey


def event(name: str, *rooms: str) -> bytes:
    packet = {"type": 2, "data": [name], "nsp": "/"}
    return messagepack.dump(["other", packet, {"rooms": list(rooms), "except": []}])


async def until(observer: RedisObserver, wanted: str) -> list[Record]:
    """Read until an event of this name."""
    seen: list[Record] = []
    async with asyncio.timeout(20):
        async for batch in observer.batches():
            seen += batch
            if any(each.event == wanted for each in batch):
                break
    return seen


async def test_a_redis_without_servers(bus: Valkey) -> None:
    with pytest.raises(
        NotSocketIOError, match=r"connects no Socket.IO servers: no channel such as socket.io-req"
    ):
        async with RedisObserver(bus.url):
            pass


async def test_the_sockets_of_all_servers(bus: Valkey, serve: Any) -> None:
    await serve(lists("a", "b"))
    await serve(lists("c"))
    async with RedisObserver(bus.url, timeout=20) as observer:
        await observer.wait_for_sockets()
        observer.require_complete()
        assert sorted(sid for _, sid in observer.state.sockets) == ["a", "b", "c"]


async def test_a_silent_server_is_counted(bus: Valkey, serve: Any) -> None:
    await serve(lists("a"))
    silent = await serve(lambda _: None)
    said: list[str] = []
    async with RedisObserver(bus.url, timeout=0.2, say=said.append) as observer:
        await observer.wait_for_sockets()
        assert list(observer.state.sockets) == [("/", "a")]
        with pytest.raises(
            WaitError, match=r"^1 of 2 servers did not answer within 0.2 s: the list lacks its"
        ):
            observer.require_complete()
        assert said == []
        silent.answer = lists("late")
        async with asyncio.timeout(20):
            async for _ in observer.batches():
                if len(said) == 2:
                    break
        assert said == [
            "1 of 2 servers did not answer within 0.2 s: the list lacks its sockets",
            "all servers answer again",
        ]


async def test_replies_that_are_not_ours_or_nonsense(bus: Valkey, serve: Any) -> None:
    """They count as silence: what they mean is not known."""
    await serve(lambda request: {"requestId": request["requestId"], "sockets": "all"})
    await serve(lambda request: {"requestId": f"{request['requestId']}0", "sockets": []})
    said: list[str] = []
    async with RedisObserver(bus.url, timeout=0.2, say=said.append) as observer:
        await observer.wait_for_sockets()
        assert observer.state.sockets == {}
        with pytest.raises(
            WaitError, match=r"^2 of 2 servers did not answer within 0.2 s: the list lacks their"
        ):
            observer.require_complete()
    assert said == ["ignoring what is not known of @socket.io/redis-adapter: the sockets are not a list"]


async def test_events_pass_and_nonsense_is_said_once(bus: Valkey, redis: Redis, serve: Any) -> None:
    await serve(lists("a"))
    said: list[str] = []
    async with RedisObserver(bus.url, timeout=20, say=said.append) as observer:
        await observer.wait_for_sockets()
        for data in (b"nonsense", b"{", b"", event("one", "lobby")):
            await redis.publish("socket.io#/#", data)
        await redis.publish("socket.io#/#a#", event("two", "a"))
        records = await until(observer, "two")
    one, two = (each for each in records if each.event in ("one", "two"))
    assert (one.sid, one.data) == (None, {"rooms": ["lobby"]})
    assert (two.sid, two.data) == ("a", None)
    assert len(said) == 1
    assert said[0].startswith("ignoring what is not known of @socket.io/redis-adapter: ")


async def test_an_action_is_followed_by_a_new_list(bus: Valkey, serve: Any) -> None:
    server = await serve(lists("a", "b"))
    async with RedisObserver(bus.url, timeout=20) as observer:
        await observer.wait_for_sockets()
        server.answer = lists("b")
        await observer.disconnect("/", "a")
        assert await observer.read_until(lambda: observer.state.is_disconnected(("/", "a")), 20)
        await observer.join("/", "ops", "b")
        await observer.leave("/", "ops", ["b"])
        await observer.emit("/", None, "hello", [])
        with pytest.raises(RefusedError, match="no server has the namespace /chat"):
            await observer.join("/chat", "ops", None)
    kinds = [request["type"] for request in server.requests if request["type"] != 5]
    assert kinds == [4, 2, 3]


async def test_a_lost_redis(bus: Valkey, serve: Any) -> None:
    await serve(lists("a"))
    async with RedisObserver(bus.url, timeout=20) as observer:
        await observer.wait_for_sockets()
        await bus.kill()
        with pytest.raises(LostError, match=f"redis://127.0.0.1:{bus.port}/0: connection lost: "):
            await observer.read_until(lambda: False, 20)


async def test_rooms_without_members_are_unsubscribed_from(bus: Valkey, redis: Redis) -> None:
    """Of a sharded adapter, each room has a channel; this server's list never has any socket."""
    pubsub = redis.pubsub()
    public = "socket.io#/#"
    await pubsub.ssubscribe(public, f"{public}0123456789abcdef#", f"{public}lobby#")
    async with RedisObserver(bus.url, timeout=0.1) as observer, asyncio.timeout(30):
        await observer.wait_for_sockets()
        while (numbers := await redis.pubsub_shardnumsub(f"{public}lobby#"))[0][1] != 2:
            await observer.read_until(lambda: False, 0.1)
        await pubsub.sunsubscribe(public, f"{public}lobby#")
        while numbers[0][1]:
            numbers = await redis.pubsub_shardnumsub(f"{public}lobby#")
            await observer.read_until(lambda: False, 0.1)
    await pubsub.aclose()  # type: ignore[no-untyped-call]


async def test_many_namespaces_share_a_few_connections(bus: Valkey, redis: Redis) -> None:
    pubsub = redis.pubsub()
    await pubsub.subscribe(*(f"socket.io-request#/n{number}#" for number in range(300)))
    async with RedisObserver(bus.url, timeout=1) as observer:
        await observer.wait_for_sockets()
        assert len(observer.state.silences) == 300
        assert len(await redis.client_list()) < 20
    await pubsub.aclose()  # type: ignore[no-untyped-call]
