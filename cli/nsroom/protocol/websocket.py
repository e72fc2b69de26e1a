"""Read the messages in one direction of a WebSocket: bytes in, messages out. RFC 6455, RFC 7692.

Written by hand, because the reader is passive: it reads both directions, masked or not, and never answers;
and because libraries take 40 to 60 ms to import.
"""

import base64
import hashlib
import zlib
from collections.abc import Iterator, Sequence
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

MAX_MESSAGE = 16 * 2**20
"""Bytes. Servers accept 1 MB unless told otherwise."""
_TAIL = b"\x00\x00\xff\xff"
"""The end of a compressed message, which RFC 7692 omits."""


class Opcode(IntEnum):
    """The type of a frame."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


_OPCODES = {int(opcode): opcode for opcode in Opcode}
_TEXT, _BINARY = Opcode.TEXT, Opcode.BINARY
_WHOLE_TEXT, _WHOLE_BINARY = 0x81, 0x82
_CLOSE_CODES = frozenset((*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)))
"""The registered ones, except those that never stand in a frame, and those of libraries and applications."""
_NO_MASK = bytes(4)
_MASKED = 0x80


class Message(NamedTuple):
    """A message, or a control frame; text has surrogates for bytes that are not UTF-8."""

    opcode: Opcode
    data: str | bytes
    start: int
    stop: int
    """The position of its last frame in all bytes of the direction."""
    whole: bool
    """Whether the message is a single frame."""


class Reader:
    """Reads one direction of a WebSocket."""

    def __init__(self, deflate: bool = False, limit: int = MAX_MESSAGE, may_mask: bool = True) -> None:
        """Without `may_mask`, frames from a client are an error."""
        self._deflate = deflate
        self._may_mask = may_mask
        self._limit = limit
        self._pending = bytearray()
        self._missing = 2
        self._offset = 0
        self._opcode: Opcode | None = None
        self._compressed = False
        self._fragments = bytearray()
        self._inflate = zlib.decompressobj(-15)

    def messages(self, data: bytes) -> list[str | bytes]:
        """Return the messages up to the first that is fragmented, masked, compressed, large or incomplete.

        Nearly all messages that a client receives are of this kind, and cost a third of what `feed` takes.
        The remaining bytes wait for `feed`.
        """
        buffer = self._unread(data)
        if self._opcode is not None:
            self._pending += buffer
            return []
        messages, at = _whole_messages(buffer, self._limit)
        self._pending += buffer[at:]
        self._offset += at
        return messages

    def feed(self, data: bytes) -> Iterator[Message]:
        """Yield the messages that are now complete; the caller must consume all of them.

        Raises: ValueError if the bytes are not a WebSocket, or a message exceeds the limit. The reader cannot
        be used after that.
        """
        buffer, at = self._unread(data), 0
        if self._missing > 0:
            return
        while (span := self._span(buffer, at)) is not None:
            body, stop = span
            payload = buffer[body:stop]
            if buffer[at + 1] & 0x80:
                if not self._may_mask:
                    raise ValueError("a masked frame, which only clients may send")
                payload = unmask(payload, buffer[body - 4 : body])
            message = self._frame(buffer[at], payload, at, stop)
            at = stop
            if message is not None:
                yield message
        self._pending += buffer[at:]
        self._offset += at

    def _unread(self, data: bytes) -> bytes:
        """Return all bytes that were not read yet, or none while the next frame is incomplete."""
        self._missing -= len(data)
        if self._missing > 0:
            self._pending += data
            return b""
        self._missing = 0
        if self._pending:
            data, self._pending = b"".join((self._pending, data)), bytearray()
        return data

    @property
    def is_between(self) -> bool:
        """Whether all bytes so far belong to complete messages."""
        return self._opcode is None and not self._pending

    @property
    def held(self) -> int:
        """Bytes that are kept until more arrive."""
        return len(self._pending) + len(self._fragments)

    @property
    def missing(self) -> int:
        """The number of bytes until the next frame starts, or 0 between frames and while it is unknown."""
        head = self._pending
        size = head[1] & 0x7F if len(head) > 1 else 127
        is_known = len(head) >= 2 + {126: 2, 127: 8}.get(size, 0)
        return self._missing if is_known else 0

    @property
    def is_fragmented(self) -> bool:
        """Whether the last fragment of a message is still missing."""
        return self._opcode is not None

    def _span(self, buffer: bytes, at: int) -> tuple[int, int] | None:
        """Return the start and end of the next frame's payload, or None if the frame is incomplete."""
        available = len(buffer) - at
        if available < 2:
            self._missing = 2 - available
            return None
        size, body = buffer[at + 1] & 0x7F, at + 2
        if size > 125:
            body += 2 if size == 126 else 8
            if len(buffer) < body:
                self._missing = body - len(buffer)
                return None
            size = int.from_bytes(buffer[at + 2 : body], "big")
        if size > self._limit:
            raise ValueError(f"a frame of {size} bytes, larger than the limit of {self._limit}")
        if buffer[at + 1] & 0x80:
            body += 4
        self._missing = body + size - len(buffer)
        return None if self._missing > 0 else (body, body + size)

    def _frame(self, first: int, payload: bytes, at: int, stop: int) -> Message | None:
        if first == _WHOLE_TEXT and self._opcode is None:  # nearly all frames
            text = payload.decode("utf-8", "surrogateescape")
            return Message(_TEXT, text, self._offset + at, self._offset + stop, True)
        opcode = _OPCODES.get(first & 0x0F)
        if opcode is None:
            raise ValueError(f"a frame with the reserved opcode {first & 0x0F}")
        if first & 0x30 or (first & 0x40 and not (self._deflate and 0 < opcode < 8)):
            raise ValueError("a frame with a reserved bit, as for compression that was not agreed on")
        final = bool(first & 0x80)
        start, stop = self._offset + at, self._offset + stop
        if opcode >= 8:
            if not final:
                raise ValueError("a fragmented control frame")
            return Message(opcode, payload, start, stop, True)
        if (opcode is Opcode.CONTINUATION) != (self._opcode is not None):
            raise ValueError("a continuation frame without a message, or a new message within another")
        if opcode is not Opcode.CONTINUATION:
            self._opcode, self._compressed = opcode, bool(first & 0x40)
        if not final:
            self._add(payload)
            return None
        return self._message(payload, start, stop, opcode is not Opcode.CONTINUATION)

    def _add(self, payload: bytes) -> None:
        self._fragments += payload
        if len(self._fragments) > self._limit:
            raise ValueError(f"a message of more than {self._limit} bytes")

    def _message(self, payload: bytes, start: int, stop: int, whole: bool) -> Message:
        opcode, self._opcode = self._opcode, None
        assert opcode is not None
        if self._fragments:
            self._add(payload)
            payload, self._fragments = bytes(self._fragments), bytearray()
        if self._compressed:
            payload = self._inflated(payload)
        data = payload.decode("utf-8", "surrogateescape") if opcode is Opcode.TEXT else payload
        return Message(opcode, data, start, stop, whole)

    def _inflated(self, payload: bytes) -> bytes:
        try:
            data = self._inflate.decompress(payload + _TAIL, self._limit + 1)
        except zlib.error as error:
            raise ValueError(f"a message that cannot be decompressed: {error}") from None
        if len(data) > self._limit:
            raise ValueError(f"a message of more than {self._limit} bytes")
        if self._inflate.eof:  # a final block, which a sender without context takeover may write
            self._inflate = zlib.decompressobj(-15, zdict=data[-32768:])
        return data


