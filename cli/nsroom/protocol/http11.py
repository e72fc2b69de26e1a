"""HTTP/1.1 messages of one direction of a connection: bytes in, the parts of messages out.

Nothing is lost and nothing made up: the `raw` of all parts together are the bytes that came. RFC 9112.
"""

import re
from collections.abc import Callable, Iterator
from enum import Enum, auto
from typing import NamedTuple

MAX_HEAD = 256 * 1024
"""Bytes. Servers take 8 to 64 KiB."""
_MAX_LINE = 4096
"""Of a chunk's size, with extensions."""
_EMPTY_LINE = re.compile(rb"\r?\n\r?\n")
_LEADING = re.compile(rb"(?:\r?\n)*")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_START = re.compile(r"HTTP/1\.[01] \d{3}(?: .*)?|[!#$%&'*+.^_`|~0-9A-Za-z-]+ \S+ HTTP/1\.[01]", re.DOTALL)
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?\r?\n", re.DOTALL)
_DIGITS = re.compile(r"[0-9]{1,18}")


class Head(NamedTuple):
    """A start line and the headers, their names in lower case."""

    raw: bytes
    start: str
    headers: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str:
        """Give the value of a header, of one that is repeated all of them; nothing where there is none."""
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
    """A part of a body; `raw` has its chunked framing too."""

    raw: bytes
    data: bytes


class End(NamedTuple):
    """The end of a message."""

    raw: bytes = b""


class Opaque(NamedTuple):
    """What is no HTTP (any more): `why` is empty after a change of protocol."""

    raw: bytes
    why: str = ""


Part = Head | Body | End | Opaque


class Framing(Enum):
    """Where a body ends; a number of bytes otherwise."""

    CHUNKED = auto()
    CLOSE = auto()
    """With the connection."""
    SWITCH = auto()
    """No body: another protocol follows."""


Plan = Callable[[Head], Framing | int]
"""Says where the body behind a head ends. Raises: ValueError where the peers may disagree about it."""


def request_framing(head: Head) -> Framing | int:
    """Say where a request's body ends. Raises: ValueError."""
    return _framing(head, 0)


def response_framing(head: Head, method: str) -> Framing | int:
    """Say where the body of the response to a request with this method ends. Raises: ValueError."""
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
    """Reads one direction. A part is to be dealt with before the next is asked for."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._buffer = b""
        self._at = 0
        self._left = 0
        self._searched = 0
        self._state: Callable[[], Part | None] = self._head

    @property
    def is_opaque(self) -> bool:
        """Whether what comes is not read any more."""
        return self._state == self._opaque

    @property
    def is_unbounded(self) -> bool:
        """Whether a body ends only with the connection."""
        return self._state == self._unbounded

    def feed(self, data: bytes) -> Iterator[Part]:
        """Give the parts that are complete with this."""
        self._buffer = self._buffer[self._at :] + data
        self._at = 0
        while (part := self._state()) is not None:
            yield part

    def end(self) -> bytes:
        """Give what is left when no more comes."""
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
            is_head = self._searched <= MAX_HEAD and _may_begin(self._buffer[start : start + 16])
            return None if is_head else self._give_up("no HTTP/1.1")
        self._searched = 0
        head = _parse(self._buffer[self._at : end.end()], start - self._at)
        if head is None:
            return self._give_up("no HTTP/1.1")
        try:
            framing = self._plan(head)
        except ValueError as error:
            return self._give_up(f"where its body ends is not clear: {error}")
        self._at = end.end()
        self._begin(framing)
        return head

    def _begin(self, framing: Framing | int) -> None:
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
            return self._give_up("a chunk without a size")
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
            return self._give_up("a chunk longer than its size")
        self._state = self._size
        return Body(self._take(len(line)), b"")

    def _trailer(self) -> Part | None:
        line = self._line()
        if not isinstance(line, bytes):
            return line
        raw = self._take(len(line))
        return Body(raw, b"") if raw.strip() else self._end(raw)

    def _line(self) -> bytes | Opaque | None:
        """Look at the next line without taking it."""
        end = self._buffer.find(b"\n", self._at) + 1
        if not end:
            too_long = len(self._buffer) - self._at > _MAX_LINE
            return self._give_up("an endless line") if too_long else None
        return self._buffer[self._at : end]

    def _give_up(self, why: str) -> Opaque:
        self._state = self._opaque
        return Opaque(self.end(), why)

    def _opaque(self) -> Part | None:
        data = self.end()
        return Opaque(data) if data else None


def _may_begin(data: bytes) -> bool:
    """Tell whether a message may begin so."""
    return data in (b"", b"\r") or (data[:1].isalpha() and data.isascii() and b"\0" not in data)


def _parse(raw: bytes, start: int) -> Head | None:
    first, *lines = raw[start:].decode("latin-1").rstrip("\r\n").split("\n")
    pairs = [line.rstrip("\r").partition(":") for line in lines]
    first = first.rstrip("\r")
    if not _START.fullmatch(first) or not all(_NAME.fullmatch(name) and colon for name, colon, _ in pairs):
        return None
    return Head(raw, first, tuple((name.lower(), value.strip(" \t")) for name, _, value in pairs))


def set_header(raw: bytes, name: str, value: str) -> bytes:
    """Give a head with another value in the headers of this name; every other byte stays."""
    pattern = re.compile(rb"(?im)^(%s:[ \t]*)[^\r\n]*" % re.escape(name.encode()))
    return pattern.sub(lambda found: found[1] + value.encode("latin-1"), raw)


def drop_header(raw: bytes, name: str) -> bytes:
    """Give a head without the headers of this name."""
    return re.sub(rb"(?im)^%s:[^\n]*\n" % re.escape(name.encode()), b"", raw)
