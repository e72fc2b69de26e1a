"""A server that replays a recording, in this process, with python-socketio's client."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
import socketio

from nsroom.mock.replay import Replay
from nsroom.mock.sessions import sessions
from nsroom.record import Direction, Kind, Record
from nsroom_server.app import serving
from nsroom_server.settings.config import Config
from tests.cli.mock.test_sessions import IN, OUT, record
from tests.server.member import WAIT, Member

RECORDED = [
    record(OUT, Kind.CONNECT),
    record(IN, Kind.CONNECT, sid="recordedSid000000001"),
    record(IN, Kind.EVENT, event="hi", args=["first", "recordedSid000000001"]),
    record(OUT, Kind.EVENT, 1, event="join", id=0, args=["lobby"]),
    record(IN, Kind.EVENT, 1.1, event="joined", args=[b"\x00\x01"]),
    record(IN, Kind.ACK, 1.2, event="join", id=0, args=[{"ok": True}]),
    record(IN, Kind.EVENT, 90, event="news", args=[]),
    record(OUT, Kind.EVENT, 100, event="bye", args=[]),
    record(IN, Kind.DISCONNECT, 100),
    record(OUT, Kind.CONNECT),
    record(IN, Kind.CONNECT, sid="recordedSid000000002"),
    record(IN, Kind.EVENT, event="hi", args=["second"]),
    record(IN, Kind.EVENT, event="question", id=3, args=[1]),
    record(Direction.IN, Kind.CONNECT_ERROR, namespace="/admin", data={"message": "no"}),
]
Start = Callable[..., Awaitable[Callable[..., Awaitable[Member]]]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Serve the recording, and return what connects a client."""
    async with AsyncExitStack() as stack:

        async def start(records: list[Record] = RECORDED, speed: float = 0, strict: bool = False) -> Any:
            found = sessions(list(enumerate(records, 1)))
            running = await stack.enter_async_context(
                serving(
                    Config(port=0, any_namespace=True, drain=0.5),
                    lambda config, server: Replay(config, server, found, speed, strict),
                )
            )

            async def join(namespace: str = "/", **handlers: Any) -> Member:
                member = Member([namespace])
                for name, handler in handlers.items():
                    member.client.on(name, handler, namespace=namespace)
                await member.client.connect(running.url, namespaces=[namespace], wait_timeout=WAIT)
                stack.push_async_callback(member.client.disconnect)
                return member

            return join

        yield start


async def test_the_same_conversation(start: Start) -> None:
    join = await start()
    ann = await join()
    _, event, args = await ann.events.get()
    assert (event, args) == ("hi", ("first", ann.sid))
    assert await ann.call("join", "lobby") == {"ok": True}
    assert await ann.next("joined") == b"\x00\x01"
    await ann.next("news")
    await ann.emit("bye")
    await ann.disconnected.wait()


async def test_each_client_has_its_own_session(start: Start) -> None:
    join = await start()
    assert await (await join()).next("hi") == "first"
    answered: list[int] = []
    for _ in range(2):  # after the last session, the last
        bob = await join(question=lambda number: answered.append(number) or "yes")
        assert await bob.next("hi") == "second"
        assert await bob.call("join", "lobby") == {"ok": True}  # as the other client
    assert answered == [1, 1]


async def test_what_is_not_in_the_recording(start: Start) -> None:
    join = await start()
    ann = await join()
    assert await ann.call("join", "another") == {"ok": True}  # the nearest
    with pytest.raises(socketio.exceptions.TimeoutError):
        await ann.client.call("unknown", timeout=0.3)
    for namespace in ("/admin", "/none"):
        with pytest.raises(socketio.exceptions.ConnectionError):
            await join(namespace)


async def test_strict(start: Start) -> None:
    join = await start(strict=True)
    ann = await join()
    assert (await ann.call("unknown"))["error"] == "unknown_event"
    assert (await ann.call("join", "another"))["error"] == "bad_request"
    assert await ann.call("join", "lobby") == {"ok": True}


async def test_the_timing_is_kept(start: Start) -> None:
    join = await start(RECORDED[:7], speed=10)
    ann = await join()
    assert await ann.call("join", "lobby") == {"ok": True}
    assert ann.events.qsize() == 2  # `news` comes after 9 s
