import pytest

from nsroom.output.terminal import cells
from nsroom.output.times import Times
from nsroom.proxy.marks import Mark, State
from nsroom.record import Record
from nsroom.tui.screen.event_list import rows
from nsroom.tui.screen.state import Focus, RowColour
from tests.cli.tui.drawing import is_drawn, sizes
from tests.cli.tui.records import EVIL, NOON, ack, emit, event, message, observed, packet, plain, shop, view


def shown(*records: Record, width: int = 90, height: int = 20, at: float = 1.0) -> list[str]:
    """Return the rows without their times."""
    viewed = view(*records)
    viewed.tick(NOON / 1e6 + at)
    return [plain(row)[13:] for row in rows(viewed, width, height)[0][: len(records)]]


def test_the_state_of_an_acknowledgement() -> None:
    sent = emit("join", "lobby", id=1, time=NOON)
    assert shown(sent)[0].endswith("waiting 1.0 s")
    assert shown(sent, at=60)[0].endswith("no answer")
    assert shown(sent, ack("join", {"ok": True}, id=1))[0].endswith("✓ 2.4 ms")
    assert shown(sent, ack("join", {"error": "no"}, id=1))[0].endswith("✗ 2.4 ms")
    assert shown(sent, packet("close", "local"))[0].endswith("✗ unconfirmed")


def test_a_narrow_row_shows_only_the_sign_of_an_acknowledgement() -> None:
    sent = emit("join", "lobby", id=1, time=NOON)
    assert shown(sent, width=40)[0].endswith(" …")
    assert shown(sent, ack("join", {"ok": True}, id=1), width=40)[0].endswith(" ✓")


@sizes
async def test_rows_of_every_kind(cols: int, rows: int) -> None:
    await is_drawn(shop(), "rows", cols, rows)


@sizes
async def test_collapsed_repeats_and_unfolded_acknowledgements(cols: int, rows: int) -> None:
    viewed = shop()
    viewed.model.collapse()
    viewed.model.show_acknowledgements(True)
    viewed.sidebar = 60 < cols < 100
    await is_drawn(viewed, "rows-collapsed", cols, rows)


def test_handshakes_are_dim() -> None:
    viewed = view(packet("open", sid="s"), packet("connect", "out"), packet("connect", sid="s"))
    styles = {style for row in rows(viewed, 90, 3)[0] for style, text in row[2:] if text.strip()}
    assert styles == {"class:quiet"}


def test_rows_are_coloured_by_event_or_namespace() -> None:
    def tints(by: RowColour) -> list[str]:
        viewed = view(event("a"), event("b"), event("a", namespace="/news"))
        viewed.row_colour = by
        return [
            next((style.split(":tint")[1] for style, _ in row if "tint" in style), "")
            for row in rows(viewed, 90, 3)[0]
        ]

    assert tints(RowColour.NONE) == ["", "", ""]
    first, second, third = tints(RowColour.EVENT)
    assert first == third != second
    first, second, third = tints(RowColour.NAMESPACE)
    assert first == second != third


def test_an_event_that_wants_a_reply() -> None:
    assert shown(event("ask", id=5))[0].endswith("wants a reply (/reply)")


def test_two_namespaces_get_a_column() -> None:
    assert shown(event("hi"))[0] == "  ←  hi"
    assert shown(event("hi"), event("hi", namespace="/my-namespace"))[0] == "  ←  /chat          hi"


def test_selected_and_marked_rows() -> None:
    viewed = view(event("a"), event("b"))
    viewed.model.select(0)
    viewed.model.mark()
    viewed.model.select(1)
    first, second = rows(viewed, 80, 2)[0]
    assert (plain(first)[0], plain(second)[0]) == ("•", "▌")
    assert all("class:row" in style for style, _ in second)


def test_times_since_the_previous_row() -> None:
    viewed = view(event("a", time=NOON), event("b", time=NOON + 1_500_000))
    viewed.times = Times.DELTA
    assert [plain(row)[1:13].strip() for row in rows(viewed, 80, 2)[0]] == ["+0.0 ms", "+1.5 s"]


