"""Run a program as a person or a script does: its lines, its complaints, its exit code."""

import asyncio
import contextlib
import fcntl
import json
import os
import pty
import re
import signal
import struct
import sys
import termios
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Gives the pseudo-terminal to the new session as its controlling terminal, so that Ctrl-C and resizing
# reach the program. `preexec_fn` would do it too, but warns in a process that has threads.
_OWN_TERMINAL = (
    "import os, sys; os.close(os.open(os.ttyname(0), os.O_RDWR)); os.execv(sys.argv[1], sys.argv[1:])"
)
_INHERITED_NOISE = (
    "PYTHONUNBUFFERED",
    "PYTHONDONTWRITEBYTECODE",  # else every process would compile the sources again
    "NO_COLOR",
    "FORCE_COLOR",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "COLUMNS",
    "LINES",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
)

Environment = Mapping[str, str | None]
"""Variables to set; None takes one away."""


def clean_environment(home: Path) -> dict[str, str]:
    """Give an environment in which nothing of the person who runs the tests shows."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("NSROOM_")}
    for key in _INHERITED_NOISE:
        env.pop(key, None)
    env |= {"HOME": str(home), "TERM": "xterm-256color"}
    for name in ("CONFIG", "STATE", "DATA", "CACHE"):
        env[f"XDG_{name}_HOME"] = str(home / name.lower())
    return env


def overlay(env: Mapping[str, str], changes: Environment | None) -> dict[str, str]:
    """Set and take away variables."""
    merged = {**env, **(changes or {})}
    return {key: value for key, value in merged.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Result:
    """What a program that has ended left behind."""

    code: int
    """As a shell gives it: 128 + N for signal N."""
    stdout: str
    stderr: str

    @property
    def lines(self) -> list[str]:
        """The lines of stdout, without their ends."""
        return self.stdout.removesuffix("\n").split("\n") if self.stdout else []

    def records(self) -> list[dict[str, Any]]:
        """Read every line of stdout as JSON."""
        return [json.loads(line) for line in self.lines]


def shell_code(returncode: int) -> int:
    """Give the exit code as a shell does."""
    return returncode if returncode >= 0 else 128 - returncode


@dataclass(slots=True)
class Stream:
    """What a program has written so far, and the waiting for more."""

    name: str
    data: bytearray = field(default_factory=bytearray)
    ended: bool = False
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _taken: int = 0

    @property
    def text(self) -> str:
        """Everything so far; bytes that are no UTF-8 stay visible as surrogates."""
        return self.data.decode("utf-8", "surrogateescape")

    def feed(self, chunk: bytes) -> None:
        """Take what was read; nothing means the end."""
        self.data += chunk
        self.ended = self.ended or not chunk
        self._changed.set()

    async def wait_for(self, wanted: str, timeout: float) -> str:
        """Wait until the text is there, and give everything so far."""
        await self._until(lambda: wanted in self.text, timeout, repr(wanted))
        return self.text

    async def wait_for_match(self, pattern: str, timeout: float) -> None:
        """Wait until a regular expression matches somewhere in the text."""
        await self._until(lambda: re.search(pattern, self.text) is not None, timeout, repr(pattern))

    async def line(self, timeout: float) -> str:
        """Wait for the next line, and give it without its end."""
        await self._until(lambda: self.data.find(b"\n", self._taken) >= 0, timeout, "another line")
        end = self.data.index(b"\n", self._taken)
        line, self._taken = self.data[self._taken : end], end + 1
        return line.removesuffix(b"\r").decode("utf-8", "surrogateescape")

    async def _until(self, there: Callable[[], bool], timeout: float, wanted: str) -> None:
        try:
            async with asyncio.timeout(timeout):
                while not there():
                    if self.ended:
                        raise AssertionError(f"{self.name} ended without {wanted}: …{self.text[-2000:]}")
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"no {wanted} on {self.name} in {timeout} s: …{self.text[-2000:]}") from None


class Program:
    """A running program. On a pseudo-terminal `stdout` and `stderr` are one and the same stream."""

    def __init__(self, process: asyncio.subprocess.Process, stdout: Stream, stderr: Stream) -> None:
        self._process = process
        self.stdout = stdout
        self.stderr = stderr
        self._owned: list[asyncio.Task[None]] = []
        self._terminal: int | None = None

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    async def line(self, timeout: float = 10) -> str:
        """Wait for the next line of stdout."""
        return await self.stdout.line(timeout)

    async def record(self, timeout: float = 10) -> dict[str, Any]:
        """Wait for the next line of stdout and read it as a JSON object."""
        record: dict[str, Any] = json.loads(await self.line(timeout))
        return record

    async def seen(self, timeout: float = 10, **fields: Any) -> dict[str, Any]:
        """Wait for the next record that holds these fields; those before it are passed over."""
        async with asyncio.timeout(timeout):
            while True:
                record = await self.record(timeout)
                if all(record.get(key) == value for key, value in fields.items()):
                    return record

    async def err(self, text: str, timeout: float = 10) -> str:
        """Wait until stderr holds the text, and give all of stderr so far."""
        return await self.stderr.wait_for(text, timeout)

    def send(self, line: str | Mapping[str, Any] | Sequence[Any]) -> None:
        """Type a line; anything but a string is sent as JSON."""
        self.type((line if isinstance(line, str) else json.dumps(line)) + "\n")

    def type(self, text: str) -> None:
        """Type exactly this."""
        if self._terminal is not None:
            os.write(self._terminal, text.encode())
        else:
            assert self._process.stdin is not None
            self._process.stdin.write(text.encode("utf-8", "surrogateescape"))

    def eof(self) -> None:
        """End the program's input."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def resize(self, rows: int, cols: int) -> None:
        """Change the size of the program's terminal."""
        assert self._terminal is not None
        set_size(self._terminal, rows, cols)

    def hang_up(self) -> None:
        """Close the terminal, as closing its window does."""
        assert self._terminal is not None
        for task in self._owned:
            task.cancel()
        self._owned.clear()
        asyncio.get_running_loop().remove_reader(self._terminal)
        os.close(self._terminal)
        self._terminal = None

    def signal(self, number: int) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    async def end(self, timeout: float = 10) -> int:
        """Wait until the program has ended and all it wrote is here; give the code as a shell does."""
        try:
            async with asyncio.timeout(timeout):
                code = await self._process.wait()
                await asyncio.gather(*self._owned)
        except TimeoutError:
            raise AssertionError(
                f"still runs after {timeout} s; stderr: …{self.stderr.text[-2000:]}"
            ) from None
        return shell_code(code)

    async def result(self, timeout: float = 10) -> Result:
        """Wait for the end and give everything."""
        code = await self.end(timeout)
        return Result(code, self.stdout.text, self.stderr.text)

    async def kill(self) -> None:
        """End it whatever it does, with everything that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        await self._process.wait()
        for task in self._owned:
            task.cancel()
        await asyncio.gather(*self._owned, return_exceptions=True)
        self._close()

    def _close(self) -> None:
        if self._terminal is not None:
            os.close(self._terminal)
        if self._process.stdin is not None:
            self._process.stdin.close()

    def _pump(self, source: asyncio.StreamReader, stream: Stream) -> None:
        self._owned.append(asyncio.create_task(_pump(source, stream)))

    def _watch_terminal(self, terminal: int) -> None:
        self._terminal = terminal
        self._owned.append(asyncio.create_task(_pump_terminal(terminal, self.stdout)))


async def _pump(source: asyncio.StreamReader, stream: Stream) -> None:
    chunk = b"-"
    while chunk:
        chunk = await source.read(65536)
        stream.feed(chunk)


async def _pump_terminal(terminal: int, stream: Stream) -> None:
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(terminal, readable.set)
    try:
        while not stream.ended:
            await readable.wait()
            readable.clear()
            with contextlib.suppress(BlockingIOError):  # it was readable before the last reading
                stream.feed(_read_terminal(terminal))
    finally:
        loop.remove_reader(terminal)


def _read_terminal(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except BlockingIOError:
        raise
    except OSError:  # Linux's way to say that no program has the terminal open any more
        return b""


def set_size(terminal: int, rows: int, cols: int) -> None:
    """Set the size of a terminal."""
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))


async def start(
    command: Sequence[str], env: Mapping[str, str], cwd: Path, stdout: int | None = None
) -> Program:
    """Start a program on pipes. `stdout` may be a file descriptor to write to instead."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=pipe,
        stdout=pipe if stdout is None else stdout,
        stderr=pipe,
        env=env,
        cwd=cwd,
        start_new_session=True,
        limit=2**20,
    )
    program = Program(process, Stream("stdout"), Stream("stderr"))
    for source, stream in ((process.stdout, program.stdout), (process.stderr, program.stderr)):
        if source is not None:
            program._pump(source, stream)
    return program


