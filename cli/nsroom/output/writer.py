"""Write whole lines to a descriptor without blocking the event loop, and notice when its reader closes it."""

import asyncio
import contextlib
import os
import select
import stat
import sys
import time
from collections.abc import Callable
from errno import EPIPE
from weakref import WeakSet

from nsroom.errors import ExitCode, OutputError

LINE_GRACE = 0.1
"""Seconds that a cancelled write may take to complete its line."""
_FILE_CHUNK = 256 * 1024
"""Bytes written to a file in one call."""
_PIPE_CHUNK = getattr(select, "PIPE_BUF", 4096)
"""Bytes that a pipe which polls writable accepts without blocking."""
FULL_PAUSE = 0.005
"""Seconds until the next attempt when a descriptor polls writable but accepts nothing."""


class ClosedOutput(OutputError):
    """The reader closed our output, as `| head -1` does; this ends nsroom silently."""

    code = ExitCode.SIGPIPE


class Output:
    """Writes to a descriptor without changing its flags, since other processes may share it.

    O_NONBLOCK belongs to the open file, which our parent and our neighbours in the pipeline share. So each
    write waits until the descriptor polls writable: then a pipe accepts PIPE_BUF bytes without blocking, and
    files never block. A terminal makes no such promise, so it is opened again for nsroom alone. Windows can
    poll only sockets: there a write waits for the reader, and a closed pipe is noticed at the next write.
    """

    def __init__(self, fd: int, name: str = "standard output") -> None:
        self.name = name
        self._own = _reopen_terminal(fd)
        self._fd = fd if self._own is None else self._own
        self._at_once = _FILE_CHUNK if _is_file(self._fd) else _PIPE_CHUNK
        self._ready = _poller(self._fd)
        self._lock = asyncio.Lock()
        self._rest = b""
        self._data = b""
        """What is being written, and how many bytes of it are."""
        self._done = 0
        _outputs.add(self)

    async def write(self, data: bytes) -> None:
        """Write all of `data`; if cancelled, complete the current line first.

        Raises: ClosedOutput if the reader closed it, OutputError.
        """
        async with self._lock:
            self._data, self._rest, self._done = self._rest + data, b"", 0
            view = memoryview(self._data)
            try:
                while self._done < len(view):
                    self._done += await self._some(view[self._done :])
            except asyncio.CancelledError:
                self._rest = self.end_line()
                raise
            finally:
                self._data = b""

    async def reader_closed(self) -> None:
        """Wait until the reader of a pipe closes it; forever on anything else."""
        closed = asyncio.Event()
        loop = asyncio.get_running_loop()
        if sys.platform == "win32" or not stat.S_ISFIFO(os.fstat(self._fd).st_mode):
            await closed.wait()
        # The writing end of a pipe never becomes readable: only its error state wakes this.
        loop.add_reader(self._fd, closed.set)
        try:
            await closed.wait()
        finally:
            loop.remove_reader(self._fd)

    def close(self) -> None:
        """Close the terminal if it was opened here; the given descriptor stays open."""
        if self._own is not None:
            os.close(self._own)
            self._own = None

    async def _some(self, data: memoryview) -> int:
        if not self._ready(0):
            await self._writable()
        if not (count := self._write(data)):
            # Another process filled the pipe first, or a line break needs more room.
            await asyncio.sleep(FULL_PAUSE)
        return count

    async def _writable(self) -> None:
        ready = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_writer(self._fd, ready.set)
        try:
            await ready.wait()
        finally:
            loop.remove_writer(self._fd)

    def _write(self, data: memoryview) -> int:
        try:
            return os.write(self._fd, data[: self._at_once])
        except BlockingIOError:
            return 0
        except OSError as error:
            if error.errno == EPIPE:
                raise ClosedOutput(f"the reader of {self.name} closed it") from error
            raise OutputError(f"cannot write to {self.name}: {error.strerror}") from error

    def end_line(self) -> bytes:
        """Complete the line that is being written, in at most LINE_GRACE seconds; return what is left."""
        line = _unfinished(self._data, self._done)
        deadline = time.monotonic() + LINE_GRACE
        with contextlib.suppress(OutputError):
            while line and (left := deadline - time.monotonic()) > 0:
                if self._ready(left * 1000):
                    line = line[self._write(memoryview(line)) :]
        return line


_outputs: WeakSet[Output] = WeakSet()


def end_lines() -> None:
    """Complete the lines of all outputs as far as possible, because the process ends."""
    for output in list(_outputs):
        output.end_line()


def _unfinished(data: bytes, done: int) -> bytes:
    """Return the rest of the line that the first `done` bytes end in, or nothing at a line's end."""
    if done == 0 or data[done - 1 : done] == b"\n":
        return b""
    return data[done : data.find(b"\n", done) + 1 or len(data)]


def _is_file(fd: int) -> bool:
    try:
        return stat.S_ISREG(os.fstat(fd).st_mode)
    except OSError:  # closed: the first write reports it
        return False


def _poller(fd: int) -> Callable[[float], object]:
    """Return a function that waits at most the given milliseconds and returns whether `fd` polls writable."""
    if sys.platform == "win32":
        return lambda _milliseconds: True
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    return poll.poll


def _reopen_terminal(fd: int) -> int | None:
    if sys.platform == "win32":
        return None
    try:
        return os.open(os.ttyname(fd), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        return None
