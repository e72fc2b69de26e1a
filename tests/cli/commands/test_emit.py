"""`nsroom emit`, the real program: what it sends, in which order, and its exit codes."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import StartServer
from tests.peers import bad
from tests.peers.program import Result, Runner, Server, Spawner


def summary(result: Result) -> dict[str, int]:
    """Read the last line of stderr that is JSON."""
    counts: dict[str, int] = json.loads(
        [line for line in result.stderr.splitlines() if line.startswith("{")][-1]
    )
    return counts


@pytest.mark.parametrize(
    ("args", "frames"),
    [
        (("x",), ['42["x"]']),
        (("x", "1", "1.50", "null", '"1"', "text", "{bad", ""), ['42["x",1,1.50,null,"1","text","{bad",""]']),
        (("-t", "x", "1", "a=b", "@f"), ['42["x","1","a=b","@f"]']),
        (("x", "a=b", "c:=1", "d:=[true]", "e=@blob"), ['451-["x",{%s}]', "bAAH/"]),
        (("x", "@blob", "y", "@blob"), ['452-["x",%s,"y",%s]', "bAAH/", "bAAH/"]),
        (("x", "-n", "/chat"), ['42/chat,["x"]']),
        (("x", "--ack"), ['420["x"]']),
    ],
)
async def test_offline_prints_the_frames(
    nsroom: Runner, tmp_path: Path, args: Sequence[str], frames: list[str]
) -> None:
    (tmp_path / "blob").write_bytes(b"\x00\x01\xff")
    result = await nsroom("emit", *args, "--offline")
    assert (result.code, result.stderr) == (0, "")
    head, *attachments = result.lines
    assert attachments == frames[1:]
    holes = [f'{{"_placeholder":true,"num":{number}}}' for number in range(2)]
    shapes = {
        '451-["x",{%s}]': f'451-["x",{{"a":"b","c":1,"d":[true],"e":{holes[0]}}}]',
        '452-["x",%s,"y",%s]': f'452-["x",{holes[0]},"y",{holes[1]}]',
    }
    expected = shapes.get(frames[0], frames[0])
    assert json.loads(head[head.index("[") :]) == json.loads(expected[expected.index("[") :])
    assert head[: head.index("[")] == expected[: expected.index("[")]


async def test_offline_prints_the_joins_of_a_relay_too(nsroom: Runner) -> None:
    result = await nsroom("emit", "x", "1", "--to", "r", "--to", "s", "--except", "t", "--offline")
    assert result.lines == [
        '420["join","r"]',
        '421["join","s"]',
        '422["emit",{"event":"x","args":[1],"to":["r","s"],"except":["t"]}]',
    ]


async def test_offline_prints_the_ids_of_acknowledgements(nsroom: Runner) -> None:
    lines = '["a",1]\n{"kind":"ack","id":7,"args":[]}\n["b"]\n'
    assert (await nsroom("emit", "-", "--ack", "--offline", stdin=lines)).lines == [
        '420["a",1]',
        "437[]",
        '421["b"]',
    ]


async def test_numbers_keep_their_bytes(nsroom: Runner) -> None:
    numbers = ["1e3", "1.0", "12345678901234567890", "-0", "1.50", "[1E-2]", "x:=2e1"]
    frame = '["echo",1e3,1.0,12345678901234567890,-0,1.50,[1E-2],{"x":2e1}]'
    assert (await nsroom("emit", "echo", *numbers, "--offline")).lines == [f"42{frame}"]
    assert (await nsroom("emit", "-", "--offline", stdin=frame)).lines == [f"42{frame}"]
    received: list[str] = []
    async with listening(received) as url:
        assert (await nsroom("emit", "echo", *numbers, "-u", url)).code == 0
    assert received == [f"42{frame}"]


async def test_a_terminal_shows_what_was_emitted(spawn: Spawner, server: Server) -> None:
    emitter = await spawn("emit", "-u", server.url, "/lab", "echo", "hi", "1e3", "\x1b[31m", tty=True)
    result = await emitter.result()
    shown = r'echo("hi", 1e3, "\u001b[31m")'
    assert result.stdout == f"emitted {shown} to /lab on {server.url.partition('//')[2]}\r\n"
    quiet = await spawn("emit", "-q", "-u", server.url, "/lab", "echo", tty=True)
    assert (await quiet.result()).stdout == ""


@pytest.mark.parametrize("start", ["node", "python"])
@pytest.mark.parametrize("command", ["emit", "call"])
async def test_a_relay_needs_the_reference_server(
    start: str, command: str, nsroom: Runner, node_server: StartServer, python_server: StartServer
) -> None:
    server = await node_server("server4.js") if start == "node" else await python_server()
    result = await nsroom(command, "news", "hi", "--to", "lobby", "-u", server.url)
    assert (result.code, result.stdout) == (5, "")
    assert result.stderr.startswith("nsroom: not sent: --to asks the reference server (`nsroom serve`)")
    assert "--via admin" in result.stderr


async def test_a_relay_that_the_server_refuses(nsroom: Runner, server: Server) -> None:
    result = await nsroom("emit", "x" * 500, "--to", "lobby", "-u", server.url, "--except", "r" * 300)
    assert (result.code, result.stdout) == (7, "")
    assert result.stderr.startswith("nsroom: the server answered ")


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (("x", "@missing"), "cannot read the file after @: No such file or directory"),
        (("x", "a:=nope"), "a:= needs JSON"),
        (("x", "--except", "r"), "--except needs --room"),
        (("x", "--timeout", "0"), "--timeout '0': must be"),
    ],
)
async def test_usage(nsroom: Runner, args: Sequence[str], complaint: str) -> None:
    result = await nsroom("emit", *args)
    assert (result.code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"nsroom: {complaint}")
    assert result.stderr.count("\n") <= 2


@pytest.mark.parametrize("event", ["connect", "disconnect", "newListener"])
async def test_a_reserved_name_is_not_sent(nsroom: Runner, server: Server, event: str) -> None:
    result = await nsroom("emit", event, "-u", server.url)
    assert result.code == 2
    assert result.stderr == (
        f"nsroom: {event!r} is a reserved event name: servers close the connection on it\n"
    )


async def test_one_event_arrives(spawn: Spawner, nsroom: Runner, server: Server) -> None:
    member = await spawn("join", "traders", "-u", server.url)
    await member.err("joined traders")
    result = await nsroom("emit", "price", "12.5", "--room", "traders", "-u", server.url)
    assert result == Result(0, "", "")
    assert (await member.seen(event="price"))["args"] == [12.5]


async def test_except_leaves_members_out(spawn: Spawner, nsroom: Runner, server: Server) -> None:
    trader = await spawn("join", "traders", "-u", server.url)
    await trader.err("joined traders")
    guest = await spawn("join", "traders", "guests", "-u", server.url)
    await guest.err("joined guests")
    for args in (("price", "1", "--except", "guests"), ("price", "2")):
        assert (await nsroom("emit", *args, "--room", "traders", "-u", server.url)).code == 0
    assert (await trader.seen(event="price"))["args"] == [1]
    assert (await guest.seen(event="price"))["args"] == [2]


async def test_a_refused_room_is_code_4(nsroom: Runner, server: Server) -> None:
    result = await nsroom("emit", "x", "--room", "r" * 129, "-u", server.url)
    assert (result.code, result.stdout) == (4, "")
    assert result.stderr.startswith("nsroom: the server refused to join rrr")


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_ten_thousand_lines_in_order_over_one_connection(
    nsroom: Runner, spawn: Spawner, serve: StartServer, transport: str
) -> None:
    server = await serve(*(f"--limit={name}=100000" for name in ("events_per_second", "events_burst")))
    member = await spawn("join", "lobby", "-u", server.url, "--where", "event=n", "-C", "10000")
    await member.err("joined lobby")
    relays = (["emit", {"event": "n", "args": [n], "to": "lobby"}] for n in range(10_000))
    lines = "".join(json.dumps(line) + "\n" for line in (["join", "lobby"], *relays))
    command = ("emit", "-", "--ack", "--summary", "-u", server.url, "--transport", transport)
    result = await nsroom(*command, stdin=lines, timeout=60)
    assert (result.code, result.stdout) == (0, "")
    assert summary(result) == {"read": 10_001, "sent": 10_001, "acked": 10_001, "nacked": 0, "unknown": 0}
    received = (await member.result(30)).records()
    assert [record["args"] for record in received] == [[n] for n in range(10_000)]
    assert server.proc.stderr.text.count("someone connected") == 2


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_a_server_with_a_limit_of_16_packets_receives_all(
    nsroom: Runner, python_server: StartServer, transport: str
) -> None:
    server = await python_server("--ordered")
    lines = "".join(f'["n",{n}]\n' for n in range(500))
    command = ("emit", "-", "--ack", "--summary", "-u", server.url, "--transport", transport)
    result = await nsroom(*command, stdin=lines)
    assert (result.code, summary(result)["acked"]) == (0, 500)


async def test_each_line_is_one_text(nsroom: Runner) -> None:
    received: list[str] = []
    async with listening(received) as url:
        result = await nsroom("emit", "log", "-", "-u", url, stdin='plain\n["x"]\n\n  spaced \r\nend')
    assert (result.code, result.stdout) == (0, "")
    texts = [json.loads(frame.removeprefix("42")) for frame in received]
    assert texts == [["log", "plain"], ["log", '["x"]'], ["log", "  spaced "], ["log", "end"]]


async def test_a_recording_is_input(nsroom: Runner, server: Server, tmp_path: Path) -> None:
    command = (
        "connect",
        "/lab",
        "-u",
        server.url,
        "--stdin",
        "--save",
        "run.ndjson",
        "--where",
        "event=echo",
    )
    recorded = await nsroom(*command, "-C", "2", stdin='["echo",1]\n["echo",{"$binary":"AQI="}]\n')
    assert recorded.code == 0
    saved = (tmp_path / "run.ndjson").read_text().splitlines()
    sent = "\n".join(line for line in saved if json.loads(line)["direction"] == "out")
    again = await nsroom(
        "emit", "-", "--ack", "--json", "--summary", "-u", server.url, "-n", "/lab", stdin=sent
    )
    assert again.code == 0
    assert summary(again)["acked"] == 2
    assert [record["args"] for record in again.records()] == [[1], [{"$binary": "AQI="}]]


@pytest.mark.parametrize(
    ("bad_line", "complaint"),
    [
        ('["cut', "line 3: "),
        ("[]", 'line 3: an event needs a name: ["name", …]'),
        ("17", "line 3: a record must be a JSON object"),
        ('["disconnect"]', "line 3: 'disconnect' is a reserved event name"),
        ('{"kind":"nope","event":"x"}', "line 3: invalid kind: 'nope'"),
        ("\udcff", "line 3: not UTF-8"),
    ],
)
async def test_an_invalid_line_is_code_8_and_earlier_lines_are_sent(
    nsroom: Runner, bad_line: str, complaint: str
) -> None:
    received: list[str] = []
    lines = f'["a"]\n["b"]\n{bad_line}\n["c"]\n'.encode("utf-8", "surrogateescape")
    async with listening(received) as url:
        result = await nsroom("emit", "-", "-u", url, "--summary", stdin=lines)
    assert result.code == 8
    assert result.stderr.splitlines()[-1].startswith(f"nsroom: {complaint}")
    assert result.stderr.endswith("; the lines before it were sent\n")
    assert received == ['42["a"]', '42["b"]']
    assert summary(result)["sent"] == 2


async def test_too_large_is_code_9_and_earlier_lines_are_sent(nsroom: Runner) -> None:
    received: list[str] = []
    lines = '["a"]\n["' + "x" * 200 + '"]\n["c"]\n'
    async with listening(received, maxPayload=100) as url:
        result = await nsroom("emit", "-", "-u", url, stdin=lines)
    assert (result.code, received) == (9, ['42["a"]'])
    assert result.stderr.startswith("nsroom: line 2: ")
    assert "100" in result.stderr


async def test_refused_events_are_code_7(nsroom: Runner, server: Server) -> None:
    single = await nsroom("emit", "error", "--ack", "-n", "/lab", "-u", server.url)
    assert single.code == 7
    assert single.stderr == "nsroom: the server answered lab_error: this is the error that was asked for\n"
    lines = '["echo"]\n["error"]\n["echo"]\n["error"]\n'
    several = await nsroom("emit", "-", "--ack", "--summary", "-n", "/lab", "-u", server.url, stdin=lines)
    assert several.code == 7
    assert summary(several) == {"read": 4, "sent": 4, "acked": 2, "nacked": 2, "unknown": 0}
    assert "nsroom: 2 of 4 events were refused, " in several.stderr


async def test_no_acknowledgement_in_time_is_code_5(nsroom: Runner, server: Server) -> None:
    command = ("emit", "never", "--ack", "--timeout", "0.3", "--summary", "-n", "/lab", "-u", server.url)
    result = await nsroom(*command)
    assert result.code == 5
    assert "nsroom: no acknowledgement of the event within 0.3 s\n" in result.stderr
    assert summary(result) == {"read": 1, "sent": 1, "acked": 0, "nacked": 0, "unknown": 1}


async def test_a_lost_connection_is_code_6(nsroom: Runner) -> None:
    async with bad.resets_after_receiving(1) as url:
        lines = '["a"]\n["b"]\n'
        result = await nsroom("emit", "-", "--ack", "--summary", "-u", url, stdin=lines)
    assert result.code == 6
    counts = summary(result)
    assert (counts["read"], counts["acked"], counts["unknown"]) == (2, 1, 1)


async def test_acknowledgements_to_a_full_disk_are_code_10(nsroom: Runner, server: Server) -> None:
    command = ("emit", "echo", "1", "--ack", "--json", "-n", "/lab", "-u", server.url)
    result = await nsroom(*command, stdout=Path("/dev/full"))
    assert result.code == 10
    assert result.stderr == "nsroom: cannot write to standard output: No space left on device\n"


@pytest.mark.parametrize(("number", "code"), [(2, 130), (15, 143)])
async def test_a_signal_while_stdin_is_silent(spawn: Spawner, server: Server, number: int, code: int) -> None:
    emitter = await spawn("emit", "-", "--ack", "--json", "--summary", "-n", "/lab", "-u", server.url)
    emitter.send(["echo", 1])
    assert (await emitter.record())["args"] == [1]
    emitter.signal(number)
    result = await emitter.result(5)
    assert result.code == code
    assert summary(result) == {"read": 1, "sent": 1, "acked": 1, "nacked": 0, "unknown": 0}


async def test_progress_is_shown_on_a_terminal_and_cleared(spawn: Spawner, server: Server) -> None:
    emitter = await spawn("emit", "-", "--ack", "-n", "/lab", "-u", server.url, tty=True)
    emitter.type('["echo",1]\r["delay",{"ms":1500}]\r')
    await emitter.err("nsroom: 2 sent, 1 acknowledged")
    emitter.type("\x04")
    assert await emitter.end() == 0
    assert emitter.stdout.text.endswith("\r\x1b[K")


async def test_no_progress_in_a_pipe(nsroom: Runner, server: Server) -> None:
    lines = '["delay",{"ms":700}]\n["echo"]\n'
    result = await nsroom("emit", "-", "--ack", "-n", "/lab", "-u", server.url, stdin=lines)
    assert result == Result(0, "", "")


async def test_empty_stdin_emits_nothing(nsroom: Runner, server: Server) -> None:
    result = await nsroom("emit", "-", "--summary", "-u", server.url)
    assert result.code == 0
    assert summary(result) == {"read": 0, "sent": 0, "acked": 0, "nacked": 0, "unknown": 0}


def listening(received: list[str], **handshake: Any) -> bad.Peer:
    """Accept a namespace, and keep every frame but the last words and heartbeats."""

    async def script(talk: bad.Conversation) -> None:
        await talk.welcome(**handshake)
        while True:
            frame = str(await talk.receive())
            if frame.startswith("42"):
                received.append(frame)
            elif frame == "2":
                await talk.send("3")

    return bad.conversation(script)
