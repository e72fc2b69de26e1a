"""Logging: text or JSON lines, rate-limited, and an output that never waits for its reader."""

import asyncio
import json
import logging
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from queue import SimpleQueue
from threading import Thread
from time import localtime, monotonic, strftime
from typing import Any, Final, TextIO

from nsroom_server.settings.config import LogFormat
from nsroom_server.token_bucket import TokenBucket

_MAX_VALUE = 200
_WARNINGS_PER_SECOND = 2
_WARNINGS_BURST = 10
_LINES_PER_SECOND = 5
_LINES_BURST = 200
_SHORT_SID = 6
"""Characters of the sid to name a client without a nick."""
_BYTES_PER_SECOND = 2_000
"""Of lines below warnings, and as many of warnings and errors."""
_BYTES_BURST = 65_536
_MAX_QUEUED = 1024
"""Lines to hold for a reader that stands still; the pipe to it holds others."""
_REMOVE = b"\r\x1b[K"
"""Removes the line that the cursor is in."""
_CLOSE_TIMEOUT = 1.0
"""Seconds to write the last lines."""
PLAIN: Final = {"plain": True}
"""The `extra` of lines without a time: those of the start and of the end."""
_UNQUOTED = re.compile(r"[!#-&(-<>-~]+").fullmatch
"""Matches a value that needs no quotes: printable ASCII without quotes, spaces and `=`."""


class TextFormatter(logging.Formatter):
    """`nsroom: 19:00:00.123 someone connected namespace=/chat sid=…`.

    A line about a client that is connected has it first: `nsroom: 19:00:00.123 /chat ann joined room=lobby`.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields = _fields(record)
        words = [
            *(() if record.__dict__.get("plain") else (_clock_time(record.created),)),
            *(_client_words(fields) if "nick" in fields else ()),
            _printable(record.getMessage()),
            *(f"{key}={_value(value)}" for key, value in fields.items() if value is not None),
        ]
        lines = self.formatException(record.exc_info).splitlines() if record.exc_info else []
        return "\n".join((f"nsroom: {' '.join(words)}", *map(_printable, lines)))


def _clock_time(seconds: float) -> str:
    return f"{strftime('%H:%M:%S', localtime(seconds))}.{int(seconds % 1 * 1000):03}"


def _client_words(fields: dict[str, Any]) -> tuple[str, str]:
    """Take the fields that name a client out, and return what a person knows it by."""
    namespace, sid, nick = (fields.pop(name) for name in ("namespace", "sid", "nick"))
    return _value(namespace), _value(sid[:_SHORT_SID] if nick is None else nick)


class JsonFormatter(logging.Formatter):
    """`{"time":"…","level":"info","message":"someone connected","namespace":"/chat","sid":"…"}`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds")
        line = {
            "time": time.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **{key: _truncate(value) for key, value in _fields(record).items() if value is not None},
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, separators=(",", ":"))


