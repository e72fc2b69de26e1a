"""Run a scenario, line by line."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from nsroom.cli.connection_options import ConnectionOptions
from nsroom.cli.durations import parse_duration
from nsroom.client.client import Client
from nsroom.client.events import Emit, parse_arguments
from nsroom.client.joins import join
from nsroom.client.replies import Rule
from nsroom.client.target import Target
from nsroom.errors import ConnectError, ExitCode, LostError, NsroomError, OutputError, RefusedError
from nsroom.filters import parse, parse_path
from nsroom.output.recording import FileSink
from nsroom.protocol.refusals import refusal
from nsroom.record import Json, Record, brief, unescape
from nsroom.scenarios.check import PORT, is_refusal
from nsroom.scenarios.closest import closest, describe
from nsroom.scenarios.member import MAX_KEPT, Member, Missed, Sink
from nsroom.scenarios.result import Failure, Result, StepError
from nsroom.scenarios.script import SERVER, Line, Script
from nsroom.scenarios.servers import OwnServer, free_port
from nsroom.scenarios.variables import fill_expression, fill_word
from nsroom.scenarios.verbs import TAKES_ARGUMENTS, Call, Connect, Join, Leave, Reply, Send, parse_words

WITHIN = 5.0
"""Seconds that an expectation waits, unless it says otherwise."""
_LEAVE_TIMEOUT = 2.0
_MAX_ANSWER = 200
_parse_filter = lru_cache(maxsize=1000)(parse)
"""A load test repeats its expectations, most of which do not change."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What all scenarios of a run share."""

    options: ConnectionOptions
    say: Callable[[str], None] = lambda _: None
    show: Callable[[Script, str, Sequence[Record]], Awaitable[None]] | None = None
    """Called with the records of each client."""
    folder: str | None = None
    """Where to keep the recording of each client."""
    force: bool = False
    on_line: Callable[[Line, Record | None], object] = lambda *_: None
    """Called after each line that did not fail, with the last record that it expected, if any."""
    kept: int = MAX_KEPT
    """How many records of a client are kept for its expectations."""
    ports: dict[int, asyncio.Lock] = field(default_factory=dict)
    """One scenario at a time starts a server on a port."""


async def run_script(script: Script, plan: Plan) -> Result:
    """Run a scenario to its end or its first failure. Raises: OutputError."""
    started = time.monotonic()
    run = _Run(script, plan)
    failure = None
    try:
        failure = await run.run()
    finally:
        await run.close()
    return Result(script, time.monotonic() - started, failure)


