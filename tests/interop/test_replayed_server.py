"""A client of Node goes through its server behind the proxy, and then through a replay of the recording."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import StartServer
from tests.peers.program import Program, Spawner

BLOB = {"$binary": "AAECgP8="}
STEPS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"emit": ["login", {"user": "ann"}], "ack": 1}, {"kind": "ack", "id": 1}),
    ({"emit": ["join", "lobby"], "ack": 2}, {"kind": "ack", "id": 2}),
    ({"emit": ["message", {"room": "lobby", "text": "hi"}], "ack": 3}, {"kind": "ack", "id": 3}),
    ({"emit": ["blob", BLOB, {"in": [BLOB, "\u03c0"]}], "ack": 4}, {"kind": "ack", "id": 4}),
    ({"emit": ["ask", 1, "two"], "ack": 5}, {"kind": "ack", "id": 5}),
    ({"emit": ["shout", {"n": 1}]}, {"kind": "event", "event": "echo", "args": [{"n": 1}]}),
    ({"emit": ["flood", 3]}, {"kind": "event", "event": "tick", "args": [{"n": 2}]}),
    ({"emit": ["fail"], "ack": 6}, {"kind": "ack", "id": 6}),
    ({"emit": ["shout", {"n": 2}], "ack": 7}, {"kind": "ack", "id": 7}),
    ({"emit": ["kick"]}, {"kind": "disconnect"}),
]


async def log(client: Program) -> list[dict[str, Any]]:
    """Go through the steps, and return what the client saw, without the sid."""
    await client.seen(kind="connect")
    for step, answer in STEPS:
        client.send(step)
        await client.seen(**answer)
    records = map(json.loads, client.stdout.text.splitlines())
    # An event and an acknowledgement of one step may be in either order.
    return sorted(({**record, "sid": None} for record in records), key=repr)


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_the_same_log(
    transport: str, node_server: StartServer, node_script: Spawner, spawn: Spawner, tmp_path: Path
) -> None:
    server = await node_server("server4.js")
    recording = str(tmp_path / "run.ndjson")
    proxy = await spawn("proxy", server.url, "--listen", ":0", "--save", recording)
    url = (await proxy.err(", relaying to ")).partition("listening on ")[2].partition(",")[0]
    first = await log(await node_script("client4.js", url, "--transport", transport))
    proxy.signal(15)
    await proxy.end()
    await server.proc.kill()
    replay = await spawn("serve", "--port", "0", "--replay", recording, "--strict")
    url = (await replay.err("listening on ")).partition("listening on ")[2].split()[0]
    client = await node_script("client4.js", url, "--transport", transport)
    assert await log(client) == first
    assert "in the recording" not in replay.stderr.text
