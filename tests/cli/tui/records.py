"""Records, and models and views made of them."""

from itertools import count
from typing import Any

from nsroom.record import Direction, Kind, Record
from nsroom.tui.model.model import Model
from nsroom.tui.screen.detail import Detail
from nsroom.tui.screen.state import View

NOON = 1_763_900_000_000_000
EVIL = "\x1b]52;c;eA==\x07\u202e\x9b31m\u200b"
"""Text that changes the terminal, hides or reorders, unless it is made safe."""
_numbers = count(1)


def packet(kind: str = "event", direction: str = "in", **fields: Any) -> Record:
    """Return a record shortly after noon."""
    number = next(_numbers)
    if kind in ("event", "ack", "connect"):
        fields.setdefault("namespace", "/chat")
    return Record(fields.pop("time", NOON + number), number, Direction(direction), Kind(kind), **fields)


def event(name: str, *args: Any, **fields: Any) -> Record:
    """Return a received event."""
    return packet(event=name, args=list(args), **fields)


def emit(name: str, *args: Any, id: int | None = None, **fields: Any) -> Record:
    """Return an event of ours."""
    return packet(direction="out", event=name, args=list(args), id=id, **fields)


def ack(name: str, *args: Any, id: int = 0, **fields: Any) -> Record:
    """Return the acknowledgement of an event of ours."""
    return packet("ack", event=name, args=list(args), id=id, rtt_ms=2.4, **fields)


def message(room: str, nick: str, text: str, **more: Any) -> Record:
    """Return a chat message as the reference server delivers it."""
    return event("message", {"room": room, "nick": nick, "from": f"sid-{nick}", "text": text, **more})


def opened(sid: str, interval: int = 25_000) -> Record:
    """Return the handshake of a client's session."""
    return packet("open", sid=sid, time=NOON, data={"pingInterval": interval, "pingTimeout": 20_000})


def model(*records: Record, **options: Any) -> Model:
    """Return a model of these records."""
    made = Model(**options)
    for record in records:
        made.add(record)
    made.trim()
    return made


def view(*records: Record, namespace: str = "/chat", room: str = "") -> View:
    """Return a view of a connection of ours, a minute after noon."""
    made = View(model(*records), "localhost:3000")
    made.go_to(namespace, room)
    made.tick(NOON / 1e6 + 60)
    return made


def observed(*records: Record, seconds: float = 1.0) -> View:
    """Return a view of other clients' connections, seen by a proxy, some seconds after noon."""
    made = View(model(*records, relayed=True), "127.0.0.1:3001", proxied_server="localhost:3000")
    made.tick(NOON / 1e6 + seconds)
    return made


def shown(model: Model) -> list[str]:
    """Return the events in the rows."""
    return [str(model[index].event) for index in model.rows]


def plain(fragments: list[tuple[str, str]]) -> str:
    """Return the text of a line, without styles and padding."""
    return "".join(text for _, text in fragments).rstrip()


def detail_lines(record: Record, *toggled: Any, count: int = 50, answer: Record | None = None) -> list[str]:
    """Return the lines of a detail after folding or unfolding the values of these keys."""
    detail = Detail(record, answer)
    for key in toggled:
        path = next(line.path for line in detail.lines(0, 1000) if line.path and line.path[-1] == key)
        detail.toggle(path)
    return ["".join(text for _, text in line.pieces).rstrip() for line in detail.lines(0, count)]
