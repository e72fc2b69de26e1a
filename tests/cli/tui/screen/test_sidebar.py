import pytest

from nsroom.output.terminal import cells
from nsroom.tui.screen.sidebar import sidebar
from nsroom.tui.screen.state import View
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
