from nsroom.tui.top import keys
from nsroom.tui.top.app import ACTIONS
from nsroom.tui.top.state import TopView
from tests.cli.tui.records import plain
from tests.cli.tui.top.servers import Sockets, open_pages, socket


def test_the_key_bar_shows_the_keys_that_work() -> None:
    model = open_pages(Sockets(socket("ann")))
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


def test_every_function_has_an_action() -> None:
    assert list(ACTIONS) == list(keys.KEYS)
