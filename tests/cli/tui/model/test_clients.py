"""The traffic of others: whose it is, which acknowledgement is whose, and what there is no use for."""

from nsroom.record import Record
from nsroom.tui.input.slash_commands import command_help, offered
from nsroom.tui.model.namespaces import State
from nsroom.tui.screen.event_list import rows
from nsroom.tui.screen.keymap import bar, help_lines
from nsroom.tui.screen.sidebar import sidebar
from nsroom.tui.screen.state import Focus, View
from nsroom.tui.screen.status import status
from tests.cli.tui.records import NOON, ack, emit, event, model, plain, seen

EVIL = "\x1b]52;c;eA==\x07"


def passing(*records: Record, at: float = 1.0) -> View:
    made = View(model(*records, relayed=True), "127.0.0.1:3001", proxied_server="localhost:3000")
    made.tick(NOON / 1e6 + at)
    return made


def opened(sid: str, interval: int = 25_000) -> Record:
    return seen("open", sid=sid, time=NOON, data={"pingInterval": interval, "pingTimeout": 20_000})


def test_each_client_has_a_number_and_a_column() -> None:
    viewed = passing(event("hi", sid="abc"), event("hi", sid="def"), event("ho", sid="abc"), seen("open"))
    assert [plain(row)[18:].split()[0] for row in rows(viewed, 80, 10)[0]] == ["#1", "#2", "#1", "opened"]


def test_the_acknowledgements_of_different_clients_are_told_apart() -> None:
    asked = [emit("ask", id=0, sid=sid) for sid in ("abc", "def")]
    viewed = passing(*asked, ack("ask", id=0, sid="def"), ack("ask", id=0, sid="abc"))
    assert viewed.model.acks.partners == {0: 3, 3: 0, 1: 2, 2: 1}


def test_the_end_of_one_client_is_not_the_end_of_the_others() -> None:
    asked = [emit("ask", id=0, sid=sid, time=NOON) for sid in ("abc", "def")]
    viewed = passing(*asked, seen("close", "local", sid="abc"))
    first, second, _ = map(plain, rows(viewed, 80, 10)[0])
    assert first.endswith("✗ unconfirmed")
    assert second.endswith("waiting 1.0 s")
    assert viewed.model.namespaces.state is State.CONNECTED


def test_what_a_server_asks_a_client_waits_for_that_client() -> None:
    (row,) = map(plain, rows(passing(event("ask", id=0, sid="abc", time=NOON)), 80, 1)[0])
    assert row.endswith("waiting 1.0 s")


def test_a_namespace_is_nobodys_own() -> None:
    connected = seen("connect", sid="abc", data={"sid": "nsp-sid"})
    refusals = [seen("connect_error", namespace=name, sid="abc") for name in ("/secret", "/chat")]
    spaces = passing(connected, *refusals, seen("close", "local", sid="abc")).model.namespaces
    assert spaces["/chat"].sid is None
    assert {name: space.state for name, space in spaces.by_name.items()} == {
        "/chat": State.CONNECTED,
        "/secret": State.REFUSED,
    }


def test_rooms_that_others_join_are_not_ours() -> None:
    joining = emit("join", "lobby", id=0, sid="abc")
    answer = ack("join", {"room": "lobby", "members": [{"sid": "x"}]}, id=0, sid="abc")
    assert (
        passing(joining, answer, event("join-room", {"room": "lobby"})).model.namespaces["/chat"].rooms == {}
    )


def test_clients_are_here_until_they_close_or_are_silent() -> None:
    records = [opened("abc"), opened("def"), opened("ghi", interval=1000), event("hi", sid="jkl", time=NOON)]
    records.append(seen("close", "local", sid="def", time=NOON))
    assert "3 clients" in plain(status(passing(*records), 100))
    assert "2 clients" in plain(status(passing(*records, at=30), 100))
    assert plain(status(passing(*records, at=60), 100)).endswith(" 1 client")
    assert "0 clients" in plain(status(passing(*records, at=200), 100))


def test_who_leaves_a_namespace_is_gone_unless_the_session_goes_on() -> None:
    records = [opened("abc"), *(seen("disconnect", sid=sid, time=NOON) for sid in ("abc", "def"))]
    assert plain(status(passing(*records), 100)).endswith(" 1 client")


def test_the_status_names_the_way_and_how_many_even_on_eighty_columns() -> None:
    line = plain(status(passing(opened("abc")), 80))
    assert line.startswith(" nsroom  ● 127.0.0.1:3001 → localhost:3000")
    assert "1 client" in line
    assert "0/s" in line


def test_the_sidebar_lists_clients_and_a_click_shows_only_one() -> None:
    viewed = passing(opened("abc"), opened(f"d{EVIL}"), seen("close", "local", sid="abc", time=NOON))
    lines = [plain(entry.fragments) for entry in sidebar(viewed, 24, 10)]
    assert [line[:9] for line in lines if "#" in line] == [r" ● #2 d\x", " ○ #1 abc"]
    assert "\x1b" not in "".join(lines)
    viewed.model.only_client("abc")
    assert [viewed.model[index].sid for index in viewed.model.rows] == ["abc", "abc"]
    viewed.model.only_client("abc")
    assert len(viewed.model.rows) == 3


def test_ten_thousand_clients_are_not_all_kept() -> None:
    viewed = passing(*(event("hi", sid=f"sid-{number}") for number in range(10_100)))
    assert viewed.model.clients is not None
    assert len(viewed.model.clients.by_sid) == 10_000
    assert viewed.model.clients.label("sid-0") == ""
    assert viewed.model.clients.label("sid-10099") == "#10100"
    assert len(sidebar(viewed, 24, 500)) <= 210


def test_nothing_is_offered_that_would_send() -> None:
    viewed = passing(event("hi", sid="abc"))
    viewed.model.select(0)
    viewed.focus = Focus.STREAM
    shown = plain(bar(viewed, 200, {}))
    assert "C client" in shown
    assert not {"edit and send", "chat", "write"} & set(shown.split("  "))
    text = "\n".join(map(plain, help_lines(viewed, {}, command_help(viewed))))
    assert "Text is a filter" in text
    assert "/emit" not in text
    assert {"where", "save", "copy", "quit"} <= {command.name for command in offered(viewed)}


def test_before_the_first_client_it_says_how_one_gets_here() -> None:
    text = "\n".join(map(plain, rows(passing(), 80, 10)[0]))
    assert "http://127.0.0.1:3001" in text
