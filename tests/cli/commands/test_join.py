"""`nsroom join`, the real program: its requests, its messages about the answers, and typed lines."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from tests.peers import bad
from tests.peers.program import Runner, Server, Spawner


def asks(received: list[Any], answer: str = '["{room}"]') -> bad.Peer:
    """Accept, keep what is asked, and acknowledge it; then send one event."""

    async def script(talk: bad.Conversation) -> None:
        await talk.welcome()
        while True:
            frame = str(await talk.receive())
            packet = frame[frame.index("[") :]
            received.append(json.loads(packet))
            if answer:
                await talk.send(f"43{frame[2 : -len(packet)]}{answer}")
            await talk.send('42["message","done"]')

    return bad.conversation(script)


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ((), ["join", "lobby"]),
        (("--as", "ann"), ["join", {"room": "lobby", "nick": "ann"}]),
        (("--join-preset", "room"), ["room", "lobby"]),
        (("--join-preset", "join"), ["join", "lobby"]),
        (("--join-preset", "join-object"), ["join", {"room": "lobby"}]),
        (("--join-preset", "join_room"), ["join_room", {"room": "lobby"}]),
        (("--join-preset", "join_room", "--as", "ann"), ["join_room", {"room": "lobby", "nick": "ann"}]),
        (("--join-preset", "joinRoom"), ["joinRoom", "lobby"]),
        (("--join-preset", "subscribe"), ["subscribe", "lobby"]),
        (("--join-event", "enter"), ["enter", "lobby"]),
        (("--preset", "nestjs"), ["joinRoom", "lobby"]),
        (("--preset", "feathers"), ["join", "lobby"]),
        (("--preset", "nestjs", "--join-event", "enter"), ["enter", "lobby"]),
        (("--join-args", '{"table":"t-{room}"}'), ["join", {"table": "t-lobby"}]),
        (("--join-event", "enter", "--join-args", '["{room}",7]'), ["enter", "lobby", 7]),
    ],
)
async def test_conventions(nsroom: Runner, options: Sequence[str], asked: list[Any]) -> None:
    received: list[Any] = []
    async with asks(received) as url:
        result = await nsroom("join", "lobby", "-u", url, "-C", "1", *options)
    assert (result.code, received) == (0, [asked])
    assert [record["args"] for record in result.records()] == [["done"]]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--join-preset", "knock"), "unknown preset 'knock': choose room, join, join-object"),
        (("--join-preset", "room", "--join-event", "x"), "use either --join-preset, or --join-event and"),
        (("--join-args", "{room}"), "--join-args: "),
        (("--join-preset", "nicegui"), "the preset nicegui has no event to join a room: use --join-event"),
        (("--join-preset", "room", "--as", "ann"), "this convention has no place for --as"),
    ],
)
async def test_usage(nsroom: Runner, options: Sequence[str], complaint: str) -> None:
    result = await nsroom("join", "lobby", *options)
    assert (result.code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"nsroom: {complaint}")
    assert result.stderr.count("\n") == 1


async def test_a_count_does_not_end_it_before_the_answer(nsroom: Runner, server: Server) -> None:
    result = await nsroom("join", "lobby", "-u", server.url, "-C", "1")
    assert (result.code, [record["event"] for record in result.records()]) == (0, ["hi"])
    assert result.stderr.endswith("nsroom: joined lobby (1 member)\n")


async def test_a_room_is_required(nsroom: Runner) -> None:
    result = await nsroom("join")
    assert (result.code, result.stderr) == (
        2,
        "nsroom: join needs a ROOM, for example:\n  nsroom join lobby\n",
    )


async def test_it_reports_the_number_of_members(nsroom: Runner, server: Server) -> None:
    result = await nsroom(
        "join", "lobby", "ops", "-u", server.url, "--where", "event=join-room", "-C", "2", "-W", "9"
    )
    assert result.code == 0
    rooms = [record["args"][0]["room"] for record in result.records()]
    assert rooms == ["lobby", "ops"]


async def test_refused_is_code_4(nsroom: Runner, server: Server) -> None:
    result = await nsroom("join", "x" * 129, "-u", server.url, "--where", "event=never")
    assert (result.code, result.stdout) == (4, "")
    assert "bad_room: room: must be 1 to 128 printable characters" in result.stderr.splitlines()[-1]


async def test_one_room_refused_and_one_joined(spawn: Spawner, server: Server) -> None:
    member = await spawn(
        "join", "lobby", "x" * 129, "-u", server.url, "--where", "event=message", "-C", "1", "--stdin"
    )
    await member.err("the server refused to join xxx")
    assert "nsroom: joined lobby (1 member)\n" in member.stderr.text
    member.send("hello")
    result = await member.result()
    assert result.code == 4
    assert [record["args"][0]["text"] for record in result.records()] == ["hello"]
    assert result.stderr.splitlines()[-1].startswith("nsroom: refused: xxx")


async def test_a_server_that_does_not_acknowledge(spawn: Spawner) -> None:
    async with asks([], answer="") as url:
        member = await spawn("join", "lobby", "-u", url)
        await member.seen(event="message")
        stderr = await member.err("asked to join")
        member.signal(15)
        assert await member.end() == 143
    [line] = [line for line in stderr.splitlines() if "asked to join" in line]
    assert line == ("nsroom: asked to join lobby: no acknowledgement, so the outcome is unknown")


async def test_typed_lines_are_messages_to_the_room(spawn: Spawner, server: Server) -> None:
    ann = await spawn("join", "lobby", "-u", server.url, "--as", "ann", "--plain", tty=True)
    await ann.err("joined lobby (1 member)")
    bob = await spawn(
        "join", "lobby", "-u", server.url, "--as", "bob", "--where", "event=message", "--plain", tty=True
    )
    await bob.err("joined lobby (2 members)")
    bob.type("good morning\r")
    for member in (ann, bob):
        await member.err("lobby  bob: good morning")
    ann.type('["rooms"]\r["no-such-event"]\r')
    await ann.err("nsroom: refused: unknown_event: no handler for no-such-event")


async def test_a_message_in_one_line_of_shell(shell: Runner, server: Server) -> None:
    line = "echo 'it is green' | nsroom join ci --stdin --where event=message -C 1"
    result = await shell(line, env={"NSROOM_URL": server.url})
    assert result.code == 0
    [message] = result.records()
    assert message["args"][0]["text"] == "it is green"


async def test_every_namespace_is_asked(nsroom: Runner, server: Server) -> None:
    where = ("--where", "event=join-room", "-C", "2")
    result = await nsroom("join", "lobby", "-u", server.url, "-n", "/chat", "-n", "/lab", *where)
    assert {record["namespace"] for record in result.records()} == {"/chat", "/lab"}


async def test_rooms_are_joined_again_after_a_reconnection(nsroom: Runner) -> None:
    received: list[Any] = []

    async def script(talk: bad.Conversation) -> None:
        await talk.welcome()
        frame = str(await talk.receive())
        received.append(frame)
        await talk.send(f'43{frame[2 : frame.index("[")]}[{{"ok":true}}]')
        await talk.send('42["message","hi"]')
        await talk.reset()

    async with bad.conversation(script) as url:
        result = await nsroom("join", "lobby", "-u", url, "-C", "2")
    assert (result.code, received) == (0, ['420["join","lobby"]', '421["join","lobby"]'])
