"""`nsroom proxy` as a process."""

import asyncio
import json
import re
import signal
import socket
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.peers.program import Runner, Server, Spawner

READY = re.compile(r"nsroom: listening on (http://127\.0\.0\.1:\d+), relaying to (\S+)\n")
Relay = Callable[..., Awaitable[Server]]


@pytest.fixture
def relay(spawn: Spawner, server: Server) -> Relay:
    """Start a proxy before the reference server: `await relay("--all")`."""

    async def start(*args: str, **options: object) -> Server:
        proc = await spawn("proxy", server.url, "--listen", ":0", *args, **options)  # type: ignore[arg-type]
        ready = READY.search((await proc.err(", relaying to ")).replace("\r", ""))
        assert ready
        assert ready[2] == server.url
        return Server(ready[1], proc)

    return start


async def rooms(nsroom: Runner, proxy: Server, *args: str) -> None:
    """Let a client come and go."""
    assert (await nsroom("call", "rooms", "-u", proxy.url, *args)).code == 0


async def test_every_packet_is_a_record(relay: Relay, nsroom: Runner) -> None:
    proxy = await relay()
    await rooms(nsroom, proxy, "-a", "token=hunter2", "-H", "Authorization: hunter2", "--cookie", "k=hunter2")
    opened = await proxy.proc.record()
    assert (opened["kind"], opened["direction"]) == ("open", "in")
    connecting, connected = await proxy.proc.record(), await proxy.proc.seen(kind="connect", direction="in")
    assert (connecting["kind"], connecting["direction"]) == ("connect", "out")
    assert connecting["data"] == {"token": "•••"}
    assert connected["data"]["sid"] != connected["sid"]
    asked = await proxy.proc.seen(kind="event", event="rooms", direction="out")
    answered = await proxy.proc.seen(kind="ack", event="rooms", direction="in")
    assert answered["rtt_ms"] > 0
    await proxy.proc.seen(kind="disconnect", direction="out")
    closed = await proxy.proc.seen(kind="close")
    assert {each["sid"] for each in (connected, asked, answered, closed)} == {opened["sid"]}
    proxy.proc.signal(signal.SIGTERM)
    assert await proxy.proc.end() == 143
    assert "hunter2" not in proxy.proc.stdout.text + proxy.proc.stderr.text


async def test_heartbeats_are_shown_if_asked_for(
    serve: Callable[..., Awaitable[Server]], spawn: Spawner
) -> None:
    server = await serve("--ping-interval", "0.1")
    usual = await spawn("proxy", server.url, "--listen", ":0")
    url = READY.search(await usual.err(", relaying to "))[1]  # type: ignore[index]
    outer = await spawn("proxy", url, "--listen", ":0", "--all")
    client = await spawn("connect", READY.search(await outer.err(", relaying to "))[1])  # type: ignore[index]
    assert (await outer.seen(kind="pong", direction="out"))["sid"]
    client.signal(signal.SIGINT)
    await usual.seen(kind="close")
    assert '"kind":"ping"' not in usual.stdout.text


async def test_a_count_ends_it(relay: Relay, nsroom: Runner) -> None:
    proxy = await relay("-C", "2", "--where", "kind=ack")
    await rooms(nsroom, proxy)
    await rooms(nsroom, proxy)
    result = await proxy.proc.result()
    assert (result.code, [record["kind"] for record in result.records()]) == (0, ["ack", "ack"])


async def test_a_time_ends_it(relay: Relay) -> None:
    proxy = await relay("--wait", "0.2")
    result = await proxy.proc.result()
    assert (result.code, result.stdout) == (5, "")
    assert "stopped after 0.2 s (--wait)" in result.stderr


async def test_a_recording_is_private_and_can_be_decoded(
    relay: Relay, nsroom: Runner, tmp_path: Path
) -> None:
    file = tmp_path / "session.ndjson"
    proxy = await relay("--save", str(file), "--raw", "--where", "kind=ack")
    await rooms(nsroom, proxy, "-a", "token=hunter2")
    await proxy.proc.seen(kind="ack")
    proxy.proc.signal(signal.SIGINT)
    assert await proxy.proc.end() == 130
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text()
    kinds = [json.loads(line)["kind"] for line in text.splitlines()]
    assert kinds[:2] == ["open", "connect"]
    assert "hunter2" not in text
    decoded = await nsroom("decode", str(file))
    assert (decoded.code, "rooms" in decoded.stdout) == (0, True)


