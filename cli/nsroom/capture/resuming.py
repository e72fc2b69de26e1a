"""Recognise where reading can start in the middle of a TCP connection: at data that starts a message."""

import re

from nsroom.protocol.websocket import MAX_MESSAGE, Opcode, unmask

_REQUEST = re.compile(rb"[A-Z]{3,10} [!-~]{1,16000} HTTP/1\.[01]\r?\n")
_RESPONSE = re.compile(rb"HTTP/1\.[01] [1-5]\d\d[ \r\n]")
_TLS = re.compile(rb"[\x14-\x17]\x03[\x00-\x04]")
_PACKET = re.compile(rb"[0-356]|4[0-6{]|4$|b[A-Za-z0-9+/=]|b$")
"""The start of an Engine.IO packet in text; a message has a Socket.IO packet in it."""
_OPCODES = frozenset((Opcode.TEXT, Opcode.BINARY, Opcode.CLOSE, Opcode.PING, Opcode.PONG))
_COMPRESSED, _RESERVED, _FINAL, _MASKED = 0x40, 0x30, 0x80, 0x80


def is_request(data: bytes) -> bool:
    """Return whether data starts with an HTTP request."""
    return bool(_REQUEST.match(data))


def is_response(data: bytes) -> bool:
    """Return whether data starts with an HTTP response."""
    return bool(_RESPONSE.match(data))


def is_tls(data: bytes) -> bool:
    """Return whether data starts with a record of TLS."""
    return bool(_TLS.match(data))


def may_follow(data: bytes) -> bool:
    """Return whether data that is known to start a frame can start a message: not the rest of one."""
    return not data[0] & _RESERVED and data[0] & 0x0F in _OPCODES


def is_websocket(data: bytes, masked: bool, deflate: bool = False) -> bool:
    """Return whether data consists of frames that carry Engine.IO; only the last may be incomplete.

    The client's frames are masked. Frames may be compressed only with `deflate`.
    """
    at = found = 0
    while at < len(data):
        stop = _frame_end(data, at, masked, deflate)
        if not stop:
            return found > 0
        if stop < 0:
            return False
        at, found = stop, found + 1
    return found > 0


def _frame_end(data: bytes, at: int, masked: bool, deflate: bool) -> int:
    """Return the end of the frame at `at`, 0 if too little of it is there, or -1 if it is not a frame."""
    if len(data) < at + 2:
        return 0
    first, second = data[at], data[at + 1]
    opcode, is_compressed = first & 0x0F, bool(first & _COMPRESSED)
    if opcode not in _OPCODES or first & _RESERVED or bool(second & _MASKED) is not masked:
        return -1
    if is_compressed and (opcode >= Opcode.CLOSE or not deflate):
        return -1
    body, size = _payload(data, at)
    stop = body + size
    if body > len(data):
        return 0
    if opcode == Opcode.TEXT and not is_compressed:
        return _text_end(data, body, stop, masked)
    # Its content shows nothing: it must end where the data, or another frame, does.
    is_control = opcode >= Opcode.CLOSE and (size > 125 or not first & _FINAL)
    return -1 if is_control or (stop > len(data) and not is_compressed) else stop


def _text_end(data: bytes, body: int, stop: int, masked: bool) -> int:
    start = data[body : min(body + 2, stop)]
    if masked:
        start = unmask(start, data[body - 4 : body])
    if not start and stop > body:
        return 0
    return stop if _PACKET.match(start) and stop - body <= MAX_MESSAGE else -1


def _payload(data: bytes, at: int) -> tuple[int, int]:
    """Return the start and the size of a frame's payload."""
    size, body = data[at + 1] & 0x7F, at + 2
    if size > 125:
        end = body + (2 if size == 126 else 8)
        size, body = int.from_bytes(data[body:end], "big"), end
    return body + (4 if data[at + 1] & _MASKED else 0), size
