"""A client of a process' inspector, with a real one and with others."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from nsroom.errors import LostError
from nsroom.introspection.attach.inspector import Inspector, InspectorError, Place, find_target
from nsroom.introspection.attach.processes import listeners_of
from tests.conftest import StartServer


@pytest.fixture
async def place(node_server: StartServer) -> Place:
    """Where the inspector of a Node process listens."""
    server = await node_server("--inspect=127.0.0.1:0", "silent.cjs")
    own = int(server.url.rpartition(":")[2])
    [place] = [Place(*each) for each in listeners_of(server.proc.pid) if each[1] != own]
    return place


@pytest.fixture
async def events() -> list[tuple[str, Any]]:
    """The events of the session."""
    return []


@pytest.fixture
async def inspector(place: Place, events: list[tuple[str, Any]]) -> AsyncIterator[Inspector]:
    """An open session."""
    inspector = Inspector(lambda method, params: events.append((method, params)))
    path = await find_target(place)
    assert path is not None
    await inspector.open(place, path)
    yield inspector
    inspector.close()


async def test_values_and_objects(inspector: Inspector) -> None:
    assert await inspector.evaluate("[1, 'ü', null]") == [1, "ü", None]
    assert await inspector.evaluate("undefined") is None
    assert await inspector.evaluate('require("node:path").sep') == "/"
    number = await inspector.evaluate("({ n: 20 })", keep=True)
    add = "function(more, other) { return this.n + more + other.n }"
    assert await inspector.run(add, number, 1, {"objectId": number}) == 41
    later = "function() { return new Promise((done) => setTimeout(() => done(this.n), 10)) }"
    assert await inspector.run(later, number, wait=True) == 20


async def test_errors(inspector: Inspector) -> None:
    with pytest.raises(InspectorError, match="Error: no"):
        await inspector.evaluate('(() => { throw new Error("no") })()')
    with pytest.raises(InspectorError):
        await inspector.evaluate("throw 7")
    with pytest.raises(InspectorError, match=r"'No\.such' wasn't found"):
        await inspector.call("No.such")


async def test_events_and_notifications(inspector: Inspector, events: list[tuple[str, Any]]) -> None:
    await inspector.call("Runtime.addBinding", name="tell")
    global_ = await inspector.evaluate("globalThis", keep=True)
    inspector.notify("function(text) { this.tell(text) }", global_, "hello")
    await inspector.evaluate("0")
    [(method, params)] = events
    assert (method, params["name"], params["payload"]) == ("Runtime.bindingCalled", "tell", "hello")


async def test_the_end(inspector: Inspector) -> None:
    assert inspector.is_open
    with pytest.raises(LostError, match="was closed"):
        await inspector.evaluate('require("node:inspector").close()')
    await inspector.closed
    assert not inspector.is_open
    with pytest.raises(LostError, match="is closed"):
        await inspector.evaluate("0")


TARGET = {"type": "node", "webSocketDebuggerUrl": "ws://127.0.0.1:9229/x"}
OTHERS = [
    b"",
    b"SSH-2.0-x\r\n",
    b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n\r\n[]",
    b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"x"',
    b"HTTP/1.1 200 OK\r\nContent-Length: 300001\r\n\r\n" + b"[" * 300_001,
    b"HTTP/1.1 200 OK\r\n\r\n" + json.dumps([{**TARGET, "type": "page"}]).encode(),
    b"HTTP/1.1 200 OK\r\n\r\n" + json.dumps([{**TARGET, "webSocketDebuggerUrl": 7}]).encode(),
]


@pytest.mark.parametrize("answer", OTHERS, ids=range(len(OTHERS)))
async def test_other_servers_are_not_inspectors(answer: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        assert await find_target(Place(*server.sockets[0].getsockname())) is None


async def test_a_closed_port_is_not_an_inspector() -> None:
    assert await find_target(Place("127.0.0.1", 1)) is None
    assert str(Place("::1", 9229)) == "[::1]:9229"
