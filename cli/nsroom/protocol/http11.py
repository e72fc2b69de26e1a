"""Parse one direction of an HTTP/1.1 connection without changing a byte: bytes in, parts of messages out.

The `raw` of all parts, joined, are exactly the bytes that were fed. RFC 9112. Written by hand because h11
normalises headers, and because the proxy must pass bytes on in both directions, even after errors.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from enum import Enum, auto
from typing import NamedTuple

from nsroom.lazy import compile_lazily

MAX_HEAD = 256 * 1024
"""Bytes. Servers accept 8 to 64 KiB."""
_MAX_LINE = 4096
"""Bytes of a chunk's size with its extensions."""
_EMPTY_LINE = compile_lazily(rb"\r?\n\r?\n")
_MAY_START = compile_lazily(rb"HTTP/.*|[!#$%&'*+.^_`|~0-9A-Za-z-]+(?: .*)?", re.DOTALL)
"""The first bytes of a start line, wherever they are cut."""
_LEADING = compile_lazily(rb"(?:\r?\n)*")
_NAME = compile_lazily(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_START = compile_lazily(r"HTTP/1\.[01] \d{3}(?: .*)?|[!#$%&'*+.^_`|~0-9A-Za-z-]+ \S+ HTTP/1\.[01]", re.DOTALL)
_SIZE = compile_lazily(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?\r?\n", re.DOTALL)
_DIGITS = compile_lazily(r"[0-9]{1,18}")


class Head(NamedTuple):
    """A start line and the headers, with names in lower case."""

    raw: bytes
    start: str
    headers: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str:
        """Return the value of a header; repeated ones are joined with commas, a missing one is empty."""
        return ", ".join(value for key, value in self.headers if key == name)

    @property
    def status(self) -> int:
        """The status of a response."""
        return int(self.start[9:12])

    @property
    def method(self) -> str:
        """The method of a request."""
        return self.start.partition(" ")[0]

    @property
    def target(self) -> str:
        """The path and query of a request."""
        return self.start.split(" ")[1]


class Body(NamedTuple):
    """A part of a body; `raw` includes its chunked framing."""

    raw: bytes
    data: bytes


class End(NamedTuple):
    """The end of a message."""

    raw: bytes = b""


class Opaque(NamedTuple):
    """Bytes that are not HTTP: `reason` is why, or empty after an upgrade."""

    raw: bytes
    reason: str = ""


Part = Head | Body | End | Opaque


class Framing(Enum):
    """How a body without a known size ends."""

    CHUNKED = auto()
    CLOSE = auto()
    """The connection is closed."""
    SWITCH = auto()
    """No body: another protocol follows."""


GetFraming = Callable[[Head], Framing | int]
"""Returns the size of the body after a head, or how it ends. Raises: ValueError if that is ambiguous."""


def request_framing(head: Head) -> Framing | int:
    """Return the size of a request's body, or how it ends. Raises: ValueError."""
    return _framing(head, 0)


def response_framing(head: Head, method: str) -> Framing | int:
    """Return the size of the body that answers a `method` request, or how it ends. Raises: ValueError."""
    status = head.status
    if status == 101 or (method == "CONNECT" and status < 300):
        return Framing.SWITCH
    if method == "HEAD" or status < 200 or status in (204, 304):
        return 0
    return _framing(head, Framing.CLOSE)


def _framing(head: Head, default: Framing | int) -> Framing | int:
    coding, length = head.get("transfer-encoding").lower(), head.get("content-length")
    if coding and length:
        raise ValueError("both Content-Length and Transfer-Encoding")
    if coding:
        if coding != "chunked":
            raise ValueError(f"Transfer-Encoding {coding:.40}")
        return Framing.CHUNKED
    if not length:
        return default
    if not _DIGITS.fullmatch(length):
        raise ValueError(f"Content-Length {length:.40}")
    return int(length)


class Reader:
    """Reads one direction. The caller must handle each part before it asks for the next.

    Only messages that start with `start` are held back until they can be parsed.
    """

    def __init__(self, framing: GetFraming, start: bytes = b"") -> None:
        self._framing = framing
        self._start = start
        self._buffer = b""
        self._at = 0
        self._left = 0
        self._searched = 0
        self._state: Callable[[], Part | None] = self._head

    @property
    def held(self) -> int:
        """Bytes that are kept until more arrive."""
        return len(self._buffer) - self._at

    @property
    def is_opaque(self) -> bool:
        """Whether the rest is passed on unread."""
        return self._state == self._opaque

    @property
    def is_unbounded(self) -> bool:
        """Whether a body ends only with the connection."""
        return self._state == self._unbounded

    def feed(self, data: bytes) -> Iterator[Part]:
        """Yield the parts that are now complete."""
        self._buffer = self._buffer[self._at :] + data
        self._at = 0
        while (part := self._state()) is not None:
            yield part

    def end(self) -> bytes:
        """Return the remaining bytes at the end of the connection."""
        rest, self._buffer, self._at = self._buffer[self._at :], b"", 0
        return rest

    def _take(self, count: int) -> bytes:
        taken = self._buffer[self._at : self._at + count]
        self._at += len(taken)
        return taken

    def _head(self) -> Part | None:
        start = _LEADING.match(self._buffer, self._at).end()  # type: ignore[union-attr]
        end = _EMPTY_LINE.search(self._buffer, max(start, self._at + self._searched - 3))
        if end is None:
            self._searched = len(self._buffer) - self._at
            is_head = self._searched <= MAX_HEAD and _may_start(self._buffer[start : start + 16], self._start)
            return None if is_head else self._stop_reading("not HTTP/1.1")
        self._searched = 0
        head = _parse(self._buffer[self._at : end.end()], start - self._at)
        if head is None or len(head.raw) > MAX_HEAD or not head.start.startswith(self._start.decode()):
            return self._stop_reading("not HTTP/1.1")
        try:
            framing = self._framing(head)
        except ValueError as error:
            return self._stop_reading(f"the size of a body is ambiguous: {error}")
        self._at = end.end()
        self._start_body(framing)
        return head

    def _start_body(self, framing: Framing | int) -> None:
        if isinstance(framing, int):
            self._left, self._state = framing, self._sized
        elif framing is Framing.CHUNKED:
            self._state = self._size
        else:
            self._state = self._unbounded if framing is Framing.CLOSE else self._opaque

    def _end(self, raw: bytes = b"") -> End:
        self._state = self._head
        return End(raw)

    def _sized(self) -> Part | None:
        if not self._left:
            return self._end()
        data = self._take(self._left)
        self._left -= len(data)
        return Body(data, data) if data else None

    def _unbounded(self) -> Part | None:
        data = self.end()
        return Body(data, data) if data else None

    def _size(self) -> Part | None:
        line = self._line()
        if not isinstance(line, bytes):
            return line
        size = _SIZE.fullmatch(line)
        if size is None:
            return self._stop_reading("a chunk without a size")
        self._left = int(size[1], 16)
        self._state = self._chunk if self._left else self._trailer
        return Body(self._take(len(line)), b"")

    def _chunk(self) -> Part | None:
        data = self._take(self._left)
        self._left -= len(data)
        if not self._left:
            self._state = self._chunk_end
        return Body(data, data) if data else None

    def _chunk_end(self) -> Part | None:
        line = self._line()
        if not isinstance(line, bytes):
            return line
        if line.strip():
            return self._stop_reading("a chunk longer than its size")
        self._state = self._size
        return Body(self._take(len(line)), b"")

    def _trailer(self) -> Part | None:
        line = self._line()
        if not isinstance(line, bytes):
            return line
        raw = self._take(len(line))
        return Body(raw, b"") if raw.strip() else self._end(raw)

    def _line(self) -> bytes | Opaque | None:
        """Return the next line without consuming it, or None if it is incomplete."""
        end = self._buffer.find(b"\n", self._at, self._at + _MAX_LINE) + 1
        if end:
            return self._buffer[self._at : end]
        if len(self._buffer) - self._at >= _MAX_LINE:
            return self._stop_reading(f"a line of more than {_MAX_LINE} bytes")
        return None

    def _stop_reading(self, reason: str) -> Opaque:
        self._state = self._opaque
        return Opaque(self.end(), reason)

    def _opaque(self) -> Part | None:
        data = self.end()
        return Opaque(data) if data else None


def _may_start(data: bytes, start: bytes) -> bool:
    """Return whether a message that begins with `start` may begin with these bytes."""
    if data in (b"", b"\r"):
        return True
    return bool(_MAY_START.fullmatch(data)) and data.startswith(start[: len(data)])


def _parse(raw: bytes, start: int) -> Head | None:
    first, *lines = raw[start:].decode("latin-1").rstrip("\r\n").split("\n")
    pairs = [line.rstrip("\r").partition(":") for line in lines]
    first = first.rstrip("\r")
    if not _START.fullmatch(first) or not all(_NAME.fullmatch(name) and colon for name, colon, _ in pairs):
        return None
    return Head(raw, first, tuple((name.lower(), value.strip(" \t")) for name, _, value in pairs))


def change_header(raw: bytes, name: str, change: Callable[[str], str]) -> bytes:
    """Return a head with the values of its headers of this name changed, and every other byte unchanged."""
    pattern = re.compile(rb"(?im)^(%s:[ \t]*)([^\r\n]*)" % re.escape(name.encode()))
    return pattern.sub(lambda found: found[1] + change(found[2].decode("latin-1")).encode("latin-1"), raw)


def drop_header(raw: bytes, name: str) -> bytes:
    """Return a head without its headers of this name."""
    return re.sub(rb"(?im)^%s:[^\n]*\n" % re.escape(name.encode()), b"", raw)


def replace_headers(raw: bytes, headers: Mapping[str, str]) -> bytes:
    """Return a head with these headers instead of those of the same names."""
    for name in headers:
        raw = drop_header(raw, name)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return raw.rstrip(b"\r\n") + f"\r\n{lines}\r\n".encode("latin-1")
