"""The connection to a Redis, and what goes wrong with it."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from redis.asyncio import Redis

from nsroom.errors import ConnectError, RefusedError, UsageError
from nsroom.introspection.redis.adapter import Subscription
from nsroom.introspection.redis.client import Message, RedisClient
from tests.peers.valkey_server import Valkey, valkey


async def opened(url: str, timeout: float = 20) -> RedisClient:
    client = RedisClient(url, timeout)
    try:
        await client.open()
    finally:
        await client.close()
    return client


async def test_commands_and_messages(bus: Valkey, redis: Redis) -> None:
    client = RedisClient(bus.url, 20)
    await client.open()
    try:
        assert client.name == bus.url
        assert await client.execute("PUBSUB NUMSUB", "a") == [(b"a", 0)]
        await client.subscribe([Subscription("subscribe", "a"), Subscription("psubscribe", "b*")])
        await redis.publish("b1", b"\xff")
        await redis.publish("a", "text")
        messages = client.messages()
        assert await anext(messages) == Message("b*", "b1", b"\xff")
        assert await anext(messages) == Message("a", "a", b"text")
        with pytest.raises(RefusedError, match="answered: "):
            await client.execute("NO-SUCH-COMMAND")
    finally:
        await client.close()


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[list[Valkey]]:
    """Two nodes of a cluster."""
    async with AsyncExitStack() as stack:
        nodes = []
        for number in range(2):
            folder = tmp_path / str(number)
            folder.mkdir()
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = str(free.getsockname()[1])
            options = ("--cluster-enabled", "yes", "--cluster-port", port)
            nodes.append((await stack.enter_async_context(valkey(folder, *options)), port))
        clients = [await stack.enter_async_context(Redis.from_url(node.url)) for node, _ in nodes]
        other, port = nodes[1]
        await clients[0].execute_command("CLUSTER ADDSLOTSRANGE", 0, 8191)
        await clients[1].execute_command("CLUSTER ADDSLOTSRANGE", 8192, 16383)
        await clients[0].execute_command("CLUSTER MEET", "127.0.0.1", other.port, port)
        async with asyncio.timeout(30):
            while any([await state(each) != "ok" for each in clients]):  # noqa: ASYNC110 - there is no event
                await asyncio.sleep(0.1)
        yield [node for node, _ in nodes]


async def state(client: Redis) -> str:
    found: str = (await client.execute_command("CLUSTER INFO"))["cluster_state"]
    return found


async def test_all_nodes_of_a_cluster(cluster: list[Valkey]) -> None:
    client = RedisClient(f"redis+cluster://127.0.0.1:{cluster[0].port}", 20)
    await client.open()
    channels = ["a", "b", "c", "d"]
    try:
        await client.subscribe([Subscription("ssubscribe", each) for each in channels])
        await client.subscribe([Subscription("subscribe", "plain")])
        assert sorted(await client.execute("PUBSUB SHARDCHANNELS", "*")) == [b"a", b"b", b"c", b"d"]
        assert await client.execute("PUBSUB NUMSUB", "plain") == [(b"plain", 1)]
        for each in channels:
            await client.execute("SPUBLISH", each, "text")
        sharded = client.sharded_messages()
        assert {(await anext(sharded)).channel for _ in channels} == set(channels)
        await client.execute("PUBLISH", "plain", "text")
        assert await anext(client.messages()) == Message("plain", "plain", b"text")
        await client.unsubscribe_sharded(channels)
    finally:
        await client.close()


async def test_a_node_of_a_cluster_alone(cluster: list[Valkey]) -> None:
    client = RedisClient(cluster[0].url, 20)
    await client.open()
    try:
        with pytest.raises(ConnectError, match=r"is a node of a Redis Cluster; write redis\+cluster://"):
            await client.execute("TYPE", "a")
    finally:
        await client.close()


@pytest.mark.parametrize("protocol", [2, 3])
async def test_entries_of_streams(bus: Valkey, redis: Redis, protocol: int) -> None:
    await redis.xadd("s1", {"before": "1"})
    client = RedisClient(f"{bus.url}?protocol={protocol}", 20)
    await client.open()
    try:
        positions = dict.fromkeys(["s1", "missing"], await client.time())
        await redis.xadd("s1", {"a": b"\xff", "b": "2"})
        await redis.xadd("missing", {"c": "3"})
        entries = await client.read_streams(positions)
        assert {(each.stream, *each.fields.items()) for each in entries if "before" not in each.fields} == {
            ("s1", ("a", "\ufffd"), ("b", "2")),
            ("missing", ("c", "3")),
        }
        last = {each.stream: each.position for each in entries}
        assert await client.read_streams(last) == []
    finally:
        await client.close()


async def test_a_socket_in_the_file_system(tmp_path: Path) -> None:
    async with valkey(tmp_path, "--unixsocket", str(tmp_path / "s")):
        client = await opened(f"unix://{tmp_path / 's'}")
    assert client.name == f"unix://{tmp_path / 's'}"


async def test_wrong_credentials_are_refused_and_not_shown(tmp_path: Path) -> None:
    async with valkey(tmp_path, "--requirepass", "right") as bus:
        await opened(f"redis://:right@127.0.0.1:{bus.port}")
        for user in ("", ":wrong@", "someone:wrong@"):
            with pytest.raises(
                RefusedError, match=r"refuses the credentials: .*; put the URL with"
            ) as refused:
                await opened(f"redis://{user}127.0.0.1:{bus.port}")
            assert "wrong" not in str(refused.value).lower().replace("wrongpass", "")


async def test_a_user_without_rights(tmp_path: Path) -> None:
    rights = ("app", "on", ">secret", "&*", "+@all", "-pubsub")
    async with valkey(tmp_path, "--user", *rights) as bus:
        client = RedisClient(bus.url.replace("redis://", "redis://app:secret@"), 20)
        await client.open()
        try:
            with pytest.raises(RefusedError, match="forbids this user a command that nsroom needs: "):
                await client.execute("PUBSUB CHANNELS", "*")
        finally:
            await client.close()


@pytest.mark.parametrize("scheme", ["redis", "redis+cluster"])
async def test_nothing_listens(scheme: str) -> None:
    with pytest.raises(ConnectError):
        await opened(f"{scheme}://127.0.0.1:1")


async def test_sentinels_that_do_not_answer() -> None:
    with pytest.raises(
        ConnectError, match="No master found for 'main'; is it a Redis or Valkey, and running"
    ):
        await opened("redis+sentinel://127.0.0.1:1/0/main")


async def test_a_redis_that_stands_still(bus: Valkey) -> None:
    bus.pause()
    with pytest.raises(ConnectError, match=r"cannot connect: no answer within 0.1 s"):
        await opened(bus.url, timeout=0.1)


async def test_a_redis_that_is_not_a_cluster(bus: Valkey) -> None:
    with pytest.raises(ConnectError, match="is not a Redis of this kind: "):
        await opened(f"redis+cluster://127.0.0.1:{bus.port}")


async def test_unknown_options(bus: Valkey) -> None:
    with pytest.raises(UsageError, match="invalid or unknown options in the URL"):
        await opened(f"{bus.url}?no_such=1")


async def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in sys.modules if each.partition(".")[0] == "redis"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(UsageError, match=r"pip install 'nsroom\[redis\]'"):
        await opened("redis://127.0.0.1:1")
