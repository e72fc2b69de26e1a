"""The admin namespace, as the Admin UI and `nsroom --via admin` use it."""

import asyncio
import json
import socket
import threading
from urllib.parse import urlsplit

import aiohttp
import pytest

from nsroom_server.admin import commands
from nsroom_server.settings.config import Administrator
from tests.frames import masked
from tests.server.member import WAIT, Connect, Json, Member, Serve
from tests.server.wire import HANDSHAKE, poll

READER = Administrator(user="ann", password="secret")
WRITER = Administrator(user="ann", password="secret", write=True)
LOGIN = {"username": "ann", "password": "secret"}


async def told(admin: Member, wanted: str) -> tuple[Json, ...]:
    """Give the arguments of the next event of that name."""
    while True:
        _, event, args = await asyncio.wait_for(admin.events.get(), WAIT)
        if event == wanted:
            return args


@pytest.mark.parametrize(
    "auth",
    [
        None,
        {},
        {"username": "ann"},
        {"username": "ann", "password": "wrong"},
        {"username": "bob", "password": "secret"},
        {"username": "ann", "password": ["secret"]},
        {"sessionId": "guess"},
        {"sessionId": None},
        {"token": "secret"},
    ],
)
async def test_who_is_no_administrator_is_refused(serve: Serve, connect: Connect, auth: Json) -> None:
    stranger = await connect(await serve(admin=READER), "/admin", auth=auth, wait=False)
    assert await stranger.refused() == {"message": "invalid credentials"}


async def test_there_is_no_admin_namespace_unless_asked_for(serve: Serve, connect: Connect) -> None:
    stranger = await connect(await serve(), "/admin", auth=LOGIN, wait=False)
    assert await stranger.refused() == {"message": "Invalid namespace"}


async def test_a_session_stands_for_the_password(serve: Serve, connect: Connect) -> None:
    running = await serve(admin=READER)
    admin = await connect(running, "/admin", auth=LOGIN)
    session = await admin.next("session")
    again = await connect(running, "/admin", auth={"sessionId": session})
    assert await again.next("config") == {"supportedFeatures": ["ALL_EVENTS", "AGGREGATED_EVENTS"]}


async def test_what_an_administrator_is_told_first(serve: Serve, connect: Connect, transport: str) -> None:
    running = await serve(admin=READER, token="t")
    ann = await connect(running, "/chat", transport=transport, auth={"token": "t"})
    await ann.call("join", "lobby")
    admin = await connect(running, "/admin", transport=transport, auth=LOGIN)
    stats = await admin.next("server_stats")
    assert (stats["clientsCount"], stats["pollingClientsCount"]) == (2, 0 if transport == "websocket" else 2)
    assert {"name": "/chat", "socketsCount": 1} in stats["namespaces"]
    sockets = {each["nsp"]: each for each in await admin.next("all_sockets")}
    assert sorted(sockets) == ["/admin", "/chat"]
    shown = sockets["/chat"]
    assert (shown["id"], shown["transport"]) == (ann.sid, transport)
    assert shown["rooms"] == [ann.sid, "lobby"]
    assert len(shown["clientId"]) == 12
    handshake = shown["handshake"]
    assert handshake["address"] == "127.0.0.1"
    assert handshake["time"].endswith("Z")
    assert set(handshake["headers"]) <= {"user-agent", "host", "origin", "accept-language"}
    assert set(handshake["query"]) <= {"EIO", "transport"}


async def test_everything_is_told_as_it_happens(serve: Serve, connect: Connect) -> None:
    running = await serve(admin=READER)
    admin = await connect(running, "/admin", auth=LOGIN)
    ann = await connect(running, "/lab", auth=None)
    (socket, _at) = await told(admin, "socket_connected")
    while socket["nsp"] != "/lab":
        (socket, _at) = await told(admin, "socket_connected")
    assert (socket["id"], socket["rooms"]) == (ann.sid, [ann.sid])
    assert (await told(admin, "event_sent"))[:3] == ("/lab", ann.sid, ["hi", "everyone!"])
    await ann.call("join", "den")
    assert (await told(admin, "event_received"))[:3] == ("/lab", ann.sid, ["join", "den"])
    assert (await told(admin, "room_joined"))[:3] == ("/lab", "den", ann.sid)
    await ann.call("leave", "den")
    assert (await told(admin, "room_left"))[:3] == ("/lab", "den", ann.sid)
    await ann.emit("echo", b"\x01", {"deep": [b"\x02"]})
    assert (await told(admin, "event_received"))[2] == ["echo", b"\x01", {"deep": [b"\x02"]}]
    await ann.call("join", "den")
    await ann.client.disconnect()
    assert (await told(admin, "room_left"))[:3] == ("/lab", "den", socket["id"])
    namespace, sid, reason, at = await told(admin, "socket_disconnected")
    assert (namespace, sid) == ("/lab", socket["id"])
    assert isinstance(reason, str)
    assert at.endswith("Z")
    assert (await told(admin, "server_stats"))[0]["aggregatedEvents"]


async def test_an_upgrade_is_told(serve: Serve, connect: Connect, http: aiohttp.ClientSession) -> None:
    running = await serve(admin=READER)
    admin = await connect(running, "/admin", auth=LOGIN)
    session = await poll(http, running)
    async with http.ws_connect(session.url.replace("transport=polling", "transport=websocket")) as ws:
        await ws.send_str("2probe")
        assert await ws.receive_str() == "3probe"
        await ws.send_str("5")
        (changed,) = await told(admin, "socket_updated")
    assert (changed["nsp"], changed["transport"]) == ("/", "websocket")


def test_the_password_is_not_shown() -> None:
    assert "secret" not in repr(READER)


async def test_the_answer_does_not_wait_until_all_sockets_are_described(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, answered = await serve(admin=READER), threading.Event()
    in_time: list[bool] = []

    def connect() -> None:
        where = urlsplit(running.url)
        with socket.create_connection((where.hostname, where.port), WAIT) as wire:
            wire.sendall(HANDSHAKE + masked(f"40/admin,{json.dumps(LOGIN)}"))
            data = b""
            while b"40/admin," not in data or b'"config"' not in data:
                data += wire.recv(4096)
        answered.set()

    def describe(_server: object) -> list[Json]:
        # It holds up the event loop, as describing 100,000 sockets does.
        in_time.append(answered.wait(WAIT / 2))
        return []

    monkeypatch.setattr(commands, "portraits", describe)
    await asyncio.to_thread(connect)
    assert in_time == [True]
