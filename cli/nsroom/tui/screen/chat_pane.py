"""The chat of a room, as lines of the screen."""

from datetime import datetime

from nsroom.output.terminal import cells, clip, safe
from nsroom.tui.model.chat import ChatLine, Mark
from nsroom.tui.screen.lines import Fragments, fit, hold, rule, wrap
from nsroom.tui.screen.state import View

_NICK = 12
_TIME = 8
_MARKS = {
    Mark.ACKNOWLEDGED: "good",
    Mark.REFUSED: "failed",
    Mark.WAITING: "waits",
    Mark.UNCONFIRMED: "failed",
}
_LONGEST = 2000
"""Characters of one message that are laid out: nobody reads more of it here."""


def conversation(view: View, width: int, height: int) -> list[Fragments]:
    """Show the lines of the current room that fit, with rules where a day or the unread ones begin."""
    nick = _NICK if width >= 60 else 8
    shown: list[Fragments] = []
    wanted = height + view.chat_back
    read = view.chat_read.get((view.namespace, view.room))
    lines = view.model.chats.newest_first(view.namespace, view.room)
    said = next(lines, None)
    while said is not None and len(shown) < wanted:
        before = next(lines, None)
        shown[:0] = [*_rules(before, said, read, width), *_block(said, width, nick)]
        said = before
    if not shown:
        return _empty(view, width)
    # At the oldest line there is no further back.
    view.chat_back = max(min(view.chat_back, len(shown) - height), 0)
    end = len(shown) - view.chat_back
    return shown[max(end - height, 0) : end]


def _empty(view: View, width: int) -> list[Fragments]:
    where = f"in {view.room}" if view.room else f"in {view.namespace}"
    lines = (
        f"Nobody has said anything {where} yet.",
        "Type, and Enter sends it.  /join ROOM goes to a room.",
    )
    shown = lines[: 1 if view.recorded_from else 2]
    return [*(fit([("class:quiet", f"  {safe(text)}")], width) for text in shown), []]


def _rules(before: ChatLine | None, said: ChatLine, read: int | None, width: int) -> list[Fragments]:
    rules = []
    if before is None or _day(before) != _day(said):
        rules.append(rule(_day(said), width, 10))
    if read is not None and said.number > read and (before is None or before.number <= read):
        rules.append([("class:unread", text) for _, text in rule("new", width, 10)])
    return rules


def _day(said: ChatLine) -> str:
    try:
        day = datetime.fromtimestamp(said.time / 1e6)
    except (ValueError, OverflowError, OSError):
        return "another time"
    return f"{day:%A} {day.day} {day:%B}"


def _clock(said: ChatLine) -> str:
    try:
        return datetime.fromtimestamp(said.time / 1e6).strftime("%H:%M")
    except (ValueError, OverflowError, OSError):
        return "--:--"


def _block(said: ChatLine, width: int, nick: int) -> list[Fragments]:
    """Lay one line of the chat out on as many lines of the screen as it takes."""
    if said.change:
        text = f"{' ' * _TIME}{'·':{nick}} {safe(said.nick)} {said.change}"
        return [fit([("class:quiet", text)], width)]
    name = clip(safe(said.nick), nick)
    name += " " * (nick - cells(name))
    parts = _paragraphs(said.text, max(width - nick - _TIME - 4, 8))
    head: Fragments = [
        ("class:time", f" {_clock(said)}  "),
        ("class:own" if said.own else "class:nick", name),
        ("", f" {parts[0]}"),
    ]
    mark: Fragments = [(f"class:{_MARKS[said.mark]}", f" {said.mark} ")] if said.mark else []
    indent = " " * (_TIME + nick + 1)
    return [hold(head, mark, width), *(fit([("", indent + part)], width) for part in parts[1:])]


def _paragraphs(text: str, width: int) -> list[str]:
    """Break a message at its own line ends, and where it is too long for one line."""
    shown = text[:_LONGEST] + ("…" if len(text) > _LONGEST else "")
    return [part for line in shown.splitlines() or [""] for part in wrap(safe(line), width)]
