"""The live view of `nsroom proxy`: a real client on one side, the real server on the other."""

import asyncio
import json
import re
import socket
from pathlib import Path

import pytest

from tests.cli.tui.conftest import Show
from tests.cli.tui.screens import Terminal, after_the_screen, left_on, looks_like, sizes
from tests.peers.program import Program, Server, Spawner


async def start_proxy(show: Show, server: Server, *args: str, **options: int) -> tuple[Terminal, str]:
    """Start a proxy on a terminal; return the terminal and the proxy's URL."""
    terminal = await show("proxy", server.url, "--listen", ":0", *args, **options)
    text = await terminal.until(" → ")
    found = re.search(r"● (127\.0\.0\.1:\d+)", text)
    assert found
    return terminal, f"http://{found[1]}"


async def client(node_script: Spawner, url: str, *args: str) -> Program:
    """Connect a JavaScript client to /chat and join a room."""
    proc = await node_script("client4.js", url, "--namespace", "/chat", *args)
    await proc.seen(kind="connect")
    proc.send({"emit": ["join", "lobby"], "ack": 1})
    await proc.seen(kind="ack")
    return proc


@sizes
async def test_the_traffic_of_two_clients(
    show: Show, server: Server, node_script: Spawner, cols: int, rows: int
) -> None:
    # Without events that both clients get: their order is random.
    terminal, url = await start_proxy(show, server, "--where", "dir=out|kind=ack", rows=rows, cols=cols)
    await client(node_script, url, "--transport", "websocket")
    other = await client(node_script, url, "--transport", "polling")
    other.send({"emit": ["message", {"room": "lobby", "text": "hello"}], "ack": 2})
    await other.seen(kind="ack", id=2)
    await terminal.until("ack message")
    await terminal.until(lambda text: "first session" not in text)
    if cols > 80:
        await terminal.until(" 0/s ")
    await looks_like(terminal, "relayed")


async def test_keys_of_an_observer(show: Show, server: Server, node_script: Spawner, tmp_path: Path) -> None:
    terminal, url = await start_proxy(show, server)
    one = await client(node_script, url)
    await client(node_script, url)
    await terminal.until(lambda text: re.search("#2 +join .*✓", text) is not None)
    terminal.press("A", "/", "ack join", "Enter", "a", "C")
    shown = await terminal.until("sid=")
    assert "▌" in shown
    await terminal.until(lambda text: not re.search(r"[←→] +#1", text.partition("CLIENTS")[2]))
    terminal.press("x", "i", "event=join & dir=out", "Enter")
    await terminal.until(lambda text: len(re.findall("→ +#[12] +join", text)) == 2 and "opened" not in text)
    terminal.press("/emit hello", "Enter")
    await terminal.until("the proxy only observes: nothing can be sent")
    terminal.press("\x15", f"/save {tmp_path}/r.ndjson", "Enter")
    await terminal.until("⏺")
    one.send({"emit": ["nick", "ann"], "ack": 3})
    await one.seen(kind="ack", id=3)
    terminal.press("Enter")
    await terminal.until(lambda text: re.search("#1 +ack nick", text) is not None)
    terminal.press("\x11")
    assert await terminal.program.end() == 0
    recorded = [json.loads(line) for line in (tmp_path / "r.ndjson").read_text().splitlines()]
    assert {"open", "connect", "event", "ack"} <= {record["kind"] for record in recorded}
    assert len({record["sid"] for record in recorded}) == 2


@pytest.mark.parametrize(("key", "code"), [("q", 0), ("\x03", 130)])
async def test_ending_closes_the_listener_and_restores_the_terminal(
    show: Show, server: Server, node_script: Spawner, key: str, code: int
) -> None:
    terminal, url = await start_proxy(show, server)
    member = await client(node_script, url)
    await terminal.until("everyone!")
    terminal.press(key, key)
    assert await terminal.program.end() == code
    assert left_on(terminal) == []
    assert after_the_screen(terminal) == ""
    await member.seen(kind="disconnect")
    with socket.socket() as probe, pytest.raises(ConnectionRefusedError):
        probe.connect(("127.0.0.1", int(url.rpartition(":")[2])))


async def test_a_port_in_use_is_reported_without_a_screen(show: Show, server: Server) -> None:
    terminal = await show("proxy", server.url, "--listen", f":{server.url.rpartition(':')[2]}")
    assert await terminal.program.end() == 3
    assert "\x1b[?1049h" not in terminal.program.stdout.text
    assert "is in use" in terminal.program.stdout.text


async def test_an_unreachable_server_is_reported_to_client_and_screen(show: Show, server: Server) -> None:
    await server.proc.kill()
    terminal, url = await start_proxy(show, server)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    writer.write(b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b" 502 " in await asyncio.wait_for(reader.readline(), 10)
    writer.close()
    await terminal.until("cannot reach http://127.0.0.1")


async def test_a_count_ends_it(show: Show, server: Server, node_script: Spawner) -> None:
    terminal, url = await start_proxy(show, server, "-C", "1", "--where", "event=join")
    await node_script("client4.js", url, "--namespace", "/chat")
    await terminal.until("#1")
    proc = await node_script("client4.js", url, "--namespace", "/chat")
    proc.send({"emit": ["join", "lobby"]})
    assert await terminal.program.end() == 0
    assert left_on(terminal) == []
