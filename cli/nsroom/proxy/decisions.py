"""Parse what the user says about intercepted packets: lines of stdin, and edited packets. Pure."""

from typing import NamedTuple

from nsroom.client.events import Acknowledge, Emit
from nsroom.client.lines import parse_line
from nsroom.protocol import strict_json
from nsroom.proxy.intercepting import Action, Decision
from nsroom.record import Direction, Json, unescape

_DECISION = ("intercept", "action", "event", "args")
"""The keys of a decision."""
_FORM = '{"intercept": 1, "action": "forward"}'


class Decided(NamedTuple):
    """A decision about the packet with this id."""

    id: int
    decision: Decision


class Sending(NamedTuple):
    """A packet of the user's own."""

    sid: str | None
    """The client; None for the only one."""
    direction: Direction
    item: Emit | Acknowledge
    ask: bool
    """Whether to request an acknowledgement."""


def parse_command(line: bytes) -> Decided | Sending:
    """Return the decision, or the packet to send, in a line of stdin. Raises: ValueError with the reason."""
    try:
        value = strict_json.load(line.decode(), exact=True)
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
    if isinstance(value, dict) and "intercept" in value:
        return _decided(value)
    return _sending(value)


def _decided(value: dict[str, Json]) -> Decided:
    if unknown := [key for key in value if key not in _DECISION]:
        raise ValueError(f"unknown key {unknown[0]!r:.60}: the keys are {', '.join(_DECISION)}")
    id, action = value["intercept"], value.get("action")
    if type(id) is not int:
        raise ValueError(f"intercept must be the id of a packet that waits: {_FORM}")
    if action not in list(Action):
        raise ValueError(f"action must be {', '.join(Action)}: {_FORM}")
    changes = {key: value[key] for key in value if key in ("event", "args")}
    if bool(changes) != (action == Action.EDIT):
        raise ValueError('an edit needs "event" or "args", and only an edit has them')
    return Decided(id, edited(changes) if changes else Decision(Action(action)))


def edited(changes: dict[str, Json]) -> Decision:
    """Return the edit for a new `event` or new `args`. Raises: ValueError."""
    event, args = changes.get("event"), changes.get("args")
    event = event.value if isinstance(event, strict_json.Number) else event
    if "event" in changes and (not isinstance(event, (str, int, float)) or isinstance(event, bool)):
        raise ValueError("event must be a string or a number")
    if "args" in changes and not isinstance(args, list):
        raise ValueError("args must be a list")
    return Decision(Action.EDIT, event, None if args is None else unescape(args))


def _sending(value: Json) -> Sending:
    fields = dict(value) if isinstance(value, dict) else {}
    data = fields.get("data")
    if isinstance(data, dict) and "intercept" in data:
        raise ValueError(f"this record is of a packet that was seen: to decide about it, write {_FORM}")
    sid, direction = fields.pop("client", None) or fields.get("sid"), fields.pop("direction", Direction.OUT)
    ask = fields.pop("ack", False)
    if sid is not None and not isinstance(sid, str):
        raise ValueError("client must be the sid of its records")
    if direction not in (Direction.IN, Direction.OUT):
        raise ValueError("direction must be out, to the server, or in, to the client")
    if not isinstance(ask, bool):
        raise ValueError("ack must be true or false")
    item = parse_line(strict_json.dump({**fields, "direction": "out"} if fields else value).encode(), "/")
    if item is None:
        raise ValueError("only events and acknowledgements can be sent")
    return Sending(sid, Direction(direction), item, ask)
