"""Hide what a client says of itself in a CONNECT, so that no recording and no screen shows it."""

import re

from nsroom.errors import DecodeError
from nsroom.protocol import engineio, engineio3

REDACTED = "{…}"
"""Stands in a recorded CONNECT for what a client sent to prove who it is."""
_CONNECT = re.compile(r'(40(?:/[^,?{["]*+)?)(\?[^,]*+)?(,?)(.*)', re.DOTALL)
"""Its beginning, the query of Socket.IO 2, the comma and the payload."""
_MSGPACK_CONNECT = b"\xa4type\x00"
"""What begins the packet of a client that says who it is, in socket.io-msgpack-parser."""
_IN_BASE64 = 88
"""Characters that are looked at."""


def redacted(connect: str | bytes) -> str:
    """Give a CONNECT without its query and its payload; one in MessagePack is hidden as a whole."""
    match = _CONNECT.match(connect) if isinstance(connect, str) else None
    if match is None:
        return REDACTED
    start, query, comma, payload = match.groups()
    return f"{start}{(query and '?…') or ''}{comma}{payload and REDACTED}"


def is_connect(frame: str | bytes, is_old: bool) -> bool:
    """Tell whether a frame that is malformed seems to be a CONNECT."""
    read = engineio3.to_4(frame) if is_old else frame
    if isinstance(read, str) and read.startswith("b"):
        try:
            read = engineio.decode(read[: 1 + min(len(read) - 1, _IN_BASE64) // 4 * 4]).data
        except DecodeError:
            return False
    return _MSGPACK_CONNECT in read[:64] if isinstance(read, bytes) else read[:2] in ("40", "4{")
