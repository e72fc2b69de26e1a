"""`nsroom bench`, the real program, against several kinds of servers; their speed is not asserted."""

import asyncio
import os
import re
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader

from nsroom.bench.histogram import DIGITS, HIGHEST, LOWEST
from tests.conftest import StartServer
from tests.peers import bad
from tests.peers.certificate import certificate
from tests.peers.program import Program, Runner, Server, Spawner

SMALL = ("--clients", "20", "--duration", "0.5", "--timeout", "20")
ACK = ("--scenario", "ack")


def check(report: dict[str, Any], *scenarios: str) -> None:
    """Assert that all clients connected, that there are latencies, and that there are no errors."""
    measured = report["scenarios"]
    assert list(measured) == ["connect", *scenarios]
    assert measured["connect"]["count"] == report["clients"]
    for each in measured.values():
        assert each["errors"] == {}
        assert each["count"] > 0
        latency = each["latency_ms"]
        assert 0 < latency["p50"] <= latency["p90"] <= latency["p99"] <= latency["p99.9"] <= latency["max"]
    assert report["missed"] == []


async def test_the_reference_server(nsroom: Runner, server: Server) -> None:
    result = await nsroom("bench", *SMALL, "--rate", "100", "--json", "-u", f"{server.url}/chat", timeout=60)
    assert (result.code, result.stderr) == (0, "")
    [report] = result.records()
    check(report, "ack", "fan-out")
    assert (report["namespace"], report["rate"], report["workers"]) == ("/chat", 100, 1)
    messages = report["scenarios"]["fan-out"]["sent"]
    assert report["scenarios"]["fan-out"]["count"] == 19 * messages


async def test_node_saturated_by_two_processes(nsroom: Runner, node_server: StartServer) -> None:
    server = await node_server("server4.js")
    more = ("--workers", "2", "--rooms", "4", "--in-flight", "2", "--ramp", "0.2")
    result = await nsroom("bench", server.url, *SMALL, *more, "--json", timeout=60)
    assert (result.code, result.stderr) == (0, "")
    [report] = result.records()
    check(report, "ack", "fan-out")
    assert report["scenarios"]["fan-out"]["count"] == 4 * report["scenarios"]["fan-out"]["sent"]


async def test_one_room_in_two_processes(nsroom: Runner, python_server: StartServer) -> None:
    server = await python_server()
    more = ("--scenario", "fan-out", "--workers", "2", "--rate", "20")
    result = await nsroom("bench", server.url, *SMALL, *more, "--json", timeout=60)
    assert (result.code, result.stderr) == (0, "")
    [report] = result.records()
    check(report, "fan-out")
    assert report["scenarios"]["fan-out"]["count"] == 19 * report["scenarios"]["fan-out"]["sent"]


async def test_the_events_of_another_server(nsroom: Runner, node_server: StartServer) -> None:
    server = await node_server("server4.js")
    words = ("--event", "say", "--args", '["{text}"]', "--room-args", '{"room":"{room}","is":["{text}"]}')
    size = ("--size", "70000", "--join-preset", "join-object", "--rate", "10")
    result = await nsroom("bench", f"{server.url}/chat", *SMALL, *words, *size, "--json", timeout=60)
    assert (result.code, result.stderr) == (0, "")
    check(result.records()[0], "ack", "fan-out")


async def test_a_server_with_tls_and_a_token(nsroom: Runner, serve: StartServer, tmp_path: Path) -> None:
    await certificate(tmp_path)
    server = await serve("--tls-cert", "cert.pem", "--tls-key", "key.pem", "--token", "secret")
    options = ("--cacert", "cert.pem", "--auth", "token=secret", "--rate", "50", "--json")
    result = await nsroom("bench", "-u", f"{server.url}/chat", *SMALL, *options, timeout=60)
    assert (result.code, result.stderr) == (0, "")
    check(result.records()[0], "ack", "fan-out")
    refused = await nsroom("bench", "-u", f"{server.url}/chat", "--cacert", "cert.pem")
    assert (refused.code, refused.stdout) == (4, "")


