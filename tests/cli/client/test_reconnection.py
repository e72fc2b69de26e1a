"""After a lost connection: reconnecting, repeated joins, and the records of the gap."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import pytest

from nsroom.client.catchup import RoomState
from nsroom.client.client import Client
from nsroom.client.events import Emit
from nsroom.client.joins import join
from nsroom.client.presets import Convention
from nsroom.client.reconnection import Gap, backoff
from nsroom.errors import LostError, RefusedError
from nsroom.record import Kind, Record
from nsroom_server.app import Running, serving
from nsroom_server.settings.config import Config
from tests.cli.clients import WAIT, Connect, answer, until
from tests.cli.scripted import LOSE, Polling
from tests.conftest import StartServer
from tests.peers import bad

LOST = (Kind.CLOSE, Kind.RECONNECT, Kind.GAP)


class Restarting:
    """The reference server, which can be restarted on the same port."""

    def __init__(self) -> None:
        self.running: Running | None = None
        self._stack = AsyncExitStack()

    async def start(self, **options: Any) -> str:
        """Start it and return its URL."""
        port = self.running.port if self.running else 0
        config = Config(**{"port": port, "drain": 0.2, **options})
        self.running = await self._stack.enter_async_context(serving(config))
        return self.running.url

    async def stop(self) -> None:
        """Stop it."""
        await self._stack.aclose()


@asynccontextmanager
async def restarting() -> AsyncIterator[Restarting]:
    server = Restarting()
    try:
        yield server
    finally:
        await server.stop()


@pytest.fixture
async def server(stack: AsyncExitStack) -> Restarting:
    """A server that can be restarted."""
    return await stack.enter_async_context(restarting())


def lost(records: list[Record]) -> list[Record]:
    return [record for record in records if record.kind in LOST]


async def test_reconnecting_after_a_restart(server: Restarting, connect: Connect, transport: str) -> None:
    said: list[str] = []
    url = await server.start()
    client = await connect(url, "/", "/chat", transport=transport, watch=True, say=said.append)
    await client.enter("/my-namespace")
    await join(client, ["lobby"], Convention(), said.append)
    before = dict(client.namespaces)
    await server.stop()
    records = await until(client, kind=Kind.RECONNECT)
    await server.start()
    records += await until(client, kind=Kind.GAP)

    assert list(client.namespaces) == ["/", "/chat", "/my-namespace"]
    assert not {*client.namespaces.values()} & {*before.values()}
    close, first, *_, gap = lost(records)
    assert (close.kind, first.kind) == (Kind.CLOSE, Kind.RECONNECT)
    assert first.data["attempt"] == 1
    assert 250 <= first.data["delay_ms"] <= 500
    assert gap.data["ms"] >= 0.9 * first.data["delay_ms"]
    assert gap.data["recovered"] == []
    assert gap.reason == close.reason
    assert "other events sent in between may be missing" in str(gap.message)
    assert [record.seq for record in records] == [*range(records[0].seq, records[0].seq + len(records))]

    assert len([record for record in records if record.kind is Kind.ACK and record.event == "join"]) == 6
    for namespace in client.namespaces:
        (who,) = await answer(client, "who", {"room": "lobby"}, namespace=namespace)
        assert [member["sid"] for member in who["members"]] == [client.namespaces[namespace]]
    assert f"the connection ended ({close.reason}); trying again" in said
    assert said[-1].startswith(f"connected again over {transport}: ")


async def test_attempts_are_repeated_and_recorded(server: Restarting, connect: Connect) -> None:
    said: list[str] = []
    client = await connect(await server.start(), watch=True, say=said.append)
    await server.stop()
    attempts: list[Record] = []
    async for records in client.records():
        attempts += [record for record in records if record.kind is Kind.RECONNECT]
        if len(attempts) == 3:
            break
    assert [record.data["attempt"] for record in attempts] == [1, 2, 3]
    assert attempts[0].message is None
    assert "nothing listens on 127.0.0.1" in str(attempts[1].message)
    assert len([line for line in said if "nothing listens" in line]) == 1


async def test_a_namespace_that_was_left_is_not_entered_again(server: Restarting, connect: Connect) -> None:
    client = await connect(await server.start(), "/", "/chat", watch=True)
    await client.leave("/")
    await server.stop()
    await until(client, kind=Kind.RECONNECT)
    await server.start()
    await until(client, kind=Kind.GAP)
    assert list(client.namespaces) == ["/chat"]


async def test_a_server_may_refuse_a_reconnection(server: Restarting, connect: Connect) -> None:
    client = await connect(await server.start(), watch=True)
    await server.stop()
    await until(client, kind=Kind.RECONNECT)
    await server.start(token="new")
    with pytest.raises(RefusedError, match="/ is refused"):
        await until(client, kind=Kind.GAP)


async def test_a_namespace_may_be_late_after_a_restart(server: Restarting, connect: Connect) -> None:
    said: list[str] = []
    client = await connect(await server.start(), "/chat", watch=True, say=said.append)
    await server.stop()
    await until(client, kind=Kind.RECONNECT)
    await server.start(namespaces=("/other",))
    late = "the server does not know /chat yet (Invalid namespace): it may be starting"
    await until(client, kind=Kind.RECONNECT, message=late)
    await server.stop()
    await server.start()
    await until(client, kind=Kind.GAP)
    assert list(client.namespaces) == ["/chat"]
    assert said.count(late) == 1


async def test_a_namespace_is_not_waited_for_without_end_while_others_are_there(
    server: Restarting, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nsroom.client.namespaces._MAX_LATE_TRIES", 1)
    client = await connect(await server.start(), "/", "/chat", watch=True)
    await server.stop()
    await until(client, kind=Kind.RECONNECT)
    await server.start(namespaces=("/",))
    await until(client, kind=Kind.GAP)
    assert list(client.namespaces) == ["/"]
    assert client.refused == {"/chat": "Invalid namespace"}


async def test_without_reconnection_a_lost_connection_is_the_end(
    server: Restarting, connect: Connect, transport: str
) -> None:
    client = await connect(await server.start(), transport=transport, watch=True, reconnect=False)
    await server.stop()
    records = lost(await until(client, kind=Kind.CLOSE))
    assert len(records) == 1
    with pytest.raises(LostError, match="the connection ended"):
        await until(client, kind=Kind.RECONNECT)


async def test_nothing_can_be_sent_while_disconnected(server: Restarting, connect: Connect) -> None:
    client = await connect(await server.start(), "/lab", watch=True)
    (waiting,) = await client.ask(Emit("/lab", "never", []))
    await server.stop()
    await until(client, kind=Kind.RECONNECT)
    with pytest.raises(LostError, match="the connection ended"):
        await waiting
    with pytest.raises(
        LostError, match=r"not connected to the server: the connection ended \(transport close"
    ):
        await client.emit(Emit("/lab", "echo", []))
    with pytest.raises(LostError, match="not connected to the server"):
        await client.enter("/chat")


async def test_closing_ends_the_attempts(server: Restarting, connect: Connect) -> None:
    client = await connect(await server.start(), watch=True)
    await server.stop()
    await until(client, kind=Kind.RECONNECT)
    await client.close()
    with suppress(StopAsyncIteration):
        await anext(client.records())


async def test_closing_cancels_an_attempt(stack: AsyncExitStack, connect: Connect) -> None:
    """The restarted server accepts the connection and sends nothing."""
    calls = 0

    async def script(talk: bad.Conversation) -> None:
        nonlocal calls
        calls += 1
        if calls > 1:
            await asyncio.Event().wait()
        await talk.welcome()

    client = await connect(await stack.enter_async_context(bad.conversation(script)), watch=True)
    await until(client, kind=Kind.RECONNECT)
    async with asyncio.timeout(WAIT):
        while calls < 2:  # noqa: ASYNC110 - another task's counter
            await asyncio.sleep(0.01)
    await client.close()


async def test_the_end_of_polling_is_detected(stack: AsyncExitStack, connect: Connect) -> None:
    polling = Polling()
    client = await connect(
        await stack.enter_async_context(polling.listening()), transport="polling", watch=True, reconnect=False
    )
    polling.bodies.put_nowait("1")
    with pytest.raises(LostError):
        await until(client, kind=Kind.GAP)


async def test_a_poll_with_a_lost_answer_is_not_repeated(stack: AsyncExitStack, connect: Connect) -> None:
    polling = Polling()
    url = await stack.enter_async_context(polling.listening())
    client = await connect(url, transport="polling", watch=True, reconnect=False)
    polling.bodies.put_nowait(LOSE)
    polling.bodies.put_nowait('42["second"]')
    with pytest.raises(LostError):
        await until(client, event="second")
    assert polling.bodies.qsize() == 1


# A Node server with connection state recovery


async def cut(client: Client) -> tuple[list[Record], Record]:
    """Make the server cut the connection; return the records up to the gap, and the gap."""
    await client.emit(Emit("/", "cut", []))
    records = await until(client, kind=Kind.GAP)
    return records, records[-1]


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_a_connection_is_recovered(transport: str, node_server: StartServer, connect: Connect) -> None:
    server = await node_server("server4.js", "--recovery")
    client = await connect(server.url, transport=transport, watch=True)
    sid = client.namespaces["/"]
    assert await answer(client, "first", "a") == ["a"]
    await until(client, event="echo")
    for _ in range(2):  # the second time with the offset of the event recovered the first time
        records, gap = await cut(client)
        assert client.namespaces["/"] == sid
        assert gap.data["recovered"] == ["/"]
        assert "the server sent the missed events" in str(gap.message)
        news = [record for record in records if record.event == "news"]
        assert [record.args for record in news] == [["missed"]]
        assert [set(record.data) for record in news] == [{"offset"}]
    await server.proc.seen(kind="connect", recovered=True)
    assert await answer(client, "still", 1) == [1]


async def test_nothing_is_recovered_without_a_received_event(
    node_server: StartServer, connect: Connect
) -> None:
    server = await node_server("server4.js", "--recovery")
    client = await connect(server.url, watch=True)
    sid = client.namespaces["/"]
    _, gap = await cut(client)
    assert client.namespaces["/"] != sid
    assert gap.data["recovered"] == []


@pytest.mark.parametrize(("attempt", "longest"), [(1, 0.5), (2, 1.0), (5, 8.0), (6, 10.0), (5000, 10.0)])
def test_the_delay_grows_to_a_limit(attempt: int, longest: float) -> None:
    pauses = [backoff(attempt) for _ in range(100)]
    assert longest / 2 <= min(pauses) < max(pauses) <= longest


@pytest.mark.parametrize(
    ("before", "after", "recovered", "text"),
    [
        ({"a"}, {"/": "b"}, [], "2.5 s without a connection; events sent in between may be missing"),
        ({"a"}, {"/": "a"}, ["/"], "2.5 s without a connection; the server sent the missed events"),
        ({"a", "b"}, {"/": "a", "/x": "c"}, ["/"], "events sent in between may be missing"),
    ],
)
def test_a_gap_reports_missed_events(
    before: set[str | None], after: dict[str, str | None], recovered: list[str], text: str
) -> None:
    gap = Gap(2500.4, before, after, [])
    assert gap.message.endswith(text)
    assert gap.data == {"ms": 2500, "recovered": recovered}


def test_a_gap_reports_replayed_rooms() -> None:
    room = RoomState("/", "lobby", "e", 7)
    room.replayed_count = 2
    gap = Gap(100.0, set(), {"/": "a"}, [room])
    known = "2 missed messages of lobby are shown now; other events sent in between may be missing"
    assert gap.message == f"0.1 s without a connection; {known}"
    assert gap.data["rooms"] == [{"namespace": "/", "room": "lobby", "replayed": 2, "unknown": None}]
