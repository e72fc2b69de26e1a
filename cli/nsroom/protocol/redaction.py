"""Hide the credentials in a client's CONNECT, so that recordings and screens never show them."""

import re

from nsroom.errors import DecodeError
from nsroom.protocol import engineio, engineio3

REDACTED = "{…}"
"""Replaces the credentials in a recorded CONNECT."""
_CONNECT = re.compile(r'(40(?:/[^,?{["]*+)?)(\?[^,]*+)?(,?)(.*)', re.DOTALL)
"""Type and namespace, the query of Socket.IO 2, the comma and the payload."""
_MSGPACK_CONNECT = b"\xa4type\x00"
"""The member `type: 0` that a CONNECT of socket.io-msgpack-parser starts with."""
_SEARCHED_BYTES = 64
_SEARCHED_BASE64 = 88
"""Characters: enough for the bytes searched."""


def redacted(connect: str | bytes) -> str:
    """Return a CONNECT without its query and payload; one in MessagePack is hidden completely."""
    match = _CONNECT.match(connect) if isinstance(connect, str) else None
    if match is None:
        return REDACTED
    start, query, comma, payload = match.groups()
    return f"{start}{(query and '?…') or ''}{comma}{payload and REDACTED}"


def is_connect(frame: str | bytes, is_old: bool) -> bool:
    """Return whether a malformed frame looks like a CONNECT."""
    if is_old:
        frame = engineio3.to_4(frame)
    if isinstance(frame, str) and frame.startswith("b"):
        try:
            frame = engineio.decode(frame[: 1 + min(len(frame) - 1, _SEARCHED_BASE64) // 4 * 4]).data
        except DecodeError:
            return False
    if isinstance(frame, str):
        return frame[:2] in ("40", "4{")
    return _MSGPACK_CONNECT in frame[:_SEARCHED_BYTES]
