"""The application of a server that replays a recording."""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import time
from typing import Any

from nsroom.mock.sessions import Exchange, Match, Session, all_exchanges, nearest, replaced
from nsroom.record import Json, Kind, Record, brief
from nsroom_server.errors import Code, Refusal
from nsroom_server.logs import RateLimitedWarnings
from nsroom_server.settings.access import INVALID_NAMESPACE
from nsroom_server.settings.config import Config
from nsroom_server.socketio.application import Answer, Client, ConfiguredApplication, Handler, Later
from nsroom_server.socketio.server import Server

log = logging.getLogger("nsroom_server")

_MAX_NAME = 80
_ANSWER_TIMEOUT = 60.0
"""Seconds to wait for a client's acknowledgement."""


@dataclass(slots=True)
class _Player:
    """A client, and the session that is replayed for it."""

    session: Session
    ids: dict[str, str]
    """The ids of this run by the recorded ones."""
    used: set[Exchange] = field(default_factory=set)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)


class Replay(ConfiguredApplication):
    """Sends each client what a client of the recording received, at the same points of the conversation.

    The first client of a namespace gets its first session, the next one the next; after the last, the last.
    """

    def __init__(
        self,
        config: Config,
        server: Server,
        recorded: Mapping[str, list[Session]],
        speed: float,
        strict: bool,
    ) -> None:
        """`speed` is a factor, 0 is without pauses; `strict` refuses what was not recorded."""
        super().__init__(config)
        self._server = server
        self._recorded = recorded
        self._speed = speed
        self._strict = strict
        self._next: Counter[str] = Counter()
        self._players: dict[str, _Player] = {}
        self._warn = RateLimitedWarnings(log)

    def refuse(self, namespace: str, auth: Any) -> Any:
        """Refuse what was refused in the recording, and a namespace that is not in it."""
        refusal = super().refuse(namespace, auth)
        if refusal is not None:
            return refusal
        session = self._session(namespace)
        if session is None:
            self._warn("a namespace that is not in the recording", namespace=namespace[:_MAX_NAME])
            return {"message": INVALID_NAMESPACE}
        if session.refusal is not None:
            self._next[namespace] += 1
        return session.refusal

    def handler(self, _namespace: str, event: Any) -> Handler | None:
        """Return the handler of all events."""

        async def handle(client: Client, args: Sequence[Any]) -> Later | None:
            return self._answer(client, event, list(args))

        return handle

    async def connected(self, client: Client, auth: Any) -> None:  # noqa: ARG002
        """Send a client what was recorded after the connection."""
        session = self._session(client.namespace)
        if session is None:
            return
        self._next[client.namespace] += 1
        ids = {session.sid: client.sid} if session.sid else {}
        player = self._players[client.sid] = _Player(session, ids)
        self._play(client, player, session.exchanges[0], session.exchanges[0].answers)

    async def disconnected(self, client: Client) -> None:
        """Stop what is being replayed for a client."""
        if player := self._players.pop(client.sid, None):
            for task in player.tasks:
                task.cancel()

    def _session(self, namespace: str) -> Session | None:
        found = self._recorded.get(namespace, [])
        return found[min(self._next[namespace], len(found) - 1)] if found else None

    def _answer(self, client: Client, event: Json, args: list[Json]) -> Later | None:
        player, name = self._players.get(client.sid), brief(event, _MAX_NAME)
        match = self._match(player, event, args) if player else None
        if player is None or match is None:
            self._warn("an event that is not in the recording", event=name)
            if self._strict:
                raise Refusal(Code.UNKNOWN_EVENT, f"{name} is not in the recording")
            return None
        exchange = match.exchange
        if match.differing:
            self._warn("other arguments than in the recording", event=name, line=exchange.line)
            if self._strict:
                raise Refusal(Code.BAD_REQUEST, f"{name} with these arguments is not in the recording")
        player.used.add(exchange)
        player.ids |= match.ids
        at = next((at for at, each in enumerate(exchange.answers) if each.kind is Kind.ACK), None)
        if at is None:
            self._play(client, player, exchange, exchange.answers)
            return None
        return Later(self._acknowledge(client, player, exchange, at))

    def _match(self, player: _Player, event: Json, args: list[Json]) -> Match | None:
        """Return the exchange for an event: of the client's own session, else of another one."""
        others, now = self._recorded[player.session.namespace], int(time() * 1_000_000)
        for exchanges in (player.session.exchanges, all_exchanges(others)):
            if match := nearest(exchanges, event, args, player.used, now):
                return match
        return None

    async def _acknowledge(self, client: Client, player: _Player, exchange: Exchange, at: int) -> Answer:
        """Send the events before the acknowledgement and return it; those after it are sent later."""
        answers = exchange.answers
        await self._send(client, player, exchange, answers[:at])
        await self._wait(exchange, answers[at], self._done(exchange, answers[:at]))
        self._play(client, player, exchange, answers[at + 1 :], self._done(exchange, answers[: at + 1]))
        return tuple(replaced(answers[at].args or [], player.ids))

    def _play(
        self, client: Client, player: _Player, exchange: Exchange, answers: list[Record], done: float = 0.0
    ) -> None:
        if answers:
            task = self._server.engine.create_task(self._send(client, player, exchange, answers, done))
            player.tasks.add(task)
            task.add_done_callback(player.tasks.discard)

    @staticmethod
    def _done(exchange: Exchange, answers: list[Record]) -> float:
        return exchange.delay(answers[-1]) if answers else 0.0

    async def _wait(self, exchange: Exchange, answer: Record, done: float) -> None:
        """Wait as long as in the recording, where `done` seconds of the exchange have passed."""
        if self._speed:
            await asyncio.sleep(max(exchange.delay(answer) - done, 0) / self._speed)

    async def _send(
        self, client: Client, player: _Player, exchange: Exchange, answers: list[Record], done: float = 0.0
    ) -> None:
        for answer in answers:
            await self._wait(exchange, answer, done)
            done = exchange.delay(answer)
            if answer.kind is Kind.DISCONNECT:
                await self._server.disconnect(client)
                return
            args = replaced(answer.args or [], player.ids)
            if answer.id is None:
                self._server.emit(str(answer.event), *args, namespace=client.namespace, to=client.sid)
            else:
                self._server.engine.create_task(self._ask(client, str(answer.event), args))

    async def _ask(self, client: Client, event: str, args: list[Json]) -> None:
        """Send an event that asks the client for an acknowledgement, as the recorded server did."""
        with contextlib.suppress(TimeoutError, Refusal):
            async with asyncio.timeout(_ANSWER_TIMEOUT):
                await self._server.ask(client, event, *args)
