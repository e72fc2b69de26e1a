"""Lines from real descriptors, read as they arrive, without blocking the loop."""

import asyncio
import fcntl
import os
import pty
import tty
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from nsroom.cli import stdin as module
from nsroom.cli.stdin import in_thread, lines
from nsroom.errors import DataError

WAIT = 5.0


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe: its reading and its writing end."""
    reader, writer = os.pipe()
    yield reader, writer
    for end in (reader, writer):
        with suppress(OSError):  # a test closed it
            os.close(end)


async def every(fd: int) -> list[bytes]:
    """Read to the end."""
    async with asyncio.timeout(WAIT):
        return [line async for batch in lines(fd) for line in batch]


async def test_lines_are_read_as_they_are_written(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    batches = lines(reader)
    os.write(writer, b"one\ntwo\nthr")
    assert await anext(batches) == [b"one", b"two"]
    os.write(writer, b"ee\r\n\n")
    assert await anext(batches) == [b"three\r", b""]
    os.write(writer, b"last")
    os.close(writer)
    assert [batch async for batch in batches] == [[b"last"]]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"\n", [b""]),
        (b"a\n", [b"a"]),
        (b"a", [b"a"]),
        (b"a\n\nb", [b"a", b"", b"b"]),
        (b"\xff\0\n", [b"\xff\0"]),
        (b"x" * 200_000 + b"\ny", [b"x" * 200_000, b"y"]),
        (b"".join(b"%d\n" % n for n in range(50_000)), [b"%d" % n for n in range(50_000)]),
    ],
)
async def test_a_file_is_read_to_its_end(tmp_path: Path, data: bytes, expected: list[bytes]) -> None:
    (tmp_path / "file").write_bytes(data)
    with (tmp_path / "file").open("rb") as file:
        assert await every(file.fileno()) == expected


async def test_an_empty_input_ends_at_once() -> None:
    fd = os.open(os.devnull, os.O_RDONLY)
    try:
        assert await every(fd) == []
    finally:
        os.close(fd)


async def test_lines_from_a_terminal() -> None:
    outer, inner = pty.openpty()
    try:
        tty.setraw(inner)
        batches = lines(inner)
        os.write(outer, b"typed\n")
        async with asyncio.timeout(WAIT):
            assert await anext(batches) == [b"typed"]
        await batches.aclose()
    finally:
        os.close(outer)
        os.close(inner)


async def test_waiting_for_a_line_blocks_nothing_and_changes_no_flags(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    waiting = asyncio.ensure_future(anext(lines(reader)))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    assert not fcntl.fcntl(reader, fcntl.F_GETFL) & os.O_NONBLOCK
    os.write(writer, b"x\n")
    assert await waiting == [b"x"]


async def test_waiting_can_be_cancelled(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await anext(lines(reader))
    os.write(writer, b"still there\n")
    assert await anext(lines(reader)) == [b"still there"]


async def test_a_line_has_a_maximum_size(pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_LINE", 10)
    reader, writer = pipe
    batches = lines(reader)
    os.write(writer, b"0123456789\n01234567891")
    assert await anext(batches) == [b"0123456789"]
    with pytest.raises(DataError, match="stdin: a line is longer than 10 bytes"):
        await anext(batches)


async def test_an_unreadable_input(tmp_path: Path) -> None:
    fd = os.open(tmp_path, os.O_RDONLY)
    try:
        with pytest.raises(DataError, match="stdin: Is a directory"):
            await every(fd)
    finally:
        os.close(fd)


async def test_a_closed_descriptor(pipe: tuple[int, int]) -> None:
    os.close(pipe[0])
    with pytest.raises(DataError, match="stdin: Bad file descriptor"):
        await every(pipe[0])


async def test_a_function_in_a_thread_of_its_own() -> None:
    assert await in_thread(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        await in_thread(lambda: 1 // 0)


async def test_a_function_that_waits_can_be_left_alone(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await in_thread(lambda: os.read(reader, 1))
    os.write(writer, b"x")
    assert await in_thread(lambda: 8) == 8
