"""Joins, leaves and nicks, seen from all servers."""

import asyncio

from tests.peers.valkey_server import Valkey
from tests.server.cluster.lobby import Servers, join_lobby, presence_events
from tests.server.member import Connect


async def test_all_servers_report_a_change_once(servers: Servers, connect: Connect, transport: str) -> None:
    first, second, third = await servers(3)
    ann, bob, eve = [await connect(running, transport=transport) for running in (first, second, third)]
    await ann.call("join", {"room": "lobby", "nick": "ann"})
    answer = await bob.call("join", "lobby")
    assert answer["members"] == [{"sid": ann.sid, "nick": "ann"}, {"sid": bob.sid, "nick": None}]
    await bob.call("nick", "bob")
    assert (await bob.call("who", "lobby"))["members"][1] == {"sid": bob.sid, "nick": "bob"}
    await ann.call("leave", "lobby")
    bob_sid = bob.sid
    await bob.client.disconnect()
    created, deleted = ("create-room", ann.sid, 1), ("delete-room", bob_sid, 0)
    assert await presence_events(eve, 2) == [created, deleted]
    assert await presence_events(ann, 4) == [
        created,
        ("join-room", ann.sid, 1),
        ("join-room", bob_sid, 2),
        deleted,
    ]
    assert [event for event, _ in await eve.settled() if event != "hi"] == []
    assert (await eve.call("rooms"))["rooms"] == []


async def test_simultaneous_joins_create_a_room_once(servers: Servers, connect: Connect) -> None:
    running = await servers(3)
    watcher = await connect(running[0])
    members = [await connect(running[number % 3]) for number in range(9)]
    await asyncio.gather(*(member.call("join", "lobby") for member in members))
    await asyncio.gather(*(member.call("leave", "lobby") for member in members))
    first, last = await presence_events(watcher, 2)
    assert (first[0], first[2], last[0], last[2]) == ("create-room", 1, "delete-room", 0)


async def test_a_sid_of_another_server_is_refused_as_a_room(servers: Servers, connect: Connect) -> None:
    first, second = await servers(2)
    ann, bob = await connect(first), await connect(second)
    assert (await ann.call("join", bob.sid))["error"] == "bad_room"


async def test_a_disconnect_during_an_outage_is_reported_after_it(
    bus: Valkey, servers: Servers, connect: Connect
) -> None:
    ann, bob = await join_lobby(connect, await servers(2))
    bob_sid = bob.sid
    await bus.kill()
    await bob.client.disconnect()
    assert (await ann.call("who", "lobby"))["count"] == 2
    await bus.start()
    while (event := await presence_events(ann, 1)) != [("leave-room", bob_sid, 1)]:
        assert event[0][0] == "join-room"
    assert (await ann.call("who", "lobby"))["count"] == 1
