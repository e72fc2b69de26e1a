"""The server as a process: how it starts, what it says, and how it ends in every state."""

import asyncio
import json
import os
import re
import signal
import ssl
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

import nsroom
from nsroom_server import __version__
from nsroom_server.app import Running, serving
from nsroom_server.errors import AddressInUseError, ConfigError, ListenError
from nsroom_server.settings.config import Config
from tests.frames import masked
from tests.peers.certificate import certificate
from tests.server.member import WAIT, Member, Serve
from tests.server.wire import closing, endpoint, poll, raw_websocket, websocket

RUN = """
import json, sys
from pathlib import Path
from nsroom_server.app import run
from nsroom_server.settings.config import Config, LogFormat
from nsroom_server.settings.limits import Limits

options = json.loads(sys.argv[1])
options["history"] = Path(options["history"]) if "history" in options else None
options["limits"] = Limits(**options.get("limits", {}))
options["log_format"] = LogFormat(options.get("log_format", "text"))
sys.exit(run(Config(port=0, **options)))
"""
DRAIN = 1
"""Seconds for a server that has to wait as long …"""
LONG = 600
"""… and for one that is to end before, on any machine."""


class Process:
    """A server process."""

    def __init__(self, child: asyncio.subprocess.Process, running: Running) -> None:
        self.child, self.running = child, running

    async def line(self) -> str:
        assert self.child.stderr
        return (await asyncio.wait_for(self.child.stderr.readline(), WAIT)).decode().rstrip("\n")

    async def stop(self, number: int = signal.SIGTERM) -> tuple[int, float]:
        """Send a signal; give the exit code and how many seconds it took, WAIT at most."""
        begun = time.monotonic()
        self.child.send_signal(number)
        return await asyncio.wait_for(self.child.wait(), WAIT), time.monotonic() - begun


@asynccontextmanager
async def process(**options: Any) -> AsyncIterator[Process]:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", RUN, json.dumps({"drain": DRAIN, **options}), stderr=asyncio.subprocess.PIPE
    )
    try:
        assert child.stderr
        first = (await asyncio.wait_for(child.stderr.readline(), WAIT)).decode()
        url = "http" + first.rstrip('"}\n').partition("http")[2].partition('"')[0]
        yield Process(child, Running(url, int(url.rpartition(":")[2])))
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


Start = Callable[..., Awaitable[Process]]


async def undelivered(server: Process) -> int:
    """Give the count that an ended server has printed."""
    assert server.child.stderr
    said = (await server.child.stderr.read()).decode()
    found = re.search(r"^nsroom: (\d+) packets could not be delivered$", said, re.M)
    return int(found[1]) if found else 0


@pytest.fixture
def start(stack: AsyncExitStack) -> Start:
    """Start a server process: `await start(drain=1)`."""

    async def begin(**options: Any) -> Process:
        return await stack.enter_async_context(process(**options))

    return begin


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
async def test_an_idle_server_ends_at_once(start: Start, number: int, code: int) -> None:
    ended, _ = await (await start(drain=LONG)).stop(number)
    assert ended == code


async def test_a_websocket_is_closed_for_a_restart(start: Start, http: aiohttp.ClientSession) -> None:
    server = await start(drain=LONG)
    async with websocket(http, server.running) as ws:
        stopped = asyncio.create_task(server.stop())
        assert await closing(ws) == aiohttp.WSCloseCode.SERVICE_RESTART
        code, _ = await stopped
    assert code == 0


async def test_a_waiting_poll_is_answered(start: Start, http: aiohttp.ClientSession) -> None:
    server = await start(drain=LONG)
    session = await poll(http, server.running)
    waiting = asyncio.create_task(session.get())
    await asyncio.sleep(0.1)
    code, _ = await server.stop()
    assert await waiting == (200, "6")
    assert code == 0


@asynccontextmanager
async def stuck(server: Process) -> AsyncIterator[None]:
    """Be sent more than fits into the system's buffers, and do not read it."""
    async with raw_websocket(server.running, "/lab") as (_, writer):
        writer.transport.pause_reading()
        writer.write(masked('42/lab,["flood",{"count":100000,"size":1000}]'))
        await jammed(server.running)
        yield


