"""Read lines from stdin without blocking the event loop.

The descriptor's flags stay unchanged, because other processes may share it.
"""

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import AsyncIterator

from nsroom.encoding import Utf8Decoder
from nsroom.errors import DataError

MAX_LINE = 100_000_000
"""Bytes of a line: as large as the largest frame."""
_CHUNK = 65_536


async def lines(fd: int) -> AsyncIterator[list[bytes]]:
    """Yield batches of lines, without line breaks, as soon as they can be read.

    Raises: DataError if a line is longer than MAX_LINE bytes, or reading fails.
    """
    # Joined once per line: joining after every chunk would take quadratic time for a long line.
    pieces: list[bytes] = []
    size = 0
    decoder = Utf8Decoder()
    ended = False
    while not ended:
        data = await _read(fd)
        ended = not data
        chunk = decoder.feed(data, final=ended)
        piece, *others = chunk.split(b"\n")
        pieces.append(piece)
        size += len(piece)
        if others:
            complete = [b"".join(pieces), *others[:-1]]
            pieces, size = others[-1:], len(others[-1])
            yield complete
        if size > MAX_LINE:
            raise DataError(f"stdin: a line is longer than {MAX_LINE} bytes")
    if size:
        yield [b"".join(pieces)]


async def _read(fd: int) -> bytes:
    if sys.platform == "win32":
        return await _read_in_thread(fd)
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    try:
        loop.add_reader(fd, readable.set)
    except PermissionError:  # a regular file, which never blocks
        await asyncio.sleep(0)
        return _read_available(fd)
    except OSError as error:
        raise DataError(f"stdin: {error.strerror}") from error
    try:
        await readable.wait()
    finally:
        loop.remove_reader(fd)
    return _read_available(fd)


async def _read_in_thread(fd: int) -> bytes:
    """Read where the event loop can wait only for sockets; the thread does not keep the process alive."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[bytes] = loop.create_future()

    def resolve(result: bytes | DataError) -> None:
        if done.cancelled():
            return
        if isinstance(result, DataError):
            done.set_exception(result)
        else:
            done.set_result(result)

    def read() -> None:
        try:
            result: bytes | DataError = _read_available(fd)
        except DataError as error:
            result = error
        with contextlib.suppress(RuntimeError):  # the loop was closed
            loop.call_soon_threadsafe(resolve, result)

    threading.Thread(target=read, daemon=True).start()
    return await done


def _read_available(fd: int) -> bytes:
    try:
        return os.read(fd, _CHUNK)
    except OSError as error:
        raise DataError(f"stdin: {error.strerror}") from error
