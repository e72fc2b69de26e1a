"""The progress line: one line on a terminal, nothing anywhere else."""

import asyncio
import contextlib
import io
import os
import pty
import sys
import termios
from collections.abc import Callable, Iterator

import pytest

from nsroom.cli.progress import Progress, ProgressLine, showing

CLEAR = "\r\x1b[K"
Written = Callable[[], str]


@contextlib.contextmanager
def terminal(term: str = "xterm", columns: int = 40) -> Iterator[Written]:
    """Put a pseudo-terminal in the place of stderr; yield a function that returns what was written to it.

    Not a fixture: between set-up and call pytest puts its own stream there.
    """
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, columns))
    os.set_blocking(master, False)
    with pytest.MonkeyPatch.context() as patch, os.fdopen(slave, "w") as stream:
        patch.setenv("TERM", term)
        patch.setattr(sys, "stderr", stream)
        yield lambda: _read(master)
    os.close(master)


def _read(fd: int) -> str:
    """Read everything that is there: a terminal may return each write by itself."""
    data = b""
    with contextlib.suppress(BlockingIOError):
        while chunk := os.read(fd, 65536):
            data += chunk
    return data.decode()


def test_each_text_replaces_the_last() -> None:
    with terminal() as written:
        line = ProgressLine()
        line.show("one")
        line.show("two")
        line.clear()
        assert written() == f"{CLEAR}nsroom: one{CLEAR}nsroom: two{CLEAR}"


def test_a_line_fits_the_terminal() -> None:
    with terminal(columns=20) as written:
        ProgressLine().show("x" * 100)
        assert written() == f"{CLEAR}nsroom: {'x' * 10}…"


@pytest.mark.parametrize("term", ["", "dumb"])
def test_a_terminal_that_cannot_clear_a_line_shows_nothing(term: str) -> None:
    with terminal(term) as written:
        ProgressLine().show("one")
        assert written() == ""


async def test_a_pipe_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    line = ProgressLine()
    line.show("one")
    line.clear()
    async with showing(lambda: "two"):
        await asyncio.sleep(0)
    assert stream.getvalue() == ""


def test_a_benchmark_shows_its_step_answers_and_errors() -> None:
    with terminal(columns=80) as written:
        progress = Progress()
        progress.begin("ack", 10)
        progress(1200, 3)
        progress.end()
        _, first, second, last = written().split(CLEAR)
    assert first == "nsroom: ack  0.0 of 10 s  0 answered"
    assert second == "nsroom: ack  0.0 of 10 s  1,200 answered  3 errors"
    assert last == ""


async def test_a_changing_text_is_shown_until_the_block_ends() -> None:
    texts = ["", "1 sent", "2 sent"]
    shown = asyncio.Event()

    def text() -> str:
        if len(texts) > 1:
            return texts.pop(0)
        shown.set()
        return texts[0]

    with terminal() as written:
        async with showing(text):
            await asyncio.wait_for(shown.wait(), 10)
        assert written() == f"{CLEAR}nsroom: 1 sent{CLEAR}nsroom: 2 sent{CLEAR}"
