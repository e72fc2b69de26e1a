"""A stock process seen through its inspector: its own truth, every packet, and nothing left behind."""

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from nsroom.client.client import Client
from nsroom.client.events import Acknowledge, Emit
from nsroom.client.target import Target
from nsroom.errors import LostError, RefusedError
from nsroom.introspection.attach.observer import Attach
from nsroom.record import Direction, Json, Kind, Record
from tests.cli.clients import Connect, answer
from tests.cli.clients import until as receive
from tests.cli.introspection.attach.peers import Begin, Stock, places, ports, seen, truth
from tests.conftest import StartServer
from tests.peers.program import Server

WAIT = 20.0


@pytest.fixture(
    params=[("stock.cjs",), ("stock.mjs",), ("stock.cjs", "--version", "2"), ("stock.mjs", "--recovery")],
    ids=["cjs", "mjs", "version2", "recovery"],
)
async def server(request: pytest.FixtureRequest, stock: Stock) -> Server:
    """Each kind of stock server in turn."""
    return await stock(*request.param)


async def enter(client: Client, *rooms: Json) -> None:
    for room in rooms:
        await answer(client, "enter", room)


@asynccontextmanager
async def following(observer: Attach) -> AsyncIterator[list[Record]]:
    """Read all records from now on into a list that grows."""
    records: list[Record] = []
    begun = asyncio.Event()

    async def read() -> None:
        async with aclosing(observer.batches()) as batches:  # type: ignore[type-var]
            async for batch in batches:
                begun.set()
                records.extend(batch)

    task = asyncio.create_task(read())
    try:
        async with asyncio.timeout(WAIT):
            await begun.wait()
        yield records
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def wait_for(records: list[Record], **fields: Json) -> Record:
    async with asyncio.timeout(WAIT):
        while True:
            for record in records:
                if all(getattr(record, key) == value for key, value in fields.items()):
                    return record
            await asyncio.sleep(0.01)


async def test_sockets_and_rooms_are_the_server_s_own(server: Server, connect: Connect, begin: Begin) -> None:
    ann = await connect(server.url, "/", transport="polling")
    await enter(ann, "lobby", "ops")
    chat = await connect(server.url, "/chat", transport="websocket")
    observer = await begin(server)
    await observer.wait_for_sockets()
    assert seen(observer) == await places(server) != []

    ben = await connect(server.url, "/", transport="websocket")
    await enter(ben, "lobby")
    await answer(ann, "exit", "ops")
    await chat.close()
    async with asyncio.timeout(WAIT):
        while seen(observer) != await places(server):
            await observer.read_until(lambda: False, 0.1)
    assert len(seen(observer)) >= 2
    assert {each.transport for each in observer.state.select()} == {"polling", "websocket"}
    assert {each.address for each in observer.state.select()} == {"127.0.0.1"}


async def test_every_packet_of_every_socket_is_reported(
    server: Server, connect: Connect, begin: Begin
) -> None:
    ann = await connect(server.url, "/chat", watch=True)
    observer = await begin(server)
    async with following(observer) as records:
        await connect(server.url, "/chat", transport="websocket")
        hi = await wait_for(records, kind=Kind.EVENT, event="hi", namespace="/chat")
        assert (hi.direction, hi.args) == (Direction.IN, ["everyone!"])
        assert await wait_for(records, kind=Kind.CONNECT, namespace="/chat", sid=hi.sid)

        await answer(ann, "shout", {"a": [1, None, "ü"]}, b"\0\1\xff", namespace="/chat")
        await wait_for(records, kind=Kind.ACK, direction=Direction.IN)
        await ann.emit(Emit("/chat", "ask", [1]))
        [question] = [each for each in await receive(ann, event="question") if each.event == "question"]
        assert question.id is not None
        await ann.acknowledge(Acknowledge("/chat", question.id, ["yes"]))
        await wait_for(records, kind=Kind.ACK, direction=Direction.OUT)
    [asked] = [each for each in records if each.event == "ask" and each.kind is Kind.EVENT]
    mine = [each for each in records if each.sid == asked.sid and each.event != "join-room"]
    assert [(each.direction, each.kind, each.event, each.args) for each in mine] == [
        ("out", "event", "shout", [{"a": [1, None, "ü"]}, b"\0\1\xff"]),
        ("in", "event", "echo", [{"a": [1, None, "ü"]}, b"\0\1\xff"]),
        ("in", "ack", "shout", [{"ok": True}]),
        ("out", "event", "ask", [1]),
        ("in", "event", "question", [1]),
        ("out", "ack", "question", ["yes"]),
    ]
    assert all(each.rtt_ms is not None for each in mine if each.kind is Kind.ACK)
    assert len({each.sid for each in records if each.event == "echo"}) >= 2, "each of the two got it"


async def test_nothing_is_left_behind(server: Server, connect: Connect) -> None:
    ann = await connect(server.url, "/", transport="websocket")
    before, listening = await truth(server), ports(server)
    notes: list[str] = []
    async with Attach(Target(url=server.url), timeout=10, say=notes.append) as observer:
        async with following(observer) as records:
            await enter(ann, "lobby")
            await wait_for(records, event="join-room")
            changed = await truth(server)
            assert changed["listeners"] != before["listeners"]
            assert (await truth(server))["globals"] == []
        [port] = ports(server) - listening
    how = f"its inspector is open on 127.0.0.1:{port} until this ends"
    assert notes == [f"attaching to node (pid {server.proc.pid}): {how}"]
    assert ports(server) == listening
    await answer(ann, "exit", "lobby")
    assert await truth(server) == before


