"""The Socket.IO server: emitting to clients, disconnecting them, and refusing without an application."""

import asyncio

import aiohttp

from nsroom_server.engineio.close_reasons import PARSE_ERROR
from nsroom_server.socketio.application import Application, Client
from nsroom_server.socketio.server import Server
from tests.frames import masked
from tests.server.member import WAIT, Connect, Member, Serve
from tests.server.wire import HANDSHAKE, closing, tcp, websocket


async def joined(connect: Connect, running: object, *rooms: str) -> tuple[Member, Client]:
    member = await connect(running, "/chat")
    for room in rooms:
        await member.call("join", room)
    return member, Client("/chat", member.client.get_sid("/chat"))


async def test_an_event_reaches_rooms_namespaces_and_single_clients(serve: Serve, connect: Connect) -> None:
    running = await serve()
    server = running.server
    assert isinstance(server, Server)
    ann, ann_client = await joined(connect, running, "a")
    bob, _ = await joined(connect, running, "a", "b")
    assert server.emit("x", 1, namespace="/chat", to="a") == 2
    assert server.emit("x", 2, namespace="/chat", to=["a", "b"], skip=[ann_client.sid]) == 1
    assert server.emit("x", 3, namespace="/chat") == 2
    assert server.emit("x", 4, namespace="/chat", to=ann_client.sid) == 1
    assert server.emit("x", 5, namespace="/nope") == 0
    assert [arg for event, arg in await ann.settled() if event == "x"] == [1, 3, 4]
    assert [arg for event, arg in await bob.settled() if event == "x"] == [1, 2, 3]


async def test_a_client_that_is_disconnected_leaves_its_rooms(serve: Serve, connect: Connect) -> None:
    running = await serve()
    assert running.server
    _, client = await joined(connect, running, "a")
    assert running.server.rooms.joined(client) == {"a"}
    await running.server.disconnect(client)
    assert running.server.rooms.joined(client) == set()
    assert running.server.connection(client) is None
    assert running.server.rooms.names("/chat") == []


async def test_a_server_without_an_application_refuses_every_namespace(
    serve: Serve, connect: Connect
) -> None:
    running = await serve()
    assert running.server
    running.server.register(Application())
    stranger = await connect(running, "/chat", wait=False)
    assert await stranger.refused() == {"message": "Invalid namespace"}


async def test_what_is_sent_to_one_client_comes_after_what_was_broadcast(
    serve: Serve, http: aiohttp.ClientSession
) -> None:
    server = (running := await serve()).server
    assert server
    async with websocket(http, running) as ws:
        client = Client("/", next(iter(server.rooms.sockets("/"))))
        question = asyncio.create_task(server.ask(client, "third"))
        server.emit("first", namespace="/")
        server.emit("second", namespace="/")
        await asyncio.sleep(0)
        server.emit("fourth", namespace="/")
        await server.disconnect(client)
        received = [await ws.receive_str(timeout=WAIT) for _ in range(5)]
        question.cancel()
    assert received == ['42["first"]', '42["second"]', '421["third"]', '42["fourth"]', "41"]


async def test_what_is_broadcast_before_the_server_stops_is_sent(
    serve: Serve, http: aiohttp.ClientSession
) -> None:
    server = (running := await serve()).server
    assert server
    async with websocket(http, running) as ws:
        server.emit("last", namespace="/")
        await server.drain(1)
        assert await ws.receive_str(timeout=WAIT) == '42["last"]'
        assert await closing(ws) == aiohttp.WSCloseCode.SERVICE_RESTART


async def test_what_is_broadcast_before_a_session_ends_is_sent(
    serve: Serve, http: aiohttp.ClientSession
) -> None:
    server = (running := await serve()).server
    assert server
    async with websocket(http, running) as ws:
        server.emit("last", namespace="/")
        for session in [*server.engine.sessions.values()]:
            session.close(PARSE_ERROR)
        assert await ws.receive_str(timeout=WAIT) == '42["last"]'
        assert await closing(ws) == PARSE_ERROR.code


async def test_the_greeting_comes_before_the_answer_to_the_next_connect(serve: Serve) -> None:
    async with tcp(await serve()) as (reader, writer):
        writer.write(HANDSHAKE + masked("40/chat,") + masked("40/secret,") + masked("40/lab,"))
        read = await asyncio.wait_for(reader.readuntil(b"42/lab,"), WAIT)
    order = [read.index(each) for each in (b"40/chat,", b"42/chat,", b"44/secret,", b"40/lab,")]
    assert order == sorted(order)
