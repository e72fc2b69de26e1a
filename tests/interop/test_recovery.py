"""Connections that are cut and recovered: the real client, ours, and the one for pages."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from tests.conftest import StartServer
from tests.peers.browser import Browser
from tests.peers.cuts import Relay
from tests.peers.program import Program, Server, Spawner
from tests.server.member import Member

CUTS = 20


@pytest.fixture
async def server(serve: StartServer) -> Server:
    """A server that recovers its clients."""
    return await serve("--recovery", "60")


@pytest.fixture
async def relay(server: Server) -> AsyncIterator[tuple[Relay, str]]:
    """A way to it that can be cut, and its URL."""
    relay = Relay(int(server.url.rpartition(":")[2]))
    async with relay.listening() as url:
        yield relay, url


@pytest.fixture
async def bob(server: Server) -> AsyncIterator[Member]:
    """A member of the lobby whose connection is not cut."""
    bob = Member(["/chat"])
    await bob.client.connect(server.url, namespaces=["/chat"], transports=["websocket"])
    await bob.call("join", "lobby")
    yield bob
    await bob.client.disconnect()


async def say(bob: Member, text: str) -> None:
    assert (await bob.call("message", {"room": "lobby", "text": text}))["ok"]


async def cut(relay: Relay, bob: Member, number: int, connects: Callable[[], Awaitable[int]]) -> None:
    """Cut all connections, with a message before that may be in flight and one after.

    A client that was between two polls has not noticed: cut again.
    """
    before, patience, loop = await connects(), 1.0, asyncio.get_running_loop()
    await say(bob, f"before {number}")
    relay.cut()
    cut_at = loop.time()
    await say(bob, f"after {number}")
    while await connects() == before:
        await asyncio.sleep(0.05)
        if loop.time() > cut_at + patience:
            relay.cut()
            cut_at, patience = loop.time(), patience * 2


WANTED = [f"{when} {number}" for number in range(CUTS) for when in ("before", "after")]


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_the_real_client(
    relay: tuple[Relay, str], bob: Member, node_script: Spawner, transport: str
) -> None:
    way, url = relay
    ann = await node_script(
        "client4.js", url, "--namespace", "/chat", "--transport", transport, "--reconnect"
    )
    first = await ann.seen(kind="connect")
    ann.send({"emit": ["join", "lobby"], "ack": 1})
    await ann.seen(kind="ack", id=1)

    async def connects() -> int:
        return len(seen(ann, "connect"))

    for number in range(CUTS):
        await cut(way, bob, number, connects)
    await heard(ann, WANTED[-1])
    assert texts(ann) == WANTED
    again = seen(ann, "connect")[1:]
    assert len(again) >= CUTS
    assert {(each["recovered"], each["sid"]) for each in again} == {(True, first["sid"])}


async def test_ours(relay: tuple[Relay, str], bob: Member, spawn: Spawner) -> None:
    way, url = relay
    ann = await spawn("join", "lobby", "-u", url, "-n", "/chat", "--json", "--all")
    await ann.seen(kind="ack", event="join")

    async def connects() -> int:
        return len(seen(ann, "gap"))

    for number in range(3):
        await cut(way, bob, number, connects)
    assert {str(gap["data"]["recovered"]) for gap in seen(ann, "gap")} == {"['/chat']"}
    await heard(ann, WANTED[5])
    assert texts(ann) == WANTED[:6]
    assert "leave-room" not in {name for _, name, _ in list(bob.events._queue)}


async def test_the_client_for_pages(relay: tuple[Relay, str], bob: Member, browser: Browser) -> None:
    way, url = relay
    await browser.do(goto=f"{url}/healthz")
    await browser.run(
        """async () => {
            const { io } = await import("/socket.io/socket.io.esm.js");
            const socket = io("/chat", { reconnectionDelay: 20, reconnectionDelayMax: 100 });
            window.recovered = [];
            window.texts = [];
            socket.on("connect", () => recovered.push(socket.recovered));
            socket.on("message", ({ text }) => texts.push(text));
            await socket.emitWithAck("join", "lobby");
        }"""
    )

    async def connects() -> int:
        return int(await browser.run("() => recovered.length"))

    for number in range(CUTS):
        await cut(way, bob, number, connects)
    await browser.wait(f"texts.includes('{WANTED[-1]}')")
    assert await browser.run("() => texts") == WANTED
    assert set((await browser.run("() => recovered"))[1:]) == {True}


async def test_the_page_does_not_show_offsets(server: Server, browser: Browser) -> None:
    await browser.do(goto=server.url)
    await browser.wait("document.querySelectorAll('#events .args').length > 1")
    await browser.run("() => { document.getElementById('line').value = '[\"who\", \"lobby\"]'; }")
    shown = await browser.run(
        "() => [...document.querySelectorAll('#events .args')].map((each) => each.textContent)"
    )
    assert '"everyone!"' in shown


async def heard(client: Program, text: str) -> None:
    async with asyncio.timeout(20):
        while text not in texts(client):  # noqa: ASYNC110 - no event announces it
            await asyncio.sleep(0.05)


def texts(client: Program) -> list[str]:
    """Return the texts of all messages that a client has printed."""
    events = seen(client, "event")
    return [record["args"][0]["text"] for record in events if record["event"] == "message"]


def seen(client: Program, kind: str) -> list[dict[str, Any]]:
    """Return the records of a kind that a client has printed."""
    records = map(json.loads, client.stdout.text.rpartition("\n")[0].splitlines())
    return [record for record in records if record["kind"] == kind]
