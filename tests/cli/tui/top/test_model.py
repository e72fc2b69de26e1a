"""What the view of a server lists, and where the reader is in it."""

import random
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nsroom.introspection.inventory import Server, Socket
from nsroom.output.terminal import cells
from nsroom.record import Record
from nsroom.tui.top import keys
from nsroom.tui.top.activity import Scope, Snapshot
from nsroom.tui.top.model import Model
from nsroom.tui.top.rows import Level
from nsroom.tui.top.screen import body, path, status
from nsroom.tui.top.state import TopView
from tests.cli.tui.records import NOON, emit, event, plain, seen

SECOND = 1_000_000
EVIL = "\x1b]52;c;eA==\x07\u202e\x9b31m\u200b"


def socket(sid: str, *rooms: str, namespace: str = "/chat", **fields: Any) -> Socket:
    return Socket(namespace, sid, frozenset([sid, *rooms]), whole=True, **fields)


class Crowd:
    """A server whose sockets a test changes."""

    def __init__(self, *sockets: Socket, **fields: Any) -> None:
        self.sockets = list(sockets)
        self.fields = fields

    def __call__(self, _now: int) -> Snapshot:
        counts: dict[str, int] = {}
        for each in self.sockets:
            counts[each.namespace] = counts.get(each.namespace, 0) + 1
        return Snapshot(self.sockets, **{"population": counts, **self.fields})


def looking(server: Crowd, *down: str, **options: Any) -> Model:
    """Make a model, and go down through rows of these names."""
    model = Model(server, **options)
    model.tick(NOON)
    for name in down:
        select(model, name)
        model.enter()
    return model


def select(model: Model, name: str) -> None:
    names = listed(model)
    model.home()
    model.move(names.index(name))


def listed(model: Model) -> list[Any]:
    return [row.values[0] for row in model.rows]


def later(model: Model, seconds: float = 1) -> Model:
    model.tick(model.now + round(seconds * SECOND))
    return model


def shown(model: Model, width: int = 80, height: int = 12) -> list[str]:
    return [plain(line) for line in body(TopView(model, "localhost:3000", "by /admin"), width, height)]


def happens(model: Model, *records: Record) -> None:
    model.learn(records, model.now)
    later(model)


def test_down_to_what_a_socket_does_and_back() -> None:
    model = looking(Crowd(socket("ann", "lobby"), socket("bob", "lobby", "ops")))
    assert [(row.values) for row in model.rows] == [("/chat", 2, 2, 0)]
    model.enter()
    assert [row.values for row in model.rows] == [("all sockets", 2, 0), ("lobby", 2, 0), ("ops", 1, 0)]
    select(model, "ops")
    model.enter()
    assert listed(model) == ["bob"]
    model.enter()
    assert model.page.level is Level.EVENTS
    happens(model, event("hi", "everyone", sid="bob"), event("hi", sid="ann"))
    (line,) = shown(model)
    assert line.endswith('←  hi              "everyone"')
    assert [model.back() for _ in range(4)] == [True, True, True, False]
    assert model.page.level is Level.NAMESPACES


def test_each_event_counts_where_it_happened() -> None:
    model = looking(Crowd(socket("ann", "lobby"), socket("bob", "ops"), socket("cat", namespace="/")))
    happens(
        model,
        event("hi", sid="ann"),
        emit("ho", sid="ann"),
        event("hi", sid="bob"),
        event("join-room", {"room": "ops"}, sid="bob", direction="local"),
        seen("disconnect", namespace="/chat", sid="zed"),
    )
    assert {row.values[0]: row.values[-1] for row in model.rows} == {"/chat": 3, "/": 0}
    model.enter()
    assert {row.values[0]: row.values[-1] for row in model.rows} == {"all sockets": 3, "lobby": 2, "ops": 1}
    later(model)
    assert [row.values[-1] for row in model.rows] == [0, 0, 0]


def test_the_busiest_come_first_and_change_places_calmly() -> None:
    model = looking(Crowd(socket("ann", "a"), socket("bob", "b"), socket("cat", "b")), "/chat")
    assert listed(model)[1:] == ["b", "a"]
    happens(model, *[event("hi", sid="ann")] * 5)
    assert listed(model)[1:] == ["a", "b"]
    happens(model, event("hi", sid="bob"))
    assert listed(model)[1:] == ["a", "b"]


