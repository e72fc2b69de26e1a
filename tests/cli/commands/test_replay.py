"""`nsroom replay`, the real program: a recording sent again, with its timing."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.peers.program import Program, Result, Runner, Server, Spawner


def entry(event: str, at: float, direction: str = "out", **fields: Any) -> str:
    """Return a line of a recording, `at` seconds after its start."""
    moment = f"2026-11-23T19:00:{at:09.6f}Z"
    record = {"time": moment, "seq": 1, "direction": direction, "kind": "event", "event": event}
    return json.dumps({"namespace": "/lab", "args": [{"at": at}], **record, **fields}) + "\n"


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Three events that were sent within 50 s, and one that was received."""
    path = tmp_path / "run.ndjson"
    ping = '{"time":"2026-11-23T19:00:00Z","seq":1,"direction":"in","kind":"ping"}\n'
    path.write_text(
        ping + entry("echo", 0) + entry("echo", 0.2) + entry("in", 0.5, "in") + "\n" + entry("echo", 50)
    )
    return path


@pytest.fixture
async def room(spawn: Spawner, server: Server) -> Program:
    """A member that hears what is relayed to its room."""
    member = await spawn("join", "r", "-u", server.url, "-n", "/lab", "--where", "event=tick")
    await member.err("joined r")
    return member


async def test_the_timing_is_kept(nsroom: Runner, server: Server, room: Program, tmp_path: Path) -> None:
    relays = [{"event": "tick", "to": "r", "args": [at]} for at in (0, 0.3, 1.8)]
    lines = entry("join", 0, args=["r"]) + "".join(
        entry("emit", relay["args"][0], args=[relay]) for relay in relays
    )
    (tmp_path / "run.ndjson").write_text(lines)
    result = await nsroom("replay", "run.ndjson", "-u", server.url)
    assert result == Result(0, "", "nsroom: run.ndjson: sent again\n")
    records = [await room.record() for _ in range(3)]
    assert [record["args"] for record in records] == [[0], [0.3], [1.8]]
    times = [float(record["time"][17:-1]) for record in records]
    first, second = ((after - before) % 60 for before, after in pairwise(times))
    assert first < second
    assert 1.3 < first + second < 1.8 + 5  # which a busy machine may take in addition


async def test_without_pauses_and_with_acknowledgements(
    nsroom: Runner, server: Server, recording: Path
) -> None:
    command = ("replay", str(recording), "-u", server.url, "--speed", "0", "--ack", "--summary")
    result = await nsroom(*command)
    assert (result.code, result.stdout) == (0, "")
    counts, stderr = result.stderr.splitlines()
    assert json.loads(counts) == {"read": 3, "sent": 3, "acked": 3, "nacked": 0, "unknown": 0}
    assert stderr == f"nsroom: {recording}: sent again"


async def test_a_network_capture(nsroom: Runner, server: Server) -> None:
    capture = Path(__file__).parents[1] / "capture" / "demo.pcap"
    result = await nsroom("replay", str(capture), "-u", server.url, "--speed", "0", "--ack", "--summary")
    assert (result.code, result.stdout) == (0, "")
    assert json.loads(result.stderr.splitlines()[0]) == {
        "read": 8,
        "sent": 8,
        "acked": 8,
        "nacked": 0,
        "unknown": 0,
    }
    result = await nsroom("replay", str(capture), "-u", server.url, "--speed", "0", "--expect")
    assert (result.code, result.stdout) == (8, "")
    assert "the recording has several clients" in result.stderr


