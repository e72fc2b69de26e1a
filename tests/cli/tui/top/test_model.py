"""The pages of `top`, and the position in them."""

from hypothesis import given, settings
from hypothesis import strategies as st

from nsroom.tui.top.activity import Scope
from nsroom.tui.top.rows import Level
from nsroom.tui.top.screen import path
from nsroom.tui.top.state import TopView
from tests.cli.tui.records import NOON, event, packet, plain
from tests.cli.tui.top.servers import (
    SECOND,
    Sockets,
    advance,
    learn,
    listed,
    open_pages,
    select,
    shown,
    socket,
)


def test_from_namespaces_to_events_and_back() -> None:
    model = open_pages(Sockets(socket("ann", "lobby"), socket("bob", "lobby", "ops")))
    assert [(row.values) for row in model.rows] == [("/chat", 2, 2, 0)]
    model.enter()
    assert [row.values for row in model.rows] == [("all sockets", 2, 0), ("lobby", 2, 0), ("ops", 1, 0)]
    select(model, "ops")
    model.enter()
    assert listed(model) == ["bob"]
    model.enter()
    assert model.page.level is Level.EVENTS
    learn(model, event("hi", "everyone", sid="bob"), event("hi", sid="ann"))
    (line,) = shown(model)
    assert line.endswith('←  hi              "everyone"')
    assert [model.back() for _ in range(4)] == [True, True, True, False]
    assert model.page.level is Level.NAMESPACES


def test_the_busiest_rows_come_first_and_do_not_jump() -> None:
    model = open_pages(Sockets(socket("ann", "a"), socket("bob", "b"), socket("cat", "b")), "/chat")
    assert listed(model)[1:] == ["b", "a"]
    learn(model, *[event("hi", sid="ann")] * 5)
    assert listed(model)[1:] == ["a", "b"]
    learn(model, event("hi", sid="bob"))
    assert listed(model)[1:] == ["a", "b"]


def test_the_sockets_of_a_large_server_are_counted_less_often() -> None:
    server = Sockets(*(socket(f"{number}", "lobby") for number in range(100_000)))
    model = open_pages(server)
    server.sockets.pop()
    assert [advance(model, 0.5).rows[0].values[2] for _ in range(4)] == [100_000] * 3 + [99_999]
    server = Sockets(socket("ann"), socket("bob"))
    model = open_pages(server)
    server.sockets.pop()
    assert [advance(model, 0.2).rows[0].values[2] for _ in range(2)] == [2, 1]


def test_sorting_by_each_column_both_ways() -> None:
    model = open_pages(
        Sockets(socket("ann", "Lobby"), socket("bob", "ops", "Lobby"), socket("cat", "arena")), "/chat"
    )
    orders = []
    for _ in range(3):
        model.sort()
        orders.append((model.sorts[Level.ROOMS][0], listed(model)[1:]))
    assert orders == [
        ("room", ["arena", "Lobby", "ops"]),
        ("sockets", ["Lobby", "arena", "ops"]),
        ("events/s", ["Lobby", "arena", "ops"]),
    ]
    model.sort()
    model.reverse()
    assert listed(model) == ["all sockets", "ops", "Lobby", "arena"]
    assert "room▼" in shown(model)[0]


def test_unknown_values_are_the_lowest() -> None:
    known = [
        socket("ann", connected=NOON - 5 * SECOND),
        socket("bob"),
        socket("cat", connected=NOON - 90 * SECOND),
    ]
    model = open_pages(Sockets(*known), "/chat", "all sockets")
    while model.sorts[Level.SOCKETS][0] != "since":
        model.sort()
    assert listed(model) == ["cat", "ann", "bob"]
    assert "1 m" in shown(model)[1]


def test_a_filter_searches_all_texts_and_back_removes_it() -> None:
    model = open_pages(
        Sockets(
            socket("ann", "lobby"), socket("bob", address="10.0.0.7"), socket("cat", data={"nick": "Lobo"})
        ),
        "/chat",
        "all sockets",
    )
    model.filter("LOB")
    assert listed(model) == ["ann", "cat"]
    assert "LOB: 2 of 3" in plain(path(TopView(model, "x", ""), 80))
    model.filter("10.0")
    assert listed(model) == ["bob"]
    model.filter("nobody")
    assert any("no row contains 'nobody'; Esc shows everything" in line for line in shown(model))
    assert model.back()
    assert (len(model.rows), model.page.level) == (3, Level.SOCKETS)


