"""A scenario from a recording: it is valid, and passes against the server that was recorded."""

from pathlib import Path

from nsroom.record import Direction, Json, Kind, Record
from nsroom.scenarios.check import load
from nsroom.scenarios.writing import write

IN, OUT = Direction.IN, Direction.OUT


def record(direction: Direction, kind: Kind, event: str, *args: Json, **fields: Json) -> Record:
    return Record(0, 1, direction, kind, fields.pop("namespace", "/"), event=event, args=list(args), **fields)


RECORDS = [
    Record(0, 1, OUT, Kind.CONNECT, "/"),
    Record(0, 2, IN, Kind.PING),
    record(OUT, Kind.EVENT, "join", "the lobby", id=0),
    record(IN, Kind.ACK, "join", {"ok": True}, id=0),
    record(IN, Kind.EVENT, "message", {"id": 7, "text": "hi", "room": "the lobby", "n": 1, "sentAt": 5}),
    record(OUT, Kind.EVENT, "as", "as", 5, "5", {"a": [b"\0"]}),
    record(IN, Kind.EVENT, "ask", "true", id=3),
    record(OUT, Kind.ACK, "ask", {"ok": True}, id=3),
]


def test_events_acknowledgements_and_expectations() -> None:
    assert list(write(RECORDS))[1:] == [
        "c1: connect /",
        "c1: call join 'the lobby'",
        'c1: expect event=message & arg.0.text=hi & arg.0.room="the lobby" & arg.0.n=1',
        """c1: emit as '"as"' 5 '"5"' {"a":[{"$binary":"AA=="}]}""",
        'c1: reply ask {"ok":true}',
        'c1: expect event=ask & arg.0="true"',
    ]


def test_several_clients_and_namespaces() -> None:
    records = [
        record(OUT, Kind.EVENT, "a", sid="x", namespace="/one"),
        record(OUT, Kind.EVENT, "b", sid="y", namespace="/two"),
        record(IN, Kind.EVENT, "c", sid="y", namespace="/three"),
    ]
    assert list(write(records))[1:] == [
        "c1: connect /one",
        "c2: connect /two /three",
        "c1: emit a",
        "c2: emit /two b",
        "c2: expect event=c & ns=/three",
    ]


def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    file = tmp_path / "a.nsroom"
    file.write_text("\n".join(write(RECORDS)))
    assert len(load(file, "a", {}).lines) == 6


def test_braces_stay_text(tmp_path: Path) -> None:
    records = [RECORDS[0], record(OUT, Kind.EVENT, "mail", "Dear {name}", {"a": "{{b}}"})]
    file = tmp_path / "a.nsroom"
    file.write_text("\n".join(write(records)))
    assert file.read_text().splitlines()[2] == """c1: emit mail 'Dear {{name}}' {"a":"{{{b}}}"}"""
    assert load(file, "a", {}).used == set()