async def start_on_terminal(
    command: Sequence[str], env: Mapping[str, str], cwd: Path, rows: int = 24, cols: int = 80
) -> Program:
    """Start a program on a pseudo-terminal of its own."""
    terminal, inner = pty.openpty()
    os.set_blocking(terminal, False)
    set_size(terminal, rows, cols)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-ISc", _OWN_TERMINAL, *command),
        stdin=inner,
        stdout=inner,
        stderr=inner,
        env=env,
        cwd=cwd,
        start_new_session=True,
    )
    os.close(inner)
    stream = Stream("the terminal")
    program = Program(process, stream, stream)
    program._watch_terminal(terminal)
    return program


@dataclass(frozen=True, slots=True)
class Runner:
    """Run a program to its end, again and again, in one environment."""

    command: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path

    async def __call__(
        self,
        *args: str,
        stdin: str | bytes = b"",
        env: Environment | None = None,
        timeout: float = 20,
        stdout: Path | None = None,
    ) -> Result:
        """Run it with these arguments; `stdout` names a file to write to, `/dev/full` for one."""
        with _opened(stdout) as target:
            program = await start((*self.command, *args), overlay(self.env, env), self.cwd, target)
        try:
            program.type(stdin if isinstance(stdin, str) else stdin.decode("utf-8", "surrogateescape"))
            program.eof()
            return await program.result(timeout)
        finally:
            await program.kill()


