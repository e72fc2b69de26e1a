"""Log lines as text and as JSON, and warnings that clients can cause."""

import json
import logging
import os
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
    ],
)
def test_text(value: Any, written: str) -> None:
    assert TextFormatter().format(record("said", key=value)) == f"nsroom: said key={written}"


def test_the_message_is_escaped() -> None:
    assert TextFormatter().format(record("a\nb\x1b")) == "nsroom: a\\nb\\x1b"


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
