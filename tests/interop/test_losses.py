"""A peer that resets, stalls, answers late or dies: nothing is lost silently, and the numbers add up."""

import asyncio
import contextlib
import json
import signal
import sqlite3
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.conftest import StartServer
from tests.peers import bad
from tests.peers.program import Result, Runner, Server, Spawner

EVENTS = [f'42["tick",{n}]' for n in range(20)]


def _summary(result: Result) -> dict[str, int]:
    [line] = [line for line in result.stderr.splitlines() if line.startswith("{")]
    summary: dict[str, int] = json.loads(line)
    assert summary["sent"] == summary["acked"] + summary["nacked"] + summary["unknown"]
    assert summary["read"] >= summary["sent"]
    return summary


async def test_everything_before_a_reset_is_printed(nsroom: Runner) -> None:
    async with bad.resets_after_sending(EVENTS) as url:
        result = await nsroom("connect", url, "--no-reconnect", "--all", "--json")
    records = result.records()
    assert [record["args"] for record in records if record["kind"] == "event"] == [[n] for n in range(20)]
    assert records[-1]["kind"] == "close"
    assert result.code == 6


async def test_what_arrived_while_the_program_was_stopped_is_printed(
    spawn: Spawner, nsroom: Runner, node_server: Callable[..., Awaitable[Server]]
) -> None:
    server = await node_server("server4.js", "--ping-interval", "1000", "--ping-timeout", "4000")
    watching = await spawn("connect", server.url, "--all", "--json")
    await watching.seen(kind="connect", direction="in")
    watching.signal(signal.SIGSTOP)
    stopped = time.monotonic()
    assert (await nsroom("emit", "-u", server.url, "shout", "1", "--ack")).code == 0
    # Longer than the two wait for each other.
    await asyncio.sleep(stopped + 7 - time.monotonic())
    watching.signal(signal.SIGCONT)
    await watching.seen(event="echo", args=[1])
    gap = await watching.seen(kind="gap")
    assert gap["data"]["ms"] > 5000


async def test_a_reset_leaves_the_rest_unknown(nsroom: Runner) -> None:
    async with bad.resets_after_receiving(3) as url:
        lines = "".join(f'["say",{n}]\n' for n in range(9))
        result = await nsroom("emit", "-u", url, "--no-reconnect", "--ack", "--summary", "-", stdin=lines)
    summary = _summary(result)
    assert (result.code, summary["acked"], summary["nacked"]) == (6, 3, 0)


async def test_a_late_acknowledgement_is_code_5(nsroom: Runner) -> None:
    async with bad.late_acks(30) as url:
        result = await nsroom("call", "-u", url, "--timeout", "0.5", "say")
    assert (result.code, result.stdout) == (5, "")


async def test_a_slow_acknowledgement_is_waited_for(nsroom: Runner) -> None:
    async with bad.late_acks(0.3) as url:
        result = await nsroom("call", "-u", url, "say", "--json")
    [record] = result.records()
    assert (result.code, record["args"]) == (0, ["late"])
    assert record["rtt_ms"] > 300


async def test_a_refusal_is_code_4_with_its_reason(nsroom: Runner) -> None:
    async with bad.refuses({"message": "token expired", "data": {"code": 9}}) as url:
        result = await nsroom("emit", "-u", url, "say")
    assert result.code == 4
    assert "token expired" in result.stderr


async def test_larger_than_the_server_takes_is_code_9(nsroom: Runner) -> None:
    async with bad.sends(handshake={"maxPayload": 100}) as url:
        result = await nsroom("emit", "-u", url, "say", "x" * 200)
    assert result.code == 9
    assert "100" in result.stderr


async def test_a_malformed_packet_does_not_end_the_stream(nsroom: Runner) -> None:
    async with bad.sends('42["before"]', '42["cut', '42["after"]') as url:
        result = await nsroom("connect", url, "--all", "--json", "--where", "dir=in", "-C", "5", "-W", "3")
    kinds = [(record["kind"], record.get("event")) for record in result.records()]
    assert kinds[-3:] == [("event", "before"), ("protocol_error", None), ("event", "after")]


async def test_no_acknowledged_message_is_lost_with_the_server(
    spawn: Spawner, serve: StartServer, tmp_path: Path
) -> None:
    history = tmp_path / "history.db"
    # What comes too fast is sent again, behind others: only without that is their order known.
    server = await serve("--limit", "events_burst=30000", history=history)
    watcher = await spawn("join", "lobby", "-u", server.url, "--json")
    await watcher.seen(event="hi")
    emitter = await spawn("emit", "-u", server.url, "--no-reconnect", "--ack", "--summary", "-")
    emitter.send(["join", "lobby"])
    for n in range(20_000):
        emitter.send(["message", {"room": "lobby", "text": str(n)}])
    emitter.eof()
    for _ in range(300):
        await watcher.seen(event="message")
    server.proc.signal(9)
    result = await emitter.result(30)
    summary = _summary(result)
    assert result.code == 6
    assert summary["nacked"] == 0
    assert summary["acked"] > 0
    assert summary["unknown"] + summary["read"] - summary["sent"] > 0

    messages_acked = summary["acked"] - 1
    assert _stored(history)[:messages_acked] == [str(n) for n in range(messages_acked)]


def _stored(history: Path) -> list[str]:
    """Read the texts in the order of their numbers."""
    with contextlib.closing(sqlite3.connect(history)) as database:
        return [
            json.loads(body)["text"] for (body,) in database.execute("SELECT body FROM messages ORDER BY id")
        ]
