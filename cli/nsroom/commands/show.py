"""`nsroom show`: open a recording in the live view, or print it."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from nsroom.cli.display_options import SID_CELLS, RelayOptions
from nsroom.cli.option_groups import expand
from nsroom.errors import DataError
from nsroom.output.stdio import complain

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from nsroom.record import Record

_BATCH = 500


@expand
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
    from itertools import chain

    from nsroom.capture.recorded import recognise
    from nsroom.output.sinks import pump
    from nsroom.output.writer import Output
    from nsroom.watch import reader_closed, routes_to, run_until_done, within

    output = Output(sys.stdout.fileno())
    is_capture, file = recognise(file)
    source = _Source(file, options.raw)
    first = next(source.batches, [])
    relayed = is_capture or any(record.sid and record.args is not None for record in first)
    sid_cells = SID_CELLS if relayed else 0
    async with AsyncExitStack() as stack:
        routes = routes_to(output, options, options.keep(), stack, sid_cells)
        all_batches = chain([first], source.batches)
        batches = _with_pauses(all_batches) if speed is None else _paced(all_batches, speed)

        async def show_all() -> None:
            await pump(batches, routes, options.count)

        await within(options, run_until_done(show_all(), reader_closed(output)))
    if source.failure:
        raise source.failure
    if source.unreadable:
        raise DataError(f"{source.unreadable} unreadable line{'s'[: source.unreadable > 1]}")


async def _with_pauses(batches: "Iterator[list[Record]]") -> "AsyncIterator[list[Record]]":
    """Yield the batches; signals and a closed output are noticed between them."""
    import asyncio

    for batch in batches:
        yield batch
        await asyncio.sleep(0)


async def _paced(batches: "Iterator[list[Record]]", speed: float) -> "AsyncIterator[list[Record]]":
    """Yield each record at its recorded time; one with an earlier time than its predecessor comes at once."""
    import asyncio

    loop = asyncio.get_running_loop()
    start: float | None = None
    for record in (record for batch in batches for record in batch):
        due = record.time / 1e6 / speed
        start = loop.time() - due if start is None else start
        await asyncio.sleep(max(start + due - loop.time(), 0))
        yield [record]


class _Source:
    """The readable records of a file, in batches; the number of unreadable lines."""

    def __init__(self, file: BinaryIO, raw: bool) -> None:
        self.unreadable = 0
        self.failure: DataError | None = None
        """Why a network capture ended early."""
        self.batches = self._read(file, raw)

    def _read(self, file: BinaryIO, raw: bool) -> "Iterator[list[Record]]":
        from nsroom.capture.recorded import salvage

        batch: list[Record] = []
        for size, item in salvage(file):
            if not isinstance(item, DataError):
                batch.append(item if raw else item._replace(frames=None))
            elif size:
                self.unreadable += 1
                complain(str(item))
            else:
                self.failure = item
            if len(batch) == _BATCH or not _is_readable(file):
                yield batch
                batch = []
        yield batch


def _is_readable(file: BinaryIO) -> bool:
    """Return whether more of the file can be read at once; unknown on Windows, where only sockets say."""
    import select

    return sys.platform == "win32" or bool(select.select([file], [], [], 0)[0])
