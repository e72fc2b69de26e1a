import pytest

from nsroom.introspection.inventory import Server
from nsroom.output.terminal import cells
from nsroom.tui.top import keys
from nsroom.tui.top.screen import body, path, status
from nsroom.tui.top.state import TopView
from tests.cli.tui.records import EVIL, NOON, event
from tests.cli.tui.top.servers import Sockets, learn, open_pages, shown, socket


def test_hints_without_an_admin_namespace() -> None:
    model = open_pages(Sockets(socket("ann", "lobby"), hint="only rooms"), sees_events=False)
    assert "events/s" not in shown(model)[0]
    model.enter()
    assert any("only rooms" in line for line in shown(model))
    model.enter()
    assert [column.name for column in model.columns] == ["sid", "rooms"]
    model.enter()
    assert any("only an admin namespace shows events" in line for line in shown(model))


def test_servers_are_shown_if_there_is_room() -> None:
    servers = [Server(f"vm{number}{EVIL}", {"/chat": number}, number, NOON) for number in range(9)]
    model = open_pages(Sockets(socket("ann"), servers=servers))
    assert sum("server vm" in line for line in shown(model, height=20)) == 4
    assert any("and 5 more servers" in line for line in shown(model, height=20))
    assert not any("server vm" in line for line in shown(model, height=8))


@pytest.mark.parametrize("width", [1, 7, 20, 39, 40, 60, 80, 120, 300])
@pytest.mark.parametrize("depth", range(4))
def test_lines_have_exactly_the_width_and_safe_text(width: int, depth: int) -> None:
    evil = socket(
        f"sid{EVIL}", f"room{EVIL}", f"部屋{EVIL}", data={"nick": EVIL * 50}, address=EVIL, connected=1
    )
    model = open_pages(Sockets(evil))
    learn(model, event(f"e{EVIL}", {EVIL: EVIL}, sid=evil.sid))
    for _ in range(depth):
        model.move(1)
        model.enter()
    view = TopView(model, f"host{EVIL}", EVIL)
    for line in [*body(view, width, 10), status(view, width), path(view, width), keys.bar(view, width, {})]:
        text = "".join(part for _, part in line)
        assert cells(text) == width or not text
        assert text.isprintable()