async def test_plain_lines_name_the_client(relay: Relay, nsroom: Runner) -> None:
    proxy = await relay("--plain")
    await rooms(nsroom, proxy)
    text = await proxy.proc.stdout.wait_for("closed the WebSocket", timeout=10)
    (sid,) = re.findall(r"^\d\d:\d\d:\d\d\.\d{3}  ●  (\S{20})  opened", text, re.M)
    assert re.search(rf"\n\S+  ←  {sid}  (ack )?rooms .*✓ [\d.]+ ms\n", text)


async def test_on_a_terminal(relay: Relay, nsroom: Runner) -> None:
    proxy = await relay("--plain", tty=True, cols=100)
    await rooms(nsroom, proxy)
    await proxy.proc.stdout.wait_for("✓", timeout=10)
    proxy.proc.type("\x03")
    assert await proxy.proc.end() == 130


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_at_once_with_whole_lines(
    number: signal.Signals, relay: Relay, spawn: Spawner
) -> None:
    proxy = await relay()
    client = await spawn("connect", f"{proxy.url}/lab", "--stdin")
    client.send(["flood", {"count": 100_000, "size": 10}])
    await proxy.proc.seen(kind="event", event="flood", direction="in")
    proxy.proc.signal(number)
    assert await proxy.proc.end(3) == 128 + number
    assert proxy.proc.stdout.text.endswith("}\n")
    listening, session = proxy.proc.stderr.text.splitlines()
    assert (
        session
        == listening.replace("listening on ", "").replace(
            f"{proxy.url}, relaying to", "first session: nsroom connect"
        )
        + "/lab"
    )


async def test_closing_the_pipe_ends_it(shell: Runner, server: Server, nsroom: Runner) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    line = f"nsroom proxy {server.url} --listen :{port} | head -1; echo ${{PIPESTATUS[0]}}"
    relaying = asyncio.create_task(shell(line))
    while not relaying.done():
        await nsroom("call", "rooms", "-u", f":{port}", "--no-reconnect")
    result = await relaying
    assert json.loads(result.lines[0])["kind"] == "open"
    assert result.lines[1] == "141"
    assert all(line.startswith("nsroom: ") for line in result.stderr.splitlines())


async def test_a_full_disk(spawn: Spawner, server: Server, nsroom: Runner) -> None:
    proc = await spawn("proxy", server.url, "--listen", ":0", stdout=Path("/dev/full"))
    ready = READY.search(await proc.err(", relaying to "))
    assert ready
    await nsroom("call", "rooms", "-u", ready[1])
    assert await proc.end() == 10
    assert "cannot write to standard output: No space left on device" in proc.stderr.text


async def test_a_port_in_use_is_code_3(relay: Relay, nsroom: Runner) -> None:
    address = (await relay()).url.removeprefix("http://")
    result = await nsroom("proxy", ":1", "--listen", address)
    assert (result.code, result.stdout) == (3, "")
    message = f"nsroom: {address} is in use: stop the other server, or choose another --listen (:0 is any)\n"
    assert result.stderr == message


async def test_a_server_that_is_down(nsroom: Runner, spawn: Spawner) -> None:
    proc = await spawn("proxy", ":1", "--listen", ":0")
    ready = READY.search(await proc.err(", relaying to "))
    assert ready
    result = await nsroom("call", "rooms", "-u", ready[1], "--no-reconnect")
    assert (result.code, "HTTP 502" in result.stderr) == (3, True)
    record = await proc.seen(kind="connect_error", direction="local")
    assert record["message"] == (
        "cannot reach http://localhost:1: nothing listens on localhost port 1: start the server"
    )


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "proxy needs a TARGET, for example:"),
        ([":3000/chat"], "the proxy relays every namespace: name only the server, and add --where ns=/chat"),
        (["/chat"], "the proxy relays every namespace"),
        ([":3000", "--listen", "x"], "--listen 'x': write it as :3001 or HOST:3001"),
        ([":3000", "--drop", "150%"], "--drop '150%': write a share of the packets as 5% or 0.05"),
        ([":3000", "--delay", "200"], "--delay '200': write it as 200ms or 1.5s"),
        ([":3000", "--fault-where", "event=a"], "--fault-where needs --drop or --delay"),
        ([":3000", "--drop", "5%", "--fault-where", "x=1"], "column 1"),
        ([":3000", "--intercept", "event=a"], "--intercept needs the live view or --stdin"),
        ([":3000", "--stdin", "--intercept", "event=a", "--plain"], "leave --plain out"),
        ([":3000", "--stdin"], "--stdin needs --intercept"),
        ([":3000", "--stdin", "--intercept", "event="], "--where: column 7"),
        (
            [":3000", "--stdin", "--intercept", "event=a", "--drop", "5%"],
            "--intercept does not go with --drop, --delay and --hold",
        ),
        ([":3000", "--origin", "ä"], "--origin 'ä': write it as https://example.org"),
        (["http://u:secret@h"], "remove user and password from the URL"),
        (["https://h", "--cacert", "/nowhere"], "--cacert: cannot use /nowhere"),
    ],
)
async def test_usage(args: list[str], message: str, nsroom: Runner) -> None:
    result = await nsroom("proxy", *args)
    assert (result.code, result.stdout) == (2, "")
    assert message in result.stderr
    assert "secret" not in result.stderr


