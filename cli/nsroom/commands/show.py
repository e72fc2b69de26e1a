"""`nsroom show`: open a recording in the live view, or print it."""

import os
import select
import stat
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from nsroom.cli.display_options import SID_CELLS
from nsroom.cli.relay_options import RelayOptions
from nsroom.errors import DataError
from nsroom.output.stdio import complain

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from contextlib import AsyncExitStack

    from nsroom.output.writer import Output
    from nsroom.record import Record

_BATCH = 500


def show(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="A recording, a browser's HAR file or a network capture; - is stdin."
        ),
    ],
    *,
    speed: Annotated[
        float | None,
        typer.Option(
            "--speed",
            min=1 / 64,
            max=1024,
            metavar="FACTOR",
            help="Play it with its timing; 1 is as recorded, 2 is twice as fast.",
        ),
    ] = None,
    options: RelayOptions,
) -> None:
    """Open a recording or capture in the live view, or print it.

    Nothing is sent. In the view, Space plays it from the selected row. With --where, --count, --json,
    --plain or --save, in a pipe and from stdin it prints the records: readable lines on a terminal, else
    NDJSON, without heartbeats unless --all is given. Exits with 8 if a line is unreadable; the others are
    shown too.

    \b
    Examples:
      nsroom show session.ndjson
      nsroom show session.ndjson --speed 4
      nsroom show session.ndjson --where 'event=order & dir=in'
      nsroom show page.har --save session.ndjson
      nsroom show capture.pcapng
      nsroom tail --json | nsroom show - --plain --time delta
    """
    from nsroom.cli.run import run
    from nsroom.output.recording import open_file
    from nsroom.watch import is_live, within

    printed = options.where or options.count or options.save or str(file) == "-"
    with ExitStack() as stack:
        opened = open_file(file, stack)
        if is_live(options) and not printed:
            from nsroom.tui.recording_view import show

            run(within(options, show(opened, file.name, options, speed)))
        else:
            run(print_records(opened, options, speed))


async def print_records(file: BinaryIO, options: RelayOptions, speed: float | None = None) -> None:
    """Print the records of a file as they can be read. Raises: DataError after those it has, OutputError."""
    from contextlib import AsyncExitStack

    from nsroom.output.writer import Output
    from nsroom.watch import reader_closed, run_until_done, within

    output = Output(sys.stdout.fileno())
    source = _Source(file, options.raw)
    async with AsyncExitStack() as stack:
        showing = _show_records(source, output, stack, options, speed)
        await within(options, run_until_done(showing, reader_closed(output)))
    if source.failure:
        raise source.failure
    if source.unreadable:
        raise DataError(f"{source.unreadable} unreadable line{'s'[: source.unreadable > 1]}")


async def _show_records(
    source: "_Source",
    output: "Output",
    stack: "AsyncExitStack",
    options: RelayOptions,
    speed: float | None,
) -> None:
    from nsroom.output.sinks import pump
    from nsroom.watch import routes_to

    batches = source.batches()
    first: list[Record] = await anext(batches, [])
    relayed = source.is_capture or any(record.sid and record.args is not None for record in first)
    routes = routes_to(output, options, options.keep(), stack, SID_CELLS if relayed else 0)
    await pump(_paced(first, batches, speed), routes, options.count)


async def _paced(
    first: "list[Record]", batches: "AsyncIterator[list[Record]]", speed: float | None
) -> "AsyncIterator[list[Record]]":
    """Yield the batches, or with a speed each record at its recorded time.

    One with an earlier time than its predecessor comes at once.
    """
    import asyncio

    loop = asyncio.get_running_loop()
    start: float | None = None
    batch: list[Record] | None = first
    while batch is not None:
        if speed is None:
            yield batch
        else:
            for record in batch:
                due = record.time / 1e6 / speed
                start = loop.time() - due if start is None else start
                await asyncio.sleep(max(start + due - loop.time(), 0))
                yield [record]
        batch = await anext(batches, None)


class _Source:
    """The readable records of a file, in batches; the number of unreadable lines."""

    def __init__(self, file: BinaryIO, raw: bool) -> None:
        self.unreadable = 0
        self.failure: DataError | None = None
        """Why a network capture ended early."""
        self.is_capture = False
        self._file = file
        self._raw = raw
        self._may_wait = not stat.S_ISREG(os.fstat(file.fileno()).st_mode)

    async def batches(self) -> "AsyncIterator[list[Record]]":
        """Yield the batches; signals, time limits and a closed output are noticed in between."""
        reading = self._read()
        while (batch := await self._next(reading)) is not None:
            yield batch

    async def _next(self, reading: "Iterator[list[Record]]") -> "list[Record] | None":
        import asyncio

        from nsroom.cli.stdin import in_thread

        if self._may_wait:
            return await in_thread(lambda: next(reading, None))
        await asyncio.sleep(0)
        return next(reading, None)

    def _read(self) -> "Iterator[list[Record]]":
        from nsroom.capture.recorded import recognise, salvage

        self.is_capture, file = recognise(self._file)
        batch: list[Record] = []
        for size, item in salvage(file):
            if not isinstance(item, DataError):
                batch.append(item if self._raw else item._replace(frames=None))
            elif size:
                self.unreadable += 1
                complain(str(item))
            else:
                self.failure = item
            if len(batch) == _BATCH or (self._may_wait and not _is_readable(file)):
                yield batch
                batch = []
        yield batch


def _is_readable(file: BinaryIO) -> bool:
    """Return whether more of the file can be read at once; unknown on Windows, where only sockets say."""
    return sys.platform == "win32" or bool(select.select([file], [], [], 0)[0])
