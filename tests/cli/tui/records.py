"""Records, and models and views made of them."""

from itertools import count
from typing import Any

from nsroom.output.times import Times
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
    namespace = more.pop("namespace", "/chat")
    sent = {"room": room, "nick": nick, "from": f"sid-{nick}", "text": text, **more}
    return event("message", sent, namespace=namespace)


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


def shop() -> View:
    """Return a view of two namespaces, with acknowledgements, nested values and repeats."""
    records = (
        packet("open", sid="s0", data={"upgrades": [], "pingInterval": 25_000}),
        packet("connect", sid="s1"),
        packet("connect", sid="s2", namespace="/news"),
        event("hi", "everyone!"),
        emit("join", "lobby", id=1),
        ack("join", {"room": "lobby", "members": [{"sid": "s1", "nick": "me"}]}, id=1),
        event("order", ORDER, namespace="/news"),
        emit("join", "vault", id=2),
        ack("join", {"error": "forbidden", "message": "ask the owner"}, id=2),
        emit("ping me", id=3),
        *(event("price", {"symbol": "ACME", "bid": 12.5 + n / 4}) for n in range(20)),
        message("lobby", "bob", "the deploy is through and everything looks fine, as far as I can see"),
    )
    viewed = view(*(each._replace(time=NOON + at * 150_000) for at, each in enumerate(records)), room="lobby")
    viewed.times = Times.UTC
    return viewed


ORDER = {
    "id": 8812,
    "customer": {"name": "Ann Smith", "email": "ann@example.org"},
    "items": [{"sku": "A-1"}, {"sku": "B-7"}],
    "total": 124,
    "note": "ring twice",
}


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
