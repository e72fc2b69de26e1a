"""A scripted server in this process, with python-socketio's client."""

import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest
import socketio

from nsroom.mock.application import Mock
from nsroom.mock.rules import read
from nsroom_server.app import serving
from nsroom_server.settings.config import Config
from tests.server.member import WAIT, Member
from tests.server.recovering import Socket, connected

Start = Callable[[str], Awaitable[str]]
Join = Callable[..., Awaitable[Member]]


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
def start(stack: AsyncExitStack, tmp_path: Path) -> Start:
    """Serve these rules, and return the URL."""

    async def start(text: str) -> str:
        (tmp_path / "rules").write_text(text)
        rules = read(tmp_path / "rules")
        config = Config(port=0, any_namespace=True, drain=0.5)
        running = await stack.enter_async_context(
            serving(config, lambda config, server: Mock(config, server, tmp_path / "rules", rules))
        )
        return running.url

    return start


@pytest.fixture
def join(stack: AsyncExitStack) -> Join:
    """Connect a client: `await join(url, "/chat", auth={…})`."""

    async def join(url: str, namespace: str = "/", **options: object) -> Member:
        member = Member([namespace])
        await member.client.connect(url, namespaces=[namespace], wait_timeout=WAIT, **options)
        stack.push_async_callback(member.client.disconnect)
        return member

    return join


async def test_acknowledgements(start: Start, join: Join) -> None:
    url = await start(
        "on event=order & arg.0.total>100: ack large {n}\n"
        'on event=order: ack {"ok": true, "id": {arg.0.id}, "n": {n}}\n'
        "on event=slow: after 50ms ack later\n"
        'on event=no: refuse "not today"\n'
        "on event=blob: ack {arg.0}\n"
    )
    ann = await join(url)
    assert await ann.call("order", {"id": "a", "total": 5}) == {"ok": True, "id": "a", "n": 1}
    assert await ann.call("order", {"id": "b", "total": 500}) == ("large", 1)
    assert await ann.call("slow") == "later"
    assert await ann.call("no") == {"error": "refused", "message": "not today"}
    assert await ann.call("blob", b"\x00\x01") == b"\x00\x01"
    with pytest.raises(socketio.exceptions.TimeoutError):
        await ann.client.call("unknown", timeout=0.3)


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_rooms(start: Start, join: Join, transport: str) -> None:
    url = await start(
        "on event=join: join {arg.0}\n"
        "    ack\n"
        "on event=leave: leave {arg.0}\n"
        "    ack\n"
        "on event=say: emit said {arg.1} to {arg.0}\n"
        "on event=all: emit said everyone to *\n"
        "on kind=disconnect: emit gone {sid} to lobby\n"
    )
    ann, bob = [await join(url, "/chat", transports=[transport]) for _ in range(2)]
    await ann.call("join", "lobby")
    await bob.emit("say", "lobby", {"hi": b"\x01"})
    assert await ann.next("said") == {"hi": b"\x01"}
    await bob.emit("all")
    assert await ann.next("said") == await bob.next("said") == "everyone"
    sid = bob.sid
    await bob.client.disconnect()
    assert await ann.next("gone") == sid
    await ann.call("leave", "lobby")
    await ann.emit("say", "lobby", 1)
    await ann.emit("all")
    assert await ann.next("said") == "everyone"


async def test_connecting(start: Start, join: Join) -> None:
    url = await start(
        'on kind=connect & data.token!=secret: refuse "token please"\n'
        'on kind=connect: emit hello {"token": {data.token}, "n": {n}}\n'
        "on event=bye: kick\n"
    )
    ann = await join(url, auth={"token": "secret"})
    assert await ann.next("hello") == {"token": "secret", "n": 1}
    with pytest.raises(socketio.exceptions.ConnectionError):
        await join(url, auth={"token": "guess"})
    await ann.emit("bye")
    await ann.disconnected.wait()


async def test_what_repeats_ends_with_its_client(start: Start, join: Join) -> None:
    url = await start(
        "on event=watch: after 10ms every 20ms emit tick {n} to *\n"
        "    every 86400s emit never\n"
        "on event=many: after 60s emit never\n"
    )
    ann, bob = [await join(url) for _ in range(2)]
    await ann.emit("watch")
    assert [await bob.next("tick") for _ in range(3)] == [1, 2, 3]
    for _ in range(150):
        await ann.emit("many")
    await ann.client.disconnect()
    while not bob.events.empty():
        bob.events.get_nowait()
    await bob.emit("watch")
    first = await bob.next("tick")
    assert [await bob.next("tick") for _ in range(3)] == [first + 1, first + 2, first + 3]


async def test_the_script_is_read_again(start: Start, join: Join, tmp_path: Path) -> None:
    url = await start("on event=a: ack old\n")
    ann = await join(url)
    for text, answer in (("on event=a: ack\nx", "old"), ("on event=a: ack new", "new")):
        (tmp_path / "rules").write_text(text)
        os.kill(os.getpid(), signal.SIGHUP)
        assert await ann.call("a") == answer


async def test_a_client_is_recovered(stack: AsyncExitStack, tmp_path: Path) -> None:
    (tmp_path / "rules").write_text("on kind=connect: emit news 1\n")
    rules = read(tmp_path / "rules")
    config = Config(port=0, namespaces=("/chat",), drain=0.5, recovery=60)
    running = await stack.enter_async_context(
        serving(config, lambda config, server: Mock(config, server, tmp_path / "rules", rules))
    )
    http, ann = await stack.enter_async_context(aiohttp.ClientSession()), Socket()
    for recovered in (False, True):
        async with connected(http, running, ann) as ws:
            assert ann.recovered is recovered
            while not ann.seen("news"):
                ann.take(await ws.receive_str(timeout=10), "/chat")
    assert ann.seen("news") == [1]