async def test_the_text_report(nsroom: Runner, server: Server) -> None:
    result = await nsroom("bench", "-u", server.url, *SMALL, *ACK, "--rate", "50", timeout=60)
    assert (result.code, result.stderr) == (0, "")
    assert result.lines[:2] == [f"{server.url}/", "20 clients  1 room  1 worker  50 events/s"]
    assert result.lines[3].split() == ["connect", "ack"]
    assert [line for line in result.lines if "%  █" in line]
    assert "\x1b" not in result.stdout


LOBBY = """\
ann: connect /chat
bob: connect /chat
ann: join {room}-{group}
bob: join {room}-{group}
ann: call message room={room}-{group} text=hi as id=arg.0.id
bob: expect event=message & arg.0.id={id} within 30s
"""


async def test_a_scenario_as_the_load(nsroom: Runner, server: Server, tmp_path: Path) -> None:
    (tmp_path / "lobby.nsroom").write_text(LOBBY)
    command = ("--script", "lobby.nsroom", "--set", "room=lobby", "-c", "9", "--duration", "1", "--rate", "8")
    result = await nsroom("bench", server.url, *command, "--workers", "2", "--json", timeout=60)
    assert (result.code, result.stderr) == (0, "nsroom: 8 clients: 4 groups of 2\n")
    [report] = result.records()
    assert (report["clients"], report["groups"], report["start"]["count"]) == (8, 4, 8)
    call = report["lines"]["lobby.nsroom:5 call message"]
    assert (call["count"], call["errors"], report["run"]["count"]) == (8, {}, 8)
    assert 0 < call["latency_ms"]["p50"] < report["run"]["latency_ms"]["p50"]


async def test_a_failed_expectation_is_an_error_with_its_line(
    nsroom: Runner, server: Server, tmp_path: Path
) -> None:
    (tmp_path / "lobby.nsroom").write_text(f"{LOBBY}ann: never event=message for 9s\n")
    command = ("--script", "lobby.nsroom", "--set", "room=lobby", "-c", "2", "--duration", "0.5")
    result = await nsroom("bench", server.url, *command, "--max-p50", "5=0ms", timeout=60)
    assert result.code == 1
    assert re.search(r"^ +\d+  lobby.nsroom:7 never event=message: it was received$", result.stdout, re.M)
    assert "nsroom: missed: --max-p50 5=0ms: lobby.nsroom:5 call message took " in result.stderr
    assert "nsroom: missed: --max-errors 0: there were " in result.stderr


async def test_a_scenario_that_never_ends(nsroom: Runner, server: Server, tmp_path: Path) -> None:
    (tmp_path / "long.nsroom").write_text("ann: connect\nann: wait 30s\n")
    command = ("--script", "long.nsroom", "-c", "1", "--duration", "0.1", "--timeout", "0.1")
    result = await nsroom("bench", server.url, *command)
    assert (result.code, "no run of long.nsroom ended within 0.2 s" in result.stderr) == (5, True)


async def test_progress_on_a_terminal(spawn: Spawner, server: Server) -> None:
    program = await spawn("bench", "-u", server.url, *SMALL, *ACK, "--rate", "50", tty=True, cols=60)
    result = await program.result(60)
    assert result.code == 0
    assert "nsroom: ack  0.0 of 0.5 s  0 answered" in result.stdout
    assert "\r\x1b[K\x1b[1mhttp" in result.stdout


async def test_the_histograms_are_saved(nsroom: Runner, server: Server, tmp_path: Path) -> None:
    command = ("bench", "-u", server.url, *SMALL, *ACK, "--rate", "50", "--json", "--save", "x.hlog")
    [report] = (await nsroom(*command, timeout=60)).records()
    file = tmp_path / "x.hlog"
    assert file.stat().st_mode & 0o777 == 0o600
    reader = HistogramLogReader(str(file), HdrHistogram(LOWEST, HIGHEST, DIGITS))
    counts = {}
    while (histogram := reader.get_next_interval_histogram()) is not None:
        counts[histogram.get_tag()] = histogram.get_total_count()
    reader.close()
    assert counts == {name: each["count"] for name, each in report["scenarios"].items()}
    again = await nsroom(*command)
    assert (again.code, again.stdout) == (2, "")
    assert "x.hlog already exists" in again.stderr


