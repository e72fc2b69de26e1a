"""`nsroom connect`, the real program: what it prints, when it ends, and with which code."""

import json
import signal
import stat
import time
from pathlib import Path

import pytest

from tests.conftest import StartServer
from tests.peers import bad
from tests.peers.program import Runner, Server, Spawner

ROOM = 5.0
"""Seconds that a busy machine may need to start the program and connect."""
TICKS = [f'42/chat,["tick",{n},"{"x" * 90}"]' for n in range(20_000)]


async def test_a_count_of_events_is_a_pipeline(shell: Runner, server: Server) -> None:
    others = "for n in 1 2 3; do sleep 0.3; nsroom emit x -u $URL -n /chat; done & "
    names = "python3 -c 'import json, sys\nfor line in sys.stdin: print(json.loads(line)[\"event\"])'"
    line = f"{others} nsroom connect /chat -u $URL -C 3 2>/dev/null | {names}; echo ${{PIPESTATUS[0]}}; wait"
    result = await shell(line, env={"URL": server.url})
    assert result.lines == ["hi", "hi", "hi", "0"]


async def test_only_received_events_unless_all_is_asked_for(nsroom: Runner, server: Server) -> None:
    [record] = (await nsroom("connect", "-u", server.url, "-C", "1")).records()
    assert record.keys() == {"time", "seq", "direction", "kind", "namespace", "event", "args"}
    assert (record["direction"], record["kind"], record["event"]) == ("in", "event", "hi")
    everything = (await nsroom("connect", "-u", server.url, "-C", "4", "--all")).records()
    assert [record["kind"] for record in everything] == ["open", "connect", "connect", "event"]
    assert [record["seq"] for record in everything] == [1, 2, 3, 4]


async def test_a_notice_rings_the_bell_of_a_terminal(spawn: Spawner, nsroom: Runner, server: Server) -> None:
    line = ("connect", "-u", server.url, "--plain", "-C", "1", "--notify")
    told = await (await spawn(*line, "event=hi", tty=True, env={"TERM": "xterm"})).result()
    other = await (await spawn(*line, "event=other", tty=True, env={"TERM": "xterm"})).result()
    assert (told.code, other.code) == (0, 0)
    assert ("\a" in told.stdout, "\a" in other.stdout) == (True, False)
    piped = await nsroom(*line, "event=hi")
    assert (piped.code, piped.stderr) == (
        2,
        "nsroom: --notify needs a terminal on stderr, to ring its bell\n",
    )
    invalid = await nsroom(*line, "event=(")
    assert (invalid.code, invalid.stderr.startswith("nsroom: --notify: column ")) == (2, True)


async def test_where_with_a_kind_shows_more_than_events(nsroom: Runner, server: Server) -> None:
    where = ("--where", "kind=connect & dir=in")
    [record] = (await nsroom("connect", "-u", server.url, *where, "-C", "1")).records()
    assert (record["kind"], record["namespace"]) == ("connect", "/")


async def test_raw_shows_the_frames(nsroom: Runner) -> None:
    async with bad.sends('42["a",1]') as url:
        [record] = (await nsroom("connect", url, "-C", "1", "--raw")).records()
    assert record["frames"] == ['42["a",1]']


async def test_silence_is_code_5(nsroom: Runner) -> None:
    began = time.monotonic()
    async with bad.sends() as url:
        result = await nsroom("connect", url, "-W", "2", "-C", "3")
    assert (result.code, result.stdout) == (5, "")
    assert (
        "nsroom: stopped after 2 s (--wait) with fewer than 3 lines; --for 2 ends with 0\n" in result.stderr
    )
    assert 2 <= time.monotonic() - began < 2 + ROOM


async def test_wait_includes_the_time_to_connect(nsroom: Runner) -> None:
    async with bad.silent() as url:
        result = await nsroom("connect", url, "-W", "0.5")
    assert (result.code, result.stdout) == (5, "")
    assert result.stderr == "nsroom: stopped after 0.5 s (--wait); --for 0.5 ends with 0\n"


