"""Cuts under load: `join --save` loses and doubles nothing that was acknowledged."""

import asyncio
import contextlib
import json
import random
import re
import signal
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.conftest import StartServer
from tests.peers.program import Program, Server, Spawner

RATE = 200


class Relay:
    """A way to a server, which can be cut with a reset."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._writers: set[asyncio.StreamWriter] = set()

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            self.cut()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, there[1]}
        await asyncio.gather(_pipe(reader, there[1]), _pipe(there[0], writer))
        self._writers -= {writer, there[1]}

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    writer.transport.abort()


class Sender:
    """Says one thing after the other in the lobby, whatever becomes of the server."""

    def __init__(self) -> None:
        self.port = 0
        self.acknowledged: list[str] = []
        self._said = 0

    async def run(self) -> None:
        async with aiohttp.ClientSession() as http:
            while True:
                with contextlib.suppress(aiohttp.ClientError, OSError, TypeError):
                    await self._talk(http)
                await asyncio.sleep(0.1)

    async def _talk(self, http: aiohttp.ClientSession) -> None:
        url = f"http://127.0.0.1:{self.port}/socket.io/?EIO=4&transport=websocket"
        async with http.ws_connect(url) as ws, asyncio.TaskGroup() as group:
            await ws.send_str("40")
            await ws.send_str('42["join","lobby"]')
            group.create_task(self._listen(ws))
            while not ws.closed:
                self._said += 1
                await ws.send_str(f'42{self._said}["message",{{"room":"lobby","text":"{self._said}"}}]')
                await asyncio.sleep(1 / RATE)

    async def _listen(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        async for message in ws:
            if message.data == "2":
                await ws.send_str("3")
            elif answer := re.match(r'43(\d+)\[\{"ok":true', message.data):
                self.acknowledged.append(answer[1])
        raise OSError("the connection ended")


@contextlib.asynccontextmanager
async def sending(port: int) -> AsyncIterator[Sender]:
    sender = Sender()
    sender.port = port
    task = asyncio.create_task(_until_cancelled(sender))
    try:
        yield sender
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _until_cancelled(sender: Sender) -> None:
    while True:
        with contextlib.suppress(BaseExceptionGroup):
            await sender.run()


Cut = Callable[[], Awaitable[None]]


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_nothing_is_lost_and_nothing_doubled(
    spawn: Spawner, serve: StartServer, tmp_path: Path, transport: str
) -> None:
    history, run = tmp_path / "h.db", tmp_path / "run.ndjson"
    beat = ("--ping-interval", "1", "--ping-timeout", "1", "--limit", "events_per_second=1000")
    server = await serve(*beat, history=history)
    relay = Relay(_port(server))

    async def reset() -> None:
        relay.cut()

    async def kill() -> None:
        nonlocal server
        server.proc.signal(signal.SIGKILL)
        await server.proc.end()
        server = await serve(*beat, history=history)
        relay.port = sender.port = _port(server)

    async def stop() -> None:
        server.proc.signal(signal.SIGSTOP)
        await asyncio.sleep(4)
        server.proc.signal(signal.SIGCONT)

    async with relay.listening() as url, sending(relay.port) as sender:
        watcher = await spawn("join", "lobby", "-u", url, "--save", str(run), "--transport", transport)
        await watcher.err("joined lobby")
        before = len(sender.acknowledged)
        for cut in [kill, stop, *random.Random(7).choices([reset, kill], [3, 1], k=8)]:
            await asyncio.sleep(random.Random(before).uniform(0.1, 0.9))
            await cut()
        await asyncio.sleep(1)
    last = sender.acknowledged[-1]
    await _hears(watcher, last)
    watcher.signal(signal.SIGINT)
    await watcher.end()

    texts, rooms = _said(run)
    assert [text for text, times in Counter(texts).items() if times > 1] == []
    assert set(sender.acknowledged[before:]) <= set(texts)
    assert [*map(int, texts)] == sorted(map(int, texts))
    assert {room["unknown"] for room in rooms} == {None}
    assert sum(room["replayed"] for room in rooms) > 0
    _check_stored(history, sender.acknowledged)


async def _hears(watcher: Program, text: str) -> None:
    async with asyncio.timeout(20):
        while True:
            record = await watcher.record(20)
            if record["event"] == "message" and record["args"][0]["text"] == text:
                return


def _port(server: Server) -> int:
    return int(server.url.rpartition(":")[2])


def _said(run: Path) -> tuple[list[str], list[dict[str, Any]]]:
    """Give the texts of a recording in their order, and what its gaps say of the room."""
    records = [json.loads(line) for line in run.read_text("utf-8").splitlines()]
    texts = [
        record["args"][0]["text"]
        for record in records
        if record["kind"] == "event" and record.get("event") == "message" and record["direction"] == "in"
    ]
    gaps = [record["data"]["rooms"] for record in records if record["kind"] == "gap"]
    assert gaps
    return texts, [room for rooms in gaps for room in rooms]


def _check_stored(history: Path, acknowledged: list[str]) -> None:
    with contextlib.closing(sqlite3.connect(history)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        stored = [json.loads(body)["text"] for (body,) in database.execute("SELECT body FROM messages")]
    assert set(acknowledged) <= set(stored)
    assert len(stored) == len(set(stored))
