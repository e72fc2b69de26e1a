import pytest

from nsroom.record import Json
from nsroom.tui.top.screen import status
from nsroom.tui.top.state import TopView
from tests.cli.tui.records import NOON, plain
from tests.cli.tui.top.servers import SECOND, Sockets, listed, open_pages, shown, socket


def test_production_mode_only_has_counts() -> None:
    model = open_pages(Sockets(population={"/chat": 412}, hint="production"))
    assert model.rows[0].values == ("/chat", 0, 412, 0)
    assert "412 sockets" in plain(status(TopView(model, "x", ""), 80))
    model.enter()
    assert any("production" in line for line in shown(model))


def test_requested_namespaces_are_listed_without_sockets() -> None:
    assert listed(open_pages(Sockets(), namespaces=("/chat", "/"))) == ["/", "/chat"]
    assert any("no sockets are connected yet" in line for line in shown(open_pages(Sockets())))


@pytest.mark.parametrize(
    ("data", "nick"),
    [
        ({"nick": "ann"}, "ann"),
        ({"user": {"name": "ann"}}, "ann"),
        ({"username": "", "user": "ann"}, "ann"),
        ({"name": "x" * 500}, "x" * 100),
        ({"nick": 5}, None),
        ("ann", None),
        (None, None),
    ],
)
def test_the_users_name_in_a_sockets_data(data: Json, nick: str | None) -> None:
    (row,) = open_pages(Sockets(socket("s1", data=data)), "/chat", "all sockets").rows
    assert row.values[1] == nick


def test_a_socket_shows_its_shared_rooms_and_its_age() -> None:
    ann = socket("ann", "ops", "lobby", "bob", connected=NOON - 90 * SECOND)
    model = open_pages(Sockets(ann, socket("bob")), "/chat", "all sockets")
    assert {row.values[0]: (row.values[5], row.values[7]) for row in model.rows} == {
        "ann": (90, "lobby, ops"),
        "bob": (None, ""),
    }
