"""Raise the pingTimeout of a handshake on its way to the client.

A client that was stopped would find its own timer expired before it reads the pings that arrived meanwhile.
"""

import json
from collections.abc import Callable

from nsroom.protocol import engineio, http11, strict_json
from nsroom.protocol.dialect import Dialect
from nsroom.protocol.http11 import Body, End, Head
from nsroom.protocol.websocket import Message, Opcode, Reader, server_frame
from nsroom.proxy.bodies import Collected

DAY = 24 * 60 * 60 * 1000
Report = Callable[[str], None]
"""Handles the reason why a handshake passes unchanged."""
_LONGEST = 2**31 - 1
"""Milliseconds of a timer in JavaScript; a client's runs for pingInterval and pingTimeout together."""
_MAX_HELD = 64 * 1024
"""Bytes. It is about 100 bytes long, and an event of the server may follow it in a polling body."""


def raise_timeout(frame: str | bytes) -> str:
    """Return an OPEN packet with a pingTimeout of a day. Raises: ValueError if it is not one."""
    if not isinstance(frame, str) or not frame.startswith("0"):
        raise ValueError("the first packet is not OPEN")
    handshake = engineio.parse_handshake(frame[1:])
    longest = min(DAY, _LONGEST - handshake.ping_interval)
    fields = strict_json.load(frame[1:])
    fields["pingTimeout"] = max(handshake.ping_timeout, longest)
    return "0" + json.dumps(fields, separators=(",", ":"))


class FirstMessage:
    """The server's side of a WebSocket, held back until its first message is complete, and then changed."""

    def __init__(self, report: Report) -> None:
        self.is_done = False
        self._report = report
        self._held = b""
        self._reader = Reader(limit=_MAX_HELD)

    def feed(self, data: bytes) -> bytes:
        """Return the bytes to pass on; a message that is not a handshake passes unchanged."""
        if self.is_done:
            return data
        self._held += data
        try:
            messages = [each for each in self._reader.feed(data) if each.opcode < Opcode.CLOSE]
            if not messages and len(self._held) <= _MAX_HELD:
                return b""
            self._change(messages)
        except ValueError as error:
            self._report(str(error))
        return self.end()

    def end(self) -> bytes:
        """Return the bytes held back."""
        held, self._held, self.is_done = self._held, b"", True
        return held

    def _change(self, messages: list[Message]) -> None:
        if not messages or not messages[0].whole:
            raise ValueError("the first message is fragmented, or too long for a handshake")
        message = messages[0]
        changed = server_frame(Opcode.TEXT, raise_timeout(message.data).encode())
        self._held = self._held[: message.start] + changed + self._held[message.stop :]


class FirstResponse:
    """A polling handshake's response, held back until it is complete, and then changed."""

    def __init__(self, is_old: bool, report: Report) -> None:
        self._is_old = is_old
        self._report = report
        self._held = b""
        self._head: Head | None = None
        self._body = Collected(_MAX_HELD)

    def feed(self, part: http11.Part, raw: bytes) -> bytes:
        """Return the bytes to pass on; `raw` are those of the part, with addresses translated."""
        if isinstance(part, Head) and part.status < 200:
            return raw
        self._held += raw
        if isinstance(part, Head):
            self._head = part._replace(raw=raw)
            return b""
        if isinstance(part, Body):
            self._body.add(part.data)
            return b"" if len(self._held) <= _MAX_HELD else self._unchanged("it is too long")
        return self._changed() if isinstance(part, End) else self.end()

    def end(self) -> bytes:
        """Return the bytes held back."""
        held, self._held, self._head = self._held, b"", None
        return held

    def _changed(self) -> bytes:
        head = self._head
        if head is None or head.status != 200:
            return self.end()
        try:
            body = _changed(self._body.decoded(head.get("content-encoding")), self._is_old)
        except ValueError as error:
            return self._unchanged(str(error))
        self.end()
        return _with_length(head.raw, len(body)) + body

    def _unchanged(self, reason: str) -> bytes:
        if self._head is not None:
            self._report(reason)
        return self.end()


def _changed(body: bytes, is_old: bool) -> bytes:
    """Return a polling body with its first packet changed. Raises: ValueError."""
    frame = Dialect(3 if is_old else 4).split_body(body)[0]
    changed, binary = raise_timeout(frame), is_old and body[:1] == b"\x00"
    before, after = (_framed(str(each), is_old, binary) for each in (frame, changed))
    if not body.startswith(before):
        raise ValueError("not encoded in the usual way")
    return after + body[len(before) :]


def _framed(frame: str, is_old: bool, binary: bool) -> bytes:
    data = frame.encode("utf-8", "surrogateescape")
    if binary:
        return b"\x00%b\xff%b" % (bytes(map(int, str(len(data)))), data)
    if is_old:
        return Dialect(3).join_body([frame]).encode("utf-8", "surrogateescape")
    return data


def _with_length(head: bytes, size: int) -> bytes:
    """Return a head for a plain body of this size."""
    for name in ("Content-Length", "Content-Encoding", "Transfer-Encoding", "Trailer"):
        head = http11.drop_header(head, name)
    line, _, rest = head.lstrip(b"\r\n").partition(b"\n")
    return b"%b\nContent-Length: %d\r\n%b" % (line, size, rest)
