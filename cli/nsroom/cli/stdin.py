"""Read lines from stdin without blocking the event loop.

The descriptor's flags stay unchanged, because other processes may share it.
"""

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import TypeVar

from nsroom.encoding import Utf8Decoder
from nsroom.errors import DataError

T = TypeVar("T")
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
        # There the event loop can wait only for sockets.
        return await in_thread(lambda: _read_available(fd))
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


async def in_thread(read: Callable[[], T]) -> T:
    """Return what a function returns that may wait for input; its thread does not keep the process alive."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def run() -> None:
        try:
            resolve = partial(_resolve, done, read())
        except Exception as error:  # noqa: BLE001 - raised where this is awaited
            resolve = partial(_fail, done, error)
        with contextlib.suppress(RuntimeError):  # the loop was closed
            loop.call_soon_threadsafe(resolve)

    threading.Thread(target=run, daemon=True).start()
    return await done


def _resolve(done: asyncio.Future[T], result: T) -> None:
    if not done.cancelled():
        done.set_result(result)


def _fail(done: asyncio.Future[T], error: Exception) -> None:
    if not done.cancelled():
        done.set_exception(error)


def _read_available(fd: int) -> bytes:
    try:
        return os.read(fd, _CHUNK)
    except OSError as error:
        raise DataError(f"stdin: {error.strerror}") from error