async def test_actions(server: Server, connect: Connect, begin: Begin) -> None:
    ann, ben = await connect(server.url, "/", watch=True), await connect(server.url, "/", watch=True)
    await enter(ann, "lobby")
    sid = ann.namespaces["/"]
    observer = await begin(server)
    await observer.wait_for_sockets()
    await observer.join("/", "ops", sid)
    assert await observer.read_until(lambda: "ops" in observer.state.sockets["/", sid or ""].rooms, WAIT)
    await observer.emit("/", ["ops", "lobby"], "news", [{"n": 1}, b"\0"])
    [*_, news] = await receive(ann, event="news")
    assert news.args == [{"n": 1}, b"\0"]
    await observer.emit("/", None, "all", [])
    assert "news" not in [each.event for each in await receive(ben, event="all")]
    assert "news" not in [each.event for each in await receive(ann, event="all")], "it came once"
    await observer.leave("/", "ops", "lobby")
    assert await observer.read_until(lambda: "ops" not in observer.state.sockets["/", sid or ""].rooms, WAIT)
    await observer.disconnect("/", "lobby")
    assert await observer.read_until(lambda: observer.state.is_disconnected(("/", sid or "")), WAIT)
    assert [place[1] for place in await places(server)] == [ben.namespaces["/"]]
    with pytest.raises(RefusedError, match="the server has no namespace /nowhere"):
        await observer.join("/nowhere", "x", None)


async def test_of_two_observers_the_last_closes_the_inspector(stock: Stock, connect: Connect) -> None:
    server = await stock()
    listening, before = ports(server), await truth(server)
    notes: list[str] = []
    async with Attach(Target(url=server.url), timeout=10) as first:
        await first.wait_for_sockets()
        second = Attach(Target(url=server.url), timeout=10, say=notes.append)
        await second.__aenter__()
    try:
        [port] = ports(server) - listening
        assert notes == [
            f"attaching to node (pid {server.proc.pid}): its inspector was open on 127.0.0.1:{port}"
        ]
        client = await connect(server.url)
        assert await second.read_until(lambda: len(second.state.select()) == 1, WAIT)
        await client.close()
    finally:
        await second.__aexit__(None, None, None)
    assert ports(server) == listening
    assert await truth(server) == before


async def test_an_inspector_that_was_open_stays_open(node_server: StartServer) -> None:
    server = await node_server("--inspect=127.0.0.1:0", "stock.cjs")
    listening, before = ports(server), await truth(server)
    async with Attach(Target(url=server.url), server.proc.pid, timeout=10) as observer:
        await observer.wait_for_sockets()
    assert len(listening) == 2
    assert ports(server) == listening
    assert await truth(server) == before


async def test_workers_of_a_cluster(node_server: StartServer, connect: Connect, begin: Begin) -> None:
    """With the default port, which is the same for all processes of the machine."""
    server = await node_server("stock.cjs", "--cluster", "2")
    clients = [await connect(server.url, transport="websocket") for _ in range(4)]
    notes: list[str] = []
    observer = await begin(server, say=notes.append)
    await observer.wait_for_sockets()
    assert {each.sid for each in observer.state.select()} == {each.namespaces["/"] for each in clients}
    assert len({each.server for each in observer.state.select()}) == 2
    async with following(observer) as records:
        for client in clients:
            await answer(client, "enter", "lobby")
        await observer.emit("/", "lobby", "news", [])
        for client in clients:
            await wait_for(records, event="news", sid=client.namespaces["/"])
        assert len([each for each in records if each.event == "news"]) == 4
        ended = str(observer.state.select()[0].server)
        os.kill(int(re.findall(r"\d+", ended)[0]), signal.SIGKILL)
        await wait_for(records, kind=Kind.DISCONNECT, reason="process ended")
    assert notes[-1] == f"{ended} ended, or closed its inspector; the other processes are still observed"
    assert len({each.server for each in observer.state.select()}) == 1


async def test_a_flood_is_bounded_and_counted(stock: Stock, connect: Connect, begin: Begin) -> None:
    server = await stock()
    ann = await connect(server.url, watch=True)
    observer = await begin(server)
    async with following(observer) as records:
        await ann.emit(Emit("/", "flood", [30_000]))
        gap = await wait_for(records, kind=Kind.GAP)
    assert sum(each.event == "tick" for each in records) + gap.data["missing"] == 30_000
    assert gap.data["missing"] >= 20_000


async def test_the_end_of_the_process(stock: Stock, connect: Connect, begin: Begin) -> None:
    server = await stock()
    await connect(server.url)
    observer = await begin(server)
    await observer.wait_for_sockets()
    server.proc.signal(signal.SIGTERM)
    with pytest.raises(LostError, match=rf"node \(pid {server.proc.pid}\) ended, or closed its inspector"):
        await observer.read_until(lambda: False, WAIT)
    assert await server.proc.end() == 143


async def test_a_process_without_a_server(node_server: StartServer, begin: Begin) -> None:
    server = await node_server("--inspect-port=0", "silent.cjs")
    with pytest.raises(RefusedError, match=r"node \(pid \d+\) has no Socket.IO server that listens on port"):
        await begin(server)
    assert len(ports(server)) == 1