async def test_head_ends_it_at_once_and_silently(shell: Runner) -> None:
    began = time.monotonic()
    async with bad.sends('42["once"]') as url:
        line = "nsroom connect $URL | head -1; echo ${PIPESTATUS[0]}"
        result = await shell(line, env={"URL": url})
    assert json.loads(result.lines[0])["event"] == "once"
    assert result.lines[1:] == ["141"]
    assert result.stderr == f"nsroom: connected to {url} over websocket\n"
    assert time.monotonic() - began < ROOM


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
async def test_a_signal_in_a_flood_leaves_whole_lines(spawn: Spawner, number: int, code: int) -> None:
    async with bad.sends(*TICKS) as url:
        watcher = await spawn("connect", f"{url}/chat")
        await watcher.line()
        watcher.signal(number)
        result = await watcher.result(5)
    assert result.code == code
    assert result.stdout.endswith("\n")
    numbers = [record["args"][0] for record in result.records()]
    assert numbers == list(range(len(numbers)))
    assert "Traceback" not in result.stderr


async def test_the_second_signal_exits_at_once(spawn: Spawner) -> None:
    async with bad.open_then_silence() as url:
        watcher = await spawn("connect", url, "--all")
        await watcher.record()
        began = time.monotonic()
        watcher.signal(signal.SIGTERM)
        watcher.signal(signal.SIGTERM)
        assert await watcher.end(5) == 143
        assert time.monotonic() - began < ROOM


async def test_a_slow_reader_loses_nothing(shell: Runner) -> None:
    reader = "python3 -c 'import sys, time\ntime.sleep(1)\nfor line in sys.stdin: sys.stdout.write(line)'"
    async with bad.sends(*TICKS) as url:
        line = f"nsroom connect $URL/chat -C 20000 | {reader}"
        result = await shell(line, env={"URL": url}, timeout=40)
    assert [record["args"][0] for record in result.records()] == list(range(20_000))


async def test_a_full_disk_is_code_10(nsroom: Runner, server: Server) -> None:
    result = await nsroom("connect", "-u", server.url, stdout=Path("/dev/full"))
    assert result.code == 10
    assert "nsroom: cannot write to standard output: No space left on device\n" in result.stderr


async def test_a_recording_that_cannot_be_written_is_code_10(nsroom: Runner, server: Server) -> None:
    for path, cause in (("/dev/full", "No space left on device"), ("no/x", "No such file or directory")):
        result = await nsroom("connect", "-u", server.url, "--save", path, "--force")
        assert result.code == 10
        assert f"nsroom: cannot write to {path}: {cause}\n" in result.stderr


@pytest.mark.parametrize("closed", ["2>&-", "0<&-", "0<&- 2>&-"])
async def test_a_closed_descriptor_disturbs_nothing(shell: Runner, server: Server, closed: str) -> None:
    result = await shell(f"nsroom connect -C 1 {closed}", env={"NSROOM_URL": server.url})
    assert result.code == 0
    assert [record["event"] for record in result.records()] == ["hi"]


async def test_a_closed_stdout_is_code_10(shell: Runner, server: Server) -> None:
    result = await shell("nsroom connect -C 1 >&-", env={"NSROOM_URL": server.url})
    assert (result.code, result.stdout) == (10, "")
    assert result.stderr.splitlines()[-1].startswith("nsroom: cannot write to standard output")


async def test_save_records_everything_for_its_owner_only(
    nsroom: Runner, server: Server, tmp_path: Path
) -> None:
    command = ("connect", "-u", server.url, "-C", "1", "--save", "x.ndjson")
    assert (await nsroom(*command)).code == 0
    path = tmp_path / "x.ndjson"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    kinds = [json.loads(line)["kind"] for line in path.read_text().splitlines()]
    assert kinds == ["open", "connect", "connect", "event"]


