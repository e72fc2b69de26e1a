import random
import time

import pytest

from nsroom.tui.top.activity import Scope
from tests.cli.tui.records import NOON, emit, event, packet
from tests.cli.tui.top.servers import SECOND, Sockets, advance, learn, open_pages, shown, socket


def test_an_event_counts_for_socket_rooms_and_namespace() -> None:
    model = open_pages(Sockets(socket("ann", "lobby"), socket("bob", "ops"), socket("cat", namespace="/")))
    learn(
        model,
        event("hi", sid="ann"),
        emit("ho", sid="ann"),
        event("hi", sid="bob"),
        event("join-room", {"room": "ops"}, sid="bob", direction="local"),
        packet("disconnect", namespace="/chat", sid="zed"),
    )
    assert {row.values[0]: row.values[-1] for row in model.rows} == {"/chat": 3, "/": 0}
    model.enter()
    assert {row.values[0]: row.values[-1] for row in model.rows} == {"all sockets": 3, "lobby": 2, "ops": 1}
    advance(model)
    assert [row.values[-1] for row in model.rows] == [0, 0, 0]


def test_an_event_to_several_counts_for_its_rooms_and_the_namespace() -> None:
    model = open_pages(Sockets(socket("ann", "lobby"), socket("bob", "ops")))
    learn(
        model,
        event("hi", sid=None, data={"rooms": ["lobby"]}),
        event("hi", sid=None, data={"rooms": ["lobby", "ops"]}),
        event("hi", sid=None, data={"rooms": "odd"}),
        packet("disconnect", namespace="/chat", sid=None),
    )
    assert {row.values[0]: row.values[-1] for row in model.rows} == {"/chat": 3}
    model.enter()
    assert {row.values[0]: row.values[-1] for row in model.rows} == {"all sockets": 3, "lobby": 2, "ops": 1}


def test_events_are_counted_by_our_clock() -> None:
    model = open_pages(Sockets(socket("ann")))
    learn(model, event("hi", sid="ann", time=NOON - 3600 * SECOND))
    assert model.rows[0].values[-1] == 1


def test_rates_of_disconnected_sockets_are_dropped() -> None:
    server = Sockets()
    model = open_pages(server)
    for turn in range(30):
        server.sockets = [socket(f"{turn}-{number}", f"room-{turn}-{number}") for number in range(100)]
        advance(model)
        learn(model, *(event("hi", sid=each.sid) for each in server.sockets))
    assert len(model.activity._rates) < 3000
    assert model.activity.rate(Scope("/chat", sid="0-0")) is None


@pytest.mark.no_cover
def test_five_thousand_sockets_cost_no_more_each_than_five_hundred() -> None:
    def cost(sockets: int) -> float:
        chance = random.Random(1)
        crowd = [
            socket(f"sid-{number:05}", *(f"room-{chance.randrange(900)}" for _ in "123"))
            for number in range(sockets)
        ]
        model = open_pages(Sockets(*crowd), "/chat", "all sockets")
        records = [event("hi", {"n": number}, sid=f"sid-{number:05}") for number in range(sockets)]
        began = time.process_time()
        for _ in range(3):
            learn(model, *records)
            model.move(40)
            assert len(shown(model, 120, 40)) == 40
        return time.process_time() - began

    # Ten times as much, and as much again for a machine that is busy; with its square it would be 100.
    assert cost(5000) < 40 * min(cost(500) for _ in range(3))