async def test_thresholds(nsroom: Runner, server: Server) -> None:
    bounds = ("--max-p50", "ack=0ms", "--max-p999", "1000s")
    result = await nsroom("bench", "-u", server.url, *SMALL, *ACK, *bounds, "--json", timeout=60)
    assert result.code == 1
    [miss] = result.records()[0]["missed"]
    assert miss.startswith("--max-p50 ack=0ms: ack took ")
    assert result.stderr == f"nsroom: missed: {miss}\n"


async def test_refused_events_are_errors(nsroom: Runner, serve: StartServer) -> None:
    server = await serve("--limit", "events_per_second=1", "--limit", "events_burst=5")
    few = ("-u", server.url, "--clients", "2", "--duration", "1", *ACK, "--json")
    result = await nsroom("bench", *few, timeout=60)
    assert result.code == 1
    [report] = result.records()
    assert list(report["scenarios"]["ack"]["errors"]) == ["refused: rate_limited"]
    assert report["scenarios"]["ack"]["count"] >= 10
    assert report["missed"][0].startswith("--max-errors 0: there were ")


async def test_a_stall_counts_against_all_events_that_were_due_during_it(nsroom: Runner) -> None:
    talks = 0

    async def script(talk: bad.Conversation) -> None:
        nonlocal talks
        talks += 1
        await talk.welcome()
        for number in range(1_000_000):
            frame = str(await talk.receive())
            if number == 20:
                await asyncio.sleep(1)
            await talk.send(f"43{frame[2 : frame.index('[')]}[]")

    async with bad.conversation(script) as url:
        options = ("--clients", "2", "--duration", "2", "--rate", "100", *ACK, "--json")
        result = await nsroom("bench", "-u", url, *options, timeout=60)
    assert result.code == 0
    ack = result.records()[0]["scenarios"]["ack"]
    assert ack["sent"] == ack["count"] >= 180
    # Only two answers were late themselves, but a hundred other events were due during the stall.
    assert ack["latency_ms"]["p90"] > 500
    assert talks == 3  # the first is the preflight check


@pytest.mark.parametrize(
    ("options", "code", "line"),
    [
        ((*ACK, "--event", "never"), 5, "no acknowledgement of 'never' within 0.5 s"),
        ((*ACK, "--event", "none"), 7, "refuses every 'none' (refused: unknown_event)"),
        (("--scenario", "fan-out", "--room-event", "never"), 5, "no 'never' reached a room"),
        (("--join-event", "error", "--scenario", "fan-out"), 4, "refuses every client's join"),
    ],
)
async def test_a_server_without_the_right_events(
    nsroom: Runner, server: Server, options: tuple[str, ...], code: int, line: str
) -> None:
    few = ("--clients", "4", "--duration", "30", "--timeout", "0.5")
    result = await nsroom("bench", "-u", f"{server.url}/lab", *few, *options, timeout=60)
    assert result.code == code
    assert line in result.stderr
    assert "connect latency" in result.stdout


async def test_a_server_without_acks(nsroom: Runner) -> None:
    async with bad.sends() as url:
        few = ("--clients", "4", "--duration", "30", "--timeout", "0.5")
        result = await nsroom("bench", "-u", url, *few, timeout=60)
    assert result.code == 5
    assert "use an event that it acknowledges with --event" in result.stderr


