"""Packets that wait in the proxy between other people's clients and servers."""

import json
from pathlib import Path

import pytest

from tests.interop.test_proxy import BLOB, READY, TRANSPORTS, StartServer, transport
from tests.peers.program import Program, Runner, Server, Spawner

WHERE = "event=hello | event=question | kind=ack & dir=in"


async def intercepting(spawn: Spawner, server: Server, *args: str) -> Server:
    proc = await spawn("proxy", server.url, "--listen", ":0", "--intercept", WHERE, "--stdin", *args)
    ready = READY.search(await proc.err(", relaying to "))
    assert ready
    return Server(ready[1], proc)


async def waiting(proxy: Program, **fields: object) -> int:
    """Return the id of the next packet with these fields that waits."""
    record = await proxy.seen(**fields)
    assert record["data"]["intercept"]["state"] == "waiting"
    return int(record["data"]["intercept"]["id"])


@pytest.mark.parametrize("name", TRANSPORTS)
async def test_packets_wait_change_and_are_invented(
    name: str, spawn: Spawner, node_server: StartServer, node_script: Spawner, nsroom: Runner, tmp_path: Path
) -> None:
    file = tmp_path / "recording.ndjson"
    server = await node_server("server4.js")
    proxy = await intercepting(spawn, server, "--save", str(file))
    client = await node_script("client4.js", proxy.url, *transport(name))
    await client.seen(kind="connect")
    if name == "upgrade":
        await proxy.proc.seen(kind="upgrade")
    # Edited in both directions, with binary data; the packet behind keeps its place.
    client.send({"emit": ["hello", {"a": [BLOB, "π"]}, BLOB], "ack": 1})
    asked = await waiting(proxy.proc, event="hello")
    client.send({"emit": ["behind"]})
    await proxy.proc.seen(event="behind")
    proxy.proc.send({"intercept": asked, "action": "edit", "args": [BLOB, {"b": BLOB, "c": "π"}]})
    assert (await server.proc.seen(event="hello"))["args"] == [BLOB, {"b": BLOB, "c": "π"}]
    await server.proc.seen(event="behind")
    answer = await waiting(proxy.proc, kind="ack", event="hello")
    proxy.proc.send({"intercept": answer, "action": "edit", "args": ["changed", BLOB]})
    assert (await client.seen(kind="ack", id=1))["args"] == ["changed", BLOB]
    # A reply of ours replaces the client's.
    client.send({"emit": ["ask", BLOB]})
    record = await proxy.proc.seen(event="question", direction="in")
    proxy.proc.send({"kind": "ack", "id": record["id"], "args": ["ours", BLOB]})
    await server.proc.seen(answer=["ours", BLOB])
    proxy.proc.send({"intercept": record["data"]["intercept"]["id"], "action": "forward"})
    await client.seen(event="question")
    assert (await client.seen(event="answer"))["args"] == ["ours", BLOB]
    dropped = await proxy.proc.seen(kind="ack", event="question", reason=REPLIED)
    assert dropped["args"] == [BLOB]
    # Events of ours, whose answers only we get.
    proxy.proc.send({"event": "mine", "args": [BLOB], "ack": True})
    assert (await server.proc.seen(event="mine"))["args"] == [BLOB]
    own = await proxy.proc.seen(kind="ack", event="mine")
    assert own["data"]["intercept"]["state"] == "answer"
    assert (own["id"], own["args"]) == (1_000_000_000, [BLOB])
    proxy.proc.send({"event": "served", "args": [BLOB], "direction": "in", "client": record["sid"]})
    assert (await client.seen(event="served"))["args"] == [BLOB]
    # What waits at the end is forwarded.
    client.send({"emit": ["hello", "last"]})
    await proxy.proc.seen(event="hello", args=["last"])
    proxy.proc.eof()
    assert (await server.proc.seen(event="hello"))["args"] == ["last"]
    await proxy.proc.seen(event="hello", args=["last"])
    await proxy.proc.err("stdin ended: 1 packet that waited was forwarded, and packets no longer wait")
    assert "disconnect" not in client.stdout.text
    assert "1000000000" not in client.stdout.text
    # While it is written, a reader may see the first part of a line.
    proxy.proc.signal(2)
    assert await proxy.proc.end() == 130
    recorded = [json.loads(line) for line in file.read_text().splitlines()]
    hello = [each for each in recorded if each.get("event") == "hello" and each["direction"] == "out"]
    assert [each["args"] for each in hello] == [[BLOB, {"b": BLOB, "c": "π"}], ["last"]]
    assert hello[0]["data"]["intercept"]["original"]["args"] == [{"a": [BLOB, "π"]}, BLOB]
    assert (await nsroom("decode", str(file))).code == 0


REPLIED = "dropped: the user acknowledged the event before"


@pytest.mark.parametrize("name", ["polling", "websocket"])
async def test_a_signal_forwards_what_waits(
    name: str, spawn: Spawner, node_server: StartServer, node_script: Spawner
) -> None:
    server = await node_server("server4.js")
    proxy = await intercepting(spawn, server)
    client = await node_script("client4.js", proxy.url, *transport(name))
    await client.seen(kind="connect")
    client.send({"emit": ["hello", 1]})
    await waiting(proxy.proc, event="hello")
    proxy.proc.signal(2)
    assert await proxy.proc.end() == 130
    assert "the proxy ends: 1 packet that waited was forwarded" in proxy.proc.stderr.text
    assert (await server.proc.seen(event="hello"))["args"] == [1]


async def test_a_server_in_python(spawn: Spawner, python_server: StartServer) -> None:
    proxy = await intercepting(spawn, await python_server())
    caller = await spawn("call", "say", "hello", "-u", proxy.url, "--transport", "polling")
    answer = await waiting(proxy.proc, kind="ack", event="say")
    proxy.proc.send({"intercept": answer, "action": "edit", "args": ["changed"]})
    assert await caller.line() == '"changed"'


async def test_old_and_msgpack_clients(
    spawn: Spawner, node_server: StartServer, node_script: Spawner
) -> None:
    server = await node_server("server4.js", "--msgpack")
    proxy = await intercepting(spawn, server)
    client = await node_script("client4.js", proxy.url, "--msgpack")
    await client.seen(kind="connect")
    client.send({"emit": ["hello", BLOB]})
    edit = {"intercept": await waiting(proxy.proc, event="hello"), "action": "edit", "args": [BLOB, 2]}
    proxy.proc.send(edit)
    assert (await server.proc.seen(event="hello"))["args"] == [BLOB, 2]
    for way in ("polling", "websocket"):
        old = await node_server("server2.js")
        proxy = await intercepting(spawn, old)
        client = await spawn("connect", proxy.url, "--stdin", "--protocol", "3", "--transport", way)
        await proxy.proc.seen(kind="connect", direction="in")
        client.send(["hello", BLOB])
        edit["intercept"] = await waiting(proxy.proc, event="hello")
        proxy.proc.send(edit)
        assert (await proxy.proc.seen(event="echo", direction="in"))["args"] == [BLOB, 2]
