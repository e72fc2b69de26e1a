"""Engine.IO protocol 3, used by Socket.IO 2: its payloads, and its frames converted from and to protocol 4.

The specification: https://github.com/socketio/engine.io-protocol/tree/v3
"""

import json
from collections.abc import Iterable

from nsroom.errors import DecodeError
from nsroom.lazy import compile_lazily
from nsroom.protocol.limits import LIMITS, Limits

_LENGTH = compile_lazily(r"([0-9]{1,9}):")
_BINARY_LENGTH = compile_lazily(rb"([\x00\x01])([\x00-\x09]{1,9})\xff")
_HEADER = compile_lazily(r"4[0-6](?:[0-9]+-)?(?:/[^,]*,)?")
_NOT_ASCII = compile_lazily(r"[^\x00-\x7f]+")
_NO_LENGTH = "a packet without its length"
_TRUNCATED = "a packet that is shorter than its length"


def to_4(frame: str | bytes) -> str | bytes:
    """Return the frame in protocol 4: without the 4 before binary data."""
    if isinstance(frame, bytes):
        return frame[1:] if frame[:1] == b"\x04" else frame
    return f"b{frame[2:]}" if frame.startswith("b4") else frame


def from_4(frame: str | bytes) -> str | bytes:
    """Return a frame of protocol 4 in this protocol."""
    if isinstance(frame, bytes):
        return b"\x04" + frame
    return f"b4{frame[1:]}" if frame.startswith("b") else frame


def escape_text(frame: str) -> str:
    """Return the frame with JSON in ASCII: Socket.IO 1 decodes posted text twice, later versions once."""
    header = _HEADER.match(frame)
    if header is None or frame.isascii():
        return frame
    start = header.end()
    return frame[:start] + _NOT_ASCII.sub(lambda found: json.dumps(found[0])[1:-1], frame[start:])


def is_payload(body: str) -> bool:
    """Return whether a text starts like a polling body, as no frame of either protocol does."""
    return _LENGTH.match(body) is not None


def join_payload(frames: Iterable[str]) -> str:
    """Return the frames as one polling body, each after its length in UTF-16 code units."""
    return "".join(f"{len(frame.encode('utf-16-le', 'surrogatepass')) // 2}:{frame}" for frame in frames)


def split_payload(body: bytes, limits: Limits = LIMITS) -> list[str | bytes]:
    """Return the frames of a polling body, still encoded. Raises: DecodeError."""
    if body[:1] in (b"\x00", b"\x01"):
        return _split_binary(body, limits)
    return [*split_text(body.decode("utf-8", "surrogateescape"), limits)]


def split_text(text: str, limits: Limits = LIMITS) -> list[str]:
    """Return the frames of a polling body that is text, still encoded.

    Lengths count UTF-16 code units, as in JavaScript. Raises: DecodeError.
    """
    units, at = text.encode("utf-16-le", "surrogatepass"), 0
    frames: list[str] = []
    while at < len(units):
        length = _LENGTH.match(units[at : at + 24].decode("utf-16-le", "replace"))
        if length is None:
            raise DecodeError(_NO_LENGTH, text)
        start = at + 2 * length.end()
        at = start + 2 * int(length[1])
        if at > len(units):
            raise DecodeError(_TRUNCATED, text)
        if len(frames) == limits.packets:
            raise DecodeError(f"more than {limits.packets} packets", text)
        frames.append(units[start:at].decode("utf-16-le", "surrogatepass"))
    return frames


def _split_binary(body: bytes, limits: Limits) -> list[str | bytes]:
    frames: list[str | bytes] = []
    at = 0
    while at < len(body):
        header = _BINARY_LENGTH.match(body, at)
        if header is None:
            raise DecodeError(_NO_LENGTH, body, at)
        at = header.end() + int("".join(str(digit) for digit in header[2]))
        if at > len(body):
            raise DecodeError(_TRUNCATED, body, header.start())
        if len(frames) == limits.packets:
            raise DecodeError(f"more than {limits.packets} packets", body, header.start())
        data = body[header.end() : at]
        frames.append(data if header[1] == b"\x01" else data.decode("utf-8", "surrogateescape"))
    return frames
