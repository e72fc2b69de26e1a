"""The sessions of a recording: who sent what after what."""

from typing import Any

import pytest

from nsroom.mock.sessions import Session, nearest, replaced, sessions
from nsroom.record import Direction, Json, Kind, Record

SECOND = 1_000_000
NOON = 1_732_363_200 * SECOND
IN, OUT = Direction.IN, Direction.OUT


def record(direction: Direction, kind: Kind, at: float = 0, namespace: str = "/", **fields: Any) -> Record:
    return Record(NOON + int(at * SECOND), 0, direction, kind, namespace, **fields)


def read(*records: Record) -> dict[str, list[Session]]:
    return sessions(list(enumerate(records, 1)))


def shape(session: Session) -> list[tuple[Json, list[Json]]]:
    """Return the event of each exchange, and the events and acknowledgements after it."""
    return [
        (each.request and each.request.event, [answer.event or str(answer.kind) for answer in each.answers])
        for each in session.exchanges
    ]


def test_a_client() -> None:
    found = read(
        record(OUT, Kind.CONNECT),
        record(IN, Kind.CONNECT, sid="recorded"),
        record(IN, Kind.EVENT, event="hi"),
        record(OUT, Kind.EVENT, 1, event="a", id=0, args=[1]),
        record(OUT, Kind.EVENT, 1.1, event="b", args=[]),
        record(IN, Kind.ACK, 1.5, event="a", id=0, args=["ok"]),
        record(IN, Kind.EVENT, 2, event="news"),
        record(IN, Kind.DISCONNECT, 3),
        record(Direction.LOCAL, Kind.RECONNECT),
        record(OUT, Kind.CONNECT),
        record(IN, Kind.CONNECT_ERROR, message="no", data={"message": "no", "data": 1}),
    )
    first, second = found["/"]
    assert (first.sid, shape(first)) == (
        "recorded",
        [(None, ["hi"]), ("a", ["a"]), ("b", ["news", "disconnect"])],
    )
    exchange = first.exchanges[1]
    assert (exchange.line, exchange.delay(exchange.answers[0])) == (4, 0.5)
    assert second.refusal == {"message": "no", "data": 1}


def test_clients_of_a_proxy() -> None:
    found = read(
        record(OUT, Kind.CONNECT, sid="one"),
        record(OUT, Kind.CONNECT, sid="two", namespace="/chat"),
        record(IN, Kind.CONNECT, sid="two", namespace="/chat", data={"sid": "b"}),
        record(IN, Kind.CONNECT, sid="one", data={"sid": "a"}),
        record(OUT, Kind.CONNECT, sid="three"),
        record(OUT, Kind.EVENT, sid="one", event="x"),
        record(IN, Kind.CONNECT, sid="three", data={"sid": "c"}),
        record(IN, Kind.EVENT, sid="one", event="y"),
    )
    assert [session.sid for session in found["/"]] == ["a", "c"]
    assert [session.sid for session in found["/chat"]] == ["b"]
    assert shape(found["/"][0]) == [(None, []), ("x", ["y"])]


@pytest.mark.parametrize(
    ("args", "at", "differing"),
    [
        (["small", 1], 0, 0),
        (["large", 1], 1, 0),
        (["large", 2], 1, 1),
        (["other", 2], 0, 2),
        ([], 0, 2),
    ],
)
def test_the_nearest_exchange(args: list[Json], at: int, differing: int) -> None:
    [session] = read(
        record(OUT, Kind.EVENT, event="order", args=["small", 1]),
        record(OUT, Kind.EVENT, event="order", args=["large", 1]),
        record(OUT, Kind.EVENT, event="else", args=args),
    )["/"]
    match = nearest(session.exchanges, "order", args, set(), NOON)
    assert match is not None
    assert (session.exchanges.index(match.exchange) - 1, match.differing) == (at, differing)
    assert nearest(session.exchanges, "unknown", args, set(), NOON) is None


def test_the_same_question_again() -> None:
    [session] = read(*[record(OUT, Kind.EVENT, event="get", args=[]) for _ in range(2)])["/"]
    _, first, second = session.exchanges
    for used, expected in ((set(), first), ({first}, second), ({first, second}, first)):
        match = nearest(session.exchanges, "get", [], used, NOON)
        assert match is not None
        assert match.exchange is expected


def test_times_and_ids_of_another_run() -> None:
    recorded, now = "3f8e1c52-7d3e-4b0c-9c57-0a1b2c3d4e5f", "00000000-7d3e-4b0c-9c57-0a1b2c3d4e5f"
    later = NOON + 86_400 * 30 * SECOND
    [session] = read(
        record(
            OUT,
            Kind.EVENT,
            event="a",
            args=[{"id": recorded, "at": NOON // 1000, "iso": "2024-11-23T12:00:00Z"}],
        )
    )["/"]
    args = [{"id": now, "at": later // 1000, "iso": "2024-12-23T12:00:00Z"}]
    match = nearest(session.exchanges, "a", args, set(), later)
    assert match is not None
    assert (match.differing, match.ids) == (0, {recorded: now})
    assert replaced({"to": [recorded, 1], recorded: "x"}, match.ids) == {"to": [now, 1], now: "x"}