def test_sorting_by_each_column_both_ways() -> None:
    model = looking(
        Crowd(socket("ann", "Lobby"), socket("bob", "ops", "Lobby"), socket("cat", "arena")), "/chat"
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


def test_what_is_not_known_is_less_than_anything() -> None:
    known = [
        socket("ann", connected=NOON - 5 * SECOND),
        socket("bob"),
        socket("cat", connected=NOON - 90 * SECOND),
    ]
    model = looking(Crowd(*known), "/chat", "all sockets")
    while model.sorts[Level.SOCKETS][0] != "since":
        model.sort()
    assert listed(model) == ["cat", "ann", "bob"]
    assert "1 m" in shown(model)[1]


def test_a_filter_looks_at_every_text_and_esc_takes_it_off() -> None:
    model = looking(
        Crowd(
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


def test_the_selected_row_stays_selected_wherever_it_goes() -> None:
    server = Crowd(*(socket(f"s{number}") for number in range(9)))
    model = looking(server, "/chat", "all sockets")
    select(model, "s4")
    server.sockets.insert(0, socket("s0a"))
    happens(model, event("hi", sid="s8"))
    assert model.rows[model.page.at].values[0] == "s4"
    server.sockets = [each for each in server.sockets if each.sid != "s4"]
    later(model)
    assert model.rows[model.page.at].values[0] == "s5"
    server.sockets = server.sockets[:1]
    later(model)
    assert model.rows[model.page.at].values[0] == "s0a"


def test_without_a_choice_the_first_row_is_selected() -> None:
    model = looking(Crowd(socket("ann"), socket("bob")), "/chat", "all sockets")
    happens(model, event("hi", sid="bob"))
    assert (listed(model), model.page.at) == (["bob", "ann"], 0)


def test_a_room_and_a_socket_that_vanish_while_looked_at() -> None:
    server = Crowd(socket("ann", "lobby"))
    model = looking(server, "/chat", "lobby", "ann")
    happens(model, event("hi", sid="ann"))
    server.sockets.clear()
    happens(model, seen("disconnect", namespace="/chat", sid="ann", reason="transport close"))
    assert model.is_gone
    assert [line.split()[2] for line in shown(model)] == ["hi", "disconnected"]
    assert "gone" in plain(path(TopView(model, "x", ""), 80))
    model.back()
    assert any("this room is empty now; Esc goes back" in line for line in shown(model))
    model.enter()
    assert model.page.level is Level.SOCKETS


def test_a_socket_shows_what_it_did_before_it_was_opened_and_scrolls() -> None:
    model = looking(Crowd(socket("ann", "lobby")), "/chat", "all sockets")
    happens(model, *[event(f"e{number}", sid="ann") for number in range(30)])
    model.enter()
    assert [line.split()[-1] for line in shown(model, height=3)] == ["e27", "e28", "e29"]
    model.move(-5)
    assert [line.split()[-1] for line in shown(model, height=3)] == ["e22", "e23", "e24"]
    model.home()
    assert shown(model, height=3)[0].endswith("e0")
    model.end()
    assert shown(model, height=3)[-1].endswith("e29")


def test_events_are_counted_by_our_own_clock() -> None:
    model = looking(Crowd(socket("ann")))
    happens(model, event("hi", sid="ann", time=NOON - 3600 * SECOND))
    assert model.rows[0].values[-1] == 1


def test_where_events_cannot_be_seen_it_says_so() -> None:
    model = looking(Crowd(socket("ann", "lobby"), hint="only rooms"), sees_events=False)
    assert "events/s" not in shown(model)[0]
    model.enter()
    assert any("only rooms" in line for line in shown(model))
    model.enter()
    assert [column.name for column in model.columns] == ["sid", "rooms"]
    model.enter()
    assert any("only an admin namespace shows events" in line for line in shown(model))


def test_production_mode_has_counts_only() -> None:
    model = looking(Crowd(population={"/chat": 412}, hint="production"))
    assert model.rows[0].values == ("/chat", 0, 412, 0)
    assert "412 sockets" in plain(status(TopView(model, "x", ""), 80))
    model.enter()
    assert any("production" in line for line in shown(model))


def test_servers_are_described_where_there_is_room() -> None:
    servers = [Server(f"vm{number}{EVIL}", {"/chat": number}, number, NOON) for number in range(9)]
    model = looking(Crowd(socket("ann"), servers=servers))
    assert sum("server vm" in line for line in shown(model, height=20)) == 4
    assert any("and 5 more servers" in line for line in shown(model, height=20))
    assert not any("server vm" in line for line in shown(model, height=8))


def test_named_namespaces_are_listed_though_nobody_is_there() -> None:
    assert listed(looking(Crowd(), namespaces=("/chat", "/"))) == ["/", "/chat"]
    assert any("no sockets are connected yet" in line for line in shown(looking(Crowd())))


@pytest.mark.parametrize("width", [1, 7, 20, 39, 40, 60, 80, 120, 300])
@pytest.mark.parametrize("depth", range(4))
def test_lines_have_exactly_the_width_and_nothing_raw(width: int, depth: int) -> None:
    evil = socket(
        f"sid{EVIL}", f"room{EVIL}", f"部屋{EVIL}", data={"nick": EVIL * 50}, address=EVIL, connected=1
    )
    model = looking(Crowd(evil))
    happens(model, event(f"e{EVIL}", {EVIL: EVIL}, sid=evil.sid))
    for _ in range(depth):
        model.move(1)
        model.enter()
    view = TopView(model, f"host{EVIL}", EVIL)
    for line in [*body(view, width, 10), status(view, width), path(view, width), keys.bar(view, width, {})]:
        text = "".join(part for _, part in line)
        assert cells(text) == width or not text
        assert text.isprintable()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from("udUDheEbsrft"), max_size=40), st.integers(1, 30))
def test_no_sequence_of_keys_breaks_it(pressed: list[str], height: int) -> None:
    server = Crowd(*(socket(f"s{number}", f"r{number % 4}") for number in range(12)))
    model = looking(server)
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
                later(model)
        rows, at = model.visible(height)
        assert len(rows) <= height
        assert not rows or 0 <= at < len(rows)
        assert len(shown(model, height=height)) >= 0


def test_five_thousand_sockets_cost_no_more_each_than_five_hundred() -> None:
    def cost(sockets: int) -> float:
        chance = random.Random(1)
        crowd = [
            socket(f"sid-{number:05}", *(f"room-{chance.randrange(900)}" for _ in "123"))
            for number in range(sockets)
        ]
        model = looking(Crowd(*crowd), "/chat", "all sockets")
        records = [event("hi", {"n": number}, sid=f"sid-{number:05}") for number in range(sockets)]
        began = time.process_time()
        for _ in range(3):
            happens(model, *records)
            model.move(40)
            assert len(shown(model, 120, 40)) == 40
        return time.process_time() - began

    # Ten times as much, and as much again for a machine that is busy; with its square it would be 100.
    assert cost(5000) < 40 * min(cost(500) for _ in range(3))


def test_what_is_gone_is_forgotten() -> None:
    server = Crowd()
    model = looking(server)
    for turn in range(30):
        server.sockets = [socket(f"{turn}-{number}", f"room-{turn}-{number}") for number in range(100)]
        later(model)
        happens(model, *(event("hi", sid=each.sid) for each in server.sockets))
    assert len(model.activity._rates) < 3000
    assert model.activity.rate(Scope("/chat", sid="0-0")) is None


def test_the_key_bar_names_what_works_here() -> None:
    model = looking(Crowd(socket("ann")))
    view = TopView(model, "x", "")
    assert "Esc" not in plain(keys.bar(view, 100, {}))
    model.enter()
    assert "Esc back" in plain(keys.bar(view, 100, {}))
    model.filter("a")
    assert "Esc show all" in plain(keys.bar(view, 100, {}))
    text = "\n".join(plain(line) for line in keys.help_lines({"up": ("f6",)}))
    assert "F6" in text
    assert all(known[1] in text for known in keys.KEYS.values())
    assert max(len(line) for line in text.splitlines()) < 78
