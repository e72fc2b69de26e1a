"""`nsroom rooms`, the real program."""

import pytest

from tests.peers import bad
from tests.peers.program import Program, Result, Runner, Server, Spawner


@pytest.fixture
async def ann(spawn: Spawner, server: Server) -> Program:
    """A member of two rooms in two namespaces."""
    member = await spawn("join", "lobby", "ops", "--as", "ann", "-u", server.url, "-n", "/chat", "-n", "/lab")
    for _ in range(4):
        await member.seen(event="join-room")
    return member


def answers(ack: str) -> bad.Peer:
    """Acknowledge every event with this."""

    async def script(talk: bad.Conversation) -> None:
        await talk.welcome()
        while True:
            frame = str(await talk.receive())
            if frame.startswith("42"):
                await talk.send(f"43{frame[2 : frame.index('[')]}{ack}")

    return bad.conversation(script)


@pytest.mark.usefixtures("ann")
async def test_a_table_for_people(nsroom: Runner, server: Server) -> None:
    result = await nsroom("rooms", "-u", server.url, "-n", "/chat")
    assert (result.code, result.stderr) == (0, "nsroom: (from the server's `rooms` event)\n")
    assert [line.split() for line in result.lines] == [
        ["namespace", "room", "members"],
        ["/chat", "lobby", "1", "ann"],
        ["/chat", "ops", "1", "ann"],
    ]


@pytest.mark.usefixtures("ann")
async def test_json_for_programs(nsroom: Runner, server: Server) -> None:
    result = await nsroom("rooms", "-u", server.url, "-n", "/chat", "-n", "/lab", "--json")
    rooms = [(room["namespace"], room["room"], room["count"]) for room in result.records()]
    assert sorted(rooms) == [(ns, room, 1) for ns in ("/chat", "/lab") for room in ("lobby", "ops")]
    assert result.records()[0]["members"][0]["nick"] == "ann"


@pytest.mark.usefixtures("ann")
async def test_one_room(nsroom: Runner, server: Server) -> None:
    result = await nsroom("rooms", "ops", "-u", server.url, "-n", "/chat", "--json")
    [room] = result.records()
    assert (room["room"], room["count"]) == ("ops", 1)


async def test_no_rooms_is_an_empty_list(nsroom: Runner, server: Server) -> None:
    rooms = ("rooms", "-u", server.url, "--via", "events")
    assert await nsroom(*rooms) == Result(0, "", "nsroom: no rooms: no client has joined one\n")
    assert await nsroom(*rooms, "--json") == Result(0, "", "")


async def test_a_server_without_the_event_is_code_5(nsroom: Runner) -> None:
    async with bad.sends() as url:
        result = await nsroom("rooms", "-u", url, "--timeout", "0.3", "--via", "events")
    complaint = f"nsroom: {url} did not answer `rooms` within 0.3 s; does it handle that event?\n"
    assert result == Result(5, "", complaint)


@pytest.mark.parametrize(
    ("ack", "complaint"),
    [
        ('[{"error":"unknown_event"}]', "/: the server answered unknown_event"),
        ("[]", "/: the server's answer to `rooms` is not a list of rooms"),
        ('["lobby"]', "/: the server's answer to `rooms` is not a list of rooms"),
        ('[{"rooms":["lobby"]}]', "/: the server's answer does not describe a room with its members"),
    ],
)
async def test_another_answer_is_code_7(nsroom: Runner, ack: str, complaint: str) -> None:
    async with answers(ack) as url:
        assert await nsroom("rooms", "-u", url, "--via", "events") == Result(7, "", f"nsroom: {complaint}\n")


async def test_neither_events_nor_an_admin_namespace(nsroom: Runner) -> None:
    async with bad.sends() as url:
        result = await nsroom("rooms", "-u", url, "--timeout", "0.3")
    assert (result.code, result.stdout) == (5, "")
    assert "/admin accepted us" in result.stderr
    assert "; does it handle that event?" in result.stderr


async def test_changes_are_printed(spawn: Spawner, server: Server) -> None:
    watcher = await spawn("rooms", "-u", server.url, "-n", "/chat", "--watch", "--json")
    await watcher.err("(from the server's `rooms` event)")
    member = await spawn("join", "lobby", "--as", "ann", "-u", server.url, "-n", "/chat")
    room = await watcher.record()
    assert (room["room"], room["count"], room["members"][0]["nick"]) == ("lobby", 1, "ann")
    member.signal(2)
    assert await watcher.record() == {"namespace": "/chat", "room": "lobby", "gone": True}
    watcher.signal(2)
    assert await watcher.end() == 130
