"""Explain every part of a packet of socket.io-msgpack-parser."""

from collections.abc import Iterable, Iterator

from nsroom.protocol import messagepack, msgpack_parser, strict_json
from nsroom.protocol.explain.fields import IDS, LISTED, Field, argument, counted, describe, preview
from nsroom.protocol.socketio import Packet, PacketType
from nsroom.protocol.strict_json import Element


def fields(packet: Packet, data: bytes) -> Iterator[Field]:
    """Yield the members of a packet that `msgpack_parser.decode` accepted, and the parts of its payload."""
    for element in messagepack.elements(data):
        yield _member(packet, element, preview(data[element.start : element.end]))
        if element.key == "data" and isinstance(element.value, (list, dict)):
            for index, part in enumerate(_listed(messagepack.elements(data, element.start))):
                name, meaning = argument(part, index, packet.type is PacketType.EVENT)
                yield Field(
                    at=part.start, text=preview(data[part.start : part.end]), name=name, meaning=meaning
                )


def text_fields(text: str) -> list[Field]:
    """Return the members of a JSON packet of Socket.IO 2; `at` includes the 4 before the packet.

    Raises: DecodeError.
    """
    packet = msgpack_parser.decode(text)
    members = [
        _member(packet, element, text[element.start : element.end])
        for element in strict_json.elements(text, 0)
    ]
    whole = Field(
        at=0, text=text, name="packet", meaning=f"JSON with MessagePack: {counted(len(members), 'member')}"
    )
    return [{**each, "at": each["at"] + 1} for each in [whole, *members]]


def _listed(elements: Iterable[Element]) -> Iterator[Element]:
    return (element for _, element in zip(range(LISTED), elements, strict=False))


def _member(packet: Packet, element: Element, text: str) -> Field:
    match element.key:
        case "type":
            return Field(
                at=element.start,
                text=text,
                name="socket.io type",
                meaning=packet.type.name.lower().replace("_", " "),
            )
        case "nsp":
            return Field(at=element.start, text=text, name="namespace", meaning=str(element.value))
        case "id" if packet.id is not None:
            meaning = IDS.get(packet.type, "without effect here")
            return Field(at=element.start, text=text, name="id", meaning=f"{packet.id}, {meaning}")
        case "data":
            return Field(at=element.start, text=text, name="payload", meaning=describe(element.value))
        case _:
            return Field(at=element.start, text=text, name=str(element.key), meaning=describe(element.value))