async def test_faults_on_purpose(relay: Relay, nsroom: Runner) -> None:
    proxy = await relay("--drop", "100%", "--delay", "150ms", "--fault-where", "dir=in & kind=ack")
    result = await nsroom("call", "rooms", "-u", proxy.url, "--timeout", "0.5")
    assert result.code == 5
    assert (await proxy.proc.seen(kind="ack"))["reason"] == "dropped on purpose"
    slow = await relay("--delay", "150ms")
    assert (await nsroom("call", "rooms", "-u", slow.url)).code == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_the_summary(number: signal.Signals, relay: Relay, nsroom: Runner) -> None:
    as_json, lines = await relay("--summary", "--json"), await relay("--summary", "--plain")
    for proxy in (as_json, lines):
        await rooms(nsroom, proxy)
        await rooms(nsroom, proxy, "--transport", "polling")
        assert (await nsroom("call", "never", "-u", f"{proxy.url}/lab", "--timeout", "0.1")).code == 5
        assert (await nsroom("emit", "x", "-u", f"{proxy.url}/unknown")).code == 4
        assert (await nsroom("emit", "x", "-u", proxy.url, "-H", "Origin: http://evil.example")).code == 3
        proxy.proc.signal(number)
        assert await proxy.proc.end() == 128 + number
    summary = json.loads(as_json.proc.stderr.text.splitlines()[-1])
    assert summary["sessions"] == 4
    assert summary["transports"] == {"polling": 1, "websocket": 3, "upgraded": 0}
    assert summary["events"]["out"] == 3
    assert summary["unanswered"] == {"never": 1}
    assert summary["refused"]["namespaces"] == {"/unknown: Invalid namespace": 1}
    assert set(summary["refused"]["handshakes"]) == {"HTTP 403"}
    text = lines.proc.stderr.text
    assert "nsroom: sessions: 4 (3 WebSocket, 1 polling, 0 of them upgraded)\n" in text
    assert "nsroom: unanswered acknowledgements: 1 (1 never)\n" in text
    assert "nsroom: refused namespaces: 1 (1 /unknown: Invalid namespace)\n" in text


async def test_the_summary_after_count_and_wait(relay: Relay, nsroom: Runner) -> None:
    for option, code in (("--count", 0), ("--wait", 5)):
        proxy = await relay("--summary", option, "3")
        if option == "--count":
            await nsroom("call", "rooms", "-u", proxy.url)  # the proxy ends in the midst of it
        assert await proxy.proc.end() == code
        assert "nsroom: refused namespaces: 0\n" in proxy.proc.stderr.text


async def test_lines_of_stdin_that_are_refused_change_nothing(relay: Relay, spawn: Spawner) -> None:
    proxy = await relay("--intercept", "event=rooms & dir=out", "--stdin", "--where", "event=nothing")
    proxy.proc.send({"event": "early"})
    await proxy.proc.err("stdin, line 1: no client is connected: name one by the sid of its records")
    client = await spawn("call", "rooms", "-u", proxy.url)
    waiting = await proxy.proc.record()
    assert (waiting["event"], waiting["data"]) == ("rooms", {"intercept": {"id": 1, "state": "waiting"}})
    proxy.proc.send("garbage")
    proxy.proc.send({"intercept": 2, "action": "drop"})
    await proxy.proc.err("stdin, line 2: not JSON")
    await proxy.proc.err("stdin, line 3: packet 2 does not wait")
    proxy.proc.send({"intercept": 1, "action": "forward"})
    assert await client.end() == 0
