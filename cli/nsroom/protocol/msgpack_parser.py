"""Socket.IO packets of socket.io-msgpack-parser: a map of type, data, nsp and id in MessagePack.

With Socket.IO 2, packets other than events and acknowledgements are JSON: `4{"type":0,"nsp":"/"}`.
"""

from nsroom.errors import DecodeError
from nsroom.protocol import messagepack, socketio, strict_json
from nsroom.protocol.limits import LIMITS, Limits
from nsroom.protocol.socketio import Packet, PacketType
from nsroom.record import Json

_PLAIN = {PacketType.BINARY_EVENT: PacketType.EVENT, PacketType.BINARY_ACK: PacketType.ACK}
_TYPES = tuple(_PLAIN.get(kind, kind) for kind in PacketType)
"""Socket.IO 2 uses the binary types although the bytes are in place."""


def decode(data: str | bytes, limits: Limits = LIMITS) -> Packet:
    """Return the packet in MessagePack data, or in a JSON text.

    Raises: DecodeError, and nothing else, for any data.
    """
    if len(data) > limits.frame:
        raise DecodeError(f"larger than {limits.frame} bytes or characters", data)
    fields = strict_json.load(data, 0, limits) if isinstance(data, str) else messagepack.load(data, limits)
    return _packet(fields, data, limits)


def _packet(fields: Json, data: str | bytes, limits: Limits) -> Packet:
    if not isinstance(fields, dict):
        raise DecodeError("a packet must be a map of type, data, nsp and id", data)
    kind, namespace, id = fields.get("type"), fields.get("nsp"), fields.get("id")
    if type(kind) is not int or not 0 <= kind < len(_TYPES):
        raise DecodeError(f"unknown Socket.IO packet type {kind!r:.20}", data)
    if not isinstance(namespace, str) or len(namespace) > limits.namespace:
        raise DecodeError(f"the namespace must be a string of at most {limits.namespace} characters", data)
    if id is not None and (type(id) is not int or not 0 <= id <= limits.id):
        raise DecodeError(f"the id must be a number up to {limits.id}", data)
    packet = Packet(_TYPES[kind], namespace.partition("?")[0] or "/", id, fields.get("data"))
    if id is None and packet.type is PacketType.ACK:
        raise DecodeError("an acknowledgement without an id", data)
    if error := socketio.payload_error(packet):
        raise DecodeError(error, data)
    return packet


def encode(packet: Packet) -> bytes:
    """Return a packet in MessagePack, its binary values in place.

    Raises: ValueError if the protocol cannot carry the packet.
    """
    return messagepack.dump(_fields(packet, ""))


def encode_old(packet: Packet, query: str = "") -> str | bytes:
    """Return a packet for Socket.IO 2; the `query` is appended to the namespace.

    Raises: ValueError if the protocol cannot carry the packet.
    """
    if packet.type in (PacketType.EVENT, PacketType.ACK):
        return encode(packet)
    return strict_json.dump(_fields(packet, query))


def _fields(packet: Packet, query: str) -> dict[str, Json]:
    socketio.check_sendable(packet)
    namespace = f"{packet.namespace}?{query}" if query else packet.namespace
    fields: dict[str, Json] = {
        "type": int(packet.type),
        "data": packet.data,
        "nsp": namespace,
        "id": packet.id,
    }
    return {key: value for key, value in fields.items() if value is not None}
