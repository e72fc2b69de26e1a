"""`nsroom decode`, the real program."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.peers.program import Result, Runner

CAPTURE = Path(__file__).parents[1] / "capture" / "demo.pcap"
Nsroom = Callable[..., Awaitable[Result]]

PLAIN = """\
line 1  451-/chat,12["b",{"_placeholder":true,"num":0}]
     0  4                                    engine.io type  message
     1  5                                    socket.io type  binary event
     2  1-                                   attachments     1 to follow
     4  /chat,                               namespace       /chat
    10  12                                   id              wants an acknowledgement
    12  ["b",{"_placeholder":true,"num":0}]  payload         JSON: list of 2 items, with attachment 0
    13  "b"                                  event           b
    17  {"_placeholder":true,"num":0}        argument 1      attachment 0

line 2  bAQID
     0  b     engine.io type           message, binary in base64
     1  AQID  attachment 0 of event b  3 bytes: 01 02 03

"""


async def test_readable_lines(nsroom: Nsroom) -> None:
    result = await nsroom(
        "decode", "--plain", stdin='451-/chat,12["b",{"_placeholder":true,"num":0}]\nbAQID\n'
    )
    assert result == Result(0, PLAIN, "")


async def test_events_are_explained_in_order_among_other_frames(nsroom: Nsroom) -> None:
    frames = ['42["a"]', "2", '42/chat,7["é",{"b":[1]}]', "9", '437["c"]']
    result = await nsroom("decode", stdin="\n".join(frames))
    singly = [await nsroom("decode", "--frame", frame) for frame in frames]
    expected = [{"line": line, **record} for line, each in enumerate(singly, 1) for record in each.records()]
    assert result.records() == expected
    assert (result.code, result.stderr) == (8, "nsroom: 1 of 5 frames malformed, the first in line 4\n")


async def test_a_pipe_gets_json(nsroom: Nsroom) -> None:
    result = await nsroom("decode", stdin="2\x1e3probe")
    assert (result.code, result.stderr) == (0, "")
    assert result.records() == [
        {
            "line": 1,
            "frame": "2",
            "fields": [{"at": 0, "text": "2", "name": "engine.io type", "meaning": "ping"}],
        },
        {
            "line": 1,
            "frame": "3probe",
            "fields": [
                {"at": 0, "text": "3", "name": "engine.io type", "meaning": "pong"},
                {"at": 1, "text": "probe", "name": "data", "meaning": "this transport works"},
            ],
        },
    ]


async def test_a_malformed_frame_has_a_caret_and_the_others_are_explained(nsroom: Nsroom) -> None:
    result = await nsroom("decode", "--plain", stdin='2\n42["日本",]\n3\n')
    assert result.code == 8
    assert result.stderr == "nsroom: 1 of 3 frames malformed, the first in line 2\n"
    assert result.lines[3:8] == [
        'line 2  42["日本",]',
        "     0  4  engine.io type  message",
        "     1  2  socket.io type  event",
        '  42["日本",]',
        "            ^ not JSON: expecting value, offset 8",
    ]
    assert result.lines[-3] == "line 3  3"


async def test_a_caret_far_into_a_long_frame(nsroom: Nsroom) -> None:
    result = await nsroom("decode", "--plain", "-f", '42["' + "x" * 1000 + '",nope,' + "y" * 1000)
    assert result.code == 8
    assert result.stderr == "nsroom: 1 of 1 frame malformed\n"
    assert result.lines[-3:-1] == [
        "  …" + "x" * 58 + '",nope,' + "y" * 15 + "…",
        "  " + " " * 61 + "^ not JSON: expecting value, offset 1006",
    ]


async def test_frames_as_arguments(nsroom: Nsroom) -> None:
    result = await nsroom("decode", "-f", "2", "--frame", "", "-f", "b")
    assert [record["frame"] for record in result.records()] == ["2", "", "b"]
    assert result.code == 8
    assert result.records()[1]["error"] == {"reason": "an empty frame", "offset": 0}


async def test_a_file_and_a_dash(nsroom: Nsroom, tmp_path: Path) -> None:
    path = tmp_path / "frames"
    path.write_text("2\n")
    assert (await nsroom("decode", str(path))).records()[0]["frame"] == "2"
    assert (await nsroom("decode", "-", stdin="3\n")).records()[0]["frame"] == "3"


async def test_a_har_file(nsroom: Nsroom, tmp_path: Path) -> None:
    entry = {
        "request": {"method": "GET", "url": "http://x/socket.io/?EIO=4&transport=websocket&sid=s"},
        "_webSocketMessages": [
            {"type": "send", "time": 1.25, "opcode": 1, "data": '451-["b",{"_placeholder":true,"num":0}]'},
            {"type": "send", "time": 1.25, "opcode": 2, "data": "AQID"},
        ],
    }
    path = tmp_path / "page.har"
    path.write_text(json.dumps({"log": {"entries": [entry]}}, indent=1))
    event, attachment = (await nsroom("decode", str(path))).records()
    where = {"time": "1970-01-01T00:00:01.250000Z", "direction": "out", "sid": "s"}
    assert where.items() <= event.items()
    assert attachment["frame"] == {"$binary": "AQID"}
    assert attachment["fields"][0]["name"] == "attachment 0 of event b"
    plain = await nsroom("decode", "--plain", str(path))
    assert "time 1970-01-01T00:00:01.250000Z  direction out  sid s  <3 bytes>" in plain.lines


async def test_a_network_capture(nsroom: Nsroom) -> None:
    result = await nsroom("decode", str(CAPTURE))
    assert (result.code, result.stderr) == (0, "")
    records = result.records()
    assert {"kind": "connect", "namespace": "/chat", "direction": "out"}.items() <= records[1].items()
    assert [record["event"] for record in records if record.get("event") == "price"] == ["price"] * 3
    assert not any("frames" in record for record in records)
    plain = await nsroom("decode", "--plain", "-", stdin=CAPTURE.read_bytes())
    assert plain.code == 0
    assert len(plain.lines) == len(records)
    assert sum("did the deploy go out?" in line for line in plain.lines) == 4


async def test_a_network_capture_that_is_cut_off(nsroom: Nsroom, tmp_path: Path) -> None:
    (tmp_path / "cut.pcap").write_bytes(CAPTURE.read_bytes()[:5000])
    result = await nsroom("decode", "cut.pcap")
    assert result.code == 8
    assert result.stderr == "nsroom: the capture is cut off at byte 5,000, after 30 packets\n"
    assert result.records()


async def test_packets_are_decoded_as_they_arrive(
    spawn: Callable[..., Awaitable[Any]], tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "live")
    program = await spawn("decode", "live")
    with await asyncio.to_thread(open, tmp_path / "live", "wb", 0) as live:
        live.write(CAPTURE.read_bytes()[:5000])
        await program.seen(kind="connect", direction="in")
    assert await program.end() == 8


async def test_a_truncated_recording(nsroom: Nsroom) -> None:
    result = await nsroom("decode", stdin='{"kind":"event","event":"a","args":[1]}\n{"time":"2026')
    first, torn = result.records()
    assert first["frame"] == '42["a",1]'
    assert torn["error"] == {"reason": "not a complete record: not JSON: unterminated string", "offset": 8}
    assert (result.code, result.stderr) == (8, "nsroom: 1 of 2 frames malformed, the first in line 2\n")


@pytest.mark.parametrize(
    ("stdin", "complaint"),
    [
        (
            b"\x00\xff" * 50_000,
            "nsroom: binary data: expected frames, a recording, a HAR file or a network capture\n",
        ),
        (
            b'{"log":{"entries":[{"request"',
            "nsroom: neither a recording nor a whole HAR file: expecting ':' delimiter at line 1 column 30\n",
        ),
        (b'{"log":{"entries":[]}}', "nsroom: no Engine.IO frames in the HAR file: "),
    ],
)
async def test_input_without_frames_is_one_line(nsroom: Nsroom, stdin: bytes, complaint: str) -> None:
    result = await nsroom("decode", stdin=stdin)
    assert (result.code, result.stdout) == (8, "")
    assert result.stderr.startswith(complaint)
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("line", ["4" * 10_000_000, "42" + "[" * 10_000_000, '42["' + "\\x" * 5_000_000])
async def test_a_line_of_10_mb(nsroom: Nsroom, line: str) -> None:
    result = await nsroom("decode", "--plain", stdin=line)
    assert result.code == 8
    assert result.stderr == "nsroom: 1 of 1 frame malformed, the first in line 1\n"
    assert len(result.stdout) < 2000


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (
            ["missing"],
            "nsroom: cannot read missing: No such file or directory (to explain a frame, use --frame)\n",
        ),
        (["."], "nsroom: cannot read .: Is a directory (to explain a frame, use --frame)\n"),
        (["x", "-f", "2"], "nsroom: use either FILE or --frame, not both\n"),
        (["--json", "--plain"], "nsroom: use either --json or --plain, not both\n"),
    ],
)
async def test_usage(nsroom: Nsroom, args: list[str], complaint: str) -> None:
    assert await nsroom("decode", *args) == Result(2, "", complaint)


async def test_a_file_that_cannot_be_read(nsroom: Nsroom) -> None:
    complaint = "nsroom: cannot read /proc/self/mem: Input/output error\n"
    assert await nsroom("decode", "/proc/self/mem") == Result(8, "", complaint)


async def test_a_full_disk(nsroom: Nsroom) -> None:
    result = await nsroom("decode", "-f", "2", stdout=Path("/dev/full"))
    assert result.code == 10
    assert result.stderr == "nsroom: cannot write to standard output: No space left on device\n"


async def test_the_reader_closes_the_pipe(shell: Nsroom) -> None:
    result = await shell("yes 2 | nsroom decode | head -1; echo ${PIPESTATUS[1]} >&2")
    assert len(result.records()) == 1
    assert result.stderr == "141\n"


async def test_frames_are_explained_as_they_arrive(spawn: Callable[..., Awaitable[Any]]) -> None:
    program = await spawn("decode")
    program.send("2")
    assert (await program.record())["frame"] == "2"
    program.send("3")
    assert (await program.record())["frame"] == "3"
    program.eof()
    assert await program.end() == 0


async def test_a_terminal_gets_readable_lines(spawn: Callable[..., Awaitable[Any]]) -> None:
    program = await spawn("decode", tty=True)
    await program.err("nsroom: reading frames, one a line; end with Ctrl-D")
    program.type("3probe\r")
    await program.err("this transport works")
    program.type("\x04")
    assert await program.end() == 0


async def test_no_control_character_reaches_the_reader(nsroom: Nsroom) -> None:
    hostile = "\x1b]52;c;eA==\x07\x9b31m\u202e[link=x]\x01\x02"
    lines = [
        f'42["{hostile}"]',
        f'42/{hostile},["a","{hostile}"',
        f"2{hostile}",
        hostile,
        f'40{{"{hostile}":1}}',
    ]
    escaped = f'42["a",{{"b":{json.dumps(hostile)}}}]\n40{{{json.dumps(hostile)}:1}}'
    result = await nsroom("decode", "--plain", stdin="\n".join([*lines, escaped]))
    assert result.code == 8
    assert all(line.isprintable() for line in result.lines)
    assert "\\x1b]52;c;eA==\\x07\\x9b31m\\u202e[link=x]" in result.stdout


async def test_output_is_utf_8_or_escaped(nsroom: Nsroom) -> None:
    result = await nsroom("decode", "--plain", "-f", '42["é"]', env={"PYTHONIOENCODING": "ascii"})
    assert '42["\\xe9"]' in result.stdout
    lone = await nsroom("decode", "--plain", "-f", '42["\\ud800"]')
    assert '     3  "\\ud800"    event           \\ud800' in lone.lines


async def test_it_loads_no_network_library(nsroom: Nsroom) -> None:
    result = await nsroom("decode", "--plain", "-f", "2", env={"PYTHONPROFILEIMPORTTIME": "1"})
    loaded = {line.rpartition("|")[2].strip() for line in result.stderr.splitlines()}
    assert "nsroom.protocol.explain.explainer" in loaded
    assert not loaded & {"asyncio", "aiohttp", "socketio", "rich", "ssl"}


async def test_the_help_has_examples(nsroom: Nsroom) -> None:
    result = await nsroom("decode", "--help")
    assert result.code == 0
    assert "nsroom decode page.har" in result.stdout
    assert os.linesep + "  Examples:" in result.stdout


@pytest.mark.parametrize(
    ("text", "event"),
    [('42["a",1]', "a"), ('["a"]', "a"), ('2["a"]', "a"), ('42["http://h//x"]', "http://h//x")],
)
async def test_a_frame_instead_of_a_file(text: str, event: str, nsroom: Runner) -> None:
    result = await nsroom("decode", text, "--plain")
    assert (result.code, result.stderr) == (0, "")
    assert f"event           {event}" in result.stdout


async def test_a_file_with_the_name_of_a_frame(nsroom: Runner, tmp_path: Path) -> None:
    (tmp_path / "4[x]").write_text("2\n")
    result = await nsroom("decode", "4[x]", "--plain")
    assert (result.code, "ping" in result.stdout) == (0, True)
