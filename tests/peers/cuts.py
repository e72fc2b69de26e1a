"""Cuts under load: a room that is talked in all the time, and a `join --save` behind a relay."""

import asyncio
import contextlib
import json
import re
import signal
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.peers.program import Program, Server, Spawner

RATE = 200
"""Messages a second."""
OPTIONS = ("--ping-interval", "1", "--ping-timeout", "1", "--limit", "events_per_second=1000")
_PATIENCE = 30.0


class Relay:
    """A way to a server, which can be cut with a reset."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._writers: set[asyncio.StreamWriter] = set()

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        """Relay to the port; give the URL."""
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
        """Reset every connection."""
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

    def __init__(self, port: int) -> None:
        self.port = port
        self.acknowledged: list[str] = []
        self._said = 0

    @contextlib.asynccontextmanager
    async def sending(self) -> AsyncIterator[None]:
        """Do so meanwhile."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        async with aiohttp.ClientSession() as http:
            while True:
                with contextlib.suppress(aiohttp.ClientError, OSError, BaseExceptionGroup):
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
            elif answer := re.match(r'43(\d+)\[\{"ok":true', str(message.data)):
                self.acknowledged.append(answer[1])
        raise OSError("the connection ended")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the messages: the texts of those with which something is wrong."""

    acknowledged: int
    lost: set[str]
    """Acknowledged, and not in the recording."""
    doubled: set[str]
    unordered: bool
    unknown: set[str | None]
    """Why the program said that it cannot know; None where it could."""
    replayed: int


class Trial:
    """One server, one sender and one `join --save`."""

    def __init__(
        self, spawn: Spawner, serve: Callable[..., Awaitable[Server]], folder: Path, transport: str
    ) -> None:
        self._spawn = spawn
        self._serve = serve
        self._history = folder / "history.db"
        self._run = folder / "run.ndjson"
        self._transport = transport

    @contextlib.asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """Talk and record meanwhile; end when the last acknowledged message is recorded."""
        self._server = await self._start()
        self._relay, self._sender = Relay(_port(self._server)), Sender(_port(self._server))
        async with self._relay.listening() as url:
            async with self._sender.sending():
                watcher = await self._spawn(
                    *("join", "lobby", "-u", url, "--save", str(self._run), "--transport", self._transport)
                )
                await watcher.err("joined lobby")
                self._first = len(self._sender.acknowledged)
                yield
                await self._go_on()
            await _hears(watcher, self._sender.acknowledged[-1])
            watcher.signal(signal.SIGINT)
            await watcher.end()

    async def _start(self) -> Server:
        return await self._serve(*OPTIONS, history=self._history)

    async def _go_on(self) -> None:
        """Wait until the server acknowledges again."""
        async with asyncio.timeout(_PATIENCE):
            known = len(self._sender.acknowledged)
            while len(self._sender.acknowledged) == known:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.02)

    async def reset(self) -> None:
        """Cut the program's connections."""
        self._relay.cut()

    async def kill(self) -> None:
        """Kill the server, look at what it stored, and start it again."""
        self._server.proc.signal(signal.SIGKILL)
        await self._server.proc.end()
        self.check_stored()
        self._server = await self._start()
        self._relay.port = self._sender.port = _port(self._server)
        await self._go_on()

    async def stop(self, seconds: float) -> None:
        """Stop the server for a while."""
        self._server.proc.signal(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        self._server.proc.signal(signal.SIGCONT)
        await self._go_on()

    def check_stored(self) -> None:
        """Find all that was acknowledged in the file, once, and the file whole."""
        with contextlib.closing(sqlite3.connect(self._history)) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            stored = [json.loads(body)["text"] for (body,) in database.execute("SELECT body FROM messages")]
        assert set(self._sender.acknowledged) <= set(stored)
        assert len(stored) == len(set(stored))

    @property
    def outcome(self) -> Outcome:
        """What the recording says."""
        texts, rooms = _read(self._run)
        acknowledged = set(self._sender.acknowledged[self._first :])
        return Outcome(
            acknowledged=len(acknowledged),
            lost=acknowledged - set(texts),
            doubled={text for text, times in Counter(texts).items() if times > 1},
            unordered=[*map(int, texts)] != sorted(map(int, texts)),
            unknown={room["unknown"] for room in rooms},
            replayed=sum(room["replayed"] for room in rooms),
        )


async def _hears(watcher: Program, text: str) -> None:
    async with asyncio.timeout(_PATIENCE):
        while True:
            record = await watcher.record(_PATIENCE)
            if record["event"] == "message" and record["args"][0]["text"] == text:
                return


def _port(server: Server) -> int:
    return int(server.url.rpartition(":")[2])


def _read(run: Path) -> tuple[list[str], list[dict[str, Any]]]:
    """Give the texts of a recording in their order, and what its gaps say of the room."""
    records = [json.loads(line) for line in run.read_text("utf-8").splitlines()]
    texts = [
        record["args"][0]["text"]
        for record in records
        if record["kind"] == "event" and record.get("event") == "message" and record["direction"] == "in"
    ]
    return texts, [room for record in records if record["kind"] == "gap" for room in record["data"]["rooms"]]