def _whole_messages(buffer: bytes, limit: int) -> tuple[list[str | bytes], int]:
    """Return the messages for `Reader.messages`, and the position after them."""
    messages: list[str | bytes] = []
    at, end = 0, len(buffer)
    while True:
        body, stop = _whole_frame(buffer, at)
        if not body or stop > end or stop - body > limit:
            return messages, at
        payload = buffer[body:stop]
        try:
            messages.append(payload if buffer[at] == _WHOLE_BINARY else payload.decode())
        except UnicodeDecodeError:
            return messages, at
        at = stop


def whole_text(data: bytes) -> int:
    """Return the start of the text if the data is exactly one unmasked text frame, else 0.

    Nearly all data that a client receives is one such frame; this takes a quarter of a `Reader`'s time.
    """
    body, stop = _whole_frame(data, 0)
    return body if stop == len(data) and data[:1] == b"\x81" else 0


def _whole_frame(buffer: bytes, at: int) -> tuple[int, int]:
    """Return the start and end of a whole, unmasked message below 64 KiB, or 0, 0 for another frame."""
    if len(buffer) - at < 2 or (buffer[at] != _WHOLE_TEXT and buffer[at] != _WHOLE_BINARY):
        return 0, 0
    size = buffer[at + 1]
    if size < 126:
        return at + 2, at + 2 + size
    if size == 126 and len(buffer) - at > 3:
        return at + 4, at + 4 + (buffer[at + 2] << 8 | buffer[at + 3])
    return 0, 0


