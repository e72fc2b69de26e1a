"""Finding the Socket.IO servers inside a process."""

from contextlib import AsyncExitStack

import pytest

from nsroom.introspection.attach.inspector import Inspector, find_target
from nsroom.introspection.attach.opening import Place
from nsroom.introspection.attach.processes import listeners_of
from nsroom.introspection.attach.servers import find_servers
from tests.conftest import StartServer

_HIDE = "process._getActiveHandles = () => []"
_PATHS = """function() {
  return this.map((io) => (io._nsps ? [...io._nsps.keys()] : Object.keys(io.nsps)).sort());
}"""


async def start(node_server: StartServer, stack: AsyncExitStack, *args: str) -> tuple[Inspector, int]:
    """Return an inspector of a server, and its port."""
    server = await node_server("--inspect=127.0.0.1:0", *args)
    port = int(server.url.rpartition(":")[2])
    [place] = [Place(*each) for each in listeners_of(server.proc.pid) if each[1] != port]
    inspector = Inspector(lambda _method, _params: None)
    await inspector.open(place, await find_target(place) or "")
    stack.callback(inspector.close)
    return inspector, port


@pytest.mark.parametrize("hidden", [False, True], ids=["by references", "in the heap"])
@pytest.mark.parametrize("version", ["2", "4"])
async def test_servers_are_found(
    hidden: bool, version: str, node_server: StartServer, stack: AsyncExitStack
) -> None:
    inspector, port = await start(node_server, stack, "stock.cjs", "--version", version)
    if hidden:
        await inspector.evaluate(_HIDE)
    notes: list[int] = []
    for wanted in (port, None):
        found = await find_servers(inspector, wanted, notes.append)
        assert found is not None
        assert await inspector.run(_PATHS, found) == [["/", "/chat"]]
    assert await find_servers(inspector, port + 1, notes.append) is None
    assert notes == []


async def test_a_large_heap_is_announced(node_server: StartServer, stack: AsyncExitStack) -> None:
    inspector, port = await start(node_server, stack, "silent.cjs")
    await inspector.evaluate("void (globalThis.large = Array.from({ length: 1e6 }, (_, n) => [n]))")
    notes: list[int] = []
    assert await find_servers(inspector, port, notes.append) is None
    [size] = notes
    assert 50 < size < 1000
