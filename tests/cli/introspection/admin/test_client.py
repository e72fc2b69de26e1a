"""A connection to the admin namespace of a real server, or of one that misbehaves."""

import asyncio
import json

import pytest

from nsroom.client.target import Target
from nsroom.errors import CredentialsError, RefusedError, WaitError
from nsroom.introspection.admin.client import Admin
from nsroom.introspection.inventory import Feature
from nsroom.record import Record
from nsroom_server.settings.config import Administrator
from tests.cli.clients import Connect, Reference
from tests.peers import bad

LOGIN = {"username": "ann", "password": "secret"}
NODE = ["EMIT", "ALL_EVENTS", "AGGREGATED_EVENTS"]
"""The features of a server that is not python-socketio, which lists AGGREGATED_EVENTS first."""


def target(url: str, **fields: str) -> Target:
    return Target(url=url, namespaces=("/admin",), auth={**LOGIN, **fields})


async def test_it_lists_the_sockets_and_follows_them(reference: Reference, connect: Connect) -> None:
    running = await reference(admin=Administrator(user="ann", password="secret", write=True))
    client = await connect(running.url, "/chat")
    async with Admin(target(running.url)) as admin:
        await admin.wait_for_sockets()
        key = ("/chat", client.namespaces["/chat"] or "")
        assert key in admin.state.sockets
        await admin.join("/chat", "lobby", key[1])
        assert await admin.read_until(lambda: "lobby" in admin.state.sockets[key].rooms, 5)
        await client.close()
        assert await admin.read_until(lambda: admin.state.is_disconnected(key), 5)


async def test_commands_while_the_batches_are_read(reference: Reference, connect: Connect) -> None:
    running = await reference(admin=Administrator(user="ann", password="secret", write=True))
    client = await connect(running.url, "/chat")
    seen: list[Record] = []

    async def follow(admin: Admin) -> None:
        async for batch in admin.batches():
            seen.extend(batch)

    async with Admin(target(running.url)) as admin:
        await admin.wait_for_sockets()
        key = ("/chat", client.namespaces["/chat"] or "")
        following = asyncio.create_task(follow(admin))
        await asyncio.sleep(0)
        await admin.join("/chat", "lobby", key[1])
        assert await admin.read_until(lambda: "lobby" in admin.state.sockets[key].rooms, 10)
        assert any(record.event == "join-room" for record in seen)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await admin.disconnect("/chat", key[1])
        assert await admin.read_until(lambda: admin.state.is_disconnected(key), 10)


async def test_a_wrong_password_is_named(reference: Reference) -> None:
    running = await reference(admin=Administrator(user="ann", password="secret"))
    with pytest.raises(CredentialsError, match="use --admin-auth USER:PASSWORD"):
        async with Admin(target(running.url, password="wrong")):
            pass


async def test_a_server_without_an_admin_namespace(reference: Reference) -> None:
    running = await reference()
    with pytest.raises(RefusedError, match="not instrumented"):
        async with Admin(target(running.url)):
            pass


async def test_a_read_only_server_supports_no_commands(reference: Reference) -> None:
    running = await reference(admin=Administrator(user="ann", password="secret"))
    async with Admin(target(running.url)) as admin:
        await admin.require_sockets()
        with pytest.raises(RefusedError, match="read-only: it does not support JOIN"):
            admin.require(Feature.JOIN)


def sent(event: str, *args: object) -> str:
    return f"42/admin,{json.dumps([event, *args])}"


async def test_a_list_that_does_not_arrive_in_time_is_not_an_empty_one() -> None:
    said: list[str] = []
    config = sent("config", {"supportedFeatures": NODE})
    async with bad.sends(config) as url, Admin(target(url), timeout=0.5, say=said.append) as admin:
        with pytest.raises(WaitError, match=r"sent no list of sockets within 0\.5 s: .* --timeout"):
            await admin.wait_for_sockets()
    assert not any("heartbeats" in line for line in said)


async def test_a_list_of_very_many_sockets_is_read() -> None:
    described = {"id": "a", "nsp": "/chat", "rooms": ["a"], "data": {"many": [0] * 1_100_000}}
    frames = (sent("config", {"supportedFeatures": NODE}), sent("all_sockets", [described]))
    async with bad.sends(*frames) as url, Admin(target(url), timeout=60) as admin:
        await admin.wait_for_sockets()
        assert ("/chat", "a") in admin.state.sockets
