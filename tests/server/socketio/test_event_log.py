"""The log of recovery finds what each client has missed, and never guesses."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom_server.engineio.packets import Outgoing
from nsroom_server.settings.limits import Limits
from nsroom_server.socketio.application import Client
from nsroom_server.socketio.event_log import EventLog
from nsroom_server.socketio.packet import Packet, PacketType
from nsroom_server.socketio.rooms import Room

ANN, BOB = Client("/chat", "ann"), Client("/chat", "bob")
LIMITS = Limits()
WALL = 1_795_881_600.0
PLENTY = 1 << 30


def emit(log: EventLog, at: float, to: Room = None, skip: Sequence[str] = (), size: int = 0) -> str:
    """Emit an event, and return its offset."""
    packets = Packet(PacketType.EVENT, ["e", "x" * size], "/chat").outgoing()
    sent = log.add_event(packets, "/chat", to, skip, (at, WALL + at))
    return offset_of(sent)


def offset_of(packets: Sequence[Outgoing]) -> str:
    return str(Packet.parse(packets[0].text[1:], LIMITS).arguments[-1])


def missed(log: EventLog, client: Client, rooms: set[str], start: int) -> list[str] | None:
    found = log.missed(client, rooms, start)
    return None if found is None else [offset_of(packets) for packets in found]


def test_the_offset_is_the_last_argument() -> None:
    log = EventLog(60, PLENTY)
    packets = Packet(PacketType.EVENT, ["file", b"12"], "/chat").outgoing()
    text, attachment = log.add_event(packets, "/chat", None, (), (0, WALL))
    assert text.text == '451-/chat,["file",{"_placeholder":true,"num":0},"Q8YueG0"]'
    assert attachment is packets[1]
    assert emit(log, 0) == "Q8YueG0.1"
    assert emit(log, 0.001) == "Q8YueG1"
    assert emit(log, -5) == "Q8YueG1.1"  # the clock was set back


def test_what_was_missed() -> None:
    log = EventLog(60, PLENTY)
    seen = emit(log, 0)
    all_, other, own = emit(log, 1), emit(log, 1, "other"), emit(log, 1, "ann")
    emit(log, 1, skip=("ann",))
    start = log.find_start(seen, 0, 0)
    assert start is not None
    assert missed(log, ANN, set(), start) == [all_, own]
    assert missed(log, ANN, {"other"}, start) == [all_, other, own]
    assert log.missed(Client("/lab", "ann"), {"other"}, start) == []


@pytest.mark.parametrize("offset", ["", "Q8YueG", "Q8YueGz", "nonsense", "é" * 7, "0000000"])
def test_an_offset_that_was_never_sent(offset: str) -> None:
    log = EventLog(60, PLENTY)
    emit(log, 0)
    assert log.find_start(offset, 0, 0) is None


def test_an_old_offset_is_good_while_nothing_is_lost() -> None:
    log = EventLog(60, PLENTY)
    old = emit(log, 0)
    emit(log, 50, "other")
    recent = emit(log, 100)
    start = log.find_start(old, 0, 55)
    assert start == 1
    assert missed(log, ANN, set(), start) == [recent]


def test_events_that_were_dropped_for_space_are_missing() -> None:
    log = EventLog(60, 5000)
    old = emit(log, 0)
    for at in range(1, 10):
        emit(log, at, size=500)
    assert log.find_start(old, 0, 3) is None
    assert log.find_start(old, 0, 9.5) is not None
    assert log.find_start(None, 0, 3) is None
    assert log.find_start(None, log.end, 3) == log.end


def test_too_many_entries_are_not_searched() -> None:
    log = EventLog(60, PLENTY)
    for _ in range(20_001):
        log.add_change(ANN, "lobby", True, 0)
    assert log.missed(ANN, set(), 0) is None
    assert log.missed(ANN, set(), 1) == []
    assert log.missed(ANN, set(), -1) is None


ROOMS = st.sampled_from(("red", "blue", "green"))
CLIENTS = st.sampled_from((ANN, BOB))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("enter"), CLIENTS, ROOMS),
        st.tuples(st.just("leave"), CLIENTS, ROOMS),
        st.tuples(
            st.just("emit"),
            st.one_of(st.none(), ROOMS, st.just("ann")),
            st.sets(st.sampled_from(("ann", "bob"))),
        ),
    ),
    max_size=40,
)


@given(steps=STEPS, seen=st.integers(0, 40))
def test_a_client_gets_what_it_would_have_received(steps: list[tuple[str, Client, str]], seen: int) -> None:
    """Whatever rooms it enters and leaves before, during and after the events."""
    log = EventLog(60, PLENTY)
    rooms: dict[Client, set[str]] = {ANN: set(), BOB: set()}
    received: list[str] = []
    for kind, first, second in steps:
        if kind == "emit":
            to, skip = first, second
            offset = emit(log, 0, to, list(skip))
            if "ann" not in skip and (to is None or to == "ann" or to in rooms[ANN]):
                received.append(offset)
        elif (second in rooms[first]) != (kind == "enter"):
            (rooms[first].add if kind == "enter" else rooms[first].remove)(second)
            log.add_change(first, second, kind == "enter", 0)
    at = min(seen, len(received))
    start = log.find_start(received[at - 1] if at else None, 0, 0)
    assert start is not None
    assert missed(log, ANN, rooms[ANN], start) == received[at:]
