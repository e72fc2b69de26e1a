"""Acknowledge events of the server by rules: with fixed arguments, or with the output of a program.

A fixed answer is sent at once and in order. Programs run at the same time, up to a limit; then reading
waits, so that a fast server cannot start any number of them.
"""

import asyncio
import shlex
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import NamedTuple

from nsroom.client.events import Acknowledge, parse_arguments
from nsroom.client.programs import MAX_OUTPUT, ProgramError, output_of
from nsroom.errors import DecodeError, NsroomError, UsageError
from nsroom.protocol import strict_json
from nsroom.record import Direction, Json, Kind, Record, brief

_MAX_PROGRAMS = 8
_TIMEOUT = 5.0
"""Seconds for a program; python-socketio waits 60 for an acknowledgement, others less."""
_MAX_NAME = 80
_EVENT, _IN = Kind.EVENT, Direction.IN


class Program(NamedTuple):
    """A program that gets the record on its stdin, and whose output is the answer."""

    words: tuple[str, ...]


class Rule(NamedTuple):
    """The answer to an event, and which of these events it is for."""

    answer: list[Json] | Program
    where: Callable[[Record], bool] | None = None


Rules = dict[str, Rule]
"""The rules by the event's name."""


def is_question(record: Record) -> bool:
    """Return whether this is an event of the server that requests an acknowledgement."""
    return record.kind is _EVENT and record.direction is _IN and record.id is not None


def parse_rules(texts: Iterable[str]) -> Rules:
    """Return the rules of `EVENT=ARG`, or `EVENT` for an acknowledgement without arguments.

    Raises: UsageError.
    """
    rules: Rules = {}
    for text in texts:
        event, equals, arg = text.partition("=")
        if not event:
            raise UsageError(f"--reply {text!r:.80}: write it as EVENT=ARG")
        rules[event] = Rule(parse_arguments([arg]) if equals else [])
    return rules


def parse_program(line: str) -> Program:
    """Return the program of a command line, which no shell reads. Raises: UsageError."""
    from shutil import which

    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UsageError(f"--exec: {str(error).lower()}") from None
    if not words or which(words[0]) is None:
        what = f"cannot find {words[0]!r:.80}" if words else "name a command"
        raise UsageError(f"--exec: {what}; it is run without a shell")
    return Program(tuple(words))


class Replier:
    """Acknowledges the events that have a rule. `report` is called with a line about each failure."""

    def __init__(
        self,
        rules: Rules,
        send: Callable[[Acknowledge], Awaitable[None]],
        report: Callable[[str], object],
        timeout: float = _TIMEOUT,
    ) -> None:
        self.rules = rules
        self.failed = 0
        """Events that have a rule and were not acknowledged."""
        self._send = send
        self._report = report
        self._timeout = timeout
        self._free = asyncio.Semaphore(_MAX_PROGRAMS)
        self._tasks: set[asyncio.Task[None]] = set()

    async def handle(self, records: Sequence[Record]) -> None:
        """Acknowledge those of the records that have a rule; programs go on afterwards."""
        if not self.rules:
            return
        for record in filter(is_question, records):
            rule = self.rules.get(str(record.event))
            if rule is None or (rule.where is not None and not rule.where(record)):
                continue
            if isinstance(rule.answer, Program):
                await self._start(record, rule.answer)
            else:
                await self._acknowledge(record, rule.answer)

    async def close(self) -> None:
        """Stop the programs that still run."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _start(self, record: Record, program: Program) -> None:
        await self._free.acquire()
        task = asyncio.create_task(self._run(record, program))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, record: Record, program: Program) -> None:
        try:
            args = await _answer(record, program, self._timeout)
        except ProgramError as error:
            self._fail(record, f"--exec: {error}")
        else:
            await self._acknowledge(record, args)
        finally:
            self._free.release()

    async def _acknowledge(self, record: Record, args: list[Json]) -> None:
        assert record.id is not None
        try:
            await self._send(Acknowledge(record.namespace or "/", record.id, args))
        except NsroomError as error:
            self._fail(record, str(error))

    def _fail(self, record: Record, why: str) -> None:
        self.failed += 1
        self._report(f"{brief(record.event, _MAX_NAME)!r} is not acknowledged: {why}")


async def _answer(record: Record, program: Program, timeout: float) -> list[Json]:
    """Return the arguments that a program prints: none, JSON, text, or else binary. Raises: ProgramError."""
    from nsroom.output.ndjson import encode  # few clients run programs, and it takes a tenth of a start

    output = await output_of(
        program.words, timeout, stdin=encode(record), variables={"NSROOM_EVENT": str(record.event)}
    )
    if len(output) >= MAX_OUTPUT:
        raise ProgramError(f"{program.words[0]} printed more than {MAX_OUTPUT} bytes")
    try:
        text = output.decode("utf-8").strip()
    except UnicodeDecodeError:
        return [output]
    try:
        return [strict_json.load(text, exact=True)] if text else []
    except DecodeError:
        return [text]
