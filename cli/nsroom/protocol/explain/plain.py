"""Explain an event or acknowledgement without attachments in one pass: nearly every frame is one."""

import re

from nsroom.protocol import strict_json
from nsroom.protocol.explain.fields import IDS, LISTED, Field, counted, describe, event
from nsroom.protocol.limits import LIMITS
from nsroom.protocol.socketio import PacketType

_HEADER = re.compile(rf"4([23])(/[^,?\[]{{0,{LIMITS.namespace - 1}}}+,)?([0-9]{{1,15}}+)?(?=\[)")
_ENGINE_TYPE = Field(at=0, text="4", name="engine.io type", meaning="message")
_EVENT = PacketType.EVENT
_TYPES = {
    text: (kind, Field(at=1, text=text, name="socket.io type", meaning=kind.name.lower()))
    for text, kind in (("2", PacketType.EVENT), ("3", PacketType.ACK))
}


def fields(frame: str) -> list[Field] | None:
    """Return the fields of a frame, or None if it is not a plain one: the Explainer finds what it is."""
    header = _HEADER.match(frame)
    if header is None or len(frame) > LIMITS.values or frame.count("[") + frame.count("{") > LIMITS.depth:
        return None
    number, namespace, id = header.groups()
    kind, type_field = _TYPES[number]
    parts = [_ENGINE_TYPE, type_field]
    if namespace:
        parts.append(Field(at=2, text=namespace, name="namespace", meaning=namespace[:-1]))
    if id:
        parts.append(Field(at=header.start(3), text=id, name="id", meaning=IDS[kind]))
    elif kind is not _EVENT:
        return None
    start = header.end()
    elements = _elements(frame, start + 1, kind is _EVENT)
    if elements is None:
        return None
    meaning = f"JSON: list of {counted(len(elements), 'item')}"
    parts.append({"at": start, "text": frame[start:], "name": "payload", "meaning": meaning})
    return parts + elements


def _elements(frame: str, at: int, is_event: bool) -> list[Field] | None:
    """Return a field for each element of a list without blanks between them, or None for another one."""
    elements: list[Field] = []
    number, scan = 0 if is_event else 1, strict_json.scan
    try:
        while True:
            value, end = scan(frame, at)
            if number:
                name, meaning = f"argument {number}", describe(value)
            elif type(value) is str or type(value) is int or type(value) is float:
                name, meaning = "event", event(value)
            else:
                return None
            elements.append({"at": at, "text": frame[at:end], "name": name, "meaning": meaning})
            if frame[end] != ",":
                break
            number, at = number + 1, end + 1
    except (StopIteration, ValueError, IndexError):
        return None
    return elements if frame[end:] == "]" and len(elements) <= LISTED else None
