"""Socket.IO protocol revision 5: packets and their binary attachments.

The specification: https://github.com/socketio/socket.io-protocol. Where it leaves a case open, `decode`
refuses the packets that the reference implementation, socket.io-parser 4, refuses.

The protocol cannot express a namespace with a comma; nor, in a packet with attachments, an object with the
member `"_placeholder": true`, which would be read as an attachment.
"""

import re
from collections.abc import Callable
from enum import IntEnum
from typing import Any, NamedTuple

from nsroom.errors import DecodeError
from nsroom.lazy import compile_lazily
from nsroom.protocol import strict_json
from nsroom.protocol.limits import LIMITS, Limits
from nsroom.record import Json

RESERVED_EVENTS = frozenset(
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"]
)
"""Event names on which JavaScript peers close the connection; other implementations send them."""

HEADER = compile_lazily(r"(?:[0-4]|[56]([1-9][0-9]*+)-)(?:(/[^,]*+),?)?([0-9]*+)")
"""Type, number of attachments (1), namespace (2) and id (3), before the payload. Digits are ASCII only."""
_MAX_DIGITS = 20
"""Digits of a number that are read at all: Python takes quadratic time for long ones."""
_NAMESPACE = compile_lazily("/[^,?\ud800-\udfff]*")
_DISCONNECT_WITH_REASON = compile_lazily(r'1(?:/[^,]*+,)?[{"]')
_PLACEHOLDER = compile_lazily(r'[{,]"_placeholder":true(?=[,}])')


class PacketType(IntEnum):
    """The first character of a packet."""

    CONNECT = 0
    DISCONNECT = 1
    EVENT = 2
    ACK = 3
    CONNECT_ERROR = 4
    BINARY_EVENT = 5
    BINARY_ACK = 6


_TYPES = {str(int(kind)): kind for kind in PacketType}
_BINARY = {PacketType.EVENT: PacketType.BINARY_EVENT, PacketType.ACK: PacketType.BINARY_ACK}
_PLAIN = {binary: plain for plain, binary in _BINARY.items()}


class Packet(NamedTuple):
    """One packet, its binary values either in place (`bytes`) or still placeholders."""

    type: PacketType
    namespace: str = "/"
    id: int | None = None
    data: Json = None
    """None without a payload."""
    attachments: int = 0
    """The number of binary frames after the text."""
    text: str | None = None
    """The data as JSON, if that is known: `encode` takes it as it is, and no value of the data is binary."""


NAMES = (str, int, float)
"""The types of an event's name. Compared with `type`, because isinstance would accept a bool as an int."""


def is_event(data: Json) -> bool:
    """Return whether this is the payload of an event: a list that starts with its name."""
    return type(data) is list and len(data) > 0 and type(data[0]) in NAMES


def _is_object(data: Json) -> bool:
    return isinstance(data, dict)


def _is_list(data: Json) -> bool:
    return isinstance(data, list)


def _is_refusal(data: Json) -> bool:
    return isinstance(data, (dict, str))


def _is_absent(_: Json) -> bool:
    return False


_EVENT = (is_event, "a list that starts with the event's name")
_ACK = (_is_list, "a list")
# Indexed by packet type. A tuple, because hashing an enum member is a call into Python.
_SHAPES: tuple[tuple[Callable[[Json], bool], str], ...] = (
    (_is_object, "an object"),
    (_is_absent, "absent"),
    _EVENT,
    _ACK,
    (_is_refusal, "an object or a string"),
    _EVENT,
    _ACK,
)
# A name for the hot path: in Python 3.11 looking up an enum member takes 0.2 µs.
_BINARY_EVENT_TYPE = PacketType.BINARY_EVENT
_OPTIONAL = frozenset([PacketType.CONNECT, PacketType.DISCONNECT, PacketType.CONNECT_ERROR])


def decode(text: str, limits: Limits = LIMITS) -> Packet:
    """Return the packet in a text; `join` completes one with attachments.

    Raises: DecodeError, and nothing else, for any text.
    """
    if len(text) > limits.frame:
        raise DecodeError(f"larger than {limits.frame} characters", text)
    if text.startswith("51-["):  # nearly all with attachments
        return Packet(_BINARY_EVENT_TYPE, "/", None, _payload(_BINARY_EVENT_TYPE, text, 3, limits), 1)
    header = HEADER.match(text)
    if header is None:
        raise _no_header(text)
    count, namespace, digits = header.groups()
    kind = _TYPES[text[0]]
    if not digits and _PLAIN.get(kind, kind) is PacketType.ACK:
        raise DecodeError("an acknowledgement without an id", text, header.end())
    return Packet(
        kind,
        _namespace(namespace, header, limits) if namespace else "/",
        _number(header, 3, limits.id, "the id") if digits else None,
        _payload(kind, text, header.end(), limits),
        _number(header, 1, limits.attachments, "the number of attachments") if count else 0,
    )


def decode_from_server(text: str, limits: Limits = LIMITS) -> Packet:
    """Return the packet in a text from a server, which may give a reason in a DISCONNECT.

    That is how python-socketio refuses a client with `always_connect`; other peers do not read it.
    Raises: as `decode`.
    """
    if _DISCONNECT_WITH_REASON.match(text):
        return decode(f"{PacketType.CONNECT_ERROR:d}{text[1:]}", limits)._replace(type=PacketType.DISCONNECT)
    return decode(text, limits)


def _no_header(text: str) -> DecodeError:
    if not text:
        return DecodeError("an empty Socket.IO packet", text)
    if text[0] not in _TYPES:
        return DecodeError(f"unknown Socket.IO packet type {text[0]!r}", text)
    return DecodeError("a binary packet without its number of attachments", text, 1)


