"""Uninstrumented servers of Node, two of them on one Valkey, as `--via redis://` sees them."""

import asyncio
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from tests.conftest import StartServer
from tests.peers.program import Program, Result, Runner, Server, Spawner
from tests.peers.valkey_server import Valkey, valkey


@dataclass(frozen=True, slots=True)
class Cluster:
    """Two servers, a member on each, and the Redis between them."""

    redis: Valkey
    servers: list[Server]
    members: list[Program]

    async def truth(self) -> list[dict[str, Any]]:
        """Ask the first server for all sockets, as `fetchSockets()` gives them."""
        server = self.servers[0].proc
        server.send("{}")
        while "truth" not in (record := await server.record()):
            pass
        found: list[dict[str, Any]] = record["truth"]
        return found


@pytest.fixture(params=["classic", "specific", "sharded", "streams"])
def adapter(request: pytest.FixtureRequest) -> str:
    """The adapter of the servers."""
    name: str = request.param
    return name


@pytest.fixture
async def cluster(
    adapter: str, tmp_path: Path, node_server: StartServer, node_script: Spawner
) -> AsyncIterator[Cluster]:
    """Two servers with an adapter, and a member of `lobby` on each."""
    folder = tmp_path / "valkey"
    folder.mkdir()
    async with valkey(folder) as redis:
        servers = [
            await node_server("redis4.js", "--redis", redis.url, "--adapter", adapter) for _ in range(2)
        ]
        members = [await join(node_script, server, "lobby") for server in servers]
        yield Cluster(redis, servers, members)


async def join(node_script: Spawner, server: Server, room: str) -> Program:
    """Start a client in a room."""
    proc = await node_script("client4.js", server.url, "--namespace", "/chat")
    proc.send({"emit": ["enter", room], "ack": 1})
    await proc.seen(kind="ack", id=1)
    return proc


async def until_seen(tail: Program, member: Program, command: str | dict[str, Any], **fields: Any) -> None:
    """Send a command again and again until `tail` shows the event of it: it may have just started."""

    async def send() -> None:
        while True:
            member.send(command)
            await asyncio.sleep(0.2)

    sending = asyncio.create_task(send())
    await tail.seen(timeout=20, **fields)
    sending.cancel()


async def test_rooms_and_sockets_are_the_servers_own(nsroom: Runner, cluster: Cluster, adapter: str) -> None:
    truth = await cluster.truth()
    assert [each["local"] for each in truth] == [True, False]
    listed = await nsroom("sockets", "--via", cluster.redis.url, "--json")
    rows = [(each["namespace"], each["sid"], each["address"]) for each in listed.records()]
    assert rows == sorted((each["namespace"], each["sid"], each["address"]) for each in truth)
    assert "headers" not in listed.stdout
    servers = {each.get("server") for each in listed.records()}
    assert len(servers - {None}) == (2 if adapter in ("sharded", "streams") else 0)
    rooms = await nsroom("rooms", env={"NSROOM_VIA": cluster.redis.url})
    assert rooms.lines[1].split()[:3] == ["/chat", "lobby", "2"]
    assert set(rooms.lines[1].replace(",", "").split()[3:]) == {each["sid"] for each in truth}
    assert (rooms.code, rooms.stderr) == (0, "")


async def test_a_server_that_does_not_answer_is_named(
    nsroom: Runner, spawn: Spawner, cluster: Cluster
) -> None:
    via = ("--via", cluster.redis.url, "--timeout", "1")
    known = {each["sid"]: each["local"] for each in await cluster.truth()}
    watching = await spawn("sockets", *via, "--json", "--watch")
    assert {(await watching.record())["sid"] for _ in known} == set(known)
    cluster.servers[1].proc.signal(signal.SIGSTOP)
    rooms = await nsroom("rooms", *via, "--json")
    missing = "nsroom: 1 of 2 servers did not answer within 1 s: the list lacks its sockets\n"
    assert (rooms.code, rooms.stderr) == (5, missing)
    (lobby,) = rooms.records()
    assert [known[each["sid"]] for each in lobby["members"]] == [True]
    (silent,) = (sid for sid, is_local in known.items() if not is_local)
    kick = await nsroom("kick", silent, *via, "--write", "--yes")
    assert (kick.code, kick.stderr) == (5, missing)
    await watching.err(missing)
    cluster.servers[1].proc.signal(signal.SIGCONT)
    await watching.err("nsroom: all servers answer again\n")
    # It was silent, not disconnected.
    assert "gone" not in watching.stdout.text


async def test_tail_and_actions(nsroom: Runner, spawn: Spawner, cluster: Cluster, adapter: str) -> None:
    via = ("--via", cluster.redis.url)
    first, second = cluster.members
    one = (await cluster.truth())[0]["sid"]
    tail = await spawn("tail", *via, "--json", "--all")
    await tail.err("nsroom: not shown: what clients emit, and what a server emits with socket.emit()")
    await until_seen(tail, second, {"emit": ["tell", "lobby", "knock"]}, event="echo", args=["knock"])

    second.send({"emit": ["tell", "lobby", "hi"]})
    told = await tail.seen(event="echo", args=["hi"])
    assert told["data"] == {"rooms": ["lobby"]}

    emitted = await nsroom("emit", "news", "x", "--to", "lobby", "-n", "/chat", *via, "--write")
    assert (emitted.code, emitted.stderr) == (0, "")
    for member in cluster.members:
        assert (await member.seen(event="news"))["args"] == ["x"]
    if adapter != "sharded":  # there, nsroom publishes where only the servers listen
        assert (await tail.seen(event="news"))["data"] == {"rooms": ["lobby"]}

    joined = await spawn(
        "join", "ops", "-u", cluster.servers[0].url, "-n", "/chat", *via, "--write", "--json"
    )
    await joined.err(f"nsroom: joined ops in /chat by {cluster.redis.url}, which confirms it\n")
    await tail.seen(event="join-room", direction="local")
    second.send({"emit": ["tell", "ops", "only-you"]})
    assert (await joined.seen(event="echo"))["args"] == ["only-you"]

    kick = await nsroom("kick", one, *via, "--write", "--yes")
    assert (kick.code, kick.stderr) == (0, f"nsroom: disconnected {one} from /chat\n")
    await first.seen(kind="disconnect")
    await tail.seen(kind="disconnect", sid=one)