def test_the_selected_row_stays_selected() -> None:
    server = Sockets(*(socket(f"s{number}") for number in range(9)))
    model = open_pages(server, "/chat", "all sockets")
    select(model, "s4")
    server.sockets.insert(0, socket("s0a"))
    learn(model, event("hi", sid="s8"))
    assert model.rows[model.page.at].values[0] == "s4"
    server.sockets = [each for each in server.sockets if each.sid != "s4"]
    advance(model)
    assert model.rows[model.page.at].values[0] == "s5"
    server.sockets = server.sockets[:1]
    advance(model)
    assert model.rows[model.page.at].values[0] == "s0a"


def test_the_first_row_is_selected_at_the_start() -> None:
    model = open_pages(Sockets(socket("ann"), socket("bob")), "/chat", "all sockets")
    learn(model, event("hi", sid="bob"))
    assert (listed(model), model.page.at) == (["bob", "ann"], 0)


def test_the_current_room_and_socket_disappear() -> None:
    server = Sockets(socket("ann", "lobby"))
    model = open_pages(server, "/chat", "lobby", "ann")
    learn(model, event("hi", sid="ann"))
    server.sockets.clear()
    learn(model, packet("disconnect", namespace="/chat", sid="ann", reason="transport close"))
    assert model.is_gone
    assert [line.split()[2] for line in shown(model)] == ["hi", "disconnected"]
    assert "gone" in plain(path(TopView(model, "x", ""), 80))
    model.back()
    assert any("this room is empty now; Esc goes back" in line for line in shown(model))
    model.enter()
    assert model.page.level is Level.SOCKETS


def test_a_socket_shows_earlier_events_and_scrolls() -> None:
    model = open_pages(Sockets(socket("ann", "lobby")), "/chat", "all sockets")
    learn(model, *[event(f"e{number}", sid="ann") for number in range(30)])
    model.enter()
    assert [line.split()[-1] for line in shown(model, height=3)] == ["e27", "e28", "e29"]
    model.move(-5)
    assert [line.split()[-1] for line in shown(model, height=3)] == ["e22", "e23", "e24"]
    model.home()
    assert shown(model, height=3)[0].endswith("e0")
    model.end()
    assert shown(model, height=3)[-1].endswith("e29")


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from("udUDheEbsrft"), max_size=40), st.integers(1, 30))
def test_no_sequence_of_keys_breaks_it(pressed: list[str], height: int) -> None:
    server = Sockets(*(socket(f"s{number}", f"r{number % 4}") for number in range(12)))
    model = open_pages(server)
    for key in pressed:
        match key:
            case "u" | "d" | "U" | "D":
                model.move({"u": -1, "d": 1, "U": -7, "D": 7}[key])
            case "h":
                model.home()
            case "e":
                model.end()
            case "E":
                model.enter()
            case "b":
                model.back()
            case "s":
                model.sort()
            case "r":
                model.reverse()
            case "f":
                model.filter("" if model.page.pattern else "1")
            case "t":
                server.sockets = server.sockets[1:]
                advance(model)
        rows, at = model.visible(height)
        assert len(rows) <= height
        assert not rows or 0 <= at < len(rows)
        assert len(shown(model, height=height)) >= 0


def test_a_search_goes_round() -> None:
    model = open_pages(
        Sockets(socket("ann", "lobby"), socket("bob", "Lobby 2"), socket("cat", "ops")), "/chat"
    )
    assert [model.search("lobby") and listed(model)[model.page.at] for _ in range(3)] == [
        "lobby",
        "Lobby 2",
        "lobby",
    ]
    assert model.search("lobby", forward=False)
    assert model.selected == Scope("/chat", "Lobby 2")
    assert not model.search("nowhere")
    model.enter()
    model.enter()
    assert model.selected == Scope("/chat", "Lobby 2", "bob")


def test_columns_that_no_socket_fills_are_left_out() -> None:
    ann, bob = socket("ann", "lobby"), socket("bob", "lobby")
    plain_names = [column.name for column in open_pages(Sockets(ann, bob), "/chat", "lobby").columns]
    assert {"who", "server"} & {*plain_names} == set()
    known = Sockets(socket("ann", "lobby", server="one", data={"nick": "Ann"}), bob)
    names = [column.name for column in open_pages(known, "/chat", "lobby").columns]
    assert {"who", "server"} <= {*names}
