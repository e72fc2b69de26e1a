"""Hide the credentials in a client's CONNECT, so that recordings and screens never show them.

A malformed frame may be a CONNECT that lost or gained a character. So of a client's frames only events and
acknowledgements are recorded as they are: of all others, what could be a payload or a query is hidden.
"""

import re
from collections.abc import Mapping

from nsroom.errors import DecodeError
from nsroom.lazy import compile_lazily
from nsroom.protocol import engineio, engineio3
from nsroom.record import Json

REDACTED = "{…}"
"""Replaces the credentials in a recorded CONNECT."""
HIDDEN = "•••"
"""Replaces one value."""
_PARTS = compile_lazily(r'([^?{["]*+)(\?[^,]*+)?(,?)(.*)', re.DOTALL)
"""Type and namespace, the query of Socket.IO 2, the comma and the payload."""
_EVENT = compile_lazily(r'4[2356](?:\d+-)?(?:/[^,?{["]*+,?)?\d*\[')
"""The start of an event or acknowledgement: their payload is an array."""
_NOT_A_NAME = compile_lazily(r'[?{["].*', re.DOTALL)
_ANSWER = compile_lazily(r'4[014](?:/[^,?{["]*+)[?{["]')
"""The start of a server's answer to a CONNECT, with more than a name in its namespace."""
_EVENT_IN_MSGPACK = compile_lazily(b"(?s)(?=.*\xa4type[\x02\x03\x05\x06]).*\xa4data[\x90-\x9f\xdc\xdd]")
"""The payload of an event or acknowledgement is an array, that of a CONNECT an object."""
_MAP_CODES = frozenset([*range(0x80, 0x90), 0xDE, 0xDF])
"""The first bytes of objects in MessagePack."""
_SEARCHED_BYTES = 64
_SEARCHED_BASE64 = 88
"""Characters: enough for the bytes searched."""
_MAX_KEYS = 32
_MAX_KEY = 64
"""Characters."""


def redacted(frame: str | bytes) -> str:
    """Return a client's frame without query and payload; one in MessagePack is hidden completely."""
    if isinstance(frame, bytes) or frame[:1] == "b" or frame[:2] == "4{":
        return REDACTED
    start, query, comma, payload = _PARTS.match(frame).groups()  # type: ignore[union-attr]
    return f"{start}{(query and '?…') or ''}{comma}{payload and REDACTED}"


def redacted_malformed(frame: str | bytes, is_old: bool) -> str | bytes:
    """Return a client's malformed frame, without what could be credentials."""
    plain = engineio3.to_4(frame) if is_old else frame
    if isinstance(plain, str) and plain.startswith("b"):
        try:
            plain = engineio.decode(plain[: 1 + min(len(plain) - 1, _SEARCHED_BASE64) // 4 * 4]).data
        except DecodeError:
            return REDACTED
    if isinstance(plain, bytes):
        return REDACTED if _may_be_connect(plain[:_SEARCHED_BYTES]) else frame
    return frame if _EVENT.match(plain) else redacted(str(frame))


def _may_be_connect(data: bytes) -> bool:
    """Return whether binary data looks like a packet of socket.io-msgpack-parser, other than an event."""
    looks_like_packet = data[:1] != b"" and (data[0] in _MAP_CODES or b"type" in data or b"data" in data)
    return looks_like_packet and not _EVENT_IN_MSGPACK.match(data)


def redacted_answer(frame: str | bytes) -> str | bytes:
    """Return a server's frame without the query or payload that its namespace repeats."""
    return redacted(frame) if isinstance(frame, str) and _ANSWER.match(frame) else frame


def redacted_name(namespace: str) -> str:
    """Return a namespace without the payload that follows it if the comma between them is missing."""
    return _NOT_A_NAME.sub(REDACTED, namespace) if '"' in namespace else namespace


def redacted_payload(payload: Mapping[str, Json] | None) -> dict[str, str] | None:
    """Return the keys of a CONNECT's payload, each with a hidden value; None without a payload."""
    keys = list(payload or ())[:_MAX_KEYS]
    return {key[:_MAX_KEY]: HIDDEN for key in keys} or None
