"""`nsroom replay`: send a recording again."""

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from nsroom.cli.connection_options import ConnectionOptions
from nsroom.cli.option_groups import expand
from nsroom.errors import DataError, UsageError
from nsroom.output.stdio import say

if TYPE_CHECKING:
    from nsroom.client.events import Line
    from nsroom.record import Record


class Sent(StrEnum):
    """Which events of a recording are sent again, by the way they went."""

    OUT = "out"
    IN = "in"
    ALL = "all"


@expand
def replay(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What --save or --json wrote; - is stdin.")],
    *,
    direction: Annotated[
        Sent, typer.Option("--direction", help="Send again what was sent, what was received, or both.")
    ] = Sent.OUT,
    speed: Annotated[
        float,
        typer.Option("--speed", min=0, metavar="FACTOR", help="2 is twice as fast; 0 leaves out the pauses."),
    ] = 1.0,
    ack: Annotated[bool, typer.Option("--ack", help="Wait until every event is acknowledged.")] = False,
    timeout: Annotated[
        float,
        typer.Option("--timeout", min=0.01, metavar="SECONDS", help="Wait this long for an acknowledgement."),
    ] = 5.0,
    view: Annotated[
        bool, typer.Option("--view", help="Open it in the full-screen view instead; nothing is sent.")
    ] = False,
    summary: Annotated[
        bool, typer.Option("--summary", help="Print the counts on stderr at the end.")
    ] = False,
    connection: ConnectionOptions,
) -> None:
    """Send the events of a recording again, or look at it.

    Each event goes to the namespace that it was recorded in, with the recorded timing. By default
    these are the events that were sent when it was recorded.

    \b
    Examples:
      nsroom connect /chat --save session.ndjson
      nsroom replay session.ndjson
      nsroom replay session.ndjson --direction in --speed 10 -u :3001
      nsroom replay session.ndjson --speed 0 --ack --summary
      nsroom replay session.ndjson --view    without a server, even a torn one
    """
    if view:
        _show(file)
        return
    from nsroom.cli.delivery import run_delivery
    from nsroom.cli.run import run
    from nsroom.output.recording import read

    with ExitStack() as stack:
        records = _wanted(read(_open(file, stack)), direction)
        first = next(records, None)
        if first is None:
            raise DataError(f"{file}: no event to send: try --direction in, for what was received")
        target = connection.target()
        if not connection.namespace:
            target = replace(target, namespaces=(first[1].namespace or "/",))
        lines = _timed(first, records, speed)
        run(run_delivery(replace(target, reconnect=False), lines, timeout=timeout, ack=ack, summary=summary))
    say(f"{file}: sent again")


def _show(path: Path) -> None:
    from nsroom.cli.run import run
    from nsroom.tui.recording_view import show

    if str(path) == "-":
        raise UsageError("--view reads keys from the terminal: give the recording as a file")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("--view needs a terminal; without one, `nsroom decode` reads a recording")
    with ExitStack() as stack:
        run(show(_open(path, stack), path.name))


def _open(path: Path, stack: ExitStack) -> BinaryIO:
    if str(path) == "-":
        return sys.stdin.buffer
    try:
        return stack.enter_context(path.open("rb"))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None


def _wanted(records: "Iterator[tuple[int, Record]]", direction: Sent) -> "Iterator[tuple[int, Record]]":
    for number, record in records:
        if record.kind == "event" and record.event is not None and direction in (Sent.ALL, record.direction):
            yield number, record


async def _timed(
    first: "tuple[int, Record]", rest: "Iterator[tuple[int, Record]]", speed: float
) -> "AsyncIterator[list[Line]]":
    """Yield the events when their time has come."""
    import asyncio
    from itertools import chain

    from nsroom.client.events import Emit, Line

    loop = asyncio.get_running_loop()
    began, begin = loop.time(), first[1].time
    for number, record in chain([first], rest):
        if speed:
            await asyncio.sleep(began + (record.time - begin) / 1e6 / speed - loop.time())
        yield [Line(number, Emit(record.namespace or "/", record.event or "", record.args or []))]
