"""Watch namespaces for `connect` and `join`: show their records, send the lines of stdin.

`proxy` and `tail` share its outputs and time limits.
"""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from nsroom import STARTED
from nsroom.cli import last_session
from nsroom.cli.display_options import ShowOptions, WatchOptions
from nsroom.cli.stdin import lines
from nsroom.cli.watchdog import limit
from nsroom.client.events import Acknowledge, Emit
from nsroom.client.messages import MessageEvents
from nsroom.client.presets import Convention
from nsroom.client.target import Target
from nsroom.errors import (
    ConnectError,
    LostError,
    NotSocketIOError,
    NsroomError,
    RefusedError,
    UsageError,
    WaitError,
)
from nsroom.output.recording import FileSink
from nsroom.output.sinks import Keep, NdjsonSink, Route, Sink, pump
from nsroom.output.stdio import complain, is_terminal, say
from nsroom.output.terminal import colours
from nsroom.output.times import Times
from nsroom.output.writer import ClosedOutput, Output
from nsroom.protocol.refusals import refusal
from nsroom.record import Record

if TYPE_CHECKING:  # the live view is on the screen before the client is loaded
    from nsroom.client.client import Client

Say = Callable[[str], None]
Begin = Callable[["Client", Say], Awaitable[list[str]]]
"""Called once connected; returns what the server refused, if the rest can continue."""
Parse = Callable[[str], Emit | Acknowledge | None]
"""Returns what a line of stdin sends."""


async def begin_with_nothing(_client: "Client", _say: Say) -> list[str]:
    """Do nothing once connected."""
    return []


async def watch(
    target: Target,
    options: WatchOptions,
    begin: Begin = begin_with_nothing,
    room: str = "",
    how: Convention | None = None,
) -> None:
    """Connect, call `begin`, and show records until the count, the time or the connection ends.

    Typed text goes to `room` in the first namespace. On a terminal this is the live view, which joins
    further rooms by the convention `how`.
    Raises: NsroomError.
    """

    async def begin_session(client: "Client", say: Say) -> list[str]:
        last_session.save(client.namespaces)
        return await begin(client, say)

    try:
        if not options.stdin and is_live(options):
            from nsroom.tui.live import show

            await within(options, show(target, options, begin_session, room, how))
        else:
            await _watch_lines(target, options, begin_session, room)
    except NotSocketIOError as error:
        from nsroom.doctor.probes.places import hint

        command = await hint(target)
        raise (ConnectError(f"{error}; try: {command}") if command else error) from None


def is_live(options: ShowOptions) -> bool:
    """Return whether to open the live view: on a terminal, unless --json or --plain is given."""
    return is_terminal() and not (options.json or options.plain)


async def _watch_lines(target: Target, options: WatchOptions, begin: Begin, room: str) -> None:
    from nsroom.client.client import Client

    client = Client(target, watch=True, raw=options.raw, say=say, rules=options.rules())
    output = Output(sys.stdout.fileno())
    async with contextlib.AsyncExitStack() as stack:
        routes = routes_to(
            output, options, options.keep(), stack, namespaces=target.namespaces, notify=options.notify
        )
        stack.push_async_callback(client.close)
        messages = options.message_events()
        sender = _Sender(
            client, options, partial(_parse, client, messages, target.namespaces[0], room), begin
        )
        if sender.reads_stdin:
            routes.append((None, _Listener(messages)))
        await within(options, _run(client, options, routes, output, sender), sender.started)
    namespaces = [f"{namespace}: {reason}" for namespace, reason in client.refused.items()]
    if refused := namespaces + sender.refused:
        raise RefusedError(f"refused: {'; '.join(refused)}")


def routes_to(
    output: Output,
    options: ShowOptions,
    keep: Keep | None,
    stack: contextlib.AsyncExitStack,
    sid_cells: int = 0,
    namespaces: Collection[str] = (),
    notify: str | None = None,
) -> list[Route]:
    """Return the routes of records: to the output through the filter `keep`, all to the recording.

    The user is notified of those that match `notify`. Raises: UsageError, OutputError.
    """
    routes: list[Route] = [(keep, _screen(options, output, sid_cells, namespaces))]
    if options.save:
        recording = FileSink(options.save, options.force)
        stack.push_async_callback(recording.close)
        routes.append((None, recording))
    if notify:
        from nsroom.output.notifications import notify_filter, on_stderr

        routes.append((notify_filter(notify), on_stderr()))
    return routes


def _screen(options: ShowOptions, output: Output, sid_cells: int, namespaces: Collection[str]) -> Sink:
    terminal = sys.stdout.isatty()
    if options.json or not (options.plain or terminal):
        if options.times is not Times.LOCAL:
            raise UsageError("--time is for readable lines: add --plain, or leave it out")
        return NdjsonSink(output)
    from nsroom.output.text_sink import TextSink  # not needed by pipelines, which start often

    width = os.get_terminal_size().columns if terminal else None
    return TextSink(output, colours(sys.stdout), width, sid_cells, options.times, namespaces)