class LogOutput:
    """Writes text to a descriptor from a thread, so that a reader that stands still does not stop the server.

    What the reader is too slow for is dropped and counted. Text is whole lines, and a footer can follow them.
    """

    def __init__(self, descriptor: int, when_written: Callable[[], None] = lambda: None) -> None:
        """`when_written` is called by the thread when everything queued is written."""
        self.descriptor = descriptor
        self._when_written = when_written
        self._footer = b""
        self._drawn = False
        """Whether the footer is on the terminal."""
        self._queue: SimpleQueue[bytes | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def write(self, text: str) -> bool:
        """Queue text, and return whether there was space for it."""
        if self._queue.qsize() >= _MAX_QUEUED:
            return False
        self._queue.put(text.encode("utf-8", "backslashreplace"))
        return True

    def set_footer(self, text: str) -> None:
        """Keep a line below all others on a terminal, or remove it if the text is empty."""
        self._footer = text.encode("utf-8", "backslashreplace")
        if self._queue.qsize() < _MAX_QUEUED:
            self._queue.put(b"")

    def close(self) -> None:
        """Write what is queued, unless the reader stands still."""
        self._queue.put(None)
        self._thread.join(_CLOSE_TIMEOUT)

    def _run(self) -> None:
        while (data := self._queue.get()) is not None:
            # The server keeps running when its terminal or the log's reader is closed.
            with suppress(OSError):
                self._write(data)
            if self._queue.empty():
                self._when_written()

    def _write(self, lines: bytes) -> None:
        # While other lines are waiting, the footer would be removed again at once.
        footer = self._footer if self._queue.empty() else b""
        data = (_REMOVE if self._drawn else b"") + lines + footer
        self._drawn = bool(footer)
        while data:
            data = data[os.write(self.descriptor, data) :]


class BoundedHandler(logging.Handler):
    """Writes lines to a descriptor, so many bytes a second; lines in excess are dropped and counted."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self.output = LogOutput(descriptor, self.report)
        self._buckets = {
            is_warning: TokenBucket(_BYTES_PER_SECOND, _BYTES_BURST) for is_warning in (False, True)
        }
        """Warnings have their own: what clients do every day must not drop them."""
        self._reports = TokenBucket(1, 1)
        self._dropped = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, or count it."""
        line = self.format(record) + "\n"
        bucket = self._buckets[record.levelno >= logging.WARNING]
        if bucket.take(monotonic(), len(line)) or not self.output.write(line):
            self._dropped += 1

    def report(self, at_once: bool = False) -> None:
        """Log the number of dropped lines, at most once a second unless `at_once`."""
        with self.lock or nullcontext():
            if self._dropped and (at_once or not self._reports.take(monotonic())):
                fields = {"lines": self._dropped}
                self._dropped = 0
                self.output.write(self.format(_record("log lines dropped", fields)) + "\n")


def _record(message: str, fields: dict[str, Any]) -> logging.LogRecord:
    made = logging.LogRecord("nsroom_server", logging.WARNING, "", 0, message, None, None)
    made.fields = fields
    return made


_FORMATTERS = {LogFormat.TEXT: TextFormatter, LogFormat.JSON: JsonFormatter}


@contextmanager
def configured(style: LogFormat, stream: TextIO, level: int = logging.INFO) -> Iterator[LogOutput]:
    """Log to a stream with a descriptor: the server from `level`, everything else from WARNING."""
    handler = BoundedHandler(stream.fileno())
    handler.setFormatter(_FORMATTERS[style]())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("nsroom_server").setLevel(level)
    # No line names its source, thread or process: looking them up is a quarter of the cost of a line.
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    try:
        yield handler.output
    finally:
        handler.report(at_once=True)
        handler.output.close()


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return dict(record.__dict__.get("fields", {}))


def shorten(value: Any, size: int) -> str:
    """Return the beginning of a text that takes up to `size` bytes in a log line."""
    text = str(value)[:size]
    while len(json.dumps(text)) - 2 > size:
        text = text[: len(text) * 3 // 4]
    return text


def _truncate(value: Any) -> Any:
    return value[:_MAX_VALUE] if isinstance(value, str) else value


def _value(value: Any) -> str:
    text = json.dumps(value) if isinstance(value, bool) else str(value)
    return _truncate(text) if _UNQUOTED(text) else json.dumps(_truncate(text)).replace("\x7f", "\\u007f")


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _escape(character) for character in text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()


class RateLimitedWarnings:
    """Logs warnings that clients can cause, a few per second; the next one counts those left out."""

    def __init__(
        self, log: logging.Logger, per_second: float = _WARNINGS_PER_SECOND, burst: int = _WARNINGS_BURST
    ) -> None:
        self._log = log
        self._per_second = per_second
        self._burst = burst
        self._buckets: dict[str, TokenBucket] = {}
        self._suppressed: Counter[str] = Counter()

    def __call__(self, message: str, *args: str, **fields: Any) -> None:
        """Log a warning, or count it for the next one; `args` are filled into the message."""
        bucket = self._buckets.setdefault(message, TokenBucket(self._per_second, self._burst))
        if bucket.take(monotonic()):
            self._suppressed[message] += 1
            return
        suppressed = self._suppressed.pop(message, 0)
        self._log.warning(
            message, *args, extra={"fields": fields | ({"suppressed": suppressed} if suppressed else {})}
        )


class RateLimitedLines:
    """Logs what clients do, a few lines per second; a second later, a line counts those left out.

    `admits` comes first, so that a line that is left out costs next to nothing.
    """

    def __init__(self, log: logging.Logger, what: str) -> None:
        self._log = log
        self._what = what
        self._bucket = TokenBucket(_LINES_PER_SECOND, _LINES_BURST)
        self._left_out = 0

    def admits(self, level: int = logging.INFO) -> bool:
        """Return whether to log a line now; count it if there are too many."""
        if not self._log.isEnabledFor(level):
            return False
        if not self._bucket.take(monotonic()):
            return True
        if not self._left_out:
            asyncio.get_running_loop().call_later(1.0, self._report)
        self._left_out += 1
        return False

    def write(self, message: str, fields: dict[str, Any], level: int = logging.INFO) -> None:
        """Log a line that was admitted."""
        self._log.log(level, message, extra={"fields": fields})

    def _report(self) -> None:
        left_out, self._left_out = self._left_out, 0
        self._log.info("left out %d lines of %s", left_out, self._what)