async def test_a_hostile_server(nsroom: Runner) -> None:
    async def script(talk: bad.Conversation) -> None:
        await talk.welcome()
        while True:
            frame = str(await talk.receive())
            number = frame[2:].partition("[")[0]
            if '"join"' in frame:
                await talk.send(f"43{number}[]")
                await send_stamps(talk, frame.partition("nsroom-bench-")[2][:8])
                continue
            await talk.send(
                "", "4", "43", "43[", "461-", b"\xff", "7", f"43{'9' * 5000}[]", f"461-{'9' * 5000}[]"
            )
            await talk.send(f'43{number}[{{"error":"\\ud800\\u001b[2J"}}]', f'43{number}[{{"error":[]}}]')

    async def send_stamps(talk: bad.Conversation, run: str) -> None:
        for _ in range(10):
            await asyncio.sleep(0.1)
            for stamp in ("", "x" * 19, "9" * 19, "-1".zfill(19)):
                await talk.send(f'42["message","nsroom-{run}-{stamp}"]')

    async with bad.conversation(script) as url:
        few = ("--clients", "4", "--duration", "0.5", "--timeout", "0.5")
        ack = await nsroom("bench", "-u", url, *few, *ACK, "--json", timeout=60)
        scenario = ("--scenario", "fan-out", "--max-errors", "100%")
        fanout = await nsroom("bench", "-u", url, *few, *scenario, "--json", timeout=60)
    assert (ack.code, fanout.code) == (7, 0)
    assert list(ack.records()[0]["scenarios"]["ack"]["errors"]) == ["refused: \ud800\x1b[2J"]
    assert "(refused: \\ud800\\x1b[2J)" in ack.stderr
    assert fanout.records()[0]["scenarios"]["fan-out"]["latency_ms"]["max"] < 0.001
    stderr = ack.stderr + fanout.stderr
    assert stderr.count("\n") == 1
    assert "\x1b" not in stderr


