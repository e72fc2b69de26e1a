"""Write recordings and read them back: NDJSON of records, as `--save` and `--json` write them."""

import errno
import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from nsroom.encoding import read_lines
from nsroom.errors import DataError, DecodeError, OutputError, UsageError
from nsroom.output.ndjson import encode_all, reread
from nsroom.output.writer import Output
from nsroom.protocol import strict_json
from nsroom.protocol.limits import LIMITS, Limits
from nsroom.record import Direction, Record, from_json

_HAR = re.compile(rb'\s*\{\s*(?:$|"log"\s*:)')
MAX_LINE = 200_000_000
"""Bytes of a line: enough for the largest frame in base64."""
_LIMITS = Limits(values=2 * LIMITS.values + 100, depth=2 * LIMITS.depth)
"""A record has more values than its packet: its own keys, and an object for each attachment."""


def read(file: BinaryIO) -> Iterator[tuple[int, Record]]:
    """Yield each record with the number of its line; empty lines are skipped.

    Raises: DataError at the first line that is not a record.
    """
    for number, line in _numbered(file):
        yield number, parse(line, number)


def _numbered(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield each line that is not empty, with its number."""
    for number, line in enumerate(read_lines(file, MAX_LINE), 1):
        if not line.isspace():
            yield number, line


def is_har(line: bytes) -> bool:
    """Return whether a file is a HAR file by its first line: a record on one line never begins so."""
    return _HAR.match(line) is not None


def salvage(file: BinaryIO) -> Iterator[tuple[int, Record | DataError]]:
    """Yield each record with the size of its line in bytes, or the error in place of an invalid record.

    The records of a HAR file are those of its frames.
    """
    lines = read_lines(file, MAX_LINE)
    first = next(lines, b"")
    if is_har(first):
        yield from _of_har(chain([first], lines))
        return
    for number, line in enumerate(chain([first], lines), 1):
        if line.strip():
            try:
                yield len(line), parse(line, number)
            except DataError as error:
                yield len(line), error


def _of_har(lines: Iterable[bytes]) -> Iterator[tuple[int, Record | DataError]]:
    """Yield the records of the frames in a HAR file, by time, each with the sid of its Engine.IO session."""
    from nsroom.protocol.explain import har
    from nsroom.protocol.session import Observer

    sessions: dict[str | None, Observer] = {}
    records: list[tuple[int, Record]] = []
    failure: DataError | None = None
    try:
        for found in har.parse(b"".join(lines).decode("utf-8", "replace")):
            if found.sid not in sessions:
                sessions[found.sid] = Observer(raw=True, is_old=found.is_old)
            direction = found.direction or Direction.IN
            if record := sessions[found.sid].feed(direction, found.frame, found.time or 0):
                records.append((len(found.frame), record._replace(sid=found.sid)))
    except DataError as error:
        failure = error
    records.sort(key=lambda each: each[1].time)
    for seq, (size, record) in enumerate(records, 1):
        yield size, record._replace(seq=seq)
    if failure is not None:
        yield 0, failure


def parse(line: bytes, number: int) -> Record:
    """Return the record in the line with this number. Raises: DataError."""
    try:
        if found := reread(line.rstrip(), _LIMITS):
            return from_json(found[0], is_escaped=b'"$' in line)
        return from_json(strict_json.load(line.decode().strip(), limits=_LIMITS))
    except DecodeError as error:
        truncated = (
            "" if line.endswith(b"\n") else " (the recording is truncated: its last line is incomplete)"
        )
        raise DataError(f"line {number}: {error}{truncated}") from None
    except ValueError as error:
        raise DataError(f"line {number}: {error}") from None


def open_file(path: Path, stack: ExitStack) -> BinaryIO:
    """Open a recording until the stack is closed; `-` is stdin. Raises: UsageError."""
    if str(path) == "-":
        return sys.stdin.buffer
    try:
        return stack.enter_context(path.open("rb"))
    except (OSError, ValueError) as error:
        cause = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"cannot read {path}: {cause}") from None


_CAUSES = {
    errno.ELOOP: "it is a symbolic link; name the file that it points to",
    errno.ENXIO: "it is a pipe that no program reads from",
}


class FileSink:
    """A sink that records to a file: NDJSON, readable by its owner only, written without delay."""

    def __init__(self, path: str, force: bool = False) -> None:
        """Open the file. Raises: UsageError if it exists and `force` is false, OutputError."""
        self._path = path
        self._fd = create(path, force)
        self._output = Output(self._fd, path)

    async def write(self, records: Sequence[Record]) -> None:
        """Write one line per record. Raises: OutputError."""
        await self._output.write(encode_all(records))

    async def close(self) -> None:
        """Close the file. Raises: OutputError."""
        self._output.close()
        try:
            os.close(self._fd)
        except OSError as error:
            raise OutputError(f"cannot write to {self._path}: {error.strerror}") from error


def create(path: str, force: bool) -> int:
    """Open a file for writing that only its owner may read; return its descriptor.

    With `force` an existing file is overwritten, but none that a symbolic link points to; pipes and devices
    are written to as they are. Raises: UsageError if it exists and `force` is false, OutputError.
    """
    try:
        return _open_special(path) if force and _is_special(path) else _open_regular(path, force)
    except FileExistsError:
        raise UsageError(f"{path} already exists: choose another file, or add --force") from None
    except OSError as error:
        cause = _CAUSES.get(error.errno or 0) or error.strerror
        raise OutputError(f"cannot write to {path}: {cause}") from error


def _is_special(path: str) -> bool:
    """Return whether a path is, or points to, a pipe or a device."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _open_special(path: str) -> int:
    # Opening a pipe without a reader would wait for one.
    fd = os.open(path, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0))
    if sys.platform != "win32":
        os.set_blocking(fd, True)
    return fd


def _open_regular(path: str, force: bool) -> int:
    existing = os.O_TRUNC if force else os.O_EXCL
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | existing, 0o600)
    os.chmod(fd if os.chmod in os.supports_fd else path, 0o600)
    return fd
