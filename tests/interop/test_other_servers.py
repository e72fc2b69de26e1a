"""nsroom with plain servers on Node's socket.io 4 and on python-socketio, over both transports."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import StartServer
from tests.peers.program import Runner, Server, Spawner

BLOB = {"$binary": "AAECgP8="}


@pytest.fixture(params=["node", "python"])
def start_other(
    request: pytest.FixtureRequest, node_server: StartServer, python_server: StartServer
) -> Callable[[], Awaitable[Server]]:
    """Start a server that is not ours; all of them know the same events."""
    return (lambda: node_server("server4.js")) if request.param == "node" else python_server


@pytest.fixture
async def other(start_other: Callable[[], Awaitable[Server]]) -> Server:
    """A server that is not ours."""
    return await start_other()


@pytest.fixture(params=["websocket", "polling"])
def transport(request: pytest.FixtureRequest) -> list[str]:
    """The option that asks for one transport."""
    return ["--transport", request.param]


async def test_emit_delivers_json(nsroom: Runner, other: Server, transport: list[str]) -> None:
    result = await nsroom("emit", "-u", other.url, *transport, "say", "hi", '{"a":[1,null]}', "42")
    assert (result.code, result.stdout, result.stderr.count("error")) == (0, "", 0)
    assert (await other.proc.seen(event="say"))["args"] == ["hi", {"a": [1, None]}, 42]


async def test_emit_delivers_a_file_as_binary(
    nsroom: Runner, other: Server, transport: list[str], tmp_path: Path
) -> None:
    (tmp_path / "blob").write_bytes(b"\x00\x01\x02\x80\xff")
    result = await nsroom("emit", "-u", other.url, *transport, "say", "@blob", "after")
    assert result.code == 0
    assert (await other.proc.seen(event="say"))["args"] == [BLOB, "after"]


async def test_call_prints_the_acknowledgement(nsroom: Runner, other: Server, transport: list[str]) -> None:
    call = ("call", "-u", other.url, *transport, "anything")
    assert (await nsroom(*call, '{"a":"\u00fc"}')).stdout == '{"a": "\\u00fc"}\n'
    result = await nsroom(*call, "1", "two", "--json")
    assert result.code == 0
    [record] = result.records()
    assert (record["kind"], record["direction"], record["args"]) == ("ack", "in", [1, "two"])
    assert record["rtt_ms"] > 0


async def test_call_tells_a_refusal_from_an_answer(nsroom: Runner, other: Server) -> None:
    result = await nsroom("call", "-u", other.url, "fail")
    assert result.code == 7
    assert "it does not want to" in result.stderr


async def test_client_answers_the_server(spawn: Spawner, other: Server, transport: list[str]) -> None:
    client = await spawn("connect", "-u", other.url, *transport, "--json", "--stdin")
    client.send(["ask", "why", BLOB])
    question = await client.seen(event="question")
    assert question["args"] == ["why", BLOB]
    client.send({"kind": "ack", "namespace": "/", "id": question["id"], "args": ["because", BLOB]})
    assert (await client.seen(event="answer"))["args"] == ["because", BLOB]
    client.eof()


async def test_a_rule_answers_the_server(nsroom: Runner, other: Server, transport: list[str]) -> None:
    """The server asks while the client is connecting to it, and again for every event `ask`."""
    line = (*transport, "--stdin", "--reply", "question=because", "--where", "event=answer", "-C", "2")
    result = await nsroom("connect", other.url, *line, stdin=b'["ask",1]\n["ask",2]\n')
    assert (result.code, [each["args"] for each in result.records()]) == (0, [["because"], ["because"]])


async def test_three_namespaces_on_one_connection(
    spawn: Spawner, other: Server, transport: list[str]
) -> None:
    namespaces = ("-n", "/chat", "-n", "/secret", "-n", "/my-namespace")
    client = await spawn("connect", "-u", other.url, *transport, *namespaces, "--all", "--json", "--stdin")
    answers: dict[str, Any] = {}
    while len(answers) < 3:
        record = await client.record()
        if record["direction"] == "in" and record["kind"] in ("connect", "connect_error"):
            answers[record["namespace"]] = record
    assert answers["/secret"]["kind"] == "connect_error"
    assert answers["/secret"]["data"] == {"message": "no", "data": {"code": 1}}
    assert answers["/chat"]["sid"] != answers["/my-namespace"]["sid"]
    for namespace in ("/my-namespace", "/chat"):
        client.send({"kind": "event", "namespace": namespace, "event": "say", "args": [namespace]})
        assert (await client.seen(event="echo", namespace=namespace))["args"] == [namespace]


async def test_a_refused_namespace_alone_is_code_4(nsroom: Runner, other: Server) -> None:
    result = await nsroom("connect", f"{other.url}/secret", "--json")
    assert result.code == 4
    assert result.stderr.startswith("nsroom: ")
    assert "/secret" in result.stderr
    assert "no" in result.stderr


async def test_join_asks_with_another_convention(spawn: Spawner, nsroom: Runner, other: Server) -> None:
    member = await spawn(
        *("join", "lobby", "-u", other.url, "--join-event", "join", "--join-args", '[{"room":"{room}"}]'),
        "--json",
    )
    assert (await other.proc.seen(event="join"))["args"] == [{"room": "lobby"}]
    sent = await nsroom("call", "-u", other.url, "message", '{"room":"lobby","text":"hello"}')
    assert sent.code == 0
    assert (await member.seen(event="message"))["args"] == [{"room": "lobby", "text": "hello"}]


async def test_auto_takes_websocket_and_falls_back_to_polling(
    nsroom: Runner, node_server: StartServer
) -> None:
    both, polling = await node_server("server4.js"), await node_server("server4.js", "--transport", "polling")
    for server, transport in ((both, "websocket"), (polling, "polling")):
        assert (await nsroom("emit", "-u", server.url, "say")).code == 0
        assert (await server.proc.seen(event="say"))["transport"] == transport


@pytest.mark.parametrize("recovers", [False, True], ids=["plain", "recovery"])
async def test_reconnects_and_says_so(spawn: Spawner, node_server: StartServer, recovers: bool) -> None:
    server = await node_server("server4.js", *(["--recovery"] if recovers else []))
    client = await spawn("connect", server.url, "--all", "--json", "--stdin")
    client.send(["say", 1])
    before = await server.proc.seen(kind="connect")
    await client.seen(event="echo", args=[1])
    client.send(["cut"])
    after = await server.proc.seen(kind="connect")
    assert (after["sid"] == before["sid"], after["recovered"]) == (recovers, recovers)
    if recovers:
        assert (await client.seen(event="news"))["args"] == ["missed"]
    gap = await client.seen(kind="gap")
    assert gap["data"]["recovered"] == (["/"] if recovers else [])
    client.send(["say", 2])
    await client.seen(event="echo", args=[2])
