"""Log lines as text and as JSON, and warnings that clients can cause."""

import asyncio
import json
import logging
import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import pytest

from nsroom_server import logs
from nsroom_server.logs import BoundedHandler, JsonFormatter, LogOutput, TextFormatter

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def record(message: str, exc_info: Any = None, **fields: Any) -> logging.LogRecord:
    made = logging.LogRecord("nsroom_server", logging.INFO, "", 0, message, None, exc_info)
    made.fields = fields
    return made


def text(made: logging.LogRecord) -> str:
    """Return the text of a line, without its time."""
    line = re.fullmatch(r"nsroom: \d\d:\d\d:\d\d\.\d{3} (.*)", TextFormatter().format(made))
    assert line
    return line[1]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("/chat", "/chat"),
        ("", '""'),
        ("a b", '"a b"'),
        ('a"b', '"a\\"b"'),
        ("a\nb\x1b[2J", '"a\\nb\\u001b[2J"'),
        ("\x7f\x9b\u202e", '"\\u007f\\u009b\\u202e"'),
        ("x" * 999, "x" * 200),
        (7, "7"),
        (True, "true"),
    ],
)
def test_text(value: Any, written: str) -> None:
    assert text(record("said", key=value)) == f"said key={written}"


def test_the_message_is_escaped() -> None:
    assert text(record("a\nb\x1b")) == "a\\nb\\x1b"


@pytest.mark.parametrize(("nick", "shown"), [(None, "0123AB"), ("ann", "ann"), ("a b", '"a b"')])
def test_a_client_is_named_first(nick: str | None, shown: str) -> None:
    made = record("joined", namespace="/chat", sid="0123ABCDEF", nick=nick, room="lobby", id=None)
    assert text(made) == f"/chat {shown} joined room=lobby"
    assert json.loads(JsonFormatter().format(made))["sid"] == "0123ABCDEF"


def test_lines_of_the_start_and_the_end_have_no_time() -> None:
    made = record("listening")
    made.plain = True
    assert TextFormatter().format(made) == "nsroom: listening"


@pytest.mark.parametrize("value", ["a", "x" * 99, "é" * 99, "\N{GRINNING FACE}" * 99, "\x00" * 99, 7])
def test_a_shortened_text_fits(value: Any) -> None:
    assert len(json.dumps(logs.shorten(value, 20))) - 2 <= 20
    assert str(value).startswith(logs.shorten(value, 20))


def test_json() -> None:
    line = json.loads(JsonFormatter().format(record("said", key="a\nb", number=7)))
    assert line.pop("time").endswith("Z")
    assert line == {"level": "info", "message": "said", "key": "a\nb", "number": 7}


def test_tracebacks() -> None:
    try:
        raise ValueError("evil\x1b")
    except ValueError:
        made = record("failed", sys.exc_info())
    assert "\x1b" not in TextFormatter().format(made)
    assert "ValueError" in json.loads(JsonFormatter().format(made))["traceback"]


async def test_a_flood_of_lines_is_a_few_and_a_count(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("nsroom_server")
    caplog.set_level(logging.INFO, "nsroom_server")
    lines = logs.RateLimitedLines(log, "clients")
    admitted = 0
    for _ in range(1000):
        if lines.admits():
            admitted += 1
            lines.write("joined", {})
    assert 200 <= admitted < 1000
    async with asyncio.timeout(10):
        while "left out" not in caplog.text:  # noqa: ASYNC110 - no event announces it
            await asyncio.sleep(0.05)
    assert caplog.records[-1].getMessage() == f"left out {1000 - admitted} lines of clients"


async def test_lines_that_nobody_asked_for_are_not_counted(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "nsroom_server")
    lines = logs.RateLimitedLines(logging.getLogger("nsroom_server"), "clients")
    assert not any(lines.admits() for _ in range(1000))
    caplog.set_level(logging.INFO, "nsroom_server")
    assert lines.admits()


def test_a_flood_of_warnings_is_a_few_lines(caplog: pytest.LogCaptureFixture) -> None:
    warn = logs.RateLimitedWarnings(logging.getLogger("nsroom_server"))
    for _ in range(1000):
        warn("malformed packet", session="x")
    assert 10 <= len(caplog.records) < 15


@contextmanager
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    try:
        yield reader, writer
    finally:
        os.close(writer)
        os.close(reader)


def read_until(reader: int, wanted: bytes) -> bytes:
    read = b""
    while wanted not in read:
        read += os.read(reader, 65536)
    return read


def test_a_log_reader_that_stands_still_stops_nothing() -> None:
    with pipe() as (reader, writer):
        output = LogOutput(writer)
        started = time.monotonic()
        written = sum(output.write("x" * 99 + "\n") for _ in range(100_000))
        assert time.monotonic() - started < 10
        assert 1024 <= written < 10_000
        while not output.write("last\n"):
            os.read(reader, 65536)
        read_until(reader, b"last\n")
        output.close()


def test_dropped_lines_are_counted_when_the_log_is_read_again() -> None:
    with pipe() as (reader, writer):
        handler = BoundedHandler(writer)
        handler.setFormatter(TextFormatter())
        for _ in range(1000):
            handler.handle(record("x" * 1000))
        read = read_until(reader, b"lines=")
        handler.report(at_once=True)
        assert handler.output.write("last\n")
        read += read_until(reader, b"last\n")
        handler.output.close()
    lines = read.decode().splitlines()[:-1]
    dropped = [int(line.rpartition("=")[2]) for line in lines if "dropped" in line]
    assert len(lines) - len(dropped) + sum(dropped) == 1000
    assert len(read) < 80_000


def test_a_flood_of_lines_leaves_space_for_warnings() -> None:
    with pipe() as (reader, writer):
        handler = BoundedHandler(writer)
        handler.setFormatter(TextFormatter())
        for _ in range(1000):
            handler.handle(record("x" * 100))
        warning = record("the disk is full")
        warning.levelno = logging.WARNING
        handler.handle(warning)
        read_until(reader, b"the disk is full")
        handler.output.close()


def test_a_log_whose_reader_is_closed_stops_nothing() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    output = LogOutput(writer)
    assert output.write("x\n")
    output.close()
    os.close(writer)


def test_a_footer_stays_below_the_lines() -> None:
    with pipe() as (reader, writer):
        output = LogOutput(writer)
        assert output.write("first\n")
        read_until(reader, b"first\n")
        output.set_footer("status")
        assert read_until(reader, b"status") == b"status"
        assert output.write("second\n")
        assert read_until(reader, b"status") == b"\r\x1b[Ksecond\nstatus"
        output.set_footer("")
        assert read_until(reader, b"K") == b"\r\x1b[K"
        output.close()