async def test_a_har_file(nsroom: Runner, server: Server, tmp_path: Path) -> None:
    messages = [
        {"type": kind, "time": 1, "opcode": 1, "data": data}
        for kind, data in (
            ("receive", '0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000}'),
            ("send", "40/lab,"),
            ("receive", '40/lab,{"sid":"b"}'),
            ("send", '42/lab,0["echo",1]'),
            ("receive", "43/lab,0[1]"),
        )
    ]
    url = "ws://x/socket.io/?EIO=4&transport=websocket"
    entries = [{"request": {"url": url, "method": "GET"}, "_webSocketMessages": messages}]
    (tmp_path / "page.har").write_text(json.dumps({"log": {"entries": entries}}, indent=1))
    command = ("replay", "page.har", "-u", server.url, "--speed", "0")
    result = await nsroom(*command, "--ack", "--summary")
    assert (result.code, json.loads(result.stderr.splitlines()[0])["acked"]) == (0, 1)
    result = await nsroom(*command, "--expect")
    assert (result.code, "1 changed" in result.stderr) == (1, True)


@pytest.mark.parametrize(("direction", "count"), [("out", 3), ("in", 1), ("all", 4)])
async def test_directions(
    nsroom: Runner, server: Server, recording: Path, direction: str, count: int
) -> None:
    command = ("replay", str(recording), "-u", server.url, "--speed", "0", "--direction", direction)
    result = await nsroom(*command, "--summary")
    assert result.code == 0
    assert json.loads(result.stderr.splitlines()[0])["sent"] == count


async def test_every_event_goes_to_its_own_namespace(nsroom: Runner, server: Server, tmp_path: Path) -> None:
    lines = entry("rooms", 0, namespace="/chat") + entry("echo", 0.1) + entry("rooms", 0.2, namespace="/")
    (tmp_path / "run.ndjson").write_text(lines)
    result = await nsroom("replay", "run.ndjson", "-u", server.url, "--ack", "--summary")
    assert result.code == 0
    assert json.loads(result.stderr.splitlines()[0])["acked"] == 3
    joined = server.proc.stderr.text
    assert all(f"someone connected namespace={name} " in joined for name in ("/chat", "/lab", "/"))


async def test_a_recording_on_stdin(nsroom: Runner, server: Server) -> None:
    command = ("replay", "-", "-u", server.url, "--speed", "0", "--ack")
    result = await nsroom(*command, stdin=entry("echo", 0) + entry("echo", 9))
    assert result == Result(0, "", "nsroom: -: sent again\n")


async def test_a_saved_recording_can_be_sent_again(nsroom: Runner, server: Server) -> None:
    watch = ("connect", "/lab", "-u", server.url, "--stdin", "--save", "x.ndjson", "--where", "event=echo")
    blob = '["echo",{"$binary":"AQI="},"\\ud800",9007199254740993]\n'
    assert (await nsroom(*watch, "-C", "1", stdin=blob)).code == 0
    again = await nsroom("replay", "x.ndjson", "-u", server.url, "--ack", "--summary")
    assert again.code == 0
    assert json.loads(again.stderr.splitlines()[0])["acked"] == 1


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        (entry("echo", 0) + entry("echo", 0.1)[:40], "line 2: "),
        (entry("echo", 0) + "[1]\n", "line 2: "),
        (entry("echo", 0) + '{"time":"noon"}\n', "line 2: invalid time: 'noon'"),
        ("", "run.ndjson: no events to send; try --direction in for received events"),
        (entry("echo", 0, "in"), "run.ndjson: no events to send; try --direction in for received events"),
    ],
)
async def test_a_truncated_or_empty_recording_is_code_8(
    nsroom: Runner, server: Server, tmp_path: Path, lines: str, complaint: str
) -> None:
    (tmp_path / "run.ndjson").write_text(lines)
    result = await nsroom("replay", "run.ndjson", "-u", server.url)
    assert (result.code, result.stdout) == (8, "")
    assert result.stderr.startswith(f"nsroom: {complaint}")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("speed", ["0", "1"])
