"""nsroom with Socket.IO 2, and with socket.io-msgpack-parser on both generations, over both transports."""

from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.conftest import StartServer
from tests.peers.program import Program, Runner, Spawner

BLOB = {"$binary": "AAECgP8="}
NAMESPACES = ("-n", "/", "-n", "/chat", "-n", "/secret")


class Kind(NamedTuple):
    """How a server is started, the options that it asks for, and what it is found to be."""

    script: tuple[str, ...]
    options: tuple[str, ...]
    found: str


KINDS = {
    "2": Kind(("server2.js",), ("--protocol", "3"), "Socket.IO 2 (Engine.IO 3)"),
    "2-msgpack": Kind(
        ("server2.js", "--msgpack"),
        ("--protocol", "3", "--parser", "msgpack"),
        "Socket.IO 2 (Engine.IO 3) in msgpack",
    ),
    "4-msgpack": Kind(("server4.js", "--msgpack"), ("--parser", "msgpack"), "msgpack"),
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each kind of server in turn."""
    return KINDS[request.param]


@pytest.fixture(params=["websocket", "polling"])
def transport(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """The option that asks for one transport."""
    return ("--transport", request.param)


async def connected(client: Program, count: int) -> dict[str, Any]:
    """Take the server's word on so many namespaces."""
    answers: dict[str, Any] = {}
    while len(answers) < count:
        record = await client.record()
        if record["direction"] == "in" and record["kind"] in ("connect", "connect_error"):
            answers[record["namespace"]] = record
    return answers


@pytest.mark.parametrize("name", [*KINDS, "4-eio3"])
async def test_a_session(
    name: str, transport: tuple[str, ...], spawn: Spawner, node_server: StartServer
) -> None:
    """Namespaces, a refusal, events, binary data both ways, acknowledgements both ways."""
    eio3 = Kind(("server4.js", "--eio3"), ("--protocol", "3"), "")
    script, options, _ = KINDS.get(name, eio3)
    server = await node_server(*script)
    watching = ("--all", "--raw", "--json", "--stdin")
    client = await spawn("connect", "-u", server.url, *NAMESPACES, *transport, *options, *watching)
    answers = await connected(client, 3)
    # What `allowEIO3` tells of a refusal is the error's own data, without its text.
    told = {"2": "no", "4": {"message": "no", "data": {"code": 1}}, "4-eio3": {"code": 1}}
    refusal = answers["/secret"]
    assert (refusal["kind"], refusal["data"]) == ("connect_error", told[name.removesuffix("-msgpack")])
    sids = {(await server.proc.seen(kind="connect"))["sid"] for _ in range(2)}
    assert {answers["/"]["sid"], answers["/chat"]["sid"]} == sids
    for namespace in ("/chat", "/"):
        client.send(
            {"kind": "event", "namespace": namespace, "event": "say", "args": [namespace, "é😀", BLOB]}
        )
        echo = await client.seen(event="echo", namespace=namespace)
        assert echo["args"] == [namespace, "é😀", BLOB]
        assert echo["frames"]
    client.send({"kind": "event", "namespace": "/", "event": "ask", "args": ["why", BLOB]})
    question = await client.seen(event="question")
    assert question["args"] == ["why", BLOB]
    client.send({"kind": "ack", "namespace": "/", "id": question["id"], "args": ["because", BLOB]})
    assert (await client.seen(event="answer"))["args"] == ["because", BLOB]
    client.eof()


async def test_call_and_join(kind: Kind, nsroom: Runner, node_server: StartServer, tmp_path: Path) -> None:
    server = await node_server(*kind.script)
    (tmp_path / "blob").write_bytes(b"\x00\x01\x02\x80\xff")
    result = await nsroom(
        "call", "-u", server.url, "-n", "/chat", *kind.options, "x", "é😀", "@blob", "--json"
    )
    assert (result.code, "speaks" in result.stderr) == (0, False)
    [record] = result.records()
    assert (record["kind"], record["args"]) == ("ack", ["é😀", BLOB])
    asked = (
        "--join-event",
        "join",
        "--join-args",
        '["{room}"]',
        "-C",
        "1",
        "--where",
        "event=echo",
        "--stdin",
    )
    line = b'{"kind":"event","namespace":"/","event":"say","args":["hello"]}\n'
    result = await nsroom("join", "lobby", "-u", server.url, *kind.options, *asked, stdin=line)
    assert result.code == 0, result.stderr
    await server.proc.seen(event="join", args=["lobby"])


async def test_auto_says_what_it_found(
    kind: Kind, transport: tuple[str, ...], nsroom: Runner, node_server: StartServer
) -> None:
    server = await node_server(*kind.script)
    result = await nsroom("emit", "-u", server.url, *transport, "say", "hello")
    assert result.code == 0
    options = " ".join(kind.options)
    assert result.stderr.splitlines()[0] == (
        f"nsroom: the server speaks {kind.found}; {options} skips the detection"
    )
    assert (await server.proc.seen(event="say"))["args"] == ["hello"]


async def test_auto_costs_nothing_on_the_usual_server(nsroom: Runner, node_server: StartServer) -> None:
    server = await node_server("server4.js")
    result = await nsroom("emit", "-u", server.url, "say", "hello")
    assert (result.code, "speaks" in result.stderr) == (0, False)
    assert (await server.proc.record())["kind"] == "connect"
    assert (await server.proc.record())["event"] == "say"


async def test_events_while_finding_out_are_not_shown_twice(nsroom: Runner, node_server: StartServer) -> None:
    server = await node_server("server2.js")
    result = await nsroom("connect", server.url, "--json", "-C", "2", "--stdin", stdin=b'["say"]\n')
    assert [record["event"] for record in result.records()] == ["hi", "echo"]


async def test_comes_back_after_a_cut(kind: Kind, spawn: Spawner, node_server: StartServer) -> None:
    server = await node_server(*kind.script)
    client = await spawn("connect", server.url, "--all", "--json", "--stdin")
    await connected(client, 1)
    client.send(["say", 1])
    await client.seen(event="echo", args=[1])
    client.send(["cut"])
    gap = await client.seen(kind="gap")
    assert gap["data"]["recovered"] == []
    client.send(["say", 2])
    await client.seen(event="echo", args=[2])


async def test_comes_back_after_a_restart(spawn: Spawner, node_server: StartServer) -> None:
    server = await node_server("server2.js")
    client = await spawn("connect", f"{server.url}/chat", "--all", "--json", "--stdin")
    await connected(client, 2)
    await server.proc.kill()
    await client.seen(kind="reconnect")
    again = await node_server("server2.js", "--port", server.url.rpartition(":")[2])
    await client.seen(kind="gap")
    client.send({"kind": "event", "namespace": "/chat", "event": "say", "args": [BLOB]})
    assert (await again.proc.seen(event="say"))["args"] == [BLOB]


async def test_the_client_keeps_socket_io_2_alive(
    transport: tuple[str, ...], spawn: Spawner, node_server: StartServer
) -> None:
    server = await node_server("server2.js", "--ping-interval", "150")
    client = await spawn("connect", server.url, *transport, "--protocol", "3", "--all", "--json", "--stdin")
    for _ in range(4):
        await server.proc.seen(kind="ping")
        pong = await client.seen(kind="pong")
        assert pong["direction"] == "in"
    client.send(["say", 1])
    await client.seen(event="echo", args=[1])


async def test_the_query_of_a_namespace(nsroom: Runner, node_server: StartServer) -> None:
    server = await node_server("server2.js")
    options = ("--protocol", "3", "--query", "token=x y", "-a", "token=z")
    result = await nsroom("call", "-u", server.url, "-n", "/chat", *options, "say")
    assert result.code == 0
    assert "nsroom: Socket.IO 2 has no auth payload, so --auth is not sent" in result.stderr
    assert (await server.proc.seen(namespace="/chat", kind="connect"))["query"]["token"] == "x y"


@pytest.mark.parametrize("namespace", ["/", "/chat"])
async def test_without_the_root_socket_io_2_lets_nobody_in(
    namespace: str, nsroom: Runner, node_server: StartServer
) -> None:
    server = await node_server("server2.js", "--refuse-root")
    result = await nsroom("connect", f"{server.url}{namespace}", "--json")
    assert result.code == 4
    assert f"{namespace} is refused: " in result.stderr


@pytest.mark.parametrize(
    ("options", "frames"),
    [
        (("--protocol", "3"), '451-["e",{"_placeholder":true,"num":0}]\nb4AAECgP8=\n'),
        (("--parser", "msgpack"), "bg6R0eXBlAqRkYXRhkqFlxAUAAQKA/6Nuc3ChLw==\n"),
    ],
)
async def test_offline_frames_are_explained(
    options: tuple[str, ...], frames: str, nsroom: Runner, tmp_path: Path
) -> None:
    (tmp_path / "blob").write_bytes(b"\x00\x01\x02\x80\xff")
    written = await nsroom("emit", "e", "@blob", "--offline", *options)
    assert written.stdout == frames
    explained = await nsroom("decode", "--plain", stdin=written.stdout.encode())
    assert explained.code == 0
    assert "5 bytes: 00 01 02 80 ff" in explained.stdout


async def test_a_recording_is_explained(kind: Kind, nsroom: Runner, node_server: StartServer) -> None:
    server = await node_server(*kind.script)
    recorded = ("connect", server.url, *kind.options, "--raw", "--save", "run.ndjson", "--json", "--stdin")
    say = b'["say",{"$binary":"AAECgP8="}]\n'
    result = await nsroom(*recorded, "--where", "event=echo", "-C", "1", stdin=say)
    assert result.code == 0, result.stderr
    explained = await nsroom("decode", "run.ndjson", "--plain")
    assert (explained.code, explained.stderr) == (0, "")
    assert explained.stdout.count("5 bytes: 00 01 02 80 ff") == 2
