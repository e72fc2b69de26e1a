"""Read lines from a descriptor without blocking the event loop or touching its flags, which others share."""

import asyncio
import os
from collections.abc import AsyncIterator

from nsroom.errors import DataError

MAX_LINE = 100_000_000
"""Bytes: as much as the largest frame."""
_CHUNK = 65_536


async def lines(fd: int) -> AsyncIterator[list[bytes]]:
    """Yield the lines as they come, without their ends, in batches of what is there at once.

    Raises: DataError for a line of more than MAX_LINE bytes, or what cannot be read.
    """
    # A long line comes in pieces: joined each time, the time they take would grow with the square.
    pieces: list[bytes] = []
    size = 0
    while chunk := await _read(fd):
        piece, *others = chunk.split(b"\n")
        pieces.append(piece)
        size += len(piece)
        if others:
            complete = [b"".join(pieces), *others[:-1]]
            pieces, size = others[-1:], len(others[-1])
            yield complete
        if size > MAX_LINE:
            raise DataError(f"stdin: a line of more than {MAX_LINE} bytes")
    if size:
        yield [b"".join(pieces)]


async def _read(fd: int) -> bytes:
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    try:
        loop.add_reader(fd, readable.set)
    except PermissionError:  # a file, which never blocks
        await asyncio.sleep(0)
        return _take(fd)
    except OSError as error:
        raise DataError(f"stdin: {error.strerror}") from error
    try:
        await readable.wait()
    finally:
        loop.remove_reader(fd)
    return _take(fd)


def _take(fd: int) -> bytes:
    try:
        return os.read(fd, _CHUNK)
    except OSError as error:
        raise DataError(f"stdin: {error.strerror}") from error
