"""Instrumented servers, Node's and Python's: what nsroom says of them is what they themselves know."""

import asyncio
import shlex
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import NSROOM, StartServer
from tests.peers.program import Program, Result, Runner, Server, Spawner, start_on_terminal

ADMIN = {"NSROOM_ADMIN": "admin:s3cret"}
NOT_INSTRUMENTED = "the server is not instrumented, or has another admin namespace (--admin-namespace)"
ACTIONS = [("kick", "x"), ("emit", "x", "--via", "admin"), ("join", "x", "--via", "admin")]
Start = Callable[..., Awaitable[Server]]
Member = Callable[..., Awaitable[Program]]


@pytest.fixture(params=["node", "node-recovery", "python"])
def start(request: pytest.FixtureRequest, node_server: StartServer, python_script: StartServer) -> Start:
    """Start an instrumented server."""
    if request.param == "python":
        return lambda *args: python_script("instrumented.py", *args)
    recovery = ["--recovery"] if request.param == "node-recovery" else []
    return lambda *args: node_server("admin4.js", *recovery, *args)


@pytest.fixture
async def server(start: Start) -> Server:
    """An instrumented server that wants a password."""
    return await start("--auth")


@pytest.fixture
def env(environment: dict[str, str]) -> dict[str, str]:
    """The environment of someone who knows the password."""
    environment.update(ADMIN)
    return environment


@pytest.fixture
def member(spawn: Spawner) -> Member:
    """Start a member of rooms: `await member(server, "lobby", "ops")`."""

    async def begin(server: Server, *rooms: str, namespace: str = "/chat", **options: str) -> Program:
        extra = [word for key, value in options.items() for word in (f"--{key}", value)]
        watching = ("-n", namespace, "-u", server.url, "--all", "--json", "--stdin", *extra)
        asking = ("join", *rooms, "--join-event", "enter") if rooms else ("connect",)
        proc = await spawn(*asking, *watching)
        await proc.seen(kind="connect", direction="in")
        for _ in rooms:
            await proc.seen(kind="ack", event="enter")
        return proc

    return begin


async def truth(server: Server) -> list[dict[str, Any]]:
    """Ask the server for its sockets, behind nsroom's back."""
    server.proc.send("{}")
    while "truth" not in (record := await server.proc.record()):
        pass
    return sorted(
        ({**each, "rooms": sorted(each["rooms"])} for each in record["truth"]),
        key=lambda each: (each["namespace"], each["sid"]),
    )


def only(rows: list[dict[str, Any]], *keys: str) -> list[dict[str, Any]]:
    return [{key: row[key] for key in keys} for row in rows]


def rooms_in(sockets: list[dict[str, Any]]) -> dict[tuple[str, str], set[str]]:
    """Give the rooms with their members, without each socket's own."""
    found: dict[tuple[str, str], set[str]] = {}
    for socket in sockets:
        for room in set(socket["rooms"]) - {socket["sid"]}:
            found.setdefault((socket["namespace"], room), set()).add(socket["sid"])
    return found


@pytest.mark.usefixtures("env")
async def test_rooms_and_sockets_are_the_server_s_own(nsroom: Runner, server: Server, member: Member) -> None:
    await member(server, "lobby", "ops")
    await member(server, "lobby", transport="polling")
    await member(server, "lobby", namespace="/")
    known = await truth(server)

    sockets = await nsroom("sockets", "-u", server.url, "--json", "--all", "-n", "/", "-n", "/chat")
    assert sockets.code == 0
    assert only(sockets.records(), "namespace", "sid", "transport", "rooms") == known

    result = await nsroom("rooms", "-u", server.url, "--json")
    assert (result.code, result.stderr) == (0, "nsroom: (from /admin)\n")
    listed = {
        (room["namespace"], room["room"]): {each["sid"] for each in room["members"]}
        for room in result.records()
    }
    assert listed == rooms_in(known)
    assert [len(room["members"]) == room["count"] for room in result.records()] == [True] * 3


@pytest.mark.usefixtures("env")
async def test_tables_for_people(nsroom: Runner, server: Server, member: Member) -> None:
    await member(server, "lobby")
    [socket] = await truth(server)
    rooms = await nsroom("rooms", "lobby", "-u", server.url, "--via", "admin")
    assert (rooms.code, rooms.stderr) == (0, "")
    assert rooms.lines[1].split() == ["/chat", "lobby", "1", socket["sid"]]
    sockets = await nsroom("sockets", "-u", server.url)
    assert sockets.lines[0].split() == ["namespace", "sid", "transport", "address", "connected", "rooms"]
    assert sockets.lines[1].split()[:4] == ["/chat", socket["sid"], "websocket", "127.0.0.1"]
    assert await nsroom("rooms", "-n", "/", "-u", server.url, "--via", "admin") == Result(
        0, "", "nsroom: no rooms: no client has joined one\n"
    )


