"""The reference server with nsroom itself and with Node's socket.io-client 4."""

import json
from typing import Any

import pytest

from tests.conftest import StartServer
from tests.peers.program import Program, Server, Spawner

BLOB = {"$binary": "AAECgP8="}


async def test_three_terminals(spawn: Spawner, server: Server) -> None:
    env = {"NSROOM_URL": server.url}
    watcher = await spawn("connect", "/my-namespace", env=env)
    assert (await watcher.seen(event="hi"))["args"] == ["everyone!"]
    ann = await spawn("join", "lobby", "--as", "ann", "--stdin", env=env)
    await ann.seen(event="hi")
    bob = await spawn("join", "lobby", "--as", "bob", "--stdin", env=env)
    await bob.err("joined lobby")
    bob.send("good morning")
    for member in (ann, bob):
        [message] = (await member.seen(event="message"))["args"]
        assert (message["room"], message["nick"], message["text"]) == ("lobby", "bob", "good morning")
    other = await spawn("connect", "/my-namespace", env=env)
    await other.seen(event="hi")
    await watcher.seen(event="hi")
    await server.proc.stderr.wait_for_match(r"(?s)(someone connected.*){4}", 10)
    bob.signal(15)
    assert await bob.end() == 143
    await ann.seen(event="leave-room")


async def _joined(client: Program, namespace: str = "/") -> None:
    await client.seen(kind="connect", namespace=namespace)
    client.send({"emit": ["join", "lobby"], "namespace": namespace, "ack": 1})
    [answer] = (await client.seen(kind="ack", id=1))["args"]
    assert (answer["ok"], answer["room"]) == (True, "lobby")


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_node_clients_and_nsroom_in_one_room(
    transport: str, spawn: Spawner, server: Server, node_script: Spawner
) -> None:
    ann = await node_script("client4.js", server.url, "--transport", transport)
    bob = await node_script("client4.js", server.url, "--transport", transport)
    await _joined(ann)
    await _joined(bob)
    nsroom = await spawn("join", "lobby", "-u", server.url, "--transport", transport, "--json", "--stdin")
    await nsroom.err("joined lobby")
    everyone = (ann, bob, nsroom)

    ann.send({"emit": ["message", {"room": "lobby", "text": "from node", "mood": "good"}], "ack": 2})
    assert (await ann.seen(kind="event", event="message"))["args"][0]["mood"] == "good"
    assert (await ann.seen(kind="ack", id=2))["args"][0]["ok"] is True
    for member in (bob, nsroom):
        assert (await member.seen(event="message"))["args"][0]["text"] == "from node"

    nsroom.send("from nsroom")
    for member in everyone:
        assert (await member.seen(event="message"))["args"][0]["text"] == "from nsroom"

    bob.send({"emit": ["emit", {"event": "blob", "args": [BLOB, "x"], "to": "lobby"}], "ack": 3})
    for member in everyone:
        assert (await member.seen(event="blob"))["args"] == [BLOB, "x"]
    nsroom.send(["emit", {"event": "blob", "args": [{"in": [BLOB]}], "to": "lobby"}])
    for member in everyone:
        assert (await member.seen(event="blob"))["args"] == [{"in": [BLOB]}]


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_node_client_in_three_namespaces(transport: str, server: Server, node_script: Spawner) -> None:
    namespaces = [part for name in ("/chat", "/nowhere", "/lab") for part in ("--namespace", name)]
    client = await node_script("client4.js", server.url, "--transport", transport, *namespaces)
    answers: dict[str, Any] = {}
    while len(answers) < 3:
        record = await client.record()
        if record["kind"] in ("connect", "connect_error"):
            answers[record["namespace"]] = record
    assert answers["/nowhere"]["message"] == "Invalid namespace"
    client.send({"emit": ["message", {"room": "lobby", "text": "x"}], "namespace": "/chat", "ack": 1})
    assert (await client.seen(kind="ack", id=1))["args"][0]["error"] == "not_a_member"
    client.send({"emit": ["echo", BLOB, 2], "namespace": "/lab", "ack": 2})
    assert (await client.seen(kind="ack", id=2))["args"] == [BLOB, 2]
    client.send({"emit": ["no-such-event"], "namespace": "/chat", "ack": 3})
    assert (await client.seen(kind="ack", id=3))["args"][0]["error"] == "unknown_event"


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_node_client_as_administrator(transport: str, serve: StartServer, node_script: Spawner) -> None:
    server = await serve("--admin", "ann:secret", "--admin-write")
    line = ("client4.js", server.url, "--transport", transport)
    member = await node_script(*line)
    await _joined(member)

    async def administrator(auth: dict[str, str]) -> Program:
        return await node_script(*line, "--namespace", "/admin", "--auth", json.dumps(auth))

    admin = await administrator({"username": "ann", "password": "secret"})
    [session] = (await admin.seen(event="session"))["args"]
    again = await administrator({"sessionId": session})
    for each in (admin, again):
        [sockets] = (await each.seen(event="all_sockets"))["args"]
        [shown] = [socket for socket in sockets if socket["nsp"] == "/"]
        assert shown["rooms"] == [shown["id"], "lobby"]
    again.send({"emit": ["leave", "/", "lobby", shown["id"]]})
    assert (await admin.seen(event="room_left"))["args"][:3] == ["/", "lobby", shown["id"]]
    again.send({"emit": ["_disconnect", "/", False, shown["id"]]})
    assert (await member.seen(kind="disconnect"))["reason"] == "io server disconnect"
    assert (await admin.seen(event="socket_disconnected"))["args"][:2] == ["/", shown["id"]]
    other = await node_script(*line)
    await _joined(other)
    sid = (await admin.seen(event="socket_connected"))["args"][0]["id"]
    again.send({"emit": ["_disconnect", "/", True, sid]})
    assert (await other.seen(kind="disconnect"))["reason"] == "io server disconnect"
    with pytest.raises(TimeoutError):
        await other.seen(kind="connect", timeout=2)
    refused = await administrator({"username": "ann", "password": "guess"})
    assert (await refused.seen(kind="connect_error"))["message"] == "invalid credentials"
