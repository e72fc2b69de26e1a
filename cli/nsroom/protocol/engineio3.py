"""Engine.IO protocol 3, as Socket.IO 2 speaks it, read as frames of protocol 4.

The specification: https://github.com/socketio/engine.io-protocol/tree/v3
"""

import re

from nsroom.errors import DecodeError

_LENGTH = re.compile(r"([0-9]{1,9}):")
_BINARY_LENGTH = re.compile(rb"([\x00\x01])([\x00-\x09]{1,9})\xff")


def frame(data: str | bytes) -> str | bytes:
    """Give a WebSocket message, or a packet of a payload: binary data stands behind a 4 here."""
    if isinstance(data, bytes):
        return data[1:] if data[:1] == b"\x04" else data
    return f"b{data[2:]}" if data.startswith("b4") else data


def split_payload(body: bytes) -> list[str | bytes]:
    """Give the frames of a polling body. Raises: DecodeError."""
    if body[:1] in (b"\x00", b"\x01"):
        return _split_binary(body)
    text, at = body.decode("utf-8", "surrogateescape"), 0
    # The lengths count UTF-16 code units, as JavaScript does.
    units = text.encode("utf-16-le", "surrogatepass")
    frames: list[str | bytes] = []
    while at < len(units):
        length = _LENGTH.match(units[at : at + 24].decode("utf-16-le", "replace"))
        if length is None:
            raise DecodeError("a packet without its length", text)
        start = at + 2 * length.end()
        at = start + 2 * int(length[1])
        frames.append(frame(units[start:at].decode("utf-16-le", "surrogatepass")))
    return frames


def _split_binary(body: bytes) -> list[str | bytes]:
    frames: list[str | bytes] = []
    at = 0
    while at < len(body):
        header = _BINARY_LENGTH.match(body, at)
        if header is None:
            raise DecodeError("a packet without its length", body)
        size = int("".join(str(digit) for digit in header[2]))
        at = header.end() + size
        data = body[header.end() : at]
        frames.append(frame(data if header[1] == b"\x01" else data.decode("utf-8", "surrogateescape")))
    return frames
