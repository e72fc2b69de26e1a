"""The server that this program is named after: rooms that a client can only ask for (gist 2896891)."""

from tests.conftest import StartServer
from tests.peers.program import Spawner

HEARD = ["what is going on, party people?"]


async def test_a_member_hears_its_own_room_only(spawn: Spawner, node_server: StartServer) -> None:
    server = await node_server("gist.js")
    member = await spawn("join", "lobby", "-u", server.url, "--join-preset", "room", "--json")
    await server.proc.seen(joined="lobby")
    for _ in range(2):  # the second round comes after whatever the first has sent elsewhere
        server.proc.send({})
        assert (await member.seen(event="message"))["args"] == HEARD
    member.signal(15)
    assert await member.end() == 143
    assert "anyone in this room yet?" not in member.stdout.text


async def test_join_says_that_it_cannot_know(spawn: Spawner, node_server: StartServer) -> None:
    server = await node_server("gist.js")
    member = await spawn("join", "lobby", "-u", server.url, "--join-preset", "room", "--json")
    assert "unknown" in await member.err("asked to join lobby")