async def test_save_overwrites_only_with_force(nsroom: Runner, server: Server, tmp_path: Path) -> None:
    path = tmp_path / "x.ndjson"
    path.write_text("precious\n")
    command = ("connect", "-u", server.url, "-C", "1", "--save", "x.ndjson")
    refused = await nsroom(*command)
    assert (refused.code, refused.stdout) == (2, "")
    assert refused.stderr == "nsroom: x.ndjson already exists: choose another file, or add --force\n"
    assert path.read_text() == "precious\n"
    assert (await nsroom(*command, "--force")).code == 0
    assert "precious" not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (("--where", "event="), '--where: column 7: expected a value after "=": event='),
        (("--where", "(a"), "--where: column 3: "),
        (("--where", "nope=1"), "--where: column 1: "),
        (("room",), "'room' is neither a namespace like /chat nor a host nor a URL"),
        (("http://a", "http://b"), "one connection has one server, but two are named: http://a and http://b"),
        (("-C", "0"), "-C '0': must be a whole number, at least 1"),
        (("-a", "secret"), "--auth: use a JSON object, key=value, key:=JSON, @file or - for stdin"),
        (("-H", "nope"), "--header: write it as 'Name: value'"),
        (("--cookie", "nope"), "--cookie: write it as key=value"),
        (("--transport", "pigeon"), "--transport 'pigeon': choose auto, websocket or polling"),
        (("--bogus",), "unknown option --bogus"),
    ],
)
async def test_usage(nsroom: Runner, args: tuple[str, ...], complaint: str) -> None:
    result = await nsroom("connect", *args)
    assert (result.code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"nsroom: {complaint}")
    assert result.stderr.count("\n") <= 2


@pytest.mark.parametrize(
    "args",
    [
        ("http//ann:s3cret@host",),
        ("http://ann:s3cret@host:port",),
        ("http://ann:s3/cret@host",),
        ("http://ann:s3cret@a", "http://ann:s3cret@b"),
        ("/chat?token=s3cret",),
        ("-n", "/chat?token=s3cret"),
        ("ftp://ann:s3cret@host",),
        ("-u", "ann:s3cret@host"),
        ("-H", "Authorization Bearer s3cret"),
        ("-H", "X-Key: s3cret\x1b"),
        ("--cookie", "s3cret"),
        ("--query", "s3cret"),
        ("-a", "@s3cret"),
        ("-a", "s3cret"),
        ("-a", '{"token":"s3cret"'),
        ("-a", "token:=s3cret"),
        ("room", "-a", "token=s3cret", "-H", "Authorization: s3cret", "--cookie=sid=s3cret", "-aid=s3cret"),
        ("http://ann:s3cret@host", "extra"),
    ],
)
async def test_an_error_does_not_repeat_a_secret(nsroom: Runner, args: tuple[str, ...]) -> None:
    result = await nsroom("connect", *args)
    assert (result.code, result.stdout) == (2, "")
    assert "s3" not in result.stderr, result.stderr
    assert "cret" not in result.stderr.replace("secret", "")


async def test_a_message_has_a_bound(nsroom: Runner) -> None:
    async with bad.refuses("x" * 900_000) as url:
        result = await nsroom("connect", url)
    assert result.code == 4
    assert all(len(line) <= 1000 for line in result.stderr.splitlines())


async def test_several_namespaces_on_one_connection(nsroom: Runner, server: Server) -> None:
    targets = (f"{server.url}/chat", "/lab", "-n", "/my-namespace", "-n", "/")
    result = await nsroom(
        "connect", *targets, "--where", "event=hi | kind=open | kind=connect & dir=in", "-C", "9"
    )
    records = result.records()
    assert [record["kind"] for record in records].count("open") == 1
    everywhere = {"/chat", "/lab", "/my-namespace", "/"}
    assert {record["namespace"] for record in records if record["kind"] == "event"} == everywhere
    assert len({record["sid"] for record in records if record["kind"] == "connect"}) == 4


async def test_a_refused_namespace_leaves_the_others(nsroom: Runner, server: Server) -> None:
    result = await nsroom("connect", "/chat", "/nope", "-u", server.url, "-C", "1")
    assert result.code == 4
    assert [record["namespace"] for record in result.records()] == ["/chat"]
    assert result.stderr.endswith("nsroom: refused: /nope: Invalid namespace\n")


