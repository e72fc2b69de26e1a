import pytest

from nsroom.output.terminal import cells
from nsroom.output.times import Times
from nsroom.tui.screen.side_pane import Place
from nsroom.tui.screen.sidebar import move, places, sidebar
from nsroom.tui.screen.state import Focus, View
from tests.cli.tui.drawing import is_drawn, sizes
from tests.cli.tui.records import NOON, ack, emit, event, message, observed, opened, packet, plain, view

EVIL = "\x1b[2J\u202e"


def side(viewed: View, height: int = 20) -> list[str]:
    return [plain(entry.fragments) for entry in sidebar(viewed, 23, height)]


def test_namespaces_and_rooms() -> None:
    viewed = view(
        packet("connect", sid="abc"),
        event("x", namespace="/news"),
        packet("connect_error", namespace="/secret", message="no"),
        emit("join", "lobby", id=1),
        ack("join", {"room": "lobby", "members": [{"sid": "s1", "nick": "ann"}]}, id=1),
        emit("join", "ops", id=2),
        message("other", "bob", "hi"),
        room="lobby",
    )
    assert side(viewed) == [
        " NAMESPACES",
        " ● /chat",
        "   abc",
        " ◌ /news             1",
        " ✗ /secret     refused",
        "",
        " ROOMS",
        " ● lobby             1",
        "   ann",
        " ◌ ops           asked",
        " ○ other         +1",
    ]


def chatting() -> View:
    """Return a view of four namespaces and many rooms, the sidebar of which has the keys."""
    rooms = [f"room-{number}" for number in range(1, 41)]
    records = [
        packet("connect", sid="s1"),
        packet("connect", sid="s2", namespace="/news"),
        packet("connect_error", namespace="/secret", message="no"),
        emit("join", "lobby", id=1),
        ack(
            "join",
            {"room": "lobby", "members": [{"sid": "s1", "nick": "ann"}, {"sid": "s3", "nick": "bob"}]},
            id=1,
        ),
        message("lobby", "bob", "hi", namespace="/news"),
        message("ops", "bob", "hi", namespace="/news"),
        *(event("x", {"room": room}) for room in reversed(rooms)),
        message("room-33", "bob", "hi"),
    ]
    viewed = view(*(each._replace(time=NOON) for each in records), room="lobby")
    viewed.times = Times.UTC
    viewed.sidebar = True
    viewed.side.cursor = Place("/chat", "room-2")
    return viewed


@sizes
async def test_a_line_is_selected(cols: int, rows: int) -> None:
    await is_drawn(chatting(), "sidebar", cols, rows, Focus.SIDEBAR)


@sizes
async def test_unread_first_and_unfolded(cols: int, rows: int) -> None:
    viewed = chatting()
    viewed.side.unread_first = True
    viewed.side.cursor = Place("/news")
    viewed.side.toggle(Place("/news"))
    await is_drawn(viewed, "sidebar-unfolded", cols, rows, Focus.SIDEBAR)


def test_rooms_and_members_fold() -> None:
    viewed = chatting()
    assert "   bob" in side(viewed, 60)
    viewed.side.toggle(Place("/chat", "lobby"))
    assert "   bob" not in side(viewed, 60)
    viewed.side.toggle(Place("/chat"))
    assert side(viewed, 60)[-1] == "   41 folded"


def test_moving_through_all_lines_scrolls() -> None:
    viewed = chatting()
    viewed.focus = Focus.SIDEBAR
    move(viewed, -100)
    seen = []
    for _ in range(50):
        lines = sidebar(viewed, 23, 14)
        (marked,) = {
            entry.place for entry in lines if any("class:row" in style for style, _ in entry.fragments)
        }
        assert len(lines) == 14
        seen.append(marked)
        move(viewed, 1)
    assert list(dict.fromkeys(seen)) == places(viewed)
    assert [place.room for place in seen[4:8]] == ["room-1", "room-2", "room-3", "room-4"]


@pytest.mark.parametrize("height", [1, 2, 4, 7, 10, 40])
def test_it_fits_and_counts_the_rest(height: int) -> None:
    records = [event("x", {"room": f"r{n}{EVIL}"}, namespace=f"/n{n % 20}{EVIL}") for n in range(400)]
    viewed = view(*records, namespace=f"/n1{EVIL}")
    lines = ["".join(part for _, part in entry.fragments) for entry in sidebar(viewed, 23, height)]
    assert len(lines) <= height
    assert all(line.isprintable() and cells(line) <= 23 for line in lines)
    if height >= 7:
        assert any(line.strip().endswith("more") for line in lines)


def test_clients_newest_first() -> None:
    viewed = observed(opened("abc"), opened(f"d{EVIL}"), packet("close", "local", sid="abc", time=NOON))
    lines = [plain(entry.fragments) for entry in sidebar(viewed, 24, 10)]
    assert [line[:9] for line in lines if "#" in line] == [r" ● #2 d\x", " ○ #1 abc"]
    assert "\x1b" not in "".join(lines)
    viewed.model.only_client("abc")
    assert [viewed.model[index].sid for index in viewed.model.rows] == ["abc", "abc"]
    viewed.model.only_client("abc")
    assert len(viewed.model.rows) == 3