@pytest.mark.usefixtures("env")
async def test_watching_follows(spawn: Spawner, server: Server, member: Member) -> None:
    watcher = await spawn("rooms", "-u", server.url, "--via", "admin", "--watch", "--json")
    await watcher.err("connected to")
    # python-socketio lists its sockets 0.1 s later, but only if there are none.
    await asyncio.sleep(0.5)
    ann = await member(server, "lobby")
    [socket] = await truth(server)
    room = await watcher.record()
    assert (room["room"], room["members"]) == ("lobby", [{"sid": socket["sid"]}])
    ann.send(["exit", "lobby"])
    assert await watcher.record() == {"namespace": "/chat", "room": "lobby", "gone": True}
    ann.send(["enter", "lobby"])
    assert (await watcher.record())["count"] == 1
    ann.signal(signal.SIGINT)
    assert (await watcher.record())["gone"]
    watcher.signal(signal.SIGINT)
    assert await watcher.end() == 130


@pytest.mark.usefixtures("env")
async def test_tail_shows_every_event_of_every_socket(
    spawn: Spawner, server: Server, member: Member, tmp_path: Path
) -> None:
    file = tmp_path / "traffic.ndjson"
    tail = await spawn("tail", "-u", server.url, "-n", "/chat", "-C", "5", "--json", "--save", str(file))
    await tail.err("connected to")
    ann = await member(server)
    [socket] = await truth(server)
    ann.send(["say", "hi", 7])
    ann.send(["shout", "x", "goodbye"])
    ann.send(["bare"])
    ann.send(["shout", {"a": None}])
    records = [await tail.record() for _ in range(5)]
    seen = [(each["direction"], each["event"], each["args"]) for each in records]
    assert seen[:1] == [("out", "say", ["hi", 7])]
    assert sorted(seen[1:], key=str) == sorted(
        [
            ("out", "shout", ["x", "goodbye"]),
            ("in", "echo", ["x", "goodbye"]),
            ("out", "bare", []),
            ("out", "shout", [{"a": None}]),
        ],
        key=str,
    )
    assert {(each["kind"], each["namespace"], each["sid"]) for each in records} == {
        ("event", "/chat", socket["sid"])
    }
    assert await tail.end() == 0
    assert '"kind":"connect"' in file.read_text()
    assert "s3cret" not in file.read_text()


async def test_tail_shows_binary_data(spawn: Spawner, node_server: StartServer, member: Member) -> None:
    """Of Node: python-socketio cannot tell of it, and drops the event when it tries."""
    server = await node_server("admin4.js", "--recovery")
    tail = await spawn("tail", "-u", server.url, "-C", "2", "--json")
    await tail.err("connected to")
    ann = await member(server)
    ann.send(["shout", {"$binary": "AAECgP8="}])
    assert [(await tail.record())["args"] for _ in range(2)] == [[{"$binary": "AAECgP8="}]] * 2


@pytest.mark.usefixtures("env")
async def test_tail_shows_who_comes_and_goes(spawn: Spawner, server: Server, member: Member) -> None:
    tail = await spawn("tail", "-u", server.url, "--all", "--json", "--where", "ns=/chat")
    await tail.err("connected to")
    ann = await member(server, "lobby")
    connect = await tail.record()
    assert (connect["kind"], connect["data"]) == (
        "connect",
        {"transport": "websocket", "address": "127.0.0.1"},
    )
    joined = await tail.seen(event="join-room")
    assert (joined["direction"], joined["args"]) == ("local", [{"room": "lobby", "sid": connect["sid"]}])
    ann.signal(signal.SIGINT)
    assert (await tail.seen(kind="disconnect"))["sid"] == connect["sid"]


@pytest.mark.usefixtures("env")
async def test_kick_a_socket(nsroom: Runner, server: Server, member: Member) -> None:
    ann, ben = await member(server), await member(server)
    [first, second] = await truth(server)
    result = await nsroom("kick", first["sid"], "-u", server.url, "--write")
    assert result == Result(0, "", f"nsroom: disconnected {first['sid']} from /chat\n")
    assert only(await truth(server), "sid") == [{"sid": second["sid"]}]
    assert 6 in [program.pid and await _code(program) for program in (ann, ben)]


