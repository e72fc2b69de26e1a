"""Faults under load: a room that is talked in all the time, and a `join --save` behind a relay.

What everyone sent, was told and saw becomes a `History` for the model to check.
"""

import asyncio
import contextlib
import json
import re
import signal
import sqlite3
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
from redis.asyncio import Redis

from tests.peers.clock import WallClock
from tests.peers.history_model import Gap, History, Message, Viewer, broken
from tests.peers.program import Program, Server, Spawner
from tests.peers.valkey_server import Valkey

RATE = 200
"""Messages a second."""
OPTIONS = ("--ping-interval", "1", "--ping-timeout", "1", "--limit", "events_per_second=1000")
DAY = 86_400.0
_PATIENCE = 30.0
_LISTENING = re.compile(r"nsroom: listening on (\S+)")
_ANSWER = re.compile(r"43(\d+)(\[.*)", re.DOTALL)


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


class Talker:
    """Says one thing after the other in the lobby, whatever becomes of the server, and hears what is said."""

    def __init__(self, name: str, port: int, pause: float = 1 / RATE) -> None:
        self.name = name
        self.port = port
        self.pause = pause
        self.acknowledged: dict[str, int] = {}
        self.sent: list[list[str]] = []
        self.seen: list[Message | Gap] = []
        self._count = 0

    @contextlib.asynccontextmanager
    async def talking(self) -> AsyncIterator[None]:
        """Talk meanwhile."""
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
            self.sent.append([])
            self.seen.append(Gap("joined"))
            await ws.send_str("40")
            await ws.send_str('42["join","lobby"]')
            group.create_task(self._listen(ws))
            while not ws.closed:
                self._count += 1
                self.sent[-1].append(self._text(self._count))
                message = {"room": "lobby", "text": self._text(self._count)}
                await ws.send_str(f"42{self._count}{json.dumps(['message', message])}")
                await asyncio.sleep(self.pause)

    def _text(self, number: int | str) -> str:
        return f"{self.name}-{number}"

    async def _listen(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        async for frame in ws:
            data = str(frame.data)
            if data == "2":
                await ws.send_str("3")
            elif answer := _ANSWER.match(data):
                (told,) = json.loads(answer[2])
                if told.get("ok") and told["id"] is not None:
                    self.acknowledged[self._text(answer[1])] = told["id"]
            elif data.startswith('42["message"'):
                self.seen.append(_message(json.loads(data[2:])[1]))
        raise OSError("the connection ended")


class Trial:
    """A number of servers with a talker on each, and one `join --save` on the first.

    One server keeps its messages in a file, several keep them in Redis. `variables` are those of each server.
    """

    def __init__(
        self,
        spawn: Spawner,
        folder: Path,
        transport: str = "websocket",
        redis: Valkey | None = None,
        variables: tuple[Mapping[str, str], ...] = ({},),
        clock: WallClock | None = None,
    ) -> None:
        self.history_file = folder / "history.db"
        self._spawn = spawn
        self._run = folder / "run.ndjson"
        self._transport = transport
        self._redis = redis
        self._variables = variables
        self._clock = clock
        self._servers: list[Server] = []
        self._talkers: list[Talker] = []
        self.acknowledged = 0
        """The messages that were acknowledged while the program listened."""

    @contextlib.asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """Talk and record meanwhile; end when everything that is stored is recorded."""
        self._servers = [await self._start(number) for number in range(len(self._variables))]
        self._talkers = [Talker(f"t{n}", _port(server)) for n, server in enumerate(self._servers)]
        self._relay = Relay(_port(self._servers[0]))
        async with self._relay.listening() as url:
            async with contextlib.AsyncExitStack() as talking:
                for talker in self._talkers:
                    await talking.enter_async_context(talker.talking())
                watcher = await self._spawn(
                    *("join", "lobby", "-u", url, "--save", str(self._run), "--transport", self._transport)
                )
                self.watcher = watcher
                await watcher.err("joined lobby", timeout=_PATIENCE)
                first = self._acknowledged
                yield
                await self._go_on()
            self.acknowledged = self._acknowledged - first
            await self._say_last(watcher)
            watcher.signal(signal.SIGINT)
            await watcher.end()

    async def _start(self, number: int) -> Server:
        store = ("--redis", self._redis.url) if self._redis else ("--history", str(self.history_file))
        env = {**self._variables[number], **(self._clock.variables if self._clock else {})}
        program = await self._spawn("serve", "--port", "0", *store, *OPTIONS, env=env)
        found = _LISTENING.search(await program.err("nsroom: listening on ", timeout=60))
        assert found
        return Server(found[1], program)

    @property
    def _acknowledged(self) -> int:
        return sum(len(talker.acknowledged) for talker in self._talkers)

    async def _go_on(self) -> None:
        """Wait until every server acknowledges again."""
        for talker in self._talkers:
            known = len(talker.acknowledged)
            async with asyncio.timeout(_PATIENCE):
                while len(talker.acknowledged) == known:  # noqa: ASYNC110 - nothing tells
                    await asyncio.sleep(0.02)

    async def _say_last(self, watcher: Program) -> None:
        """Say one more thing, and wait until the program has seen it: all that is stored came before it."""
        # It is not to have another on its way when the first was acknowledged: that would be stored later.
        last = Talker("last", _port(self._servers[0]), pause=_PATIENCE)
        self._talkers.append(last)
        async with last.talking(), asyncio.timeout(_PATIENCE):
            while not last.acknowledged:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.02)
        stored = (await self.stored())[-1].text
        async with asyncio.timeout(_PATIENCE):
            while f'"{stored}"' not in await watcher.line(_PATIENCE):
                continue

    # Faults

    async def reset(self) -> None:
        """Cut the program's connections."""
        self._relay.cut()

    async def kill(self, number: int = 0) -> None:
        """Kill a server, look at what is stored, and start it again."""
        self._servers[number].proc.signal(signal.SIGKILL)
        await self._servers[number].proc.end()
        await self.check_stored()
        self._servers[number] = await self._start(number)
        self._talkers[number].port = _port(self._servers[number])
        if not number:
            self._relay.port = _port(self._servers[number])
        await self._go_on()

    async def stop(self, seconds: float, number: int = 0) -> None:
        """Stop a server for a while."""
        self._servers[number].proc.signal(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        self._servers[number].proc.signal(signal.SIGCONT)
        await self._go_on()

    async def jump(self, days: float) -> None:
        """Move the wall clock of every program for two seconds, and back."""
        assert self._clock
        self._clock.jump(days * DAY)
        await asyncio.sleep(2)
        self._clock.jump(0)
        await self._go_on()

    async def remove_file(self, other: bytes | None = None) -> None:
        """Take the history file away for two seconds, or put another in its place."""
        away = self.history_file.with_suffix(".away")
        self.history_file.rename(away)
        if other is not None:
            self.history_file.write_bytes(other)
        await asyncio.sleep(2)
        away.replace(self.history_file)
        await self._go_on()

    async def kill_redis(self) -> None:
        """Kill Redis and start it again: what it had acknowledged is on the disk."""
        assert self._redis
        await self._redis.kill()
        await self._redis.start()
        await self._go_on()

    async def pause_redis(self, seconds: float) -> None:
        """Stop Redis for a while."""
        assert self._redis
        self._redis.pause()
        await asyncio.sleep(seconds)
        self._redis.resume()
        await self._go_on()

    async def command_redis(self, *command: str) -> None:
        """Send Redis a command, such as SCRIPT FLUSH."""
        assert self._redis
        async with Redis.from_url(self._redis.url) as redis:
            await redis.execute_command(*command)  # type: ignore[no-untyped-call]
        await self._go_on()

    # What came of it

    async def check_stored(self) -> None:
        """Find all that was acknowledged so far in the store, and the promise unbroken there."""
        acknowledged = self._told
        found = broken(History({"store": await self.stored()}, acknowledged))
        assert not found, found

    @property
    def _told(self) -> dict[str, int]:
        return {text: number for talker in self._talkers for text, number in talker.acknowledged.items()}

    async def stored(self) -> list[Message]:
        """Return the room's messages."""
        return await self._in_redis() if self._redis else self._in_file()

    def _in_file(self) -> list[Message]:
        with contextlib.closing(sqlite3.connect(self.history_file)) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            rows = database.execute("SELECT id, body FROM messages WHERE room = 'lobby' ORDER BY id")
            return [Message(id, json.loads(body)["text"]) for id, body in rows]

    async def _in_redis(self) -> list[Message]:
        assert self._redis
        async with Redis.from_url(self._redis.url, decode_responses=True, protocol=2) as redis:
            rows: Any = await redis.xrange("nsroom:room:/\nlobby")
        return [_message({"id": int(id.partition("-")[0]), **json.loads(row["body"])}) for id, row in rows]

    async def history(self) -> History:
        """Return what everyone sent, was told and saw."""
        talkers = [Viewer(talker.name, talker.seen, catches_up=False) for talker in self._talkers]
        return History(
            stores={"store": await self.stored()},
            acknowledged=self._told,
            sent=[texts for talker in self._talkers for texts in talker.sent],
            viewers=[Viewer("join", self.recorded), *talkers],
        )

    @property
    def recorded(self) -> list[Message | Gap]:
        """What the recording says."""
        found: list[Message | Gap] = []
        place: int | None = None
        for record in self._records:
            replayed = (record.get("data") or {}).get("replayed")
            if place is None and (record["kind"] == "reconnect" or replayed):
                place = len(found)
            if record["kind"] == "gap":
                # It follows the messages that were fetched, and these follow what is missing.
                gaps = [Gap(room["unknown"]) for room in record["data"]["rooms"] if room["unknown"]]
                at = len(found) if place is None else place
                found[at:at], place = gaps, None
            elif record["kind"] == "event" and record["event"] == "message" and record["direction"] == "in":
                found.append(_message(record["args"][0]))
        return found

    @property
    def replayed(self) -> int:
        """The messages that the program fetched after a gap."""
        gaps = [record["data"]["rooms"] for record in self._records if record["kind"] == "gap"]
        return sum(room["replayed"] for rooms in gaps for room in rooms)

    @property
    def _records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._run.read_text("utf-8").splitlines()]


def _message(body: Mapping[str, Any]) -> Message:
    return Message(body["id"], body["text"])


def _port(server: Server) -> int:
    return int(server.url.rpartition(":")[2])
