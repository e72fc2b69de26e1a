"""Read the records of a file: a recording, a browser's HAR file, or a network capture."""

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from nsroom.capture.files import MAGICS
from nsroom.errors import DataError
from nsroom.output.stdio import complain
from nsroom.record import Record

_CHUNK = 65_536


def salvage(
    file: BinaryIO, say: Callable[[str], None] = complain
) -> Iterator[tuple[int, Record | DataError]]:
    """Yield each record with the bytes that were read for it, or the error in place of an invalid one.

    `say` prints a line for the user about what a capture does not show.
    """
    from nsroom.output import recording  # 20 ms that would delay `decode`

    is_capture, file = recognise(file)
    yield from _captured(file, say) if is_capture else recording.salvage(file)


def read_file(path: Path) -> Iterator[Record]:
    """Yield each record of a file. Raises: UsageError, DataError that names the file."""
    from nsroom.output.recording import open_file

    with ExitStack() as stack:
        for _, item in salvage(open_file(path, stack)):
            if isinstance(item, DataError):
                raise DataError(f"{path}: {item}")
            yield item


def recognise(
    file: BinaryIO, before_reading: Callable[[], None] = lambda: None
) -> tuple[bool, io.BufferedReader]:
    """Return whether a file is a network capture, and the file from its start.

    `before_reading` is called each time before reading, which may wait. Raises: DataError.
    """
    head = b""
    # Byte by byte: a line typed on a terminal may be shorter than a magic number.
    while any(magic != head and magic.startswith(head) for magic in MAGICS) and (byte := _read(file, 1)):
        head += byte
    return head in MAGICS, io.BufferedReader(_Rest(head, file, before_reading), _CHUNK)


def recognise_recording(file: BinaryIO) -> tuple[bool, io.BufferedReader]:
    """Return whether a file has a record on each line, and the file from its start.

    Otherwise it is a HAR file or a network capture, for `salvage`.
    """
    from nsroom.output.recording import MAX_LINE, is_har

    is_capture, stream = recognise(file)
    if is_capture:
        return False, stream
    first = stream.readline(MAX_LINE)
    return not is_har(first), io.BufferedReader(_Rest(first, stream), _CHUNK)


class _Rest(io.RawIOBase):
    """A file whose first bytes were read already."""

    def __init__(
        self, head: bytes, file: BinaryIO, before_reading: Callable[[], None] = lambda: None
    ) -> None:
        self._head = head
        self._file = file
        self._before_reading = before_reading

    def readable(self) -> bool:
        """Return True."""
        return True

    def fileno(self) -> int:
        """Return the file's descriptor."""
        return self._file.fileno()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read what is there into the buffer; return its size."""
        if not self._head:
            self._before_reading()
        data = self._head or _read(self._file, len(buffer))
        self._head = data[len(buffer) :] if self._head else b""
        data = data[: len(buffer)]
        buffer[: len(data)] = data
        return len(data)


def _read(file: BinaryIO, size: int) -> bytes:
    return bytes(getattr(file, "read1", file.read)(size))


def _captured(file: BinaryIO, say: Callable[[str], None]) -> Iterator[tuple[int, Record | DataError]]:
    """Yield the records of a capture as its bytes arrive, and the error that ends it early."""
    from nsroom.capture.capture import Capture

    capture = Capture(say, raw=True)
    while not capture.is_damaged and (data := _read(file, _CHUNK)):
        size = len(data)
        for record in capture.feed(data):
            yield size, record
            size = 0
    try:
        for record in capture.end():
            yield 0, record
    except DataError as error:
        yield 0, error