async def _code(program: Program) -> int | None:
    try:
        return await program.end(1)
    except AssertionError:
        return None


@pytest.mark.usefixtures("env")
async def test_kick_a_room(nsroom: Runner, server: Server, member: Member) -> None:
    members = [await member(server, "lobby") for _ in range(3)]
    await member(server, "ops")
    result = await nsroom("kick", "--room", "lobby", "-u", server.url, "--write")
    assert (result.code, result.stderr.count("nsroom: disconnected ")) == (0, 3)
    assert [await each.end() for each in members] == [6, 6, 6]
    assert set(rooms_in(await truth(server))) == {("/chat", "ops")}


@pytest.mark.usefixtures("env")
async def test_emit_to_rooms(nsroom: Runner, server: Server, member: Member) -> None:
    inside, outside = await member(server, "lobby", "ops"), await member(server)
    line = ("emit", "-n", "/chat", "-u", server.url, "--via", "admin", "--write")
    assert await nsroom(*line, "news", "hello", "7", "--to", "lobby", "--to", "ops") == Result(0, "", "")
    assert await nsroom(*line, "-", stdin=b'["end",1]\n["end",{"a":2}]\n') == Result(0, "", "")
    assert (await inside.seen(kind="event"))["args"] == ["hello", 7]
    for program in (inside, outside):
        assert (await program.seen(kind="event"))["args"] == [1]
        assert (await program.seen(kind="event"))["args"] == [{"a": 2}]


@pytest.mark.usefixtures("env")
async def test_join_by_the_admin_namespace(spawn: Spawner, server: Server) -> None:
    client = await spawn("join", "lobby", "-n", "/chat", "-u", server.url, "--via", "admin", "--write")
    await client.err("nsroom: joined lobby in /chat by /admin, which confirms it")
    [socket] = await truth(server)
    assert socket["rooms"] == sorted([socket["sid"], "lobby"])


async def test_it_is_joined_again_after_a_lost_connection(spawn: Spawner, node_server: StartServer) -> None:
    server = await node_server("admin4.js")
    line = ("join", "lobby", "-n", "/chat", "-u", server.url, "--via", "admin", "--write", "--stdin")
    client = await spawn(*line)
    await client.err("by /admin, which confirms it")
    [before] = await truth(server)
    client.send(["cut"])
    await client.err("connected again")
    async with asyncio.timeout(10):
        while not rooms_in(await truth(server)):
            pass
    [after] = await truth(server)
    assert after["rooms"] == sorted([after["sid"], "lobby"])
    assert after["sid"] != before["sid"]


async def test_a_list_on_a_terminal_is_painted_in_its_place(
    spawn: Spawner, node_server: StartServer, member: Member
) -> None:
    server = await node_server("admin4.js")
    watcher = await spawn("sockets", "--watch", "-u", server.url, tty=True, cols=120)
    await watcher.stdout.wait_for("no sockets: no client is connected", 10)
    await member(server)
    [socket] = await truth(server)
    shown = await watcher.stdout.wait_for(socket["sid"], 10)
    assert shown.count("\x1b[2J") == 1
    watcher.signal(signal.SIGINT)
    assert await watcher.end() == 130


@pytest.mark.usefixtures("env")
async def test_tail_reads_like_a_log(spawn: Spawner, server: Server, member: Member) -> None:
    tail = await spawn("tail", "-u", server.url, "-C", "1", "--plain")
    await tail.err("connected to")
    ann = await member(server)
    [socket] = await truth(server)
    ann.send(["say", "hi", 7])
    assert (await tail.line()).split()[1:] == ["→", "/chat", socket["sid"], "say", '"hi",', "7"]


@pytest.mark.usefixtures("env")
@pytest.mark.parametrize(
    ("event", "word"),
    [
        ("enter", "/admin confirms that the application joined us to lobby in /chat"),
        ("unknown", "joined lobby in /chat by /admin, which confirms it"),
    ],
)
async def test_join_by_whatever_works(spawn: Spawner, server: Server, event: str, word: str) -> None:
    client = await spawn("join", "lobby", "-n", "/chat", "-u", server.url, "--join-event", event, "--write")
    await client.err(word)
    assert set(rooms_in(await truth(server))) == {("/chat", "lobby")}