async def test_all_namespaces_refused(nsroom: Runner, server: Server) -> None:
    result = await nsroom("connect", "/nope", "/none", "-u", server.url)
    assert (result.code, result.stdout) == (4, "")
    [line] = result.stderr.splitlines()
    assert line == "nsroom: /nope is refused: Invalid namespace; /none is refused: Invalid namespace"


async def test_the_environment_names_the_server_and_the_secret(nsroom: Runner, serve: StartServer) -> None:
    server = await serve("--token", "s3cret")
    url = server.url.removeprefix("http://")
    env = {"NSROOM_URL": f"{url}/chat", "NSROOM_AUTH": "token=s3cret"}
    [record] = (await nsroom("connect", "-C", "1", env=env)).records()
    assert record["namespace"] == "/chat"
    refused = await nsroom("connect", "-C", "1", env={"NSROOM_URL": server.url})
    assert (refused.code, refused.stderr) == (4, "nsroom: / is refused: unauthorized\n")


@pytest.mark.parametrize("auth", ["@secret.json", "-", '{"token":"s3cret"}', "token=s3cret"])
async def test_auth(nsroom: Runner, serve: StartServer, tmp_path: Path, auth: str) -> None:
    server = await serve("--token", "s3cret")
    (tmp_path / "secret.json").write_text('{"token": "s3cret"}\n')
    stdin = '{"token":"s3cret"}' if auth == "-" else ""
    result = await nsroom("connect", "-u", server.url, "-C", "1", "-a", auth, stdin=stdin)
    assert (result.code, len(result.records())) == (0, 1)


@pytest.mark.parametrize("transport", ["auto", "websocket", "polling"])
async def test_it_reports_the_transport(nsroom: Runner, server: Server, transport: str) -> None:
    result = await nsroom("connect", "-u", server.url, "-C", "1", "--transport", transport)
    got = "websocket" if transport == "auto" else transport
    assert result.stderr == f"nsroom: connected to {server.url} over {got}\n"


async def test_auto_falls_back_to_polling(nsroom: Runner, serve: StartServer) -> None:
    server = await serve("--transports", "polling")
    result = await nsroom("connect", "-u", server.url, "-C", "1")
    assert (result.code, result.stderr) == (0, f"nsroom: connected to {server.url} over polling\n")


async def test_a_lost_connection_is_code_6(nsroom: Runner) -> None:
    async with bad.resets_after_sending(['42["last"]']) as url:
        result = await nsroom("connect", url, "--no-reconnect")
    assert result.code == 6
    assert [record["event"] for record in result.records()] == ["last"]
    assert result.stderr.splitlines()[-1].startswith("nsroom: the connection ended (")


async def test_reconnection_shows_the_gap(nsroom: Runner) -> None:
    async with bad.resets_after_sending(['42["again"]']) as url:
        result = await nsroom(
            "connect", url, "--all", "--where", "kind=event | kind=gap | kind=reconnect", "-C", "4"
        )
    kinds = [record["kind"] for record in result.records()]
    # Packets right after the answer to CONNECT may arrive before the gap is known.
    assert kinds in (["event", "reconnect", "gap", "event"], ["event", "reconnect", "event", "gap"])
    assert "trying again" in result.stderr


@pytest.mark.parametrize("how", ["--json", "--plain"])
async def test_a_packet_that_cannot_be_read_is_reported(nsroom: Runner, how: str) -> None:
    async with bad.sends(*['42["v",NaN]'] * 50, "42" + "[" * 300, '42["after"]') as url:
        result = await nsroom("connect", url, "-C", "1", how)
    assert (result.code, result.stdout.count("after"), result.stdout.count("\n")) == (0, 1, 1)
    lines = [line.partition(" at offset")[0] for line in result.stderr.splitlines()]
    assert [line for line in lines if "connected" not in line] == [
        "nsroom: cannot read a packet of the server: not JSON: NaN",
        "nsroom: cannot read a packet of the server: nested more than 256 levels deep",
    ]


