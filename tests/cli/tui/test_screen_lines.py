"""The status line, the sidebar and the chat, without a screen."""

import pytest

from nsroom.output.terminal import cells
from nsroom.tui.screen.chat_pane import chat_lines
from nsroom.tui.screen.sidebar import sidebar
from nsroom.tui.screen.state import Mode, View
from nsroom.tui.screen.status import status
from tests.cli.tui.records import NOON, ack, emit, event, plain, seen, text, view

EVIL = "\x1b[2J\u202e"


def connected(*more: object) -> View:
    viewed = view(seen("connect", sid="abc"), *more)  # type: ignore[arg-type]
    viewed.transport, viewed.rtt_ms = "websocket", 2.04
    return viewed


def test_the_status_tells_where_and_how() -> None:
    line = plain(status(connected(event("x"), event("y")), 110))
    assert line.startswith(" nsroom  ● localhost:3000 ")
    assert "websocket  rtt 2.0 ms" in line
    assert "in     0/s" in line


@pytest.mark.parametrize("width", [*range(10, 130, 7), 300])
def test_the_status_fits(width: int) -> None:
    viewed = connected()
    viewed.server, viewed.saved_to, viewed.saved = "a-long-host.example.org:3000", f"f{EVIL}", 123_456
    viewed.model.filter('event="a long expression that goes on" & ns=/chat')
    viewed.model.pause()
    viewed.model.ring.first = 0
    for viewed.mode in Mode:
        line = "".join(part for _, part in status(viewed, width))
        assert cells(line) == width
        assert line.isprintable()


def test_what_is_not_shown_is_said_even_where_there_is_little_room() -> None:
    viewed = connected()
    viewed.model.pause()
    assert "paused, 0 held" in plain(status(viewed, 50))
    assert "websocket" not in plain(status(viewed, 50))


def test_dropped_records_and_the_recording_are_told() -> None:
    viewed = connected()
    viewed.saved_to, viewed.saved = "run.ndjson", 12_408
    viewed.model.ring.first = 4096
    viewed.model.ring.records.clear()
    line = plain(status(viewed, 140))
    assert "4,096 older dropped" in line
    assert "⏺ run.ndjson  12,408" in line


def test_a_lost_connection_counts_down() -> None:
    trying = seen("reconnect", "local", time=NOON + 60_000_000, data={"attempt": 2, "delay_ms": 4000})
    line = plain(status(connected(seen("close", "local"), trying), 110))
    assert line.startswith(" nsroom  ◌ localhost:3000  retry 2 in 4 s")


def test_a_failure_is_told() -> None:
    viewed = connected()
    viewed.failure = "refused"
    assert plain(status(viewed, 80)).startswith(" nsroom  ✗ localhost:3000  no connection")


def side(viewed: View, height: int = 20) -> list[str]:
    return [plain(entry.fragments) for entry in sidebar(viewed, 23, height)]


def test_the_sidebar_lists_namespaces_and_rooms() -> None:
    viewed = view(
        seen("connect", sid="abc"),
        event("x", namespace="/news"),
        seen("connect_error", namespace="/secret", message="no"),
        emit("join", "lobby", id=1),
        ack("join", {"room": "lobby", "members": [{"sid": "s1", "nick": "ann"}]}, id=1),
        emit("join", "ops", id=2),
        text("other", "bob", "hi"),
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
def test_the_sidebar_fits_and_counts_the_rest(height: int) -> None:
    records = [event("x", {"room": f"r{n}{EVIL}"}, namespace=f"/n{n % 20}{EVIL}") for n in range(400)]
    viewed = view(*records, namespace=f"/n1{EVIL}")
    lines = ["".join(part for _, part in entry.fragments) for entry in sidebar(viewed, 23, height)]
    assert len(lines) <= height
    assert all(line.isprintable() and cells(line) <= 23 for line in lines)
    if height >= 7:
        assert any(line.strip().endswith("more") for line in lines)


def said(viewed: View, width: int = 60, height: int = 20) -> list[str]:
    viewed.mode = Mode.CHAT
    return [plain(line) for line in chat_lines(viewed, width, height)]


def test_the_chat_begins_with_the_day_and_marks_what_is_ours() -> None:
    viewed = view(
        text("lobby", "ann", "hi there"),
        event("join-room", {"room": "lobby", "nick": "cat"}),
        emit("message", {"room": "lobby", "text": "hello"}, id=1),
        ack("message", {"ok": True}, id=1),
        room="lobby",
    )
    day, ann, cat, me = said(viewed)
    assert "November" in day
    assert ann[8:] == "ann          hi there"
    assert cat[8:] == "·            cat joined"
    assert me[8:].split() == ["you", "hello", "✓"]


def test_a_long_message_is_wrapped_and_keeps_its_own_lines() -> None:
    viewed = view(text("lobby", "ann", "one two three four five six\nseven"), room="lobby")
    lines = [line[17:] for line in said(viewed, 36)[1:]]
    assert lines == ["one two three", "four five six", "seven"]


def test_what_is_new_since_one_left_is_below_a_rule() -> None:
    viewed = view(text("lobby", "ann", "old"), room="lobby")
    viewed.mark_chat_read()
    viewed.model.add(text("lobby", "bob", "fresh"), 0)
    viewed.model.add(text("lobby", "bob", "fresher"), 0)
    kinds = ["new" if " new " in line else line[8:11] for line in said(viewed)[1:]]
    assert kinds == ["ann", "new", "bob", "bob"]


def test_scrolling_back_ends_at_the_beginning() -> None:
    viewed = view(*(text("lobby", "ann", f"m{n}") for n in range(50)), room="lobby")
    assert said(viewed, height=10)[-1].endswith("m49")
    viewed.chat_scroll = 5
    assert said(viewed, height=10)[-1].endswith("m44")
    viewed.chat_scroll = 1000
    assert said(viewed, height=10)[1].endswith("m0")
    assert viewed.chat_scroll == 41


def test_nobody_has_said_anything() -> None:
    assert said(view(room="lobby"))[0] == "  No messages in lobby yet."


@pytest.mark.parametrize("width", [12, 20, 40, 80, 300])
def test_the_chat_fits_and_nothing_is_raw(width: int) -> None:
    viewed = view(text("lobby", f"{EVIL}漢字漢字漢字漢字", f"{EVIL} {'漢' * 50}\r\x0b\x1b"), room="lobby")
    for line in chat_lines(viewed, width, 50):
        whole = "".join(part for _, part in line)
        assert cells(whole) <= max(width, 20)
        assert whole.isprintable()