def test_matches_of_the_search_are_marked() -> None:
    viewed = view(event("price", {"symbol": "ACME"}))
    viewed.model.pattern = "acme"
    (row,) = rows(viewed, 80, 1)[0]
    assert [part for style, part in row if "class:match" in style] == ["ACME"]


@pytest.mark.parametrize("width", [20, 40, 59, 60, 80, 110, 300])
def test_rows_have_exactly_the_width_and_safe_text(width: int) -> None:
    records = [
        event(EVIL, {EVIL: [EVIL]}, id=1),
        emit("漢字" * 20, "🎉" * 100, id=2),
        message(EVIL, EVIL, EVIL),
        packet("connect_error", message=EVIL, namespace=f"/{EVIL}"),
        event("e" * 100, "é" * 1000),
        ack("x" * 200, {"error": EVIL}, id=2),
    ]
    for row in rows(view(*records), width, len(records))[0]:
        line = "".join(part for _, part in row)
        assert cells(line) == width
        assert line.isprintable()


class Known:
    """A client of the reference server."""

    def is_reference_server(self, _: str) -> bool:
        return True


def test_few_rows_are_followed_by_first_steps() -> None:
    lines = [plain(row) for row in rows(view(packet("connect", sid="abc")), 80, 20)[0]]
    assert "  connected to /chat as abc" in lines
    assert "  /join lobby                emit join: ask for a room" in lines
    assert not any("/rooms" in line for line in lines)


def test_the_first_steps_are_those_of_the_server() -> None:
    viewed = view(packet("connect", sid="abc"), room="lobby")
    viewed.client = Known()  # type: ignore[assignment]
    lines = [plain(row) for row in rows(viewed, 80, 20)[0]]
    assert "  hello everyone             send a message to lobby" in lines
    assert "  /rooms                     list the rooms" in lines
    assert not any("/emit" in line for line in lines)


def test_nothing_matches() -> None:
    viewed = view(event("a"))
    viewed.model.filter("event=b")
    assert plain(rows(viewed, 80, 20)[0][1]) == "  nothing matches the filter; x shows everything"


def test_a_failed_connection_shows_the_reason_and_the_keys() -> None:
    viewed = view()
    viewed.failure = f"cannot connect: no server listens {EVIL}"
    text = "\n".join(plain(row) for row in rows(viewed, 60, 20)[0])
    assert "cannot connect: no server listens" in text
    assert "r try again   q quit" in text
    viewed.focus = Focus.INPUT
    assert "Esc r try again   q quit" in "\n".join(plain(row) for row in rows(viewed, 60, 20)[0])
    assert "\x1b" not in text


def test_a_proxy_shows_the_number_of_each_client() -> None:
    viewed = observed(event("hi", sid="abc"), event("hi", sid="def"), event("ho", sid="abc"), packet("open"))
    assert [plain(row)[18:].split()[0] for row in rows(viewed, 90, 10)[0]] == ["#1", "#2", "#1", "opened"]


def test_an_observed_event_waits_for_the_clients_reply() -> None:
    (row,) = map(plain, rows(observed(event("ask", id=0, sid="abc", time=NOON)), 80, 1)[0])
    assert row.endswith("waiting 1.0 s")


def test_a_proxy_without_clients_shows_how_to_connect_one() -> None:
    text = "\n".join(map(plain, rows(observed(), 80, 10)[0]))
    assert "http://127.0.0.1:3001" in text


@pytest.mark.parametrize(
    ("state", "fields", "text"),
    [
        ("waiting", {"id": 1}, "‖ waits for you"),
        ("behind", {}, "‖ behind"),
        ("dropped", {"id": 1}, "✗ dropped"),
        ("edited", {}, "edited"),
        ("edited", {"id": 1}, "edited  waiting 1.0 s"),
        ("sent", {}, "yours"),
        ("forwarded", {"id": 1}, "waiting 1.0 s"),
    ],
)
def test_packets_that_wait_or_waited(state: str, fields: dict[str, int], text: str) -> None:
    mark = Mark(id=1, state=State(state))
    sent = emit("join", "lobby", time=NOON, data={"intercept": mark}, **fields)
    assert shown(sent)[0].endswith(f"  {text}")
    assert plain(rows(view(sent), 40, 3)[0][0])