async def run_all(
    scripts: Sequence[Script], plan: Plan, jobs: int, on_result: Callable[[Result], None]
) -> None:
    """Run scenarios, `jobs` at a time; call `on_result` with each result. Raises: as `run_script`."""
    waiting = iter(scripts)

    async def work() -> None:
        for script in waiting:
            on_result(await run_script(script, plan))

    tasks = [asyncio.create_task(work()) for _ in range(min(jobs, len(scripts)))]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Run:
    """The state of a scenario: its clients, its server and its values."""

    def __init__(self, script: Script, plan: Plan) -> None:
        self._script = script
        self._plan = plan
        self._options = plan.options
        self._members: dict[str, Member] = {}
        self._files: list[FileSink] = []
        self._recorded: list[str] = []
        self._server: OwnServer | None = None
        self._lock: asyncio.Lock | None = None
        self._values: dict[str, Json] = dict(script.values)
        self._refusals: dict[str, str] = {}
        """The reason of the last refusal of each client."""
        self._expected: Record | None = None
        """The last record that the current line expected."""

    async def run(self) -> Failure | None:
        """Run the lines; return the first failure."""
        for index, line in enumerate(self._script.lines):
            self._expected = None
            try:
                await self._step(index, line)
            except OutputError:
                raise
            except StepError as error:
                return Failure(line, error.reason, error.details, _code(error.code))
            except NsroomError as error:
                code = ExitCode.CONNECT if isinstance(error, ConnectError) else ExitCode.NO
                is_refused = line.verb == "connect" and isinstance(error, RefusedError)
                return Failure(line, str(error), code=ExitCode.REFUSED if is_refused else code)
            self._plan.on_line(line, self._expected)
        return None

    async def _step(self, index: int, line: Line) -> None:
        if line.client == SERVER:
            await self._serve(line)
        elif index in self._script.refusals:
            await self._expect_refused(line)
        elif not is_refusal(line):
            await self._run_line(line)
        elif not (reason := self._refusals.get(line.client, "")):
            raise StepError("it was not refused")
        elif len(line.words) > 1 and (wanted := self._filled(line)[1]) not in reason:
            raise StepError(f"it was refused, but not with {wanted!r}: {reason}")

    async def _expect_refused(self, line: Line) -> None:
        self._refusals.pop(line.client, None)
        try:
            await self._run_line(line)
        except (RefusedError, StepError) as error:
            if isinstance(error, StepError) and error.code is not ExitCode.NACK:
                raise
            self._refusals[line.client] = str(error)

    async def _run_line(self, line: Line) -> None:
        if line.verb in _EXPECTATIONS:
            await _EXPECTATIONS[line.verb](self, line)
        elif line.verb == "wait":
            await asyncio.sleep(parse_duration("the time", line.texts[0]))
        elif line.verb == "disconnect":
            await self._members.pop(line.client).close()
        else:
            parsed = parse_words(line.verb, self._filled(line))
            await _ACTIONS[type(parsed)](self, line, parsed)

    def _filled(self, line: Line) -> list[str]:
        """Return the words of a line with the values in them."""
        plain = line.verb not in TAKES_ARGUMENTS
        return [fill_word(text, self._values, plain) for text in line.texts]

    async def _connect(self, line: Line, said: Connect) -> None:
        target = target_of(said, self._options)
        client = Client(target, watch=True, say=self._plan.say, rules={})
        member = Member(client, self._sinks(line.client), self._plan.kept)
        previous = self._members.get(line.client)
        self._members[line.client] = member
        if previous is not None:
            await previous.close()
        await client.connect()
        if client.refused:
            reasons = [f"{namespace}: {reason}" for namespace, reason in client.refused.items()]
            raise RefusedError(f"refused: {'; '.join(reasons)}")

    def _sinks(self, name: str) -> list[Sink]:
        sinks: list[Sink] = []
        if (show := self._plan.show) is not None:
            sinks.append(lambda records: show(self._script, name, records))
        if self._plan.folder is not None:
            sinks.append(self._recording(name, self._plan.folder).write)
        return sinks

    def _recording(self, name: str, folder: str) -> FileSink:
        """Return the recording of a client; that of its second connection has a number."""
        from pathlib import Path

        at = Path(folder, self._script.name)
        try:
            at.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot write to {at}: {error.strerror}") from None
        number = sum(file_name == name for file_name in self._recorded) + 1
        self._recorded.append(name)
        suffix = f"-{number}" if number > 1 else ""
        self._files.append(FileSink(str(at / f"{name}{suffix}.ndjson"), self._plan.force))
        return self._files[-1]

    async def _join(self, line: Line, said: Join) -> None:
        client = self._members[line.client].client
        if refused := await join(client, said.rooms, said.how, self._plan.say):
            raise RefusedError(f"the server refused to join {'; '.join(refused)}")
        await client.settle(WITHIN)

    async def _leave(self, line: Line, said: Leave) -> None:
        client = self._members[line.client].client
        emits = [Emit(namespace, "leave", [room]) for namespace in client.namespaces for room in said.rooms]
        answers = await client.ask(*emits)
        client.rejoin[:] = [each for each in client.rejoin if not _names_room(each, said.rooms)]
        await asyncio.wait(answers, timeout=_LEAVE_TIMEOUT)
        for answer in answers:
            if answer.done() and (refused := refusal(answer.result().args)):
                raise StepError(f"the server answered {refused}", code=ExitCode.NACK)
        await client.settle(WITHIN)

    async def _emit(self, line: Line, said: Send) -> None:
        client, emit = await self._prepared(line, said)
        answer = await client.submit(emit)
        # The server may disconnect the client because of this event, which the next lines can expect.
        with contextlib.suppress(LostError):
            if answer is None:
                await client.settle(said.options.timeout)
            else:
                self._check_answer(await client.answer(emit.event, answer, said.options.timeout))

    async def _call(self, line: Line, said: Call) -> None:
        client, emit = await self._prepared(line, said)
        (asked,) = await client.ask(emit)
        answer = await client.answer(emit.event, asked, said.options.timeout)
        args = answer.args or []
        if said.error_first and args and args[0] is not None:
            raise StepError(f"the server answered with an error: {_shown(args[0])}", code=ExitCode.NACK)
        if said.fail and _parse_filter(said.fail)(answer):
            raise StepError(f"the answer matches {said.fail}: {_shown(args)}", code=ExitCode.NACK)
        self._check_answer(answer)
        self._define(line, answer)

    async def _prepared(self, line: Line, said: Send) -> tuple[Client, Emit]:
        client = self._members[line.client].client
        namespace = said.target or next(iter(client.namespaces), "/")
        emit = said.options.emit(said.event, said.args, namespace)
        await said.options.enter(client)
        return client, emit._replace(args=unescape(emit.args))

    def _check_answer(self, answer: Record) -> None:
        if refused := refusal(answer.args):
            raise StepError(f"the server answered {refused}", code=ExitCode.NACK)

    def _define(self, line: Line, record: Record) -> None:
        for name, path in line.names.items():
            value = parse_path(path)(record)
            if value is None:
                raise StepError(f"{{{name}}}: {path} is missing in {describe(record)}")
            self._values[name] = value

    async def _reply(self, line: Line, said: Reply) -> None:
        rules = self._members[line.client].client.replier.rules
        rules[said.event] = Rule(unescape(parse_arguments(said.args, said.text)))

    async def _expect(self, line: Line) -> None:
        member = self._members[line.client]
        expression = fill_expression(line.expression, self._values)
        seconds = WITHIN if line.seconds is None else line.seconds
        try:
            records = await member.expect(_parse_filter(expression), line.count, seconds)
        except Missed as missed:
            raise StepError(_missed(line, missed, seconds), closest(expression, missed.seen)) from None
        self._expected = records[-1]
        self._define(line, records[-1])

    async def _never(self, line: Line) -> None:
        member = self._members[line.client]
        expression = _parse_filter(fill_expression(line.expression, self._values))
        record = await member.never(expression, line.seconds or 0)
        if record is not None:
            raise StepError("it was received", [describe(record)])

    async def _serve(self, line: Line) -> None:
        if self._server is None:
            self._server = await self._own_server(line)
            await self._server.start()
            return
        actions = {"start": self._server.start, "stop": self._server.stop, "kill": self._server.kill}
        await actions[line.verb]()

    async def _own_server(self, line: Line) -> OwnServer:
        words = [line.verb, *line.texts]
        if any(f"{{{PORT}}}" in word for word in words):
            self._values[PORT] = port = free_port()
            self._options = self._options.replace(url=f":{port}")
        else:
            port = _port(self._options.target().url)
        lock = self._plan.ports.setdefault(port, asyncio.Lock())
        await lock.acquire()
        self._lock = lock
        return OwnServer(
            [fill_word(word, self._values, plain=True) for word in words], line.file.parent, port
        )

    async def close(self) -> None:
        """Disconnect the clients, stop the server, close the recordings. Raises: OutputError."""
        try:
            closing = (member.close() for member in self._members.values())
            for error in await asyncio.gather(*closing, return_exceptions=True):
                if isinstance(error, BaseException):
                    raise error
        finally:
            if self._server is not None:
                current = asyncio.current_task()
                # After a signal there is little time, and the server must not outlive us.
                await (self._server.kill() if current and current.cancelling() else self._server.stop())
            if self._lock is not None:
                self._lock.release()
            for file in self._files:
                await file.close()


