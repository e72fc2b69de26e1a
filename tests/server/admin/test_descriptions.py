"""Sockets and the server as the Admin UI expects them: nothing secret, and counts since the last look."""

import json

from nsroom_server.admin.descriptions import Statistics, describe, portraits
from nsroom_server.socketio.application import Client
from tests.server.member import Connect, Serve


async def test_a_socket_is_described_without_its_secrets(serve: Serve, connect: Connect) -> None:
    running = await serve()
    assert running.server
    ann = await connect(running, "/chat")
    await ann.call("join", "lobby")
    client = Client("/chat", ann.client.get_sid("/chat"))
    described = describe(running.server, client)
    assert described == portraits(running.server)[0]
    session = next(iter(running.server.engine.sessions))
    assert described["rooms"] == [client.sid, "lobby"]
    assert described["clientId"] == session[:12]
    assert session not in json.dumps(described)
    assert described["handshake"]["query"]["EIO"] == "4"


async def test_a_socket_that_disconnected_is_not_described(serve: Serve) -> None:
    running = await serve()
    assert running.server
    assert describe(running.server, Client("/chat", "nobody")) is None
    assert portraits(running.server) == []


async def test_statistics_count_since_the_last_look(serve: Serve, connect: Connect) -> None:
    running = await serve()
    assert running.server
    statistics = Statistics(running.server)
    ann = await connect(running, "/chat")
    await ann.call("rooms")
    first = statistics.now()
    assert (first["clientsCount"], first["pollingClientsCount"]) == (1, 0)
    assert first["namespaces"] == [{"name": "/chat", "socketsCount": 1}]
    assert {"rawConnection", "packetsIn", "bytesIn"} <= {each["type"] for each in first["aggregatedEvents"]}
    assert statistics.now()["aggregatedEvents"] == []
