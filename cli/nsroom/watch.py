"""What `connect` and `join` do: show what is seen in namespaces, and send the lines of stdin."""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from nsroom import BEGAN
from nsroom.cli.display_options import ShowOptions, WatchOptions
from nsroom.cli.stdin import lines
from nsroom.client.acks import refusal
from nsroom.client.events import Acknowledge, Emit, parse_line
from nsroom.client.joins import Convention
from nsroom.client.target import Target
from nsroom.errors import LostError, NsroomError, RefusedError, WaitError
from nsroom.output.recording import FileSink
from nsroom.output.sinks import Keep, NdjsonSink, Route, Sink, TextSink, pump
from nsroom.output.stdio import is_terminal, say
from nsroom.output.terminal import colours
from nsroom.output.writer import ClosedOutput, Output
from nsroom.record import Record

if TYPE_CHECKING:  # the live view is on the screen before the client is loaded
    from nsroom.client.client import Client

Compose = Callable[[str], Emit]
"""Makes an event out of a line of text that a person typed."""
Say = Callable[[str], None]
Begin = Callable[["Client", Say], Awaitable[list[str]]]
"""What is done once connected; it gives what the server refused of it, while something goes on."""


async def nothing(_client: "Client", _say: Say) -> list[str]:
    """Begin with nothing."""
    return []


async def watch(
    target: Target,
    options: WatchOptions,
    begin: Begin = nothing,
    room: str = "",
    how: Convention | None = None,
) -> None:
    """Connect, do what `begin` says, and show records until the count, the time or the connection is over.

    What a person types goes to `room` in the first namespace. On a terminal this is the live view, in which
    further rooms are joined as `how` says.
    Raises: NsroomError.
    """
    if not options.stdin and is_live(options):
        from nsroom.tui.live import show

        await within(options, show(target, options, begin, room, how))
    else:
        await _watch_lines(target, options, begin, room)


def is_live(options: ShowOptions) -> bool:
    """Say whether a person looks on who can be shown a full screen, and asked for nothing else."""
    return is_terminal() and not (options.json or options.plain)


def composer(namespace: str, room: str) -> Compose:
    """Make messages to a room, or to a namespace, out of text."""
    return lambda text: Emit(namespace, "message", [{"room": room, "text": text} if room else text])


async def _watch_lines(target: Target, options: WatchOptions, begin: Begin, room: str) -> None:
    from nsroom.client.client import Client

    client = Client(target, watch=True, raw=options.raw, say=say)
    output = Output(sys.stdout.fileno())
    async with contextlib.AsyncExitStack() as stack:
        routes = routes_to(output, options, options.keep(), stack)
        stack.push_async_callback(client.close)
        talk = _Talk(client, options, composer(target.namespaces[0], room), begin)
        await within(options, _run(client, options, routes, output, talk))
    namespaces = [f"{namespace}: {reason}" for namespace, reason in client.refused.items()]
    if refused := namespaces + talk.refused:
        raise RefusedError(f"refused: {'; '.join(refused)}")


def routes_to(
    output: Output,
    options: ShowOptions,
    keep: Keep | None,
    stack: contextlib.AsyncExitStack,
    sid_cells: int = 0,
) -> list[Route]:
    """Give where records go: to the output what `keep` keeps, everything into the recording."""
    routes: list[Route] = [(keep, _screen(options, output, sid_cells))]
    if options.save:
        recording = FileSink(options.save, options.force)
        stack.push_async_callback(recording.close)
        routes.append((None, recording))
    return routes


def _screen(options: ShowOptions, output: Output, sid_cells: int) -> Sink:
    terminal = sys.stdout.isatty()
    if options.json or not (options.plain or terminal):
        return NdjsonSink(output)
    width = os.get_terminal_size().columns if terminal else None
    return TextSink(output, colours(sys.stdout), width, sid_cells)


