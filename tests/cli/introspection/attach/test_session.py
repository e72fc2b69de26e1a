"""The hook in a process: it takes itself back when we are gone, and not while others are there."""

import asyncio

import pytest

from nsroom.client.target import Target
from nsroom.errors import LostError
from nsroom.introspection.attach import session as module
from nsroom.introspection.attach.observer import Attach
from nsroom.introspection.attach.opening import find_process
from nsroom.introspection.attach.session import Session
from nsroom.introspection.observer import Say
from tests.cli.clients import Connect
from tests.cli.introspection.attach.peers import Stock, ports, truth, wait_for_ports
from tests.conftest import StartServer
from tests.peers.program import Server

WAIT = 20.0


def begin(server: Server, say: Say = str) -> Session:
    """Return a session with a server's process, not opened yet."""
    return Session(find_process(Target(url=server.url), None), lambda _session, _items: None, say)


async def test_a_hook_without_its_observer_removes_itself(
    stock: Stock, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LEASE", 0.3)
    server = await stock()
    await connect(server.url)
    before, listening = await truth(server), ports(server)
    observer = Attach(Target(url=server.url), timeout=10)
    await observer.__aenter__()
    assert ports(server) != listening
    # It is not renewed any more, as after the end of our process.
    await wait_for_ports(server, listening)
    assert await truth(server) == before
    with pytest.raises(LostError, match="ended, or closed its inspector"):
        await observer.read_until(lambda: False, WAIT)
    await observer.__aexit__(None, None, None)


async def test_a_cancelled_attach_closes_the_inspector(stock: Stock) -> None:
    server = await stock()
    listening = ports(server)
    session = begin(server)
    opening = asyncio.create_task(session.open(None))
    await asyncio.sleep(0)
    opening.cancel()
    await asyncio.gather(opening, return_exceptions=True)
    await session.close()
    assert ports(server) == listening


async def test_another_debugger_keeps_the_inspector_open(stock: Stock) -> None:
    server = await stock()
    listening = ports(server)
    notes: list[str] = []
    session = begin(server, notes.append)
    await session.open(None)
    [port] = ports(server) - listening
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    await session.close()
    where = f"node (pid {server.proc.pid}) is still open on 127.0.0.1:{port}"
    assert notes[1:] == [f"the inspector of {where}: another debugger uses it"]
    writer.close()
    await wait_for_ports(server, listening)


async def test_the_default_port_is_free_for_others(node_server: StartServer) -> None:
    """And it is the process' own again at the end."""
    server = await node_server("silent.cjs")
    for _ in range(2):
        session = begin(server)
        await session.open(None)
        assert module.DEFAULT_PORT not in ports(server)
        assert not await session.watch(None)
        await session.close()
    assert len(ports(server)) == 1
    assert server.proc.stderr.text.count(f"listening on ws://127.0.0.1:{module.DEFAULT_PORT}/") == 2