async def test_modules_in_the_current_folder_are_not_imported(
    environment: dict[str, str], tmp_path: Path, server: Server
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('imported')")
    safe = Runner((sys.executable, "-P", "-m", "nsroom"), environment, tmp_path)
    result = await safe("bench", "-u", server.url, *SMALL, "--scenario", "connect", "--json", timeout=60)
    assert (result.code, result.stderr) == (0, "")


@pytest.mark.parametrize(
    ("args", "code", "line"),
    [
        (("http://192.0.2.1:9",), 2, "http://192.0.2.1:9 is not on this machine: add --yes"),
        ((":1", "--clients", "10000000"), 2, "run `ulimit -n 10000064` first, or use more --workers"),
        ((":1", "--clients", "1"), 2, "--clients"),
        ((":1", "--clients", "5", "--rooms", "3"), 2, "at least 6 are needed"),
        ((":1", "--scenario", "nonsense"), 2, "choose connect, ack, fan-out"),
        ((":1", "--max-p99", "5"), 2, "--max-p99 '5': write it as 200ms or 1.5s"),
        ((":1", "--transport", "polling"), 2, "WebSocket only"),
        ((":1/a", "-n", "/b"), 2, "one namespace, but 2"),
        ((":1", "--room-args", "[]"), 2, "--room-args needs {text}"),
        ((":1", "--set", "x=1"), 2, "--set needs --script"),
        ((":1", "--script", "gone.nsroom"), 2, "cannot read gone.nsroom"),
        ((":1", "--script", "x.nsroom", "--event", "x"), 2, "leave out --event"),
    ],
)
async def test_nothing_is_sent(nsroom: Runner, args: tuple[str, ...], code: int, line: str) -> None:
    result = await nsroom("bench", *args)
    assert (result.code, result.stdout) == (code, "")
    assert line in result.stderr
    assert result.stderr.count("\n") == 1


async def test_a_closed_port(nsroom: Runner) -> None:
    async with bad.refuses_connections() as url:
        result = await nsroom("bench", "-u", url)
    assert (result.code, result.stdout) == (3, "")
    assert "nothing listens on 127.0.0.1" in result.stderr


async def test_a_refused_namespace(nsroom: Runner, server: Server) -> None:
    result = await nsroom("bench", "-u", f"{server.url}/nope")
    assert (result.code, result.stdout) == (4, "")
    assert "/nope is refused: Invalid namespace" in result.stderr


async def test_a_server_that_accepts_only_the_preflight_check(nsroom: Runner) -> None:
    talks = 0

    async def script(talk: bad.Conversation) -> None:
        nonlocal talks
        talks += 1
        if talks == 1:  # the preflight check
            await talk.welcome()
        await talk.receive()
        await asyncio.Event().wait()

    async with bad.conversation(script) as url:
        options = ("--clients", "4", "--connect-timeout", "1", "--json")
        result = await nsroom("bench", "-u", url, *options, timeout=60)
    assert result.code == 3
    assert result.records()[0]["scenarios"]["connect"]["errors"] == {"no connection within 1 s": 4}
    assert result.stderr == f"nsroom: cannot connect to {url}: no connection within 1 s\n"


@pytest.mark.parametrize("step", ["ack", "fan-out"])
async def test_the_server_dies(spawn: Spawner, server: Server, step: str) -> None:
    options = ("--clients", "10", "--duration", "60", "--scenario", step)
    program = await spawn("bench", "-u", server.url, *options, tty=True, cols=120)
    await program.stdout.wait_for(f"nsroom: {step}  0.", 30)
    await under_way(program, step)
    server.proc.signal(signal.SIGKILL)
    result = await program.result(30)
    assert result.code == 6
    assert "nsroom: all connections are closed: connection lost: " in result.stdout
    assert f"{step} latency" in result.stdout


@pytest.mark.parametrize("workers", [1, 2])
async def test_ctrl_c_shows_what_was_measured(spawn: Spawner, server: Server, workers: int) -> None:
    # At a rate: without one, a fast machine reaches the server's limit of events, and there are errors.
    options = ("--clients", "10", "--duration", "60", "--rate", "100", *ACK, "--workers", str(workers))
    program = await spawn("bench", "-u", server.url, *options, tty=True, cols=120)
    await under_way(program, "ack")
    started = children(program.pid)
    program.type("\x03")
    result = await program.result(30)
    assert result.code == 130
    assert "ack latency" in result.stdout
    assert "errors             0         0" in result.stdout
    assert len(started) == workers
    assert not any(is_alive(pid) for pid in started)


async def test_ctrl_c_while_the_workers_start(spawn: Spawner, server: Server) -> None:
    options = ("--clients", "10", "--ramp", "60", *ACK, "--workers", "4")
    program = await spawn("bench", "-u", server.url, *options, tty=True, cols=120)
    await program.stdout.wait_for("nsroom: connect  0.0 s", 60)
    started = children(program.pid)
    program.type("\x03")
    result = await program.result(30)
    assert result.code == 130
    assert "nsroom: " not in result.stdout.partition("^C")[2]
    assert "Traceback" not in result.stdout
    assert len(started) == 4
    assert not any(is_alive(pid) for pid in started)


async def test_a_killed_worker_ends_the_run(spawn: Spawner, server: Server) -> None:
    options = ("--clients", "10", "--duration", "60", *ACK, "--workers", "2")
    program = await spawn("bench", "-u", server.url, *options, tty=True, cols=120)
    await under_way(program, "ack")
    os.kill(children(program.pid)[0], signal.SIGKILL)
    result = await program.result(30)
    assert result.code == 70
    assert "a worker process of bench was killed by signal 9" in result.stdout
    assert "connect latency" in result.stdout


async def under_way(program: Program, step: str) -> None:
    """Wait until a step has run for a second or more."""
    await program.stdout.wait_for_match(rf"nsroom: {step}  [1-9]", 60)


def children(pid: int) -> list[int]:
    """Return the processes that a running process has started."""
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_alive(pid: int) -> bool:
    """Return whether a process still exists."""
    return Path(f"/proc/{pid}").exists()


async def test_a_worker_loads_no_library(environment: dict[str, str]) -> None:
    script = "import sys, nsroom.bench.worker; print(*sys.modules)"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", script), env=environment, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    names = {name.partition(".")[0] for name in out.decode().split()}
    assert names & {"aiohttp", "socketio", "engineio", "typer", "rich", "orjson"} == set()
