"""Logging: text or JSON lines, rate-limited warnings."""

import json
import logging
import re
import sys
from collections import Counter
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from nsroom_server.settings.config import LogFormat
from nsroom_server.token_bucket import TokenBucket

_MAX_VALUE = 200
_LINES_PER_SECOND = 2
_LINES_BURST = 10
_UNQUOTED = re.compile(r"[!#-&(-<>-~]+").fullmatch
"""Matches a value that needs no quotes: printable ASCII without quotes, spaces and `=`."""


class TextFormatter(logging.Formatter):
    """`nsroom: someone connected namespace=/chat sid=…`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        words = [
            _printable(record.getMessage()),
            *(f"{key}={_value(value)}" for key, value in _fields(record)),
        ]
        lines = self.formatException(record.exc_info).splitlines() if record.exc_info else []
        return "\n".join((f"nsroom: {' '.join(words)}", *map(_printable, lines)))


class JsonFormatter(logging.Formatter):
    """`{"time":"…","level":"info","message":"someone connected","namespace":"/chat","sid":"…"}`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds")
        line = {
            "time": time.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **{key: _truncate(value) for key, value in _fields(record)},
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, separators=(",", ":"))


_FORMATTERS = {LogFormat.TEXT: TextFormatter, LogFormat.JSON: JsonFormatter}


def configure(style: LogFormat) -> None:
    """Log to stderr: the server from INFO, everything else from WARNING."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_FORMATTERS[style]())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("nsroom_server").setLevel(logging.INFO)
    # No line names its source, thread or process: looking them up is a quarter of the cost of a line.
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


def _fields(record: logging.LogRecord) -> list[tuple[str, Any]]:
    return list(record.__dict__.get("fields", {}).items())


def _truncate(value: Any) -> Any:
    return value[:_MAX_VALUE] if isinstance(value, str) else value


def _value(value: Any) -> str:
    text = str(value)
    return _truncate(text) if _UNQUOTED(text) else json.dumps(_truncate(text)).replace("\x7f", "\\u007f")


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _escape(character) for character in text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()


class RateLimitedWarnings:
    """Logs warnings that clients can cause, a few per second; the next one counts those left out."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._buckets: dict[str, TokenBucket] = {}
        self._suppressed: Counter[str] = Counter()

    def __call__(self, message: str, **fields: Any) -> None:
        """Log a warning, or count it for the next one."""
        bucket = self._buckets.setdefault(message, TokenBucket(_LINES_PER_SECOND, _LINES_BURST))
        if bucket.take(monotonic()):
            self._suppressed[message] += 1
            return
        suppressed = self._suppressed.pop(message, 0)
        self._log.warning(
            message, extra={"fields": fields | ({"suppressed": suppressed} if suppressed else {})}
        )