@pytest.mark.usefixtures("env")
@pytest.mark.parametrize(
    "line",
    [("kick", "x"), ("emit", "x", "--via", "admin"), ("join", "x", "--via", "admin")],
    ids=lambda line: line[0],
)
async def test_nothing_is_changed_without_write(
    nsroom: Runner, server: Server, line: tuple[str, ...]
) -> None:
    result = await nsroom(*line, "-u", server.url)
    assert (result.code, result.stdout) == (2, "")
    assert "changes the server; add --write to allow it" in result.stderr


@pytest.mark.parametrize(
    "line",
    [("kick", "x"), ("emit", "x", "--via", "admin"), ("join", "x", "--via", "admin")],
    ids=lambda line: line[0],
)
async def test_a_read_only_server_refuses(nsroom: Runner, start: Start, line: tuple[str, ...]) -> None:
    server = await start("--readonly")
    result = await nsroom(*line, "-u", server.url, "--write")
    assert (result.code, result.stdout) == (4, "")
    assert "/admin is read-only: it does not support" in result.stderr


@pytest.mark.parametrize("command", ["rooms", "sockets", "tail"])
async def test_production_mode_only_counts(
    nsroom: Runner, start: Start, member: Member, command: str
) -> None:
    server = await start("--mode", "production")
    await member(server)
    result = await nsroom(command, "-u", server.url, *(["--via", "admin"] if command == "rooms" else []))
    assert (result.code, result.stdout) == (4, "")
    assert "production mode and reports only the number of sockets: " in result.stderr
    assert "/chat 1;" in result.stderr


@pytest.mark.parametrize(
    ("credentials", "code", "word"),
    [
        ((), 4, "use --admin-auth USER:PASSWORD"),
        (("--admin-auth", "admin:wr0ng"), 4, "use --admin-auth USER:PASSWORD"),
        (("--admin-auth", "admin"), 2, "no terminal to ask for the password"),
        (("--admin-auth", "admin:s3cret"), 0, "no sockets"),
        (("-a", "username=admin", "-a", "password=s3cret"), 0, "no sockets"),
        (("-a", "username=admin"), 4, "use --admin-auth USER:PASSWORD"),
    ],
)
async def test_credentials(
    nsroom: Runner, server: Server, credentials: tuple[str, ...], code: int, word: str
) -> None:
    result = await nsroom("sockets", "-u", server.url, *credentials)
    assert (result.code, result.stdout) == (code, "")
    assert word in result.stderr
    assert "wr0ng" not in result.stderr
    assert await truth(server) == []  # it lives: a name without a password would have ended Node


@pytest.mark.parametrize("session", ["known", "unknown"])
async def test_a_session_stands_for_the_password(
    nsroom: Runner, node_server: StartServer, session: str
) -> None:
    server = await node_server("admin4.js", "--auth")
    result = await nsroom("sockets", "-u", server.url, "--admin-session", session)
    assert result.code == (0 if session == "known" else 4)


@pytest.mark.usefixtures("env")
async def test_python_s_list_goes_astray_when_another_admin_was_there_first(
    nsroom: Runner, spawn: Spawner, python_script: StartServer, member: Member
) -> None:
    server = await python_script("instrumented.py", "--auth", "--ping", "1")
    first = await spawn("sockets", "--watch", "-u", server.url, "--json")
    await first.err("connected to")
    await member(server, "lobby")  # the namespace comes after /admin, and so does its socket
    result = await nsroom("sockets", "-u", server.url, "--json", "--all", "-n", "/chat")
    assert "no list of sockets arrived: collecting them from the heartbeats for 2 s" in result.stderr
    assert only(result.records(), "namespace", "sid", "transport", "rooms") == await truth(server)


async def test_python_in_production_mode_offers_what_it_does_not_do(
    nsroom: Runner, python_script: StartServer
) -> None:
    server = await python_script("instrumented.py", "--mode", "production")
    result = await nsroom("kick", "x", "-n", "/chat", "-u", server.url, "--write", "--timeout", "0.5")
    assert result.code == 5
    assert "/admin lists DISCONNECT, but does not answer it" in result.stderr


async def test_node_in_production_mode_does_not_tell(
    nsroom: Runner, node_server: StartServer, member: Member
) -> None:
    server = await node_server("admin4.js", "--mode", "production")
    ann = await member(server, "lobby")
    kick = ("kick", "--room", "lobby", "-u", server.url, "--write")
    assert "name the namespace with -n" in (await nsroom(*kick)).stderr
    result = await nsroom(*kick, "-n", "/chat")
    assert (result.code, result.stdout) == (0, "")
    assert "in production mode the server does not report" in result.stderr
    assert await ann.end() == 6