async def test_seeing_writes_nothing(nsroom: Runner, cluster: Cluster) -> None:
    async with Redis.from_url(cluster.redis.url) as redis:
        before = await snapshot(redis)
        for command in (["rooms"], ["sockets"], ["tail", "--for", "2"]):
            assert (await nsroom(*command, "--via", cluster.redis.url, "--json")).code == 0
        assert await snapshot(redis) == before


async def snapshot(redis: Redis) -> list[object]:
    """Return what is in the database, with the groups of each stream."""
    keys = sorted(await redis.keys())
    return [(key, await redis.dump(key), await redis.xinfo_groups(key)) for key in keys]


async def test_python_socketio_lists_nothing_but_tells_and_acts(
    nsroom: Runner, spawn: Spawner, node_script: Spawner, python_server: StartServer, tmp_path: Path
) -> None:
    folder = tmp_path / "valkey"
    folder.mkdir()
    async with valkey(folder) as redis:
        one, two = [await python_server("--redis", redis.url) for _ in range(2)]
        member = await node_script("client4.js", one.url, "--namespace", "/chat")
        sid = (await member.seen(kind="connect"))["sid"]
        other = await node_script("client4.js", two.url, "--namespace", "/chat")
        await other.seen(kind="connect")
        via = ("--via", redis.url)

        listed = await nsroom("rooms", *via)
        assert listed.code == 4
        assert "python-socketio's Redis manager cannot list rooms or sockets" in listed.stderr

        tail = await spawn("tail", *via, "--json")
        joined = await spawn("join", "lobby", "-u", one.url, "-n", "/chat", *via, "--write", "--json")
        await joined.err(f"asked {redis.url} to join us to lobby; through python-socketio's Redis manager it")
        message = {"room": "lobby", "text": "hi"}
        await until_seen(tail, other, {"emit": ["message", message]}, event="message")
        await joined.seen(event="message", args=[message])

        emitted = await nsroom("emit", "news", "x", "-n", "/chat", *via, "--write")
        assert emitted.code == 0
        for each in (member, other, tail):
            assert (await each.seen(event="news"))["args"] == ["x"]

        by_room = await nsroom("kick", "--room", "lobby", "-n", "/chat", *via, "--write")
        assert (by_room.code, by_room.stderr) == (
            4,
            "nsroom: python-socketio's Redis manager acts on one socket by its sid, not on a room: lobby\n",
        )
        kicked = await nsroom("kick", sid, "-n", "/chat", *via, "--write")
        assert (kicked.code, kicked.stderr) == (
            0,
            f"nsroom: asked to disconnect {sid}; through python-socketio's Redis manager the server does not"
            " report the result\n",
        )
        await member.seen(kind="disconnect")


async def test_our_own_cluster(nsroom: Runner, spawn: Spawner, serve: StartServer, tmp_path: Path) -> None:
    folder = tmp_path / "valkey"
    folder.mkdir()
    async with valkey(folder) as redis:
        servers = [await serve("--redis", redis.url) for _ in range(2)]
        via = ("--via", redis.url)
        members = []
        for server, nick in zip(servers, ("ann", "bob"), strict=True):
            member = await spawn(
                "join", "lobby", "--as", nick, "-u", server.url, "-n", "/chat", "--json", "--stdin"
            )
            await member.err("joined lobby", timeout=20)
            members.append(member)

        told = await nsroom("rooms", "--via", "events", "-u", servers[0].url, "-n", "/chat", "--json")
        rooms = await nsroom("rooms", *via, "--json")
        assert [rows_of(each) for each in (rooms, told)] == [rows_of(told)] * 2
        sockets = (await nsroom("sockets", *via, "--json")).records()
        assert sorted(each["data"]["nick"] for each in sockets) == ["ann", "bob"]
        assert len({each["server"] for each in sockets}) == 2

        tail = await spawn("tail", *via, "--json", "--where", "event=message")
        await until_seen(tail, members[0], "hello", event="message", data={"rooms": ["lobby"]})

        kick = await nsroom("kick", sockets[0]["sid"], *via, "--write")
        read_only = f"nsroom: {redis.url} is read-only: it does not support DISCONNECT\n"
        assert (kick.code, kick.stderr) == (4, read_only)


def rows_of(result: Result) -> list[tuple[str, str, set[str]]]:
    """Return the rooms with their members."""
    return [
        (each["namespace"], each["room"], {member["sid"] for member in each["members"]})
        for each in result.records()
    ]


@pytest.mark.parametrize("command", [["kick", "x"], ["emit", "x"], ["join", "x"]])
async def test_nothing_is_changed_without_write(nsroom: Runner, command: list[str]) -> None:
    result = await nsroom(*command, "--via", "redis://127.0.0.1:1")
    assert result.code == 2
    assert "add --write to allow it" in result.stderr
