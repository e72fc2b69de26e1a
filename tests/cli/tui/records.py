"""Records as they go by, for tests of what the live view makes of them."""

from itertools import count
from typing import Any

from nsroom.record import Direction, Kind, Record
from nsroom.tui.model.model import Model
from nsroom.tui.screen.state import View

NOON = 1_763_900_000_000_000
_numbers = count(1)


def seen(kind: str = "event", direction: str = "in", **fields: Any) -> Record:
    """Make a record of now."""
    number = next(_numbers)
    if kind in ("event", "ack", "connect"):
        fields.setdefault("namespace", "/chat")
    return Record(fields.pop("time", NOON + number), number, Direction(direction), Kind(kind), **fields)


def event(name: str, *args: Any, **fields: Any) -> Record:
    """Make a received event."""
    return seen(event=name, args=list(args), **fields)


def emit(name: str, *args: Any, id: int | None = None, **fields: Any) -> Record:
    """Make an event that we emitted."""
    return seen(direction="out", event=name, args=list(args), id=id, **fields)


def ack(name: str, *args: Any, id: int = 0, **fields: Any) -> Record:
    """Make an acknowledgement of ours."""
    return seen("ack", event=name, args=list(args), id=id, rtt_ms=2.4, **fields)


def text(room: str, nick: str, said: str, **more: Any) -> Record:
    """Make a message as the reference server delivers it."""
    return event("message", {"room": room, "nick": nick, "from": f"sid-{nick}", "text": said, **more})


def model(*records: Record, **options: Any) -> Model:
    """Make a model that has seen these."""
    made = Model(**options)
    for record in records:
        made.add(record, record.bytes or 0)
    made.trim()
    return made


def view(*records: Record, namespace: str = "/chat", room: str = "") -> View:
    """Make a view of a model that has seen these."""
    made = View(model(*records), "localhost:3000")
    made.go_to(namespace, room)
    made.tick(NOON / 1e6 + 60)
    return made


def shown(model: Model) -> list[str]:
    """Name the events in the rows."""
    return [str(model[index].event) for index in model.rows]


def plain(fragments: list[tuple[str, str]]) -> str:
    """Give the text of a line, without its styles and what fills it up."""
    return "".join(text for _, text in fragments).rstrip()
