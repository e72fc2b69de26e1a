"""`nsroom show`: print a recording; tests/cli/tui/test_recording_view.py is about its view."""

import asyncio
import json
import os
import signal
import time
from pathlib import Path

import pytest

from tests.peers.program import Runner, Server, Spawner

CAPTURE = Path(__file__).parents[1] / "capture" / "demo.pcap"
EVENT = (
    '{"time":"2026-11-23T19:00:00.000000Z","seq":1,"direction":"in","kind":"event","event":"a","args":[1]}'
)
SENT = (
    '{"time":"2026-11-23T19:00:01.500000Z","seq":2,"direction":"out","kind":"event","event":"b","args":["x"]}'
)
PING = '{"time":"2026-11-23T19:00:02.000000Z","seq":3,"direction":"in","kind":"ping","frames":["2"]}'
HANDSHAKE = '0{"sid":"abc","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}'
HAR = {
    "log": {
        "entries": [
            {
                "startedDateTime": "2026-11-23T19:00:00.000Z",
                "request": {"method": "GET", "url": "ws://h/socket.io/?EIO=4&transport=websocket"},
                "response": {"status": 101, "content": {}},
                "_webSocketMessages": [
                    {"type": "receive", "time": 1763924400.1, "opcode": 1, "data": HANDSHAKE},
                    {"type": "send", "time": 1763924400.2, "opcode": 1, "data": "40"},
                    {"type": "receive", "time": 1763924400.3, "opcode": 1, "data": '40{"sid":"def"}'},
                    {"type": "receive", "time": 1763924400.4, "opcode": 1, "data": '42["hi",1]'},
                ],
            }
        ]
    }
}


@pytest.fixture
def recording(tmp_path: Path) -> str:
    (tmp_path / "r.ndjson").write_text(f"{EVENT}\n{SENT}\n{PING}\n")
    return "r.ndjson"


@pytest.mark.parametrize(
    ("options", "events"),
    [
        ("", ["a", "b"]),
        ("--where event=b", ["b"]),
        ("--where dir=in", ["a", None]),
        ("--all", ["a", "b", None]),
        ("-C 1", ["a"]),
    ],
)
async def test_the_records_in_a_pipe(
    options: str, events: list[str | None], recording: str, nsroom: Runner
) -> None:
    result = await nsroom("show", recording, *options.split())
    assert (result.code, result.stderr) == (0, "")
    assert [record.get("event") for record in result.records()] == events
    assert not any("frames" in record for record in result.records())


async def test_readable_lines(recording: str, nsroom: Runner) -> None:
    result = await nsroom("show", recording, "--plain", "--time", "delta")
    assert [line.split() for line in result.lines] == [
        ["+0.0", "ms", "←", "a", "1"],
        ["+1.5", "s", "→", "b", '"x"'],
    ]


async def test_frames_and_heartbeats_on_request(recording: str, nsroom: Runner) -> None:
    assert (await nsroom("show", recording, "--all", "--raw")).records()[-1]["frames"] == ["2"]


async def test_what_is_piped(nsroom: Runner) -> None:
    assert (await nsroom("show", "-", stdin=f"{EVENT}\n")).records()[0]["event"] == "a"


async def test_lines_keep_their_distance_at_a_speed(recording: str, nsroom: Runner) -> None:
    started = time.monotonic()
    result = await nsroom("show", recording, "--speed", "10", "--all")
    assert [record["kind"] for record in result.records()] == ["event", "event", "ping"]
    assert time.monotonic() - started > 0.2


async def test_a_filter_prints_on_a_terminal(recording: str, spawn: Spawner) -> None:
    result = await (await spawn("show", recording, "--where", "event=b", tty=True)).result()
    assert (result.code, len(result.stdout.splitlines())) == (0, 1)


async def test_unreadable_lines_are_reported_and_the_rest_is_shown(nsroom: Runner, tmp_path: Path) -> None:
    (tmp_path / "r").write_text(f"{EVENT}\n\x1b[2Jnonsense\n{SENT}\n{EVENT[:40]}")
    result = await nsroom("show", "r")
    assert (result.code, [record["event"] for record in result.records()]) == (8, ["a", "b"])
    first, second, last = result.stderr.splitlines()
    assert first.startswith("nsroom: line 2: not JSON")
    assert "its last line is incomplete" in second
    assert last == "nsroom: 2 unreadable lines"


@pytest.mark.parametrize("indent", [None, 2])
async def test_a_har_file(indent: int | None, nsroom: Runner, tmp_path: Path) -> None:
    (tmp_path / "page.har").write_text(json.dumps(HAR, indent=indent))
    result = await nsroom("show", "page.har")
    assert (result.code, result.stderr) == (0, "")
    shown = [(record["kind"], record["direction"], record["sid"]) for record in result.records()]
    assert shown[0] == ("open", "in", "abc")
    assert shown[-1] == ("event", "in", "abc")
    saved = await nsroom("show", "page.har", "--save", "s.ndjson")
    assert saved.code == 0
    assert (await nsroom("show", "s.ndjson")).stdout == result.stdout


async def test_a_network_capture(nsroom: Runner) -> None:
    result = await nsroom("show", str(CAPTURE), "--where", "event=message & dir=out", "--raw")
    assert (result.code, result.stderr) == (0, "")
    assert [record["args"][0]["text"] for record in result.records()] == [
        "did the deploy go out?",
        "the deploy is through",
        "thanks! watching the prices now",
    ]
    assert all(record["frames"] for record in result.records())


async def test_piped_records_are_shown_as_they_arrive(spawn: Spawner) -> None:
    program = await spawn("show", "-")
    program.send(EVENT)
    assert (await program.record())["event"] == "a"
    program.send(SENT)
    assert (await program.record())["event"] == "b"
    program.eof()
    assert await program.end() == 0


async def test_a_signal_while_it_waits_for_lines(spawn: Spawner) -> None:
    program = await spawn("show", "-")
    program.send(EVENT)
    await program.record()
    program.signal(signal.SIGTERM)
    assert await program.end() == 143


async def test_a_signal_while_it_waits_for_packets(spawn: Spawner, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "live")
    program = await spawn("decode", "live")
    with await asyncio.to_thread(open, tmp_path / "live", "wb", 0) as live:
        live.write(CAPTURE.read_bytes())
        await program.seen(kind="connect", direction="in")
        program.signal(signal.SIGTERM)
        assert await program.end() == 143


async def test_a_har_file_without_a_connection(nsroom: Runner, tmp_path: Path) -> None:
    (tmp_path / "page.har").write_text('{"log": {"entries": []}}')
    result = await nsroom("show", "page.har")
    assert (result.code, result.stdout) == (8, "")
    assert "no Engine.IO frames in the HAR file" in result.stderr


@pytest.mark.parametrize("name", ["missing", "."])
async def test_a_file_that_cannot_be_read(name: str, nsroom: Runner) -> None:
    result = await nsroom("show", name)
    assert (result.code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"nsroom: cannot read {name}: ")


async def test_an_empty_file(nsroom: Runner, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    result = await nsroom("show", "empty")
    assert (result.code, result.stdout, result.stderr) == (0, "", "")


async def test_what_connect_saved(nsroom: Runner, server: Server) -> None:
    await nsroom("connect", "-u", server.url, "-C", "1", "--save", "s.ndjson")
    assert [
        record["event"] for record in (await nsroom("show", "s.ndjson", "--where", "event=hi")).records()
    ] == ["hi"]