@contextlib.contextmanager
def _opened(path: Path | None) -> Any:
    if path is None:
        yield None
        return
    with path.open("wb") as file:
        yield file.fileno()


@dataclass(frozen=True, slots=True)
class Spawner:
    """Start programs that go on running; `stop` ends those that still do."""

    command: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    running: list[Program] = field(default_factory=list)

    async def __call__(
        self,
        *args: str,
        env: Environment | None = None,
        tty: bool = False,
        rows: int = 24,
        cols: int = 80,
        stdout: Path | None = None,
    ) -> Program:
        """Start it with these arguments, on a pseudo-terminal with `tty`."""
        command, variables = (*self.command, *args), overlay(self.env, env)
        if tty:
            program = await start_on_terminal(command, variables, self.cwd, rows, cols)
        else:
            with _opened(stdout) as target:
                program = await start(command, variables, self.cwd, target)
        self.running.append(program)
        return program

    async def stop(self) -> None:
        """End everything that was started."""
        for program in self.running:
            await program.kill()


@contextlib.asynccontextmanager
async def spawner(command: tuple[str, ...], env: Mapping[str, str], cwd: Path) -> AsyncIterator[Spawner]:
    """Give a Spawner and end what it started."""
    spawn = Spawner(command, env, cwd)
    try:
        yield spawn
    finally:
        await spawn.stop()


@dataclass(frozen=True, slots=True)
class Server:
    """A server that listens: ours, or one that prints `{"listening": PORT}`."""

    url: str
    proc: Program
