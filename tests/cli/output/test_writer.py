"""Real pipes, terminals, sockets and files: whole lines, without blocking or changing flags."""

import asyncio
import errno
import fcntl
import os
import pty
import socket
import sys
import threading
import tty
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from nsroom.errors import ExitCode, OutputError
from nsroom.output.writer import ClosedOutput, Output, end_lines

LINE = b"x" * 149 + b"\n"
MUCH = LINE * 10_000
LONG_LINE = b"y" * 300_000 + b"\n"


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe whose ends the test may close."""
    ends = os.pipe()
    yield ends
    for fd in ends:
        with suppress(OSError):
            os.close(fd)


@pytest.fixture
def terminal(cooked_terminal: tuple[int, int]) -> tuple[int, int]:
    """The two ends of a pseudo-terminal that passes bytes as they are."""
    tty.setraw(cooked_terminal[1])
    return cooked_terminal


@pytest.fixture
def cooked_terminal() -> Iterator[tuple[int, int]]:
    """The two ends of a pseudo-terminal with its default settings."""
    master, slave = pty.openpty()
    yield master, slave
    for fd in (master, slave):
        with suppress(OSError):
            os.close(fd)


def drain(fd: int, size: int | None = None) -> bytes:
    """Read until the end, or `size` bytes."""
    data = bytearray()
    while size is None or len(data) < size:
        chunk = os.read(fd, 65536)
        if not chunk:
            break
        data += chunk
    return bytes(data)


async def ticks(task: asyncio.Task[None], count: int = 20) -> None:
    """Check that the loop keeps running while the task waits."""
    for _ in range(count):
        await asyncio.sleep(0)
    assert not task.done()


async def test_a_fast_reader_gets_everything(pipe: tuple[int, int]) -> None:
    reader = asyncio.create_task(asyncio.to_thread(drain, pipe[0]))
    await Output(pipe[1]).write(MUCH)
    os.close(pipe[1])
    assert await reader == MUCH


async def test_a_slow_reader_does_not_block_the_loop(pipe: tuple[int, int]) -> None:
    writing = asyncio.create_task(Output(pipe[1]).write(MUCH))
    await ticks(writing)
    got = await asyncio.to_thread(drain, pipe[0], len(MUCH))
    await writing
    assert got == MUCH


async def test_a_slow_terminal_does_not_block_the_loop(terminal: tuple[int, int]) -> None:
    with closing(Output(terminal[1])) as output:
        writing = asyncio.create_task(output.write(MUCH))
        await ticks(writing)
        got = await asyncio.to_thread(drain, terminal[0], len(MUCH))
        await writing
    assert got == MUCH


async def test_a_terminal_that_writes_line_breaks_as_two(cooked_terminal: tuple[int, int]) -> None:
    short = b"1\n" * 50_000
    expected = short.replace(b"\n", b"\r\n")
    with closing(Output(cooked_terminal[1])) as output:
        writing = asyncio.create_task(output.write(short))
        await ticks(writing)
        got = await asyncio.to_thread(drain, cooked_terminal[0], len(expected))
        await writing
    assert got == expected


async def test_a_socket_is_an_output_too() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        writing = asyncio.create_task(Output(ours.fileno()).write(MUCH))
        await ticks(writing)
        assert await asyncio.to_thread(drain, theirs.fileno(), len(MUCH)) == MUCH
        await writing


@pytest.mark.parametrize("kind", ["pipe", "terminal"])
async def test_shared_flags_are_not_changed(kind: str, request: pytest.FixtureRequest) -> None:
    fd = request.getfixturevalue(kind)[1]
    with closing(Output(fd)) as output:
        await output.write(LINE)
        assert not fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK


async def test_a_non_blocking_descriptor_works_too(pipe: tuple[int, int]) -> None:
    os.set_blocking(pipe[1], False)
    writing = asyncio.create_task(Output(pipe[1]).write(MUCH))
    await ticks(writing)
    assert await asyncio.to_thread(drain, pipe[0], len(MUCH)) == MUCH
    await writing


async def test_a_writable_descriptor_that_is_full_is_tried_again() -> None:
    fd = os.eventfd(0, os.EFD_NONBLOCK)
    os.eventfd_write(fd, 2**64 - 3)
    writing = asyncio.create_task(Output(fd).write((5).to_bytes(8, sys.byteorder)))
    await ticks(writing)
    os.eventfd_read(fd)
    await writing
    assert os.eventfd_read(fd) == 5
    os.close(fd)


async def test_a_regular_file(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with path.open("wb") as file:
        await Output(file.fileno()).write(MUCH)
    assert path.read_bytes() == MUCH


@pytest.fixture
def device(request: pytest.FixtureRequest) -> Iterator[int]:
    """A device, opened for writing."""
    fd = os.open(request.param, os.O_WRONLY)
    yield fd
    os.close(fd)


@pytest.mark.parametrize("device", ["/dev/null"], indirect=True)
async def test_dev_null_accepts_everything(device: int) -> None:
    await Output(device).write(MUCH)


@pytest.mark.parametrize("device", ["/dev/full"], indirect=True)
async def test_a_full_device_is_named(device: int) -> None:
    with pytest.raises(OutputError) as raised:
        await Output(device).write(LINE)
    assert str(raised.value) == "cannot write to standard output: No space left on device"
    assert raised.value.code is ExitCode.OUTPUT


async def test_a_closed_descriptor_is_named(pipe: tuple[int, int]) -> None:
    output = Output(pipe[1], "x.ndjson")
    os.close(pipe[1])
    with pytest.raises(OutputError, match=f"cannot write to x.ndjson: {os.strerror(errno.EBADF)}"):
        await output.write(LINE)


async def test_a_reader_that_has_closed_the_pipe(pipe: tuple[int, int]) -> None:
    os.close(pipe[0])
    with pytest.raises(ClosedOutput) as raised:
        await Output(pipe[1]).write(LINE)
    assert raised.value.code is ExitCode.SIGPIPE


async def test_a_reader_that_closes_the_pipe_during_a_write(pipe: tuple[int, int]) -> None:
    writing = asyncio.create_task(Output(pipe[1]).write(MUCH))
    await ticks(writing)
    os.close(pipe[0])
    with pytest.raises(ClosedOutput):
        await writing


async def test_reader_closed_works_without_a_write(pipe: tuple[int, int]) -> None:
    waiting = asyncio.create_task(Output(pipe[1]).reader_closed())
    await ticks(waiting)
    os.close(pipe[0])
    await asyncio.wait_for(waiting, 5)


async def test_reader_closed_works_during_a_write(pipe: tuple[int, int]) -> None:
    output = Output(pipe[1])
    waiting = asyncio.create_task(output.reader_closed())
    writing = asyncio.create_task(output.write(MUCH))
    assert await asyncio.to_thread(drain, pipe[0], len(MUCH)) == MUCH
    await writing
    await ticks(waiting)
    os.close(pipe[0])
    await asyncio.wait_for(waiting, 5)


async def test_a_file_has_no_reader_that_could_close_it(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as file:
        waiting = asyncio.create_task(Output(file.fileno()).reader_closed())
        await ticks(waiting)
        await cancel(waiting)


async def cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancelled_write_completes_its_line(pipe: tuple[int, int]) -> None:
    numbered = b"".join(b"%0148d.\n" % number for number in range(5000))
    writing = asyncio.create_task(Output(pipe[1]).write(numbered))
    await ticks(writing)
    reader = threading.Thread(target=lambda: got.append(drain(pipe[0])))
    got: list[bytes] = []
    reader.start()
    await cancel(writing)
    os.close(pipe[1])
    reader.join()
    assert got[0].endswith(b".\n")
    assert numbered.startswith(got[0])


async def test_an_unread_line_is_completed_by_the_next_write(pipe: tuple[int, int]) -> None:
    output = Output(pipe[1])
    writing = asyncio.create_task(output.write(LONG_LINE + LINE))
    await ticks(writing)
    await cancel(writing)
    reader = asyncio.create_task(asyncio.to_thread(drain, pipe[0]))
    await output.write(b"next\n")
    os.close(pipe[1])
    assert await reader == LONG_LINE + b"next\n"


async def test_a_write_cancelled_between_lines_writes_no_more(pipe: tuple[int, int]) -> None:
    output = Output(pipe[1])
    block = b"z" * 4095 + b"\n"
    writing = asyncio.create_task(output.write(block * 1000))
    await ticks(writing)
    await cancel(writing)
    os.close(pipe[1])
    got = drain(pipe[0])
    assert got == block * (len(got) // 4096)


async def test_two_writers_take_turns(pipe: tuple[int, int]) -> None:
    output = Output(pipe[1])
    tasks = [asyncio.create_task(output.write(letter * 100_000 + b"\n")) for letter in (b"a", b"b")]
    got = await asyncio.to_thread(drain, pipe[0], 200_002)
    await asyncio.gather(*tasks)
    assert got == b"a" * 100_000 + b"\n" + b"b" * 100_000 + b"\n"


async def test_stdout_and_stderr_on_one_pipe(pipe: tuple[int, int]) -> None:
    script = (
        "import asyncio; from nsroom.output.writer import Output\n"
        "async def main():\n"
        "    one, two = Output(1), Output(2)\n"
        "    await asyncio.gather(one.write(b'1' * 200000 + b'\\n'), two.write(b'2' * 200000 + b'\\n'))\n"
        "asyncio.run(main())"
    )
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=pipe[1], stderr=pipe[1], env=environment
    )
    os.close(pipe[1])
    got = await asyncio.to_thread(drain, pipe[0])
    assert await asyncio.wait_for(program.wait(), 30) == 0
    assert sorted(got) == sorted(b"1" * 200_000 + b"2" * 200_000 + b"\n\n")


async def test_the_end_of_the_process_completes_the_line(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    output = Output(writer)
    task = asyncio.create_task(output.write(b"x" * 100_000 + b"\nnext\n"))
    await ticks(task)
    assert not task.done()
    read = os.read(reader, 1_000_000)
    end_lines()
    read += os.read(reader, 1_000_000)
    assert read == b"x" * 100_000 + b"\n"
    await cancel(task)
