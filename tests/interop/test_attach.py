"""A stock Node process through its inspector, as a user sees it: every command, and the end in every way."""

import asyncio
import signal
from collections.abc import Awaitable, Callable

import pytest

from tests.cli.introspection.attach.peers import ports, truth, wait_for_ports
from tests.conftest import StartServer
from tests.peers.program import Program, Result, Runner, Server, Spawner

Member = Callable[..., Awaitable[Program]]


@pytest.fixture
async def server(node_server: StartServer) -> Server:
    """A stock server; its inspector will not use the default port, which tests would share."""
    return await node_server("--inspect-port=0", "stock.cjs")


@pytest.fixture
def member(spawn: Spawner) -> Member:
    """Start a member of rooms: `await member(server, "lobby")`."""

    async def begin(server: Server, *rooms: str) -> Program:
        proc = await spawn("connect", "-u", server.url, "--all", "--json", "--stdin")
        await proc.seen(kind="connect", direction="in")
        for room in rooms:
            proc.send(["enter", room])
        return proc

    return begin


def attaching(server: Server, result: Result) -> bool:
    """Return whether the user was told."""
    return f"nsroom: attaching to node (pid {server.proc.pid}): its inspector is open on" in result.stderr


async def members(server: Server, room: str) -> list[str]:
    """Return the sids of a room's members, as the server knows them."""
    return [each["sid"] for each in (await truth(server))["truth"] if room in each["rooms"]]


async def test_rooms_and_sockets_in_a_pipe(nsroom: Runner, server: Server, member: Member) -> None:
    await member(server, "lobby", "ops")
    while not (known := await members(server, "ops")):
        pass
    rooms = await nsroom("rooms", "-u", server.url, "--via", "attach", "--json")
    assert attaching(server, rooms)
    assert [(each["room"], each["members"]) for each in rooms.records()] == [
        ("lobby", [{"sid": known[0]}]),
        ("ops", [{"sid": known[0]}]),
    ]
    sockets = await nsroom("sockets", "--via", f"attach:{server.proc.pid}", "--json")
    assert [each["sid"] for each in sockets.records()] == known, sockets


async def test_auto_attaches_only_where_a_person_sees_it(
    nsroom: Runner, spawn: Spawner, server: Server, member: Member
) -> None:
    await member(server, "lobby")
    while not await members(server, "lobby"):
        pass
    listening = ports(server)
    piped = await nsroom("rooms", "-u", server.url)
    assert (piped.code, attaching(server, piped)) == (5, False)
    assert "--via attach" in piped.stderr
    assert "Debugger" not in server.proc.stderr.text
    terminal = await spawn("rooms", "-u", server.url, tty=True, cols=200)
    assert await terminal.end() == 0
    assert f"attaching to node (pid {server.proc.pid})" in terminal.stdout.text
    assert "(from attach)" in terminal.stdout.text
    assert ports(server) == listening


async def test_actions_need_write(nsroom: Runner, server: Server, member: Member) -> None:
    ann = await member(server, "lobby")
    while not (known := await members(server, "lobby")):
        pass
    via = ("-u", server.url, "--via", "attach")
    for line in (("kick", known[0]), ("emit", "news", "--to", "lobby"), ("join", "ops")):
        assert (await nsroom(*line, *via)).code == 2
    assert "Debugger" not in server.proc.stderr.text
    emitted = await nsroom("emit", "news", '{"n":1}', "--to", "lobby", *via, "--write")
    assert (emitted.code, attaching(server, emitted)) == (0, True)
    assert (await ann.seen(event="news"))["args"] == [{"n": 1}]
    kicked = await nsroom("kick", "--room", "lobby", *via, "--write", "--yes")
    assert (kicked.code, f"nsroom: disconnected {known[0]} from /\n" in kicked.stderr) == (0, True)
    assert await members(server, "lobby") == []


async def test_join_is_confirmed(spawn: Spawner, nsroom: Runner, server: Server) -> None:
    via = ("-u", server.url, "--via", "attach", "--write")
    ann = await spawn("join", "ops", *via, "--json", "--all")
    await ann.err("joined ops in / by attach, which confirms it")
    assert (await nsroom("emit", "news", "--to", "ops", *via)).code == 0
    await ann.seen(event="news")


async def test_several_at_once(nsroom: Runner, server: Server, member: Member) -> None:
    await member(server, "lobby")
    while not await members(server, "lobby"):
        pass
    listening = ports(server)
    line = ("rooms", "-u", server.url, "--via", "attach", "--json")
    for _ in range(3):
        results = await asyncio.gather(*(nsroom(*line) for _ in range(4)))
        assert [(each.code, len(each.records())) for each in results] == [(0, 1)] * 4, results
    await wait_for_ports(server, listening)


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
async def test_tail_leaves_nothing_behind(
    end: signal.Signals, spawn: Spawner, server: Server, member: Member
) -> None:
    ann = await member(server, "lobby")
    while not await members(server, "lobby"):
        pass
    before, listening = await truth(server), ports(server)
    tail = await spawn("tail", "-u", server.url, "--via", "attach", "--json", "--all")
    await tail.err("attaching to node")
    async with asyncio.timeout(20):
        while "echo" not in tail.stdout.text:
            ann.send(["shout", {"a": 1}])
            await asyncio.sleep(0.1)
    echo = await tail.seen(event="echo")
    assert (echo["direction"], echo["args"]) == ("in", [{"a": 1}])
    tail.signal(end)
    assert await tail.end() == 128 + end
    await wait_for_ports(server, listening)
    assert await truth(server) == before
