"""The server that a scenario starts, stops and kills by itself."""

import asyncio
import contextlib
import os
import shlex
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from nsroom.errors import ExitCode
from nsroom.scenarios.result import StepError

_START, _STOP = 20.0, 5.0
"""Seconds for a server to listen, and to end after SIGTERM."""
_INTERVAL = 0.05
_MAX_OUTPUT = 2000
_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
"""Windows has one way to end a process."""


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


class OwnServer:
    """A process that listens on a port, in a process group of its own."""

    def __init__(self, words: Sequence[str], folder: Path, port: int) -> None:
        self._words = words
        self._folder = folder
        self._port = port
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._output = ""
        """The end of what it printed."""

    async def start(self) -> None:
        """Start it, and wait until it listens. Raises: StepError."""
        if await self._listens():
            raise StepError(f"something listens on port {self._port} already", code=ExitCode.CONNECT)
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                cwd=self._folder,
                env={**os.environ, "PORT": str(self._port)},
                start_new_session=True,
            )
        except OSError as error:
            reason = f"cannot run {self._words[0]}: {error.strerror}"
            raise StepError(reason, code=ExitCode.CONNECT) from None
        self._reading = asyncio.create_task(self._read(self._process))
        await self._wait_until_it_listens(self._process)

    async def _wait_until_it_listens(self, process: asyncio.subprocess.Process) -> None:
        deadline = asyncio.get_running_loop().time() + _START
        while not await self._listens():
            if process.returncode is not None:
                raise self._failure(f"the server ended with code {process.returncode}")
            if asyncio.get_running_loop().time() > deadline:
                raise self._failure(f"the server does not listen on port {self._port} within {_START:g} s")
            await asyncio.sleep(_INTERVAL)

    def _failure(self, reason: str) -> StepError:
        return StepError(reason, self._output.splitlines()[-3:], ExitCode.CONNECT)

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("localhost", self._port)
        except OSError:
            return False
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return True

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while chunk := await process.stdout.read(65_536):
            self._output = (self._output + chunk.decode("utf-8", "replace"))[-_MAX_OUTPUT:]

    async def stop(self) -> None:
        """Ask it to end, and kill it if it does not."""
        self._signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP):
                await self._ended()
        await self.kill()

    async def kill(self) -> None:
        """Kill it and what it started."""
        self._signal(_KILL)
        await self._ended()
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    async def _ended(self) -> None:
        if self._process is not None:
            await self._process.wait()

    def _signal(self, number: int) -> None:
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            if sys.platform == "win32":
                self._process.terminate()
            else:
                os.killpg(self._process.pid, number)

    def __str__(self) -> str:
        return shlex.join(self._words)