async def jammed(running: Running) -> None:
    """Wait until packets are queued and no more become of them."""
    queued = ["0.0", "1.0"]
    async with asyncio.timeout(WAIT), aiohttp.ClientSession() as http:
        while queued[-1] == "0.0" or len(set(queued[-3:])) > 1:
            async with http.get(f"{running.url}/metrics") as response:
                found = re.search(r"^nsroom_queued_packets (\S+)$", await response.text(), re.M)
            assert found
            queued.append(found[1])


async def test_a_stuck_reader_is_dropped(start: Start) -> None:
    server = await start()
    async with stuck(server):
        code, seconds = await server.stop()
    assert code == 75
    assert await undelivered(server) > 10
    assert seconds >= DRAIN


async def test_packets_that_nobody_fetches_are_counted(start: Start, http: aiohttp.ClientSession) -> None:
    server = await start()
    session = await poll(http, server.running)
    await session.post("40/lab,")
    while "everyone!" not in (await session.get())[1]:
        continue
    await session.post("\x1e".join(['42/lab,["echo",1]'] * 5))
    code, seconds = await server.stop()
    assert (code, await undelivered(server)) == (75, 5)
    assert seconds >= DRAIN


async def test_packets_that_are_fetched_late_are_delivered(start: Start, http: aiohttp.ClientSession) -> None:
    server = await start(drain=LONG)
    session = await poll(http, server.running)
    await session.post("40/lab,")
    while "everyone!" not in (await session.get())[1]:
        continue
    await session.post("\x1e".join(['42/lab,["echo",1]'] * 5))
    stopped = asyncio.create_task(server.stop())
    await asyncio.sleep(0.2)
    status, body = await session.get()
    assert (status, len(body.split("\x1e"))) == (200, 5)
    code, _ = await stopped
    assert code == 0


async def test_a_peer_that_never_answers_the_closing_handshake(start: Start) -> None:
    server = await start()
    async with raw_websocket(server.running):
        code, _ = await server.stop()
    assert code == 0


