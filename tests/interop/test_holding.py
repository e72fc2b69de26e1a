"""Real clients and servers that are stopped, as in a debugger, on both sides of `proxy --hold`."""

import os
import re
import signal
from collections.abc import Awaitable, Callable

import pytest

from nsroom.proxy.heartbeats import HELD
from tests.peers.program import Program, Server, Spawner

PINGS = ("--ping-interval", "500", "--ping-timeout", "5000")
"""Without the proxy, a session ends 5.5 s after its last heartbeat, on both sides."""
READY = re.compile(r"listening on (\S+), relaying")
TRANSPORTS = ("polling", "websocket", "upgrade")


async def hold_twice(proxy: Program, count: int) -> None:
    """Wait until the proxy has sent two heartbeats, 3 s after another, for each of `count` sessions."""
    held: list[str] = []
    while len([sid for sid in set(held) if held.count(sid) > 1]) < count:
        held.append(str((await proxy.seen(timeout=60, reason=HELD))["sid"]))


@pytest.mark.parametrize(("stopped", "generation"), [("clients", 4), ("clients", 2), ("server", 4)])
async def test_sessions_last_while_one_side_is_stopped(
    stopped: str,
    generation: int,
    node_server: Callable[..., Awaitable[Server]],
    node_script: Spawner,
    spawn: Spawner,
) -> None:
    server = await node_server(f"server{generation}.js", *PINGS)
    proxy = await spawn("proxy", server.url, "--listen", ":0", "--all", "--hold", "--summary")
    ready = READY.search(await proxy.err(", relaying to "))
    assert ready
    clients = []
    for name in TRANSPORTS:
        options = [
            *(["--transport", name] if name != "upgrade" else []),
            *(["--old"] if generation == 2 else []),
        ]
        clients.append(await node_script("client4.js", ready[1], *options))
        await clients[-1].seen(kind="connect")
    await proxy.seen(kind="upgrade")
    pids = [client.pid for client in clients] if stopped == "clients" else [server.proc.pid]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    # A server that is stopped answers the heartbeats by polling only when it continues.
    await hold_twice(proxy, 3 if stopped == "clients" else 2)
    for pid in pids:
        os.kill(pid, signal.SIGCONT)
    for client in clients:
        client.send({"emit": ["hello", 1], "ack": 1})
        await client.seen(timeout=30, kind="ack", id=1)
    # Each side has heard of the other again, and nothing was late.
    for _ in clients:
        await proxy.seen(timeout=30, kind="ping")
    assert all("disconnect" not in each.stdout.text for each in (*clients, server.proc))
    proxy.signal(signal.SIGINT)
    assert re.search(r"heartbeats sent by --hold: \d", await proxy.err("by --hold: "))
