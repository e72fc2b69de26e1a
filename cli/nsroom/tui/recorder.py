"""Send records to the screen and to the files being saved."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from nsroom.errors import NsroomError
from nsroom.output.recording import FileSink
from nsroom.proxy.marks import is_pending
from nsroom.record import Kind, Record, framed
from nsroom.tui.screen.state import View

_BATCH = 2000
# For every event of a flood: Python 3.11 needs 0.2 µs to look up a member of an enumeration.
_PROTOCOL_ERROR = Kind.PROTOCOL_ERROR


class Recorder:
    """A sink that writes records to the files first, so that every record on the screen is saved."""

    def __init__(self, view: View, redraw: Callable[[], None], raw: bool) -> None:
        self._view = view
        self._redraw = redraw
        self._raw = raw
        self._files: list[FileSink] = []
        self._lock = asyncio.Lock()

    async def write(self, records: Sequence[Record]) -> None:
        """Write records to the files and the screen. Raises: OutputError."""
        async with self._lock:
            for file in self._files:
                await file.write(self._to_save(records))
            self._view.saved += len(records)
            await self._view.model.write(records)
        self._redraw()

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
        """Save past and future records to a file.

        Raises: UsageError, OutputError.
        """
        file = FileSink(_expand_user(path), force)
        async with self._lock:  # new records wait, so that none is missing between past and future
            records = self._view.model.records
            for at in range(0, len(records), _BATCH):
                await file.write(self._to_save(records[at : at + _BATCH]))
                await asyncio.sleep(0)
            self._files.append(file)
            self._view.saved_to, self._view.saved = path, len(records)

    def _to_save(self, records: Sequence[Record]) -> Sequence[Record]:
        """Return the records without their frames, which only the detail needs, unless --raw was given.

        Packets that wait in the proxy are saved once it is known what became of them.
        """
        settled = [record for record in records if record.data is None or not is_pending(record)]
        return settled if self._raw else list(map(_without_frames, settled))


def _expand_user(path: str) -> str:
    return str(Path(path).expanduser())


def _without_frames(record: Record) -> Record:
    if record.frames is None or record.kind is _PROTOCOL_ERROR:
        return record
    return framed(record, None, None)