async def within(options: ShowOptions, work: Awaitable[None]) -> None:
    """Do `work` within the time of `--wait`. Raises: WaitError."""
    try:
        async with asyncio.timeout(None if options.wait is None else _left(options.wait)):
            await work
    except TimeoutError:
        missing = f"fewer than {options.count} lines came" if options.count else "nothing ended it"
        raise WaitError(f"{missing} within the {options.wait:g} s of --wait") from None


def _left(wait: float) -> float:
    """Give what is left of the time that a person gave; loading has taken some of it."""
    return max(wait - (time.monotonic() - BEGAN), 0)


async def _run(
    client: "Client", options: WatchOptions, routes: Sequence[Route], output: Output, talk: "_Talk"
) -> None:
    """Show and send side by side; the showing decides when it is over, the rest only when it fails."""
    await beside(_show(client, routes, options.count, talk.begun), talk.run(), reader_closed(output))


async def beside(main: Coroutine[Any, Any, None], *rest: Coroutine[Any, Any, None]) -> None:
    """Do `main`; the rest goes on at its side, and ends it only by failing."""
    showing = asyncio.create_task(main)
    others = {asyncio.create_task(each) for each in rest}
    try:
        while not showing.done():
            done, _ = await asyncio.wait({showing, *others}, return_when=asyncio.FIRST_COMPLETED)
            for task in done & others:
                task.result()
            others -= done
        showing.result()
    finally:
        for task in (showing, *others):
            task.cancel()
        await asyncio.gather(showing, *others, return_exceptions=True)


async def _show(client: "Client", routes: Sequence[Route], count: int | None, begun: asyncio.Event) -> None:
    """Show records, and do not end before it is known what the server refuses."""
    await pump(client.records(), routes, count)
    passing = asyncio.create_task(_pass_over(client))
    try:
        await begun.wait()
    finally:
        passing.cancel()
        await asyncio.gather(passing, return_exceptions=True)


async def _pass_over(client: "Client") -> None:
    async for _ in client.records():
        pass


async def reader_closed(output: Output) -> None:
    """End when the reader of our output has gone, even if nothing more is to be written."""
    await output.reader_closed()
    raise ClosedOutput("the reader of standard output has gone")


class _Talk:
    """What goes to the server: the beginning, then what a person or a pipe says."""

    def __init__(self, client: "Client", options: WatchOptions, compose: Compose, begin: Begin) -> None:
        self.refused: list[str] = []
        self.begun = asyncio.Event()
        self._client = client
        self._compose = compose
        self._begin = begin
        typed = sys.stdin.isatty() and sys.stdout.isatty() and not options.json
        self._reads_stdin = options.stdin or typed

    async def run(self) -> None:
        """Connect, begin, and send the lines of stdin to its end."""
        await self._client.connect()
        self.refused += await self._begin(self._client, say)
        self.begun.set()
        if not self._reads_stdin:
            return
        async for batch in lines(sys.stdin.fileno()):
            for line in batch:
                if line.strip():
                    await _send_line(self._client, self._compose, line)


async def _send_line(client: "Client", compose: Compose, line: bytes) -> None:
    try:
        item = _read(line, compose, next(iter(client.namespaces), "/"))
        if isinstance(item, Acknowledge):
            await client.acknowledge(item)
        elif item is not None:
            (answer,) = await client.ask(item)
            answer.add_done_callback(_report)
    except NsroomError as error:
        say(f"not sent: {error}")


def _read(line: bytes, compose: Compose, namespace: str) -> Emit | Acknowledge | None:
    if line[:1] in (b"[", b"{"):
        with contextlib.suppress(ValueError):
            return parse_line(line, namespace)
    return compose(line.decode("utf-8", "replace").rstrip("\r"))


def _report(answer: asyncio.Future[Record]) -> None:
    """Say what became of a line, if the server says it did not take it."""
    if answer.cancelled():
        return
    error = answer.exception()
    if isinstance(error, LostError):
        say(f"unconfirmed: {error}")
    elif error is None and (refused := refusal(answer.result().args)):
        say(f"refused: {refused}")
