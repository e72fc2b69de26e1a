import time

import pytest

from nsroom.output.terminal import cells
from nsroom.output.times import Times
from nsroom.tui.screen.chat_pane import chat_lines
from nsroom.tui.screen.state import Mode, View
from tests.cli.tui.records import NOON, ack, emit, event, message, plain, view
from tests.cli.tui.screens import steady

EVIL = "\x1b[2J\u202e"
DAY = 86_400_000_000
"""Microseconds."""


def said(viewed: View, width: int = 60, height: int = 20) -> list[str]:
    viewed.mode = Mode.CHAT
    return [plain(line) for line in chat_lines(viewed, width, height)]


def test_the_day_comes_first_and_our_messages_have_a_mark() -> None:
    viewed = view(
        message("lobby", "ann", "hi there"),
        event("join-room", {"room": "lobby", "nick": "cat"}),
        emit("message", {"room": "lobby", "text": "hello"}, id=1),
        ack("message", {"ok": True}, id=1),
        room="lobby",
    )
    day, ann, cat, own = said(viewed)
    assert "November" in day
    assert ann[8:] == "ann          hi there"
    assert cat[8:] == "·            cat joined"
    assert own[8:].split() == ["you", "hello", "✓"]


def test_a_long_message_is_wrapped_and_keeps_its_lines() -> None:
    viewed = view(message("lobby", "ann", "one two three four five six\nseven"), room="lobby")
    lines = [line[17:] for line in said(viewed, 36)[1:]]
    assert lines == ["one two three", "four five six", "seven"]


def test_unread_messages_are_below_a_rule() -> None:
    viewed = view(message("lobby", "ann", "old"), room="lobby")
    viewed.mark_chat_read()
    viewed.model.add(message("lobby", "bob", "fresh"))
    viewed.model.add(message("lobby", "bob", "fresher"))
    kinds = ["new" if " new " in line else line[8:11] for line in said(viewed)[1:]]
    assert kinds == ["ann", "new", "bob", "bob"]


def test_scrolling_back_ends_at_the_first_line() -> None:
    viewed = view(*(message("lobby", "ann", f"m{n}") for n in range(50)), room="lobby")
    assert said(viewed, height=10)[-1].endswith("m49")
    viewed.chat_scroll = 5
    assert said(viewed, height=10)[-1].endswith("m44")
    viewed.chat_scroll = 1000
    assert said(viewed, height=10)[1].endswith("m0")
    assert viewed.chat_scroll == 41


def test_a_chat_without_messages() -> None:
    assert said(view(room="lobby"))[0] == "  No messages in lobby yet."


@pytest.mark.parametrize("width", [12, 20, 40, 80, 300])
def test_it_fits_and_all_text_is_safe(width: int) -> None:
    viewed = view(message("lobby", f"{EVIL}漢字漢字漢字漢字", f"{EVIL} {'漢' * 50}\r\x0b\x1b"), room="lobby")
    for line in chat_lines(viewed, width, 50):
        whole = "".join(part for _, part in line)
        assert cells(whole) <= max(width, 20)
        assert whole.isprintable()


@pytest.mark.parametrize("width", [40, 80, 120])
def test_the_golden_screens_hold_on_every_day(width: int) -> None:
    looks = set()
    for day in range(0, 366, 5):  # all weekdays and months, and days of one digit and of two
        viewed = view(message("lobby", "ann", "hi", time=NOON + day * DAY), room="lobby")
        lines = [plain(line) for line in chat_lines(viewed, width, 10)]
        looks.add(steady("\n".join(lines), width))
    (look,) = looks
    assert "─  day  ─" in look


def test_the_time_is_in_the_zone_of_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "XXX-14")
    time.tzset()
    try:
        viewed = view(message("lobby", "ann", "hi"), room="lobby")
        day, line = said(viewed)
        assert "Monday 24 November" in day
        assert line.startswith(" 02:13 ")
        viewed.times = Times.UTC
        day, line = said(viewed)
        assert "Sunday 23 November" in day
        assert line.startswith(" 12:13 ")
    finally:
        monkeypatch.undo()
        time.tzset()
