"""Explain an event or acknowledgement without attachments in one pass: nearly every frame is one."""

import re

from nsroom.protocol.explain.fields import IDS, LISTED, Field, describe, described, event
from nsroom.protocol.limits import LIMITS
from nsroom.protocol.socketio import NAMES, PacketType
from nsroom.protocol.strict_json import scan

_HEADER = re.compile(rf"4([23])(/[^,?\[]{{0,{LIMITS.namespace - 1}}}+,)?([0-9]{{1,15}}+)?(?=\[)")
_ENGINE_TYPE = Field(at=0, text="4", name="engine.io type", meaning="message")
_EVENT = PacketType.EVENT
_NAME = "event"
_ACK_ELEMENTS = [f"argument {number}" for number in range(1, LISTED + 1)]
_EVENT_ELEMENTS = [_NAME, *_ACK_ELEMENTS[:-1]]
_TYPES = {
    text: (kind, Field(at=1, text=text, name="socket.io type", meaning=kind.name.lower()))
    for text, kind in (("2", PacketType.EVENT), ("3", PacketType.ACK))
}


def fields(frame: str) -> list[Field] | None:
    """Return the fields of a frame, or None if it is not a plain one: the Explainer finds what it is."""
    header = _HEADER.match(frame)
    if header is None or (len(frame) > LIMITS.depth and _exceeds_limits(frame)):
        return None
    number, namespace, id = header.groups()
    kind, type_field = _TYPES[number]
    found = [_ENGINE_TYPE, type_field]
    if namespace:
        found.append({"at": 2, "text": namespace, "name": "namespace", "meaning": namespace[:-1]})
    if id:
        found.append({"at": header.start(3), "text": id, "name": "id", "meaning": IDS[kind]})
    elif kind is not _EVENT:
        return None
    start = header.end()
    payload: Field = {"at": start, "text": frame[start:], "name": "payload", "meaning": ""}
    found.append(payload)
    before = len(found)
    try:
        for name in _EVENT_ELEMENTS if kind is _EVENT else _ACK_ELEMENTS:
            at = start + 1
            value, start = scan(frame, at)
            if name is not _NAME:
                meaning = describe(value)
            elif type(value) in NAMES:
                meaning = event(value)
            else:
                return None
            found.append({"at": at, "text": frame[at:start], "name": name, "meaning": meaning})
            if frame[start] != ",":
                break
    except (StopIteration, ValueError, IndexError):
        return None
    payload["meaning"] = f"JSON: {described(list, len(found) - before)}"
    return found if frame[start:] == "]" else None


def _exceeds_limits(frame: str) -> bool:
    return len(frame) > LIMITS.values or frame.count("[") + frame.count("{") > LIMITS.depth
