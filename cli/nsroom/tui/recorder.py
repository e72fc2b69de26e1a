"""Where records go in the live view: to the screen, and to the files that are recorded."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from nsroom.errors import NsroomError
from nsroom.output.recording import FileSink
from nsroom.record import Kind, Record, framed
from nsroom.tui.screen.state import View

_BATCH = 2000
# For every event of a flood: Python 3.11 looks a member of an enumeration up in 0.2 µs.
_PROTOCOL_ERROR = Kind.PROTOCOL_ERROR


class Recordings:
    """One sink for all: what the screen shows has been written before."""

    def __init__(self, view: View, changed: Callable[[], None], raw: bool) -> None:
        self._view = view
        self._changed = changed
        self._raw = raw
        self._files: list[FileSink] = []
        self._busy = asyncio.Lock()

    async def write(self, records: Sequence[Record]) -> None:
        """Take records. Raises: OutputError."""
        async with self._busy:
            for file in self._files:
                await file.write(self._lean(records))
            self._view.recorded += len(records)
            await self._view.model.write(records)
        self._changed()

    async def close(self) -> None:
        """Close the files. Raises: OutputError."""
        failure: NsroomError | None = None
        while self._files:
            try:
                await self._files.pop().close()
            except NsroomError as error:
                failure = error
        if failure is not None:
            raise failure

    async def add(self, path: str, force: bool) -> None:
        """Record to a file what is here and what comes.

        Raises: UsageError, OutputError.
        """
        file = FileSink(_expanded(path), force)
        async with self._busy:  # what comes meanwhile waits, so that nothing falls between
            records = self._view.model.records
            for at in range(0, len(records), _BATCH):
                await file.write(self._lean(records[at : at + _BATCH]))
                await asyncio.sleep(0)
            self._files.append(file)
            self._view.recording, self._view.recorded = path, len(records)

    def _lean(self, records: Sequence[Record]) -> Sequence[Record]:
        """Leave out the frames, which are there for the detail, unless they were asked for."""
        return records if self._raw else list(map(_without_frames, records))


def _expanded(path: str) -> str:
    return str(Path(path).expanduser())


def _without_frames(record: Record) -> Record:
    if record.frames is None or record.kind is _PROTOCOL_ERROR:
        return record
    return framed(record, None, None)
