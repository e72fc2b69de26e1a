"""Log lines as text and as JSON, and warnings that clients can cause."""

import json
import logging
import sys
from types import TracebackType
from typing import Any

import pytest

from nsroom_server import logs
from nsroom_server.logs import JsonFormatter, TextFormatter

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
