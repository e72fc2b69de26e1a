"""Questions that servers ask each other over the bus, and the answers."""

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count

from nsroom_server.chat.backend import Question
from nsroom_server.cluster.delivery import decoded, encoded, relayed
from nsroom_server.cluster.entries import Entry, Heard, Op
from nsroom_server.cluster.publisher import Publisher
from nsroom_server.socketio.application import Json
from nsroom_server.socketio.packet import Packet, PacketType
from nsroom_server.socketio.server import Server

log = logging.getLogger("nsroom_server")

_PATIENCE = 1.0
"""Seconds for all answers: a server that is dead, and not known to be, gives none."""
_WATCHED = 5.0
"""Seconds for which those who watch are told."""


@dataclass(slots=True)
class _Asked:
    """A question, and what came of it."""

    parts: list[Json] = field(default_factory=list)
    answers: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class Conference:
    """The other servers, reached over the bus: Others."""

    def __init__(self, server: Server, publisher: Publisher) -> None:
        self._server = server
        self._publisher = publisher
        self._questions: Mapping[str, Question] = {}
        self._asked: dict[str, _Asked] = {}
        self._numbers = map(str, count(1))
        self._watched_until = 0.0

    @property
    def watching(self) -> bool:
        """Whether an administrator is connected to another server."""
        return asyncio.get_running_loop().time() < self._watched_until

    def watch(self) -> None:
        """Ask the others to send what happens there to the administrators, for some seconds."""
        self._publisher.publish(Entry(Op.WATCH, ""))

    def emit(self, event: str, *args: Json, namespace: str) -> None:
        """Send an event to their clients in a namespace."""
        parts = Packet(PacketType.EVENT, [event, *args], namespace).encode()
        self._publisher.publish(relayed(namespace, parts))

    def watched(self) -> None:
        """Handle the entry of a server that watches."""
        self._watched_until = asyncio.get_running_loop().time() + _WATCHED

    def answer(self, questions: Mapping[str, Question]) -> None:
        """Register the questions that the others may ask."""
        self._questions = questions

    async def ask(self, question: str, args: Sequence[Json]) -> list[Json]:
        """Return the parts of all answers that arrive in time.

        Raises: Refusal.
        """
        number = next(self._numbers)
        asked = self._asked[number] = _Asked()
        data = json.dumps(
            encoded(Packet(PacketType.EVENT, [question, *args]).encode()), separators=(",", ":")
        )
        try:
            await self._publisher.submit(Entry(Op.ASK, "", sid=number, data=data))
            with suppress(TimeoutError):
                async with asyncio.timeout(_PATIENCE):
                    await self._complete(asked)
        finally:
            del self._asked[number]
        return asked.parts

    async def _complete(self, asked: _Asked) -> None:
        while asked.answers < self._publisher.figures.servers - 1:
            asked.changed.clear()
            await asked.changed.wait()

    def asked(self, heard: Heard) -> None:
        """Answer another server's question in a task: reading the bus goes on meanwhile."""
        self._server.engine.create_task(self._reply(heard))

    async def _reply(self, heard: Heard) -> None:
        parts = await self._find_answer(heard)
        for left, part in zip(range(len(parts) - 1, -1, -1), parts, strict=True):
            data = json.dumps({"part": part, "left": left}, separators=(",", ":"))
            self._publisher.publish(Entry(Op.ANSWER, "", heard.origin, heard.entry.sid, data))
            # There may be many, and others want their turn.
            await asyncio.sleep(0)

    async def _find_answer(self, heard: Heard) -> list[Json]:
        try:
            name, *args = decoded(json.loads(heard.entry.data), self._server.options.limits).arguments
            return await self._questions[name](args)
        except Exception:
            log.exception("another server's question failed")
            return [None]

    def answered(self, heard: Heard) -> None:
        """Take another server's answer."""
        asked = self._asked.get(heard.entry.sid) if heard.entry.room == self._publisher.origin else None
        if asked:
            answer = json.loads(heard.entry.data)
            asked.parts.append(answer["part"])
            asked.answers += not answer["left"]
            asked.changed.set()