@pytest.mark.parametrize("command", ["sockets", "tail", "rooms"])
async def test_a_server_that_is_not_instrumented(
    nsroom: Runner, node_server: StartServer, command: str
) -> None:
    other = await node_server("server4.js")
    result = await nsroom(command, "-u", other.url, *(["--via", "admin"] if command == "rooms" else []))
    refused, node, python, attach, proxy = result.stderr.splitlines()
    assert (result.code, result.stdout) == (4, "")
    assert refused == f"nsroom: /admin is refused: Invalid namespace: {NOT_INSTRUMENTED}"
    assert (".instrument(io, " in node, "sio.instrument(" in python) == (True, True)
    assert attach.startswith("  --via attach ")
    assert proxy.startswith(f"  nsroom proxy {other.url} ")


@pytest.fixture
async def ask(environment: dict[str, str], tmp_path: Path, server: Server) -> Any:
    """Start nsroom on a terminal, where it may ask."""
    programs: list[Program] = []

    async def start_asking(*args: str) -> Program:
        command = (*NSROOM, *args, "-u", server.url)
        programs.append(await start_on_terminal(command, environment, tmp_path, cols=160))
        return programs[-1]

    yield start_asking
    for program in programs:
        await program.kill()


async def test_the_password_is_asked_for_and_not_shown(ask: Any, server: Server, member: Member) -> None:
    await member(server, "lobby")
    [socket] = await truth(server)
    program = await ask("sockets")
    await program.stdout.wait_for("Admin user: ", 10)
    program.type("admin\n")
    await program.stdout.wait_for("Password: ", 10)
    program.type("s3cret\n")
    shown = await program.stdout.wait_for(socket["sid"], 10)
    assert await program.end() == 0
    assert "s3cret" not in shown


@pytest.mark.usefixtures("env")
async def test_who_thinks_better_of_the_password_gets_the_echo_back(
    environment: dict[str, str], tmp_path: Path
) -> None:
    command = shlex.join((*NSROOM, "sockets", "--admin-auth", "admin"))
    script = f"trap : INT; {command}; echo code $?; stty -a"
    program = await start_on_terminal(("/bin/sh", "-c", script), environment, tmp_path)
    await program.stdout.wait_for("Password for admin: ", 10)
    program.type("\x03")
    await program.stdout.wait_for("code 130", 10)
    assert await program.end() == 0
    assert " echo " in program.stdout.text


@pytest.mark.usefixtures("env")
@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 1)])
async def test_a_person_is_asked_before_anyone_is_kicked(
    ask: Any, server: Server, member: Member, answer: str, code: int
) -> None:
    await member(server, "lobby")
    program = await ask("kick", "--room", "lobby", "--write")
    await program.stdout.wait_for("Disconnect lobby (1 socket) from /chat? [y/N]", 10)
    program.type(f"{answer}\n")
    assert await program.end() == code
    assert len(await truth(server)) == code


@pytest.mark.usefixtures("env")
async def test_a_number_and_the_same_text_are_two_rooms(
    nsroom: Runner, spawn: Spawner, node_server: StartServer, member: Member
) -> None:
    server = await node_server("admin4.js", "--auth")
    text = await member(server, "42")
    entering = ("join", "42", "--join-event", "enter", "--join-args", "[42]", "-n", "/chat")
    number = await spawn(*entering, "-u", server.url, "--all", "--json")
    await number.seen(kind="ack", event="enter")
    listed = await nsroom("rooms", "-u", server.url, "--via", "admin", "--json")
    assert [row["room"] for row in listed.records()] == [42, "42"]
    emit = ("emit", "-n", "/chat", "-u", server.url, "--via", "admin", "--write", "news")
    assert await nsroom(*emit, "1", "--to", "42") == Result(0, "", "")
    assert await nsroom(*emit, "2", "--to", '"42"') == Result(0, "", "")
    assert (await number.seen(kind="event", direction="in"))["args"] == [1]
    assert (await text.seen(kind="event", direction="in"))["args"] == [2]
    kicked = await nsroom("kick", "--room", "42", "-u", server.url, "--write", "--yes")
    assert (kicked.code, kicked.stderr.count("disconnected ")) == (0, 1)
    await number.seen(kind="disconnect")
    listed = await nsroom("rooms", "-u", server.url, "--via", "admin", "--json")
    assert "42" in [row["room"] for row in listed.records()]