async def test_a_half_sent_body(start: Start, http: aiohttp.ClientSession) -> None:
    server = await start()
    session = await poll(http, server.running)
    _, writer = await asyncio.open_connection("127.0.0.1", server.running.port)
    path = session.url.removeprefix(server.running.url)
    writer.write(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n42[".encode())
    await writer.drain()
    await asyncio.sleep(0.1)
    code, _ = await server.stop()
    assert code == 0
    writer.close()


async def test_a_burst_is_finished_and_the_rest_refused(start: Start, tmp_path: Path) -> None:
    server = await start(history=str(tmp_path / "h.db"), limits={"events_burst": 2000, "queued_frames": 8000})
    ann = Member(["/"])
    await ann.client.connect(server.running.url, transports=["websocket"])
    await ann.call("join", "lobby")
    answers: list[Any] = []
    for number in range(2000):
        await ann.client.emit("message", {"room": "lobby", "text": str(number)}, callback=answers.append)
    code, _ = await server.stop()
    await asyncio.wait_for(ann.disconnected.wait(), WAIT)
    await ann.client.disconnect()
    acked = [answer["id"] for answer in answers if "id" in answer]
    assert all(answer.get("ok") or answer["error"] == "draining" for answer in answers)
    async with serving(Config(port=0, history=tmp_path / "h.db")) as again:
        reader = Member(["/"])
        await reader.client.connect(again.url, transports=["websocket"])
        stored = (await reader.call("history", {"room": "lobby", "after": 0, "limit": 1000}))["history"]
        await reader.client.disconnect()
    assert {entry["id"] for entry in stored} >= {number for number in acked if number <= 1000}
    assert code == 0


async def test_a_delay_is_cut_short_with_an_answer(start: Start, http: aiohttp.ClientSession) -> None:
    server = await start(drain=LONG)
    async with websocket(http, server.running) as ws:
        await ws.send_str("40/lab,")
        await ws.send_str('42/lab,1["delay",{"ms":60000}]')
        await ws.send_str('42/lab,2["echo"]')
        await heard(ws, "43/lab,2[")
        stopped = asyncio.create_task(server.stop())
        assert '"draining"' in await heard(ws, "43/lab,1[")
        code, _ = await stopped
    assert code == 0


async def heard(ws: aiohttp.ClientWebSocketResponse, beginning: str) -> str:
    """Wait for a frame that begins so."""
    while not (frame := await ws.receive_str(timeout=WAIT)).startswith(beginning):
        continue
    return frame


async def test_a_second_signal_ends_it_at_once(start: Start) -> None:
    server = await start(drain=LONG)
    async with stuck(server):
        server.child.send_signal(signal.SIGTERM)
        while "stopping" not in await server.line():
            continue
        code, _ = await server.stop()
    assert code == 128 + signal.SIGTERM


async def test_signals_at_any_moment_of_the_end(start: Start) -> None:
    server = await start()
    ended = asyncio.create_task(server.child.wait())
    while not ended.done():
        with suppress(ProcessLookupError):
            os.kill(server.child.pid, signal.SIGTERM)
        await asyncio.sleep(0.001)
    assert await ended in (0, 128 + signal.SIGTERM)


async def test_the_log_names_who_connects(start: Start) -> None:
    server = await start(any_namespace=True)
    ann = Member(["/a b=c"])
    await ann.client.connect(server.running.url, namespaces=["/a b=c"], transports=["websocket"])
    fields = f'namespace="/a b=c" sid={ann.sid} address=127.0.0.1 transport=websocket'
    sid = ann.sid[:6]
    while "someone connected" not in (line := await server.line()):
        assert " " in line
    assert line.endswith(f" someone connected {fields}")
    await ann.client.disconnect()
    assert f' "/a b=c" {sid} disconnected reason="' in await server.line()


async def test_the_log_as_json(start: Start, http: aiohttp.ClientSession) -> None:
    server = await start(log_format="json")
    async with websocket(http, server.running):
        line = json.loads(await server.line())
    assert line.pop("time").endswith("Z")
    assert line.pop("sid")
    from_where = {"address": "127.0.0.1", "transport": "websocket"}
    assert line == {"level": "info", "message": "someone connected", "namespace": "/", **from_where}


async def test_a_port_in_use() -> None:
    async with serving(Config(port=0)) as running:
        with pytest.raises(AddressInUseError, match=rf"127.0.0.1:{running.port} is in use: .*--port"):
            async with serving(Config(port=running.port)):
                pass


@pytest.mark.parametrize("host", ["203.0.113.1", "no.such.host.invalid"])
async def test_an_address_that_is_not_ours(host: str) -> None:
    with pytest.raises(ListenError, match=f"cannot listen on {host}"):
        async with serving(Config(host=host, port=0, insecure=True)):
            pass


async def test_tls(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    cert, key = await certificate(tmp_path)
    trusting = ssl.create_default_context(cafile=str(cert))
    async with serving(Config(port=0, tls_cert=cert, tls_key=key)) as running:
        assert running.url.startswith("https://127.0.0.1:")
        headers = {"Origin": running.url}
        async with http.get(endpoint(running, "polling"), ssl=trusting, headers=headers) as response:
            assert response.status == 200


async def test_a_certificate_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("nothing")
    for name in ("cert.pem", "missing.pem"):
        with pytest.raises(ConfigError, match=f"TLS certificate .*{name}: .*PEM"):
            async with serving(Config(port=0, tls_cert=tmp_path / name)):
                pass


async def test_ipv6() -> None:
    async with serving(Config(host="::1", port=0)) as running:
        assert running.url == f"http://[::1]:{running.port}"


async def test_every_answer_names_the_server(serve: Serve, http: aiohttp.ClientSession) -> None:
    running = await serve()
    assert __version__ == nsroom.__version__
    for path in ("/socket.io/?EIO=4&transport=polling", "/socket.io/?EIO=3", "/healthz", "/nope"):
        async with http.get(running.url + path) as response:
            assert response.headers["Server"] == f"nsroom/{__version__}"
    async with http.ws_connect(f"{running.url}/socket.io/?EIO=4&transport=websocket") as ws:
        assert ws._response.headers["Server"] == f"nsroom/{__version__}"