def is_namespace(name: str) -> bool:
    """Return whether a text can be the name of a namespace."""
    return _NAMESPACE.fullmatch(name) is not None


def _namespace(name: str, header: re.Match[str], limits: Limits) -> str:
    if len(name) > limits.namespace:
        reason = f"a namespace longer than {limits.namespace} characters: is its comma missing?"
        raise DecodeError(reason, header.string, header.start(2))
    # Socket.IO v2 clients append their query to the name.
    return name.partition("?")[0]


def _number(header: re.Match[str], group: int, bound: int, name: str) -> int:
    digits = header[group]
    if len(digits) > _MAX_DIGITS or (number := int(digits)) > bound:
        raise DecodeError(f"{name} is larger than {bound}", header.string, header.start(group))
    return number


def _payload(kind: PacketType, text: str, start: int, limits: Limits) -> Json:
    fits, shape = _SHAPES[kind]
    if start == len(text):
        if kind in _OPTIONAL:
            return None
        raise DecodeError(f"the payload of {kind.name} is missing: it must be {shape}", text, start)
    data = strict_json.load(text, start, limits)
    if not fits(data):
        raise DecodeError(f"the payload of {kind.name} must be {shape}", text, start)
    return data


def join(packet: Packet, attachments: list[bytes], frame: str = "", limits: Limits = LIMITS) -> Packet:
    """Return the packet with attachments instead of placeholders; `frame` is the text to report in an error.

    Raises: DecodeError if placeholders and attachments do not match, or name more bytes than the limit.
    """
    if len(attachments) != packet.attachments:
        reason = f"{packet.attachments} attachments were announced, {len(attachments)} received"
        raise DecodeError(reason, frame)
    named: list[int] = []
    try:
        data = _fill(packet.data, attachments, named, frame)
    except RecursionError:
        raise DecodeError("nested too deeply", frame) from None
    if named != list(range(len(attachments))):  # else each has its placeholder, in their order
        if unused := set(range(len(attachments))).difference(named):
            raise DecodeError(f"no placeholder for attachment {min(unused)}", frame)
        attachments = [attachments[num] for num in named]
    if sum(map(len, attachments)) > limits.packet:
        raise DecodeError(f"placeholders for more than {limits.packet} bytes", frame)
    return Packet(packet.type, packet.namespace, packet.id, data, packet.attachments)


_SCALARS = frozenset((str, int, float, bool, type(None)))


def _fill(value: Json, attachments: list[bytes], named: list[int], frame: str) -> Json:
    kind = type(value)
    if kind is list:
        return [item if type(item) in _SCALARS else _fill(item, attachments, named, frame) for item in value]
    if kind is not dict:
        return value
    if value.get("_placeholder") is not True:
        return {
            key: item if type(item) in _SCALARS else _fill(item, attachments, named, frame)
            for key, item in value.items()
        }
    num = value.get("num")
    if type(num) is not int or not 0 <= num < len(attachments):
        raise DecodeError(f"a placeholder for attachment {num!r:.20}, of {len(attachments)}", frame)
    named.append(num)
    return attachments[num]


def encode(packet: Packet, query: str = "") -> list[str | bytes]:
    """Return the packet's text and its attachments; an event or ack that contains bytes becomes a binary one.

    The `query` is appended to the namespace, in a CONNECT of Socket.IO v2.

    Raises: ValueError if the protocol cannot carry the packet.
    """
    if packet.text is not None and packet.namespace == "/":  # for every line of stdin
        # Three times as quick as `:d`, for an enum.
        return [f"{packet.type!s}{'' if packet.id is None else packet.id}{packet.text}"]
    check_sendable(packet)
    if packet.text is not None:
        return [_header(packet, packet.text, 0, query) + packet.text]
    attachments: list[str | bytes] = []

    def detach(value: Any) -> Json:
        if not isinstance(value, bytes):
            raise TypeError(f"{type(value).__name__} is not JSON")
        attachments.append(value)
        return {"_placeholder": True, "num": len(attachments) - 1}

    payload = "" if packet.data is None else strict_json.dump(packet.data, detach)
    return [_header(packet, payload, len(attachments), query) + payload, *attachments]


def payload_error(packet: Packet) -> str | None:
    """Return why a packet's payload is invalid, or None if it is valid."""
    fits, shape = _SHAPES[packet.type]
    if fits(packet.data) or (packet.data is None and packet.type in _OPTIONAL):
        return None
    return f"the payload of {packet.type.name} must be {shape}"


def check_sendable(packet: Packet) -> None:
    """Raise ValueError if the protocol cannot carry a packet."""
    if error := payload_error(packet):
        raise ValueError(error)
    if not is_namespace(packet.namespace):
        raise ValueError(f"{packet.namespace!r} cannot be a namespace: a / first, no comma, no query")
    if packet.id is None and _PLAIN.get(packet.type, packet.type) is PacketType.ACK:
        raise ValueError("an acknowledgement must have an id")
    if packet.id is not None and packet.id < 0:
        raise ValueError("an id must not be negative")


def _header(packet: Packet, payload: str, attachments: int, query: str) -> str:
    kind = _PLAIN.get(packet.type, packet.type)
    count = ""
    if attachments:
        if kind not in _BINARY:
            raise ValueError(f"{kind.name} cannot carry binary values")
        if len(_PLACEHOLDER.findall(payload)) != attachments:
            raise ValueError('an object with "_placeholder": true cannot be sent together with binary values')
        kind, count = _BINARY[kind], f"{attachments}-"
    elif packet.attachments:
        raise ValueError("the attachments are not joined yet")
    namespace = "" if packet.namespace == "/" else f"{packet.namespace}{query and f'?{query}'},"
    return f"{kind:d}{count}{namespace}{'' if packet.id is None else packet.id}"
