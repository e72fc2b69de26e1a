"""The chat of one room."""

from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo

from nsroom.output.terminal import cells, clip, safe
from nsroom.tui.model.chat import ChatLine, Mark
from nsroom.tui.screen.lines import Fragments, fit, justify, rule, wrap
from nsroom.tui.screen.state import View

_NICK = 12
_NARROW_NICK = 8
_TIME = 8
_MARKS = {
    Mark.SENT: "quiet",
    Mark.ACKNOWLEDGED: "good",
    Mark.REFUSED: "failed",
    Mark.WAITING: "waits",
    Mark.UNCONFIRMED: "failed",
}
_MAX_TEXT = 2000
"""Characters shown of one message."""


def chat_lines(view: View, width: int, height: int) -> list[Fragments]:
    """Return the lines of the current room that fit, with a rule before each day and the unread lines."""
    nick_cells = _NICK if width >= 60 else _NARROW_NICK
    shown: list[Fragments] = []
    wanted = height + view.chat_scroll
    zone = UTC if view.in_utc else None
    read = view.chat_read.get((view.namespace, view.room))
    for previous, line in _with_previous(_lines_until_now(view)):
        if len(shown) >= wanted:
            break
        shown[:0] = [*_rules(previous, line, read, width, zone), *_layout(line, width, nick_cells, zone)]
    if not shown:
        return _empty(view, width)
    # The oldest line is as far back as it scrolls.
    view.chat_scroll = max(min(view.chat_scroll, len(shown) - height), 0)
    end = len(shown) - view.chat_scroll
    return shown[max(end - height, 0) : end]


def _lines_until_now(view: View) -> Iterator[ChatLine]:
    """Return the lines of the current room, newest first; of a recording, those until the time played."""
    lines = view.model.chats.newest_first(view.namespace, view.room)
    playback = view.playback
    if playback is None or not playback.is_partial:
        return lines
    return (line for line in lines if line.time <= playback.clock)


def _with_previous(lines: Iterator[ChatLine]) -> Iterator[tuple[ChatLine | None, ChatLine]]:
    """Yield each of the lines, which come newest first, after the line before it in time."""
    line = next(lines, None)
    while line is not None:
        previous = next(lines, None)
        yield previous, line
        line = previous


def _empty(view: View, width: int) -> list[Fragments]:
    hints = (
        f"No messages in {view.room or view.namespace} yet.",
        "Type a message and press Enter to send it.  /join ROOM goes to a room.",
    )
    shown = hints[: 1 if view.recording_name else 2]
    return [*(fit([("class:quiet", f"  {safe(text)}")], width) for text in shown), []]


def _rules(
    previous: ChatLine | None, line: ChatLine, read: int | None, width: int, zone: tzinfo | None
) -> list[Fragments]:
    rules, day = [], _day(line, zone)
    if previous is None or _day(previous, zone) != day:
        rules.append(rule(day, width, 10))
    if read is not None and line.number > read and (previous is None or previous.number <= read):
        rules.append([("class:unread", text) for _, text in rule("new", width, 10)])
    return rules


def _time(line: ChatLine, zone: tzinfo | None) -> datetime | None:
    """Return the time of a line, local without a zone, or None if the platform cannot convert it."""
    try:
        return datetime.fromtimestamp(line.time / 1e6, zone)
    except (ValueError, OverflowError, OSError):
        return None


def _day(line: ChatLine, zone: tzinfo | None) -> str:
    day = _time(line, zone)
    return f"{day:%A} {day.day} {day:%B}" if day else "unknown date"


def _clock(line: ChatLine, zone: tzinfo | None) -> str:
    time = _time(line, zone)
    return f"{time:%H:%M}" if time else "--:--"


def _layout(line: ChatLine, width: int, nick_cells: int, zone: tzinfo | None) -> list[Fragments]:
    """Return one line of the chat as lines of the screen."""
    if line.change:
        text = f"{' ' * _TIME}{'·':{nick_cells}} {safe(line.nick)} {line.change}"
        return [fit([("class:quiet", text)], width)]
    nick = clip(safe(line.nick), nick_cells)
    nick += " " * (nick_cells - cells(nick))
    parts = _paragraphs(line.text, max(width - nick_cells - _TIME - 4, 8))
    first: Fragments = [
        ("class:time", f" {_clock(line, zone)}  "),
        ("class:own" if line.own else "class:nick", nick),
        ("", f" {parts[0]}"),
    ]
    mark: Fragments = [(f"class:{_MARKS[line.mark]}", f" {line.mark} ")] if line.mark else []
    indent = " " * (_TIME + nick_cells + 1)
    return [justify(first, mark, width), *(fit([("", indent + part)], width) for part in parts[1:])]


def _paragraphs(text: str, width: int) -> list[str]:
    """Break a message at its own line ends, and lines that are too long at spaces."""
    shown = text[:_MAX_TEXT] + ("…" if len(text) > _MAX_TEXT else "")
    return [part for line in shown.splitlines() or [""] for part in wrap(safe(line), width)]
