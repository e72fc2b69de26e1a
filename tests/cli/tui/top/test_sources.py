"""Snapshots from admin namespaces, in production mode too, and from the server's own events."""

from nsroom.tui.top.sources import EventsSource
from tests.cli.tui.conftest import Show
from tests.cli.tui.top.terminals import member, row, top
from tests.conftest import StartServer
from tests.peers.program import Spawner


async def test_production_mode(show: Show, node_server: StartServer, spawn: Spawner) -> None:
    server = await node_server("admin4.js", "--auth", "--mode", "production")
    await member(spawn, server, "lobby")
    terminal = await top(show, server)
    await terminal.until(lambda text: row(text, "/chat")[1:3] == ["0", "1"], timeout=20)
    terminal.press("/", "chat", "Enter", "Enter")
    await terminal.until("in production mode the admin namespace only counts")


async def test_a_server_without_any_source(show: Show, python_server: StartServer) -> None:
    server = await python_server()
    terminal = await show("top", "-u", server.url, "--timeout", "1")
    assert await terminal.program.end() == 7
    text = terminal.program.stdout.text.replace("\r\n", "")
    assert "\x1b[?1049h" not in text
    assert "the server is not instrumented" in text
    assert "answer to `rooms` is not a list of rooms" in text


def test_rooms_with_members_become_sockets() -> None:
    ann, bob = {"sid": "s1", "nick": "ann"}, {"sid": "s2"}
    source = EventsSource()
    source.update(
        [
            {"namespace": "/chat", "room": "lobby", "members": [ann, bob]},
            {"namespace": "/chat", "room": "ops", "members": [ann, "?", {"sid": 5}]},
            {"namespace": "/news", "room": "lobby", "members": [ann]},
        ]
    )
    snapshot = source(0)
    assert [(*each.key, sorted(each.rooms)) for each in snapshot.sockets] == [
        ("/chat", "s1", ["lobby", "ops"]),
        ("/chat", "s2", ["lobby"]),
        ("/news", "s1", ["lobby"]),
    ]
    assert snapshot.population == {"/chat": 2, "/news": 1}
    assert snapshot.sockets[0].data == ann
