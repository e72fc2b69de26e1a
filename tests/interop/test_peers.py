"""The JavaScript and Python peers talk to each other, so that a failing test elsewhere points at nsroom."""

import pytest

from tests.conftest import StartServer
from tests.peers.program import Spawner


@pytest.mark.parametrize("transport", ["websocket", "polling"])
@pytest.mark.parametrize("kind", ["node", "python"])
async def test_servers_and_client_agree(
    kind: str,
    transport: str,
    node_server: StartServer,
    python_server: StartServer,
    node_script: Spawner,
) -> None:
    server = await (node_server("server4.js") if kind == "node" else python_server())
    client = await node_script("client4.js", server.url, "--transport", transport)
    await client.seen(kind="connect", namespace="/")
    client.send({"emit": ["anything", {"$binary": "AAH/"}], "ack": 1})
    assert (await client.seen(kind="event"))["event"] == "echo"
    assert (await client.seen(kind="ack", id=1))["args"] == [{"$binary": "AAH/"}]
    client.send({"emit": ["ask", "why"]})
    assert (await client.seen(event="answer"))["args"] == ["why"]
