"""The application of a scripted server: it runs the actions of the rules that match what clients send."""

import asyncio
import contextlib
import logging
import signal
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from nsroom.errors import UsageError
from nsroom.mock.rules import EVERYONE, Action, Rule, read
from nsroom.mock.templates import fill, value_of
from nsroom.record import Direction, Json, Kind, Record, brief
from nsroom_server.logs import RateLimitedWarnings
from nsroom_server.settings.config import Config
from nsroom_server.socketio.application import Answer, Client, ConfiguredApplication, Handler, Later
from nsroom_server.socketio.server import Server

log = logging.getLogger("nsroom_server")

_MAX_TASKS = 100
"""Actions of one client that wait or repeat."""
_MAX_ROOM = 128
_MAX_NAME = 80


class Mock(ConfiguredApplication):
    """Runs the rules of a script; SIGHUP reads it again."""

    def __init__(self, config: Config, server: Server, file: Path, rules: Sequence[Rule]) -> None:
        super().__init__(config)
        self._server = server
        self._file = file
        self._rules = rules
        self._counts: Counter[Rule] = Counter()
        self._tasks: dict[str, set[asyncio.Task[None]]] = {}
        self._warn = RateLimitedWarnings(log)
        if sys.platform != "win32":
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self.reload)

    def reload(self) -> None:
        """Read the script again; the old rules stay if it has an error."""
        try:
            self._rules = read(self._file)
        except UsageError as error:
            log.error("%s; the rules stay as they were", error)
        else:
            log.info("%s: %d rules", self._file, len(self._rules))

    def refuse(self, namespace: str, auth: Any) -> Any:
        """Refuse an unknown namespace, a client without the token, and what a rule refuses."""
        refusal = super().refuse(namespace, auth)
        if refusal is not None:
            return refusal
        record = _record(Kind.CONNECT, Client(namespace, ""), data=auth)
        for rule in self._rules:
            action = next((each for each in rule.actions if each.verb == "refuse"), None)
            if action is not None and rule.matches(record):
                self._counts[rule] += 1
                return {"message": str(self._filled(rule, action, record)[0])}
        return None

    def is_recoverable(self, namespace: str) -> bool:  # noqa: ARG002
        """Return whether clients whose connection is lost can be recovered."""
        return True

    def handler(self, _namespace: str, event: Any) -> Handler | None:
        """Return the handler of all events."""

        async def handle(client: Client, args: Sequence[Any]) -> Answer | Later | None:
            record = _record(Kind.EVENT, client, event=event, args=list(args))
            return await self._run(client, record)

        return handle

    async def connected(self, client: Client, auth: Any) -> None:
        """Run the rules for a new client."""
        self._tasks[client.sid] = set()
        await self._run(client, _record(Kind.CONNECT, client, data=auth))

    async def disconnected(self, client: Client) -> None:
        """Stop what waits or repeats for a client, and run the rules for its end."""
        for task in self._tasks.pop(client.sid, ()):
            task.cancel()
        await self._run(client, _record(Kind.DISCONNECT, client))

    def _matching(self, record: Record) -> Iterator[tuple[Rule, Action]]:
        for rule in self._rules:
            if rule.matches(record):
                self._counts[rule] += 1
                yield from ((rule, action) for action in rule.actions)

    async def _run(self, client: Client, record: Record) -> Answer | Later | None:
        """Run the actions of the rules that match, and return the first acknowledgement."""
        answer: Answer | Later | None = None
        found = list(self._matching(record))
        if not found and record.kind is Kind.EVENT:
            self._warn("no rule for an event", event=brief(record.event, _MAX_NAME))
        for rule, action in found:
            args = self._filled(rule, action, record)
            if action.verb in ("ack", "refuse"):
                answer = answer or _answer(action, args)
            elif action.delay or action.period:
                self._start(client, rule, action, record)
            else:
                await self._act(client, action, args)
        return answer

    def _filled(self, rule: Rule, action: Action, record: Record) -> list[Json]:
        """Return the action's values: its arguments, then the room."""
        number = self._counts[rule]
        values: list[Json] = fill(
            [*action.args, action.room], action.names, lambda name: value_of(name, record, number)
        )
        return values

    def _start(self, client: Client, rule: Rule, action: Action, record: Record) -> None:
        tasks = self._tasks.get(client.sid)
        if tasks is None:
            return
        if len(tasks) >= _MAX_TASKS:
            self._warn("too many actions of one client wait or repeat", sid=client.sid)
            return
        task = self._server.engine.create_task(self._repeat(client, rule, action, record))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async def _repeat(self, client: Client, rule: Rule, action: Action, record: Record) -> None:
        """Act after the delay, and then once in each period, until the task is cancelled."""
        await asyncio.sleep(action.delay)
        while True:
            await asyncio.sleep(action.period)
            await self._act(client, action, self._filled(rule, action, record))
            if not action.period:
                return
            self._counts[rule] += 1

    async def _act(self, client: Client, action: Action, values: list[Json]) -> None:
        *args, room = values
        if action.verb == "emit":
            to = None if room == EVERYONE else client.sid if room is None else _room(room)
            self._server.emit(str(args[0]), *args[1:], namespace=client.namespace, to=to)
        elif action.verb == "kick":
            await self._server.disconnect(client)
        elif action.verb == "leave":
            self._server.leave_room(client, _room(args[0]))
        elif action.verb == "join":
            # The client may be disconnected by now, and a room that is a socket's own is not to be entered.
            with contextlib.suppress(KeyError, ValueError):
                self._server.enter_room(client, _room(args[0]))


def _record(kind: Kind, client: Client, **fields: Any) -> Record:
    """Return what a client sent as a record, for the filters of rules."""
    return Record(0, 0, Direction.OUT, kind, client.namespace, sid=client.sid, **fields)


def _answer(action: Action, values: list[Json]) -> Answer | Later:
    args = tuple(values[:-1]) if action.verb == "ack" else ({"error": "refused", "message": values[0]},)
    return Later(_later(action.delay, args)) if action.delay else args


async def _later(delay: float, args: Answer) -> Answer:
    await asyncio.sleep(delay)
    return args


def _room(value: Json) -> str:
    return (value if isinstance(value, str) else brief(value, _MAX_ROOM))[:_MAX_ROOM]
