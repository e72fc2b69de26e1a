"""Sessions, events, missing acknowledgements and refusals in numbers."""

from typing import Any

import pytest

from nsroom.proxy.heartbeats import HELD
from nsroom.proxy.marks import Mark, State
from nsroom.proxy.totals import Totals
from nsroom.record import Direction, Kind, Record

IN, OUT, LOCAL = Direction.IN, Direction.OUT, Direction.LOCAL


def record(direction: Direction, kind: Kind, **fields: Any) -> Record:
    return Record(0, 1, direction, kind, **fields)


def event(id: int | None = None, direction: Direction = OUT, event: str = "save", sid: str = "a") -> Record:
    return record(direction, Kind.EVENT, namespace="/", event=event, id=id, sid=sid)


def ack(id: int, direction: Direction = IN, sid: str = "a") -> Record:
    return record(direction, Kind.ACK, namespace="/", id=id, sid=sid)


def test_each_acknowledgement_belongs_to_one_event() -> None:
    totals = Totals()
    totals.add(
        [event(), event(0), event(1), event(0, IN, "ask"), event(0, sid="b"), event(0, event="late", sid="c")]
    )
    assert totals.to_json()["unanswered"] == {"save": 3, "ask": 1, "late": 1}
    totals.add([ack(0), ack(0), ack(7), ack(0, OUT), ack(0, sid="b")])
    assert totals.to_json()["unanswered"] == {"save": 1, "late": 1}
    assert totals.to_json()["events"] == {"in": 1, "out": 5}


def test_transports_and_refusals() -> None:
    totals = Totals()
    totals.add(
        [
            record(IN, Kind.OPEN, data={"transport": "polling"}),
            record(IN, Kind.OPEN, data={"transport": "websocket"}),
            record(OUT, Kind.UPGRADE),
            record(LOCAL, Kind.CONNECT_ERROR, reason="HTTP 403", message="no"),
            record(LOCAL, Kind.CONNECT_ERROR, message="cannot reach http://a"),
            record(IN, Kind.CONNECT_ERROR, namespace="/secret", message="no"),
            record(IN, Kind.CONNECT_ERROR, namespace="/secret", data={}),
            record(OUT, Kind.CONNECT_ERROR, namespace="/forged"),
            record(LOCAL, Kind.CLOSE),
        ]
    )
    assert totals.to_json() == {
        "sessions": 2,
        "transports": {"polling": 1, "websocket": 1, "upgraded": 1},
        "events": {"in": 0, "out": 0},
        "unanswered": {},
        "refused": {
            "handshakes": {"HTTP 403": 1, "cannot reach http://a": 1},
            "namespaces": {"/secret: no": 1, "/secret: no reason given": 1},
        },
        "held": 0,
    }
    assert list(totals.lines()) == [
        "sessions: 2 (1 WebSocket, 1 polling, 1 of them upgraded)",
        "events: 0 in, 0 out",
        "unanswered acknowledgements: 0",
        "refused handshakes: 2 (1 HTTP 403, 1 cannot reach http://a)",
        "refused namespaces: 2 (1 /secret: no, 1 /secret: no reason given)",
    ]


def test_heartbeats_of_held_sessions_are_counted() -> None:
    totals = Totals(hold=True)
    totals.add(
        [record(OUT, Kind.PONG, reason=HELD), record(OUT, Kind.PING, reason=HELD), record(OUT, Kind.PONG)]
    )
    assert totals.to_json()["held"] == 2
    assert list(totals.lines())[-1] == "heartbeats sent by --hold: 2"


@pytest.mark.no_cover
def test_a_flood_of_names_is_bounded() -> None:
    totals = Totals()
    totals.add(event(number, event=f"{number}{'x' * 1000}") for number in range(150_000))
    unanswered = totals.to_json()["unanswered"]
    assert (len(unanswered), sum(unanswered.values())) == (1001, 150_000)
    assert max(map(len, unanswered)) == 100
    assert max(map(len, totals.lines())) < 1200


def test_a_packet_that_waits_is_counted_once() -> None:
    totals = Totals()
    for state in (State.WAITING, State.FORWARDED):
        totals.add([event()._replace(data={"intercept": Mark(id=1, state=state)})])
    assert totals.to_json()["events"]["out"] == 1