async def within(
    options: ShowOptions, work: Coroutine[Any, Any, None], connected: asyncio.Event | None = None
) -> None:
    """Do `work` for --for seconds once connected, within --wait seconds from the start of nsroom.

    Raises: WaitError after --wait.
    """
    seconds = None if options.wait is None else _left(options.wait)
    missing = f" with fewer than {options.count} lines" if options.count else ""
    wait = f"{options.wait or 0:g}"
    error = WaitError(f"stopped after {wait} s (--wait){missing}; --for {wait} ends with 0")
    try:
        with limit(seconds, error):
            async with asyncio.timeout(seconds):
                await _for(options.duration, work, connected)
    except TimeoutError:
        raise error from None


async def _for(
    duration: float | None, work: Coroutine[Any, Any, None], connected: asyncio.Event | None
) -> None:
    """Do `work` to its end, or for this time. Raises: its errors."""
    task = asyncio.create_task(work)
    try:
        if duration is None:
            await task
            return
        if connected is not None:
            started = asyncio.create_task(connected.wait())
            await asyncio.wait({task, started}, return_when=asyncio.FIRST_COMPLETED)
            started.cancel()
        await asyncio.wait({task}, timeout=duration)
        if task.done():
            task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _left(wait: float) -> float:
    """Return the seconds left of --wait, which counts from the start of nsroom."""
    return max(wait - (time.monotonic() - STARTED), 0.0)


async def _run(
    client: "Client", options: WatchOptions, routes: Sequence[Route], output: Output, sender: "_Sender"
) -> None:
    """Show and send at the same time, until showing ends or sending fails."""
    showing = _show(client, routes, options.count, sender.started)
    await run_until_done(showing, sender.run(), reader_closed(output))


async def run_until_done(main: Coroutine[Any, Any, None], *background: Coroutine[Any, Any, None]) -> None:
    """Run `main` to its end, with the others in the background; an error of any of them ends it."""
    first = asyncio.create_task(main)
    others = {asyncio.create_task(each) for each in background}
    try:
        while not first.done():
            done, _ = await asyncio.wait({first, *others}, return_when=asyncio.FIRST_COMPLETED)
            for task in done & others:
                task.result()
            others -= done
        first.result()
    finally:
        for task in (first, *others):
            task.cancel()
        await asyncio.gather(first, *others, return_exceptions=True)


async def _show(client: "Client", routes: Sequence[Route], count: int | None, started: asyncio.Event) -> None:
    """Show records until they end, and until `begin` has returned what the server refused."""
    await pump(client.records(), routes, count)
    discarding = asyncio.create_task(_discard_records(client))
    try:
        await started.wait()
    finally:
        discarding.cancel()
        await asyncio.gather(discarding, return_exceptions=True)


async def _discard_records(client: "Client") -> None:
    async for _ in client.records():
        pass


async def reader_closed(output: Output) -> None:
    """Wait until the reader of our output closes it, even while nothing is written. Raises: ClosedOutput."""
    await output.reader_closed()
    raise ClosedOutput("the reader of standard output closed it")


class _Listener:
    """A sink that learns which event the server uses for messages."""

    def __init__(self, messages: MessageEvents) -> None:
        self._messages = messages

    async def write(self, records: Sequence[Record]) -> None:
        """Learn from records."""
        for record in records:
            self._messages.learn(record)

    async def close(self) -> None:
        """Close nothing."""


class _Sender:
    """Sends what `begin` does, then the lines of stdin."""

    def __init__(self, client: "Client", options: WatchOptions, parse: Parse, begin: Begin) -> None:
        self.refused: list[str] = []
        self.started = asyncio.Event()
        self._client = client
        self._parse = parse
        self._begin = begin
        typed = sys.stdin.isatty() and sys.stdout.isatty() and not options.json
        self.reads_stdin = options.stdin or typed

    async def run(self) -> None:
        """Connect, call `begin`, and send the lines of stdin to its end."""
        await self._client.connect()
        self.refused += await self._begin(self._client, say)
        self.started.set()
        if not self.reads_stdin:
            return
        async for batch in lines(sys.stdin.fileno()):
            for line in batch:
                if line.strip():
                    await _send_line(self._client, self._parse, line)


async def _send_line(client: "Client", parse: Parse, line: bytes) -> None:
    try:
        item = parse(line.decode("utf-8", "replace").rstrip("\r"))
        if isinstance(item, Acknowledge):
            await client.acknowledge(item)
        elif item is not None and (answer := await client.submit(item)):
            answer.add_done_callback(_report_failure)
    except NsroomError as error:
        complain(f"not sent: {error}")


def _parse(
    client: "Client", messages: MessageEvents, namespace: str, room: str, line: str
) -> Emit | Acknowledge | None:
    return messages.parse(line, namespace, room, client.is_reference_server(namespace))


def _report_failure(answer: asyncio.Future[Record]) -> None:
    """Print a message if the server refused a line, or may not have received it."""
    if answer.cancelled():
        return
    error = answer.exception()
    if isinstance(error, LostError):
        complain(f"unconfirmed: {error}")
    elif error is None and (refused := refusal(answer.result().args)):
        complain(f"refused: {refused}")
