"""Queries between servers without clients."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

import pytest

from nsroom_server.chat.backend import Peers
from nsroom_server.cluster.cluster import open_cluster
from nsroom_server.cluster.entries import Entry, Op, ReceivedEntry
from nsroom_server.cluster.queries import Queries
from nsroom_server.errors import Code, Refusal
from nsroom_server.socketio.server import Server
from tests.peers.valkey_server import Valkey
from tests.server.cluster.lobby import until


@pytest.fixture
async def peers(stack: AsyncExitStack, bus: Valkey) -> list[Peers]:
    """The queries of three servers."""
    backends = [
        await stack.enter_async_context(open_cluster(bus.url, False, Server(), float)) for _ in range(3)
    ]
    return [backend.peers for backend in backends]


async def repeat(args: Sequence[Any]) -> list[Any]:
    """Reply with the arguments, each in a part of its own."""
    return list(args)


async def test_replies_in_parts(peers: list[Peers]) -> None:
    for each in peers:
        each.register_handlers({"repeat": repeat})
    assert sorted(await peers[0].query("repeat", ["a", "b"])) == ["a", "a", "b", "b"]
    assert await peers[1].query("repeat", [None]) == [None, None]


async def test_simultaneous_queries(peers: list[Peers]) -> None:
    for each in peers:
        each.register_handlers({"repeat": repeat})
    replies = await asyncio.gather(*(peer.query("repeat", [index]) for index, peer in enumerate(peers * 3)))
    assert replies == [[index, index] for index in range(9)]


async def test_arguments_with_binary(peers: list[Peers]) -> None:
    async def sizes(args: Sequence[Any]) -> list[Any]:
        return [len(args[0]["data"])]

    for each in peers:
        each.register_handlers({"sizes": sizes})
    assert await peers[0].query("sizes", [{"data": b"\x00\xff"}]) == [2, 2]


async def test_a_handler_that_fails(peers: list[Peers], caplog: pytest.LogCaptureFixture) -> None:
    async def fail(_: Sequence[Any]) -> list[Any]:
        raise RuntimeError("broken")

    peers[1].register_handlers({"name": fail})
    peers[2].register_handlers({"other name": repeat})
    assert await peers[0].query("name", []) == [None, None]
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [RuntimeError]
    assert refused(caplog) == ["KeyError"]


def refused(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the causes in the lines about refused queries."""
    text = "refused a query from another server"
    return [record.fields["cause"] for record in caplog.records if record.message == text]


@pytest.mark.parametrize(
    "data",
    [
        "",
        "nonsense",
        "[]",
        "{}",
        '["2[]"]',
        '["2[{}]"]',
        '["2[\\"unknown\\"]"]',
        "null",
        '["x"]',
        "[1]",
        "[" * 5000,
    ],
)
async def test_a_forged_query_is_one_line(
    peers: list[Peers], caplog: pytest.LogCaptureFixture, data: str
) -> None:
    peers[1].register_handlers({"name": repeat})
    received = ReceivedEntry(1, "forger", 1, 0, Entry(Op.QUERY, "", sid="1", data=data))
    assert isinstance(peers[1], Queries)
    peers[1].handle_query(received)

    async def logged() -> bool:
        return len(refused(caplog)) == 1

    await until(logged)
    assert not [record for record in caplog.records if record.exc_info]
    assert "x" in await peers[0].query("name", ["x"])


async def test_a_refused_query_is_one_line(peers: list[Peers], caplog: pytest.LogCaptureFixture) -> None:
    async def refuse(_: Sequence[Any]) -> list[Any]:
        raise Refusal(Code.BAD_ROOM, "no")

    for each in peers[1:]:
        each.register_handlers({"name": refuse})
    assert await peers[0].query("name", []) == [None, None]
    assert refused(caplog) == ["bad_room", "bad_room"]
    assert not [record for record in caplog.records if record.exc_info]


async def test_a_server_that_does_not_reply(peers: list[Peers]) -> None:
    end = asyncio.Event()

    async def wait(_: Sequence[Any]) -> list[Any]:
        await end.wait()
        return ["late"]

    peers[1].register_handlers({"name": wait})
    peers[2].register_handlers({"name": repeat})
    started = time.monotonic()
    assert await peers[0].query("name", ["in time"]) == ["in time"]
    assert 0.9 < time.monotonic() - started < 5
    end.set()


async def test_without_redis_a_query_is_refused(peers: list[Peers], bus: Valkey) -> None:
    bus.pause()
    with pytest.raises(Refusal, match="this server only") as caught:
        await peers[0].query("name", [])
    assert caught.value.code is Code.BUS_UNAVAILABLE
    bus.resume()


async def test_a_watching_server(peers: list[Peers]) -> None:
    assert not any(each.watching for each in peers)
    peers[0].watch()

    async def others_know() -> bool:
        return peers[1].watching and peers[2].watching

    await until(others_know)
    assert not peers[0].watching