def target_of(said: Connect, options: ConnectionOptions) -> Target:
    """Return the target of a line: its own options beat those of the command line. Raises: UsageError."""
    given = said.options.given
    own = {name: getattr(said.options, name) for name in given}
    options = options.replace(**own, given=options.given | given)
    if any(not target.startswith("/") for target in said.targets):
        options = options.replace(url=None)
    return options.target(*said.targets)


def _code(code: ExitCode) -> ExitCode:
    """Return the code of a failed line: a refused event is a failed test."""
    return code if code is ExitCode.CONNECT else ExitCode.NO


def _names_room(emit: Emit, rooms: Sequence[str]) -> bool:
    """Return whether a join names one of the rooms in its arguments."""
    texts = [text for arg in emit.args for text in (arg.values() if isinstance(arg, dict) else [arg])]
    return any(room in texts for room in rooms)


def _missed(line: Line, missed: Missed, seconds: float) -> str:
    came = sum(record.kind == "event" and record.direction == "in" for record in missed.seen)
    others = f"{came:,} other event{'s'[: came != 1]}" if came else "no other event"
    others += f" ({missed.dropped:,} records were dropped before)" if missed.dropped else ""
    found = f"{missed.found} of {line.count}" if line.count > 1 else "not received"
    return f"{found}, {others}; {missed.ended or f'waited {seconds:g} s'}"


def _port(url: str) -> int:
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme in ("https", "wss") else 80)


def _shown(value: Json) -> str:
    return brief(value, _MAX_ANSWER)


_ACTIONS: dict[type, Callable[[Any, Line, Any], Awaitable[None]]] = {
    Connect: _Run._connect,
    Join: _Run._join,
    Leave: _Run._leave,
    Send: _Run._emit,
    Call: _Run._call,
    Reply: _Run._reply,
}
_EXPECTATIONS: dict[str, Callable[[Any, Line], Awaitable[None]]] = {
    "expect": _Run._expect,
    "never": _Run._never,
}
