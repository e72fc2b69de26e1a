"""Write bytes to a file descriptor without blocking the event loop, and in whole lines."""

import asyncio
import contextlib
import os
import select
import stat
import time
from errno import EPIPE

from nsroom.errors import ExitCode, OutputError

LINE_GRACE = 0.1
"""Seconds that a cancelled write may take to end the line it is in."""
_FILE_CHUNK = 256 * 1024
"""Bytes that a file is given at once."""
FULL_PAUSE = 0.005
"""Seconds until the next try where a descriptor is writable but takes nothing."""


class ClosedOutput(OutputError):
    """The reader has gone, as after `| head -1`: nobody is left to be told."""

    code = ExitCode.SIGPIPE


class Output:
    """A writer to a descriptor of ours or of others, whose flags it leaves alone.

    O_NONBLOCK belongs to the open file, which our parent and our neighbours in the pipeline share. So it
    waits until the descriptor polls writable, when a pipe takes PIPE_BUF bytes without blocking; files and
    devices that know no waiting always do. A terminal gives no such promise: it is opened once more, for
    us alone.
    """

    def __init__(self, fd: int, name: str = "standard output") -> None:
        self.name = name
        self._own = _reopen_terminal(fd)
        self._fd = fd if self._own is None else self._own
        self._at_once = _FILE_CHUNK if _is_file(self._fd) else select.PIPE_BUF
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLOUT)
        self._lock = asyncio.Lock()
        self._rest = b""

    async def write(self, data: bytes) -> None:
        """Write all of it. When cancelled, end the line that is half written, then stop.

        Raises: ClosedOutput when the reader has gone, OutputError.
        """
        async with self._lock:
            data, self._rest = self._rest + data, b""
            pending = memoryview(data)
            try:
                while pending:
                    pending = pending[await self._some(pending) :]
            except asyncio.CancelledError:
                self._rest = self._end_line(_unfinished(data, len(data) - len(pending)))
                raise

    async def reader_gone(self) -> None:
        """Wait until the reader of a pipe has gone; on anything else, for ever."""
        gone = asyncio.Event()
        loop = asyncio.get_running_loop()
        if not stat.S_ISFIFO(os.fstat(self._fd).st_mode):
            await gone.wait()
        # The writing end of a pipe has nothing to read: only its error state wakes a reader of it.
        loop.add_reader(self._fd, gone.set)
        try:
            await gone.wait()
        finally:
            loop.remove_reader(self._fd)

    def close(self) -> None:
        """Close what was opened here; the descriptor given stays open."""
        if self._own is not None:
            os.close(self._own)
            self._own = None

    async def _some(self, data: memoryview) -> int:
        if not self._poll.poll(0):
            await self._writable()
        if not (count := self._write(data)):
            # Writable and yet too full: a neighbour was faster, or a line break needs more room.
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
                raise ClosedOutput(f"the reader of {self.name} has gone") from error
            raise OutputError(f"cannot write to {self.name}: {error.strerror}") from error

    def _end_line(self, line: bytes) -> bytes:
        """Write the line while the grace lasts; give what could not be written."""
        deadline = time.monotonic() + LINE_GRACE
        with contextlib.suppress(OutputError):
            while line and (left := deadline - time.monotonic()) > 0:
                if self._poll.poll(left * 1000):
                    line = line[self._write(memoryview(line)) :]
        return line


def _unfinished(data: bytes, done: int) -> bytes:
    """Give the rest of the line of which a part is among the first `done` bytes."""
    if done == 0 or data[done - 1 : done] == b"\n":
        return b""
    return data[done : data.find(b"\n", done) + 1 or len(data)]


def _is_file(fd: int) -> bool:
    try:
        return stat.S_ISREG(os.fstat(fd).st_mode)
    except OSError:  # closed: writing will say so
        return False


def _reopen_terminal(fd: int) -> int | None:
    try:
        return os.open(os.ttyname(fd), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return None