def client_frame(opcode: Opcode, payload: bytes, mask: bytes = _NO_MASK) -> bytes:
    """Return a client's frame with a whole message. A mask of zeros leaves the payload unchanged."""
    if mask is not _NO_MASK:
        payload = unmask(payload, mask)
    return b"".join((_head(opcode, len(payload), _MASKED), mask, payload))


def client_frames(messages: Sequence[str | bytes], masks: bytes) -> bytes:
    """Return a client's frames with whole messages, text as str; there are four bytes of `masks` for each."""
    frames: list[bytes] = []
    pads: list[bytes] = []
    for at, message in zip(range(0, len(masks), 4), messages, strict=True):
        opcode, payload = (_TEXT, message.encode()) if isinstance(message, str) else (_BINARY, message)
        size, mask = len(payload), masks[at : at + 4]
        head, blank = _client_head(opcode, size)
        frames += head, mask, payload
        pads += blank, _pad(mask, size)
    return _xor(b"".join(frames), b"".join(pads))  # all at once: that is quicker than each payload


@lru_cache(maxsize=1024)
def _client_head(opcode: Opcode, size: int) -> tuple[bytes, bytes]:
    """Return the start of a client's frame, and zeros in place of it and its mask."""
    head = _head(opcode, size, _MASKED)
    return head, bytes(len(head) + 4)


def server_frame(opcode: Opcode, payload: bytes) -> bytes:
    """Return a server's frame with a whole message."""
    return _head(opcode, len(payload), 0) + payload


def _head(opcode: Opcode, size: int, masked: int) -> bytes:
    """Return the start of a frame with a whole message, before the mask, if it is `masked` with one."""
    if size < 126:
        return bytes((0x80 | opcode, masked | size))
    if size < 1 << 16:
        return bytes((0x80 | opcode, masked | 126)) + size.to_bytes(2, "big")
    return bytes((0x80 | opcode, masked | 127)) + size.to_bytes(8, "big")


def accept(key: str) -> str:
    """Return the Sec-WebSocket-Accept for a Sec-WebSocket-Key. RFC 6455, section 4.2.2."""
    magic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    return base64.b64encode(hashlib.sha1((key + magic).encode(), usedforsecurity=False).digest()).decode()


def unmask(payload: bytes, mask: bytes) -> bytes:
    """Return a client's payload unmasked, or masked."""
    return _xor(payload, _pad(mask, len(payload)))


def _pad(mask: bytes, size: int) -> bytes:
    """Return the mask again and again, as long as the payload."""
    return (mask * (size // 4 + 1))[:size]


def _xor(data: bytes, pad: bytes) -> bytes:
    return (int.from_bytes(data, "big") ^ int.from_bytes(pad, "big")).to_bytes(len(data), "big")


def control_fault(message: Message) -> str | None:
    """Return how a control frame breaks RFC 6455 (sections 5.5 and 7.4), or None; others may accept it."""
    if len(message.data) > 125:
        return f"a control frame of {len(message.data)} bytes, more than 125"
    if message.opcode is not Opcode.CLOSE or not isinstance(message.data, bytes) or not message.data:
        return None
    code, _ = close_reason(message.data)
    if code is None:
        return "a close frame of one byte"
    if code not in _CLOSE_CODES:
        return f"a close frame with the invalid code {code}"
    try:
        message.data[2:].decode()
    except UnicodeDecodeError:
        return "a close frame whose reason is not UTF-8"
    return None


TOO_BIG = 1009
_MEANINGS = {
    1008: "a rule of the server or of a gateway forbids it",
    TOO_BIG: "a message was too big for the server (its maxHttpBufferSize) or a gateway",
    1011: "the server failed",
    1012: "the server restarts",
    1013: "the server is overloaded",
}


def describe_close(code: int, reason: str = "") -> str:
    """Return the code of a close frame with the reason that the server wrote, and what the code means."""
    return ": ".join(filter(None, (f"code {code}", reason.strip(), _MEANINGS.get(code))))


def close_reason(data: bytes) -> tuple[int | None, str]:
    """Return the code and the reason of a close frame; the code is None if it is missing."""
    if len(data) < 2:
        return None, ""
    return int.from_bytes(data[:2], "big"), data[2:].decode("utf-8", "replace")