@pytest.mark.parametrize("rest", ["", "\n" + entry("echo", 0.2)])
async def test_events_before_a_broken_line_are_sent(
    nsroom: Runner, server: Server, tmp_path: Path, rest: str, speed: str
) -> None:
    good = entry("echo", 0) + "\r\n\n" + entry("echo", 0.1, args=[[1], {"$binary": "AQI="}])
    (tmp_path / "run.ndjson").write_text(good + entry("echo", 0.1)[:40] + rest)
    result = await nsroom("replay", "run.ndjson", "-u", server.url, "--speed", speed, "--ack", "--summary")
    assert result.code == 8
    counts, complaint = result.stderr.splitlines()
    assert json.loads(counts)["acked"] == 2
    assert complaint.startswith("nsroom: line 5: ")
    assert ("truncated" in complaint) is (not rest)


@pytest.mark.parametrize("speed", ["0", "1"])
async def test_events_are_sent_as_they_arrive(
    spawn: Spawner, server: Server, room: Program, speed: str
) -> None:
    player = await spawn("replay", "-", "-u", server.url, "-n", "/lab", "--speed", speed)
    player.send(json.loads(entry("join", 0, args=["r"])))
    for number in range(2):
        relay = {"event": "tick", "to": "r", "args": [number]}
        player.send(json.loads(entry("emit", 0, args=[relay])))
        assert (await room.record())["args"] == [number]


async def test_no_such_file(nsroom: Runner) -> None:
    result = await nsroom("replay", "missing")
    assert result == Result(2, "", "nsroom: cannot read missing: No such file or directory\n")


async def test_a_signal_in_a_pause(spawn: Spawner, server: Server, tmp_path: Path) -> None:
    (tmp_path / "run.ndjson").write_text(entry("echo", 0) + entry("echo", 50))
    player = await spawn("replay", "run.ndjson", "-u", server.url)
    await server.proc.err("someone connected")
    player.signal(15)
    assert await player.result(5) == Result(143, "", "")


async def test_ids_are_mapped_and_what_comes_is_compared(
    nsroom: Runner, server: Server, tmp_path: Path
) -> None:
    lines = b"".join(
        json.dumps(each).encode() + b"\n"
        for each in (
            ["join", "mapped"],
            ["message", {"room": "mapped", "text": "a"}],
            ["history", {"room": "mapped", "limit": 9}],
        )
    )
    watch = ("connect", "/chat", "-u", server.url, "--stdin", "--all", "--save", "x.ndjson")
    recorded = await nsroom(*watch, "--where", "kind=ack & event=history", "-C", "1", stdin=lines.decode())
    assert recorded.code == 0
    again = ("replay", "x.ndjson", "-u", server.url, "--speed", "0", "--map", "--expect")
    result = await nsroom(*again, "--ignore", "last", "--ignore", "gap", "--ignore", "history")
    assert (result.code, result.stdout) == (0, "")
    assert "nsroom: no differences" in result.stderr
    text = (tmp_path / "x.ndjson").read_text()
    (tmp_path / "x.ndjson").write_text(text.replace("everyone!", "nobody!"))
    result = await nsroom(*again, "--ignore", "last", "--ignore", "gap", "--ignore", "history")
    assert (result.code, [each["paths"] for each in result.records()]) == (1, [["arg.0"]])
    assert "1 changed" in result.stderr


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--map", "--ack"], "leave out --ack"),
        (["--expect", "--direction", "in"], "leave out --ack and --direction"),
        (["--ignore", "id"], "add --expect"),
    ],
)
async def test_options_that_contradict(
    nsroom: Runner, server: Server, recording: Path, options: list[str], complaint: str
) -> None:
    result = await nsroom("replay", str(recording), "-u", server.url, *options)
    assert (result.code, complaint in result.stderr) == (2, True)


async def test_nothing_to_send_with_expect(nsroom: Runner, server: Server, tmp_path: Path) -> None:
    (tmp_path / "run.ndjson").write_text(entry("echo", 0, "in"))
    result = await nsroom("replay", "run.ndjson", "-u", server.url, "--expect")
    assert (result.code, result.stderr) == (8, "nsroom: run.ndjson: no events to send\n")
