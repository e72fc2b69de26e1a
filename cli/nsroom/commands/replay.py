"""`nsroom replay`: send a recording again, with its timing."""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nsroom.cli.connection_options import AnyTarget, ConnectionOptions
from nsroom.cli.option_groups import expand
from nsroom.errors import DataError
from nsroom.output.stdio import say

if TYPE_CHECKING:
    from nsroom.client.events import Line
    from nsroom.record import Record


class Sent(StrEnum):
    """Which events of a recording to send, by their direction."""

    OUT = "out"
    IN = "in"
    ALL = "all"


@expand
def replay(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A recording of --save or --json; - is stdin.")
    ],
    target: AnyTarget = None,
    *,
    direction: Annotated[
        Sent, typer.Option("--direction", help="Send the events that were sent, received, or both.")
    ] = Sent.OUT,
    speed: Annotated[
        float,
        typer.Option("--speed", min=0, metavar="FACTOR", help="2 is twice as fast; 0 is without pauses."),
    ] = 1.0,
    ack: Annotated[bool, typer.Option("--ack", help="Wait until every event is acknowledged.")] = False,
    timeout: Annotated[
        float,
        typer.Option("--timeout", min=0.01, metavar="SECONDS", help="Wait this long for an acknowledgement."),
    ] = 5.0,
    summary: Annotated[
        bool, typer.Option("--summary", help="Print the counts to stderr at the end.")
    ] = False,
    connection: ConnectionOptions,
) -> None:
    """Send the events of a recording again.

    Each event goes to the namespace that it was recorded in, with the recorded timing. By default only the
    events that the client sent are sent again.

    \b
    Examples:
      nsroom connect /chat --save session.ndjson
      nsroom replay session.ndjson
      nsroom replay session.ndjson --direction in --speed 10 -u :3001
      nsroom replay session.ndjson --speed 0 --ack --summary
    """
    from nsroom.cli.delivery import run_delivery
    from nsroom.cli.run import run
    from nsroom.output.recording import open_file, read

    with ExitStack() as stack:
        records = _selected(read(open_file(file, stack)), direction)
        first = next(records, None)
        if first is None:
            raise DataError(f"{file}: no events to send; try --direction in for received events")
        server = connection.target(target)
        if not connection.named(server, target):
            server = replace(server, namespaces=(first[1].namespace or "/",))
        lines = _timed(first, records, speed)
        run(run_delivery(replace(server, reconnect=False), lines, timeout=timeout, ack=ack, summary=summary))
    say(f"{file}: sent again")


def _selected(records: "Iterator[tuple[int, Record]]", direction: Sent) -> "Iterator[tuple[int, Record]]":
    for number, record in records:
        if record.kind == "event" and record.event is not None and direction in (Sent.ALL, record.direction):
            yield number, record


async def _timed(
    first: "tuple[int, Record]", rest: "Iterator[tuple[int, Record]]", speed: float
) -> "AsyncIterator[list[Line]]":
    """Yield each event at its recorded time."""
    import asyncio
    from itertools import chain

    from nsroom.client.events import Emit, Line

    loop = asyncio.get_running_loop()
    started, first_time = loop.time(), first[1].time
    for number, record in chain([first], rest):
        if speed:
            await asyncio.sleep(started + (record.time - first_time) / 1e6 / speed - loop.time())
        yield [Line(number, Emit(record.namespace or "/", record.event or "", record.args or []))]