async def test_an_answer_to_connect_that_cannot_be_read(nsroom: Runner) -> None:
    async def script(talk: bad.Conversation) -> None:
        await talk.send("0" + json.dumps(bad.OPEN))
        await talk.receive()
        await talk.send('40{"sid":NaN}')
        await talk.receive()

    async with bad.conversation(script) as url:
        result = await nsroom("connect", url, "--connect-timeout", "1", "--transport", "websocket")
    assert (result.code, result.stdout) == (3, "")
    assert "not JSON: NaN" in result.stderr.splitlines()[-1]
    assert "middleware" not in result.stderr


async def test_a_refusal_is_shown_with_its_data(nsroom: Runner) -> None:
    data = {"message": "not authorized", "data": {"hint": "send a token"}}
    async with bad.refuses(data) as url:
        for command in (("connect",), ("emit", "x"), ("call", "x")):
            result = await nsroom(*command, "-u", url)
            assert (result.code, result.stdout) == (4, "")
            assert result.stderr == 'nsroom: / is refused: not authorized {"hint":"send a token"}\n'


@pytest.mark.parametrize("accepted", [True, False])
async def test_a_disconnect_with_a_reason_is_a_refusal(nsroom: Runner, accepted: bool) -> None:
    async def script(talk: bad.Conversation) -> None:
        await talk.send("0" + json.dumps(bad.OPEN))
        await talk.receive()
        await talk.send(*['40{"sid":"sio"}'] * accepted, '41{"message":"no token"}')
        await talk.receive()

    for command in (("connect", "-W", "3"), ("emit", "x"), ("call", "x")):
        async with bad.conversation(script) as url:
            result = await nsroom(*command, "-u", url)
        assert (result.code, result.stdout) == (4, "")
        assert result.stderr.splitlines()[-1] == "nsroom: / is refused: no token"


async def test_a_server_that_disconnects_at_once(nsroom: Runner) -> None:
    async def script(talk: bad.Conversation) -> None:
        await talk.send("0" + json.dumps(bad.OPEN))
        await talk.receive()
        await talk.send('40{"sid":"sio"}', "41")
        await talk.receive()

    async with bad.conversation(script) as url:
        result = await nsroom("connect", url, "-W", "3")
    assert result.code == 6
    assert result.stderr.splitlines()[-1] == "nsroom: the server disconnected us from every namespace"


async def test_a_server_that_connects_and_disconnects_in_turn_fills_no_log(nsroom: Runner) -> None:
    frames = [
        frame for _ in range(500) for frame in ('40/b,{"sid":"sio"}', "41/b,", '40/b,{"sid":"s"}', "41/b,{}")
    ]
    async with bad.sends(*frames, '42["after"]') as url:
        result = await nsroom("connect", url, "-C", "1", "-W", "9")
    assert result.code == 0
    assert len(result.stderr) < 2000


def test_the_tests_run_without_unbuffered_output(environment: dict[str, str]) -> None:
    assert "PYTHONUNBUFFERED" not in environment


async def test_for_ends_with_success(nsroom: Runner, server: Server) -> None:
    result = await nsroom("connect", "-u", server.url, "--for", "1")
    assert (result.code, [record["event"] for record in result.records()]) == (0, ["hi"])


async def test_for_is_no_success_without_a_connection(nsroom: Runner) -> None:
    async def never(talk: bad.Conversation) -> None:
        await talk.receive()

    async with bad.conversation(never) as url:
        command = ("connect", "-u", url, "--for", "0.1", "--transport", "websocket", "--connect-timeout", "1")
        result = await nsroom(*command)
    assert (result.code, result.stdout) == (3, "")


async def test_the_shorter_of_for_and_wait_counts(nsroom: Runner, server: Server) -> None:
    for options, code in (("--for 1 -W 20", 0), ("--for 20 -W 2", 5)):
        assert (await nsroom("connect", "-u", server.url, *options.split())).code == code
