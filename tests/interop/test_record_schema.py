"""Recordings of every kind of source match the JSON Schema of records."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import nsroom
from nsroom.record import FIELDS, Direction, Kind
from tests.conftest import StartServer
from tests.peers.program import Runner, Server, Spawner

SCHEMA = json.loads((Path(nsroom.__file__).parent / "record.schema.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)


def checked(lines: list[str]) -> list[dict[str, Any]]:
    """Return the records of these lines; each must match the schema."""
    records = [json.loads(line) for line in lines]
    assert records
    for record in records:
        VALIDATOR.validate(record)
    return records


def test_the_schema_names_what_a_record_has() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    properties = SCHEMA["properties"]
    assert list(properties) == list(FIELDS)
    assert properties["kind"]["enum"] == list(Kind)
    assert properties["direction"]["enum"] == list(Direction)


@pytest.mark.parametrize(
    "wrong",
    [{"time": "now"}, {"kind": "news"}, {"direction": "up"}, {"frames": [1]}, {"id": "1"}, {"more": 1}],
    ids=str,
)
def test_the_schema_refuses_other_objects(wrong: dict[str, Any]) -> None:
    record = {"time": "2026-11-23T19:00:00.123456Z", "seq": 1, "direction": "in", "kind": "event"}
    assert VALIDATOR.is_valid(record)
    assert not VALIDATOR.is_valid({**record, **wrong})


COMMANDS = [
    ("connect", "--all", "--raw", "-C", "4"),
    ("connect", "/lab", "/chat", "--all", "--raw", "--transport", "polling", "-C", "6"),
    ("connect", "/nope", "--all"),
    ("join", "lobby", "--all", "-C", "4"),
    ("call", "who", "room=lobby", "--json"),
    ("emit", "-n", "/lab", "echo", "@picture.bin", "--ack", "--json"),
    ("demo",),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
async def test_what_a_command_prints(
    command: tuple[str, ...], nsroom: Runner, server: Server, tmp_path: Path
) -> None:
    (tmp_path / "picture.bin").write_bytes(bytes(range(256)))
    checked((await nsroom(*command, env={"NSROOM_URL": server.url})).lines)


SERVERS = [
    pytest.param("server2.js", (), id="Socket.IO 2"),
    pytest.param("server4.js", ("--parser", "msgpack"), id="msgpack"),
]


@pytest.mark.parametrize(("script", "options"), SERVERS)
async def test_what_other_servers_send(
    script: str, options: tuple[str, ...], nsroom: Runner, node_server: StartServer
) -> None:
    server = await node_server(script, *(("--msgpack",) if "msgpack" in options else ()))
    result = await nsroom("connect", "/", "-u", server.url, "--all", "--raw", "-C", "3", *options)
    checked(result.lines)


async def test_a_connection_that_is_lost(spawn: Spawner, serve: StartServer, tmp_path: Path) -> None:
    server = await serve()
    saved = tmp_path / "lost.ndjson"
    client = await spawn("connect", "-u", server.url, "--save", str(saved))
    await client.line()
    await server.proc.kill()
    await client.err("trying again")
    port = server.url.rpartition(":")[2]
    again = await spawn("serve", "--port", port, "--history", "none")
    await again.err("listening")
    await client.err("without a connection")
    client.signal(signal.SIGINT)
    await client.end()
    kinds = {record["kind"] for record in checked(saved.read_text("utf-8").splitlines())}
    assert {"close", "reconnect", "gap"} <= kinds
