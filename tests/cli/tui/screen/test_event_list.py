import pytest

from nsroom.output.terminal import cells
from nsroom.record import Record
from nsroom.tui.screen.event_list import rows
from tests.cli.tui.records import NOON, ack, emit, event, plain, seen, text, view

EVIL = "\x1b]52;c;eA==\x07\u202e\x9b31m\u200b"


def shown(*records: Record, width: int = 80, height: int = 20, at: float = 1.0) -> list[str]:
    """Give the rows without their times."""
    viewed = view(*records)
    viewed.tick(NOON / 1e6 + at)
    return [plain(row)[13:] for row in rows(viewed, width, height)[0][: len(records)]]


def test_an_emit_shows_what_became_of_it() -> None:
    sent = emit("join", "lobby", id=1, time=NOON)
    assert shown(sent)[0].endswith("waiting 1.0 s")
    assert shown(sent, at=60)[0].endswith("no answer")
    assert shown(sent, ack("join", {"ok": True}, id=1))[0].endswith("✓ 2.4 ms")
    assert shown(sent, ack("join", {"error": "no"}, id=1))[0].endswith("✗ 2.4 ms")
    assert shown(sent, seen("close", "local"))[0].endswith("✗ unconfirmed")


def test_an_event_that_wants_an_answer_says_so() -> None:
    assert shown(event("ask", id=5))[0].endswith("wants a reply (/reply)")


def test_the_namespace_has_a_column_once_there_are_two() -> None:
    assert shown(event("hi"))[0] == "  ←  hi"
    assert shown(event("hi"), event("hi", namespace="/my-namespace"))[0] == "  ←  /chat          hi"


def test_the_selected_and_the_marked() -> None:
    viewed = view(event("a"), event("b"))
    viewed.model.select(0)
    viewed.model.mark()
    viewed.model.select(1)
    first, second = rows(viewed, 80, 2)[0]
    assert (plain(first)[0], plain(second)[0]) == ("•", "▌")
    assert all("class:row" in style for style, _ in second)


def test_times_since_the_row_before() -> None:
    viewed = view(event("a", time=NOON), event("b", time=NOON + 1_500_000))
    viewed.deltas = True
    assert [plain(row)[1:13].strip() for row in rows(viewed, 80, 2)[0]] == ["+0.0 ms", "+1500 ms"]


def test_the_search_is_marked() -> None:
    viewed = view(event("price", {"symbol": "ACME"}))
    viewed.model.pattern = "acme"
    (row,) = rows(viewed, 80, 1)[0]
    assert [part for style, part in row if "class:match" in style] == ["ACME"]


@pytest.mark.parametrize("width", [20, 40, 59, 60, 80, 110, 300])
def test_rows_have_exactly_the_width_and_nothing_raw(width: int) -> None:
    records = [
        event(EVIL, {EVIL: [EVIL]}, id=1),
        emit("漢字" * 20, "🎉" * 100, id=2),
        text(EVIL, EVIL, EVIL),
        seen("connect_error", message=EVIL, namespace=f"/{EVIL}"),
        event("e" * 100, "é" * 1000),
        ack("x" * 200, {"error": EVIL}, id=2),
    ]
    for row in rows(view(*records), width, len(records))[0]:
        line = "".join(part for _, part in row)
        assert cells(line) == width
        assert line.isprintable()


def test_little_has_happened() -> None:
    lines = [plain(row) for row in rows(view(seen("connect", sid="abc")), 80, 20)[0]]
    assert "  connected to /chat as abc" in lines
    assert "  /join lobby                ask to join a room" in lines


def test_nothing_matches() -> None:
    viewed = view(event("a"))
    viewed.model.filter("event=b")
    assert plain(rows(viewed, 80, 20)[0][1]) == "  nothing matches the filter; x shows everything"


def test_a_connection_that_failed_says_why_and_what_to_do() -> None:
    viewed = view()
    viewed.failure = f"cannot connect: nobody listens {EVIL}"
    text = "\n".join(plain(row) for row in rows(viewed, 60, 20)[0])
    assert "cannot connect: nobody listens" in text
    assert "r try again   q quit" in text
    assert "\x1b" not in text
