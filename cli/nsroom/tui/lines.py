"""The lines of the live view, as styled text of the given width. What came from outside is safe here."""

import time
from collections.abc import Iterable, Sequence
from datetime import datetime

from nsroom.record import Record
from nsroom.summary import Piece, duration, line, pad, refused
from nsroom.terminal import cells, clip, safe
from nsroom.tui.chat import Line, Mark
from nsroom.tui.rates import Rate
from nsroom.tui.spaces import Room, Space, State
from nsroom.tui.view import Mode, View

Fragments = list[tuple[str, str]]
_MAX_NAMESPACE = 20
_NICK = 12
_DOTS = {State.CONNECTED: ("good", "●"), State.CONNECTING: ("waits", "◌"), State.REFUSED: ("failed", "✗")}


def styled(pieces: Iterable[Piece]) -> Fragments:
    """Give pieces of a summary as prompt-toolkit takes them."""
    return [(f"class:{style}", text) for style, text in pieces]


def fit(fragments: Fragments, width: int) -> Fragments:
    """Cut or fill a line to exactly `width` cells."""
    fitted: Fragments = []
    for style, text in fragments:
        if width <= 0:
            break
        shown = clip(text, width)
        fitted.append((style, shown))
        width -= cells(shown)
    if width > 0:
        fitted.append(("", " " * width))
    return fitted


def spread(left: Fragments, right: Fragments, width: int) -> Fragments:
    """Put two parts at the ends of a line; the right one goes where there is no room for it."""
    room = width - sum(cells(text) for _, text in right)
    if room < sum(cells(text) for _, text in left) + 1:
        return fit(left, width)
    return [*fit(left, room), *right]


def status(view: View, width: int) -> Fragments:
    """Say where we are, how it stands, and what is recorded."""
    spaces = view.model.spaces
    style, dot = _DOTS.get(State.REFUSED if view.failure else spaces.state, ("quiet", "○"))
    left = [("bold", " nsroom  "), (f"class:{style}", f"{dot} "), ("", safe(view.server))]
    if view.transport:
        left.append(("class:quiet", f"  {view.transport}"))
    if view.rtt_ms is not None:
        left.append(("class:quiet", f"  rtt {duration(view.rtt_ms)}"))
    if view.model.paused:
        left.append(("class:badge", f" paused, {view.model.held:,} held "))
    return spread(left, _here(view) if view.mode is Mode.CHAT else _traffic(view), width)


def _here(view: View) -> Fragments:
    """Name the chat's room and how many are in it."""
    room = view.model.spaces[view.namespace].rooms.get(view.room)
    count = f"{room.count:,} here " if room and room.count is not None else ""
    return [
        ("bold", safe(f"{view.namespace}  {f'#{view.room}' if view.room else ''}  ")),
        ("class:quiet", count),
    ]


def _traffic(view: View) -> Fragments:
    spaces, second = view.model.spaces, int(time.time())
    parts: Fragments = [
        ("class:quiet", "in "),
        ("", f"{spaces.received.per_second(second):,}/s "),
        ("class:sign", f"{spaces.received.graph(second):8}"),
        ("class:quiet", "  out "),
        ("", f"{spaces.sent.per_second(second):,}/s"),
    ]
    if view.recording:
        parts += [
            ("class:failed", "  ⏺ "),
            ("", f"{safe(view.recording)} "),
            ("class:quiet", f"{view.recorded:,}"),
        ]
    return [*parts, ("", " ")]


def row(view: View, index: int, width: int, namespace_cells: int) -> Fragments:
    """Show one record of the stream, with what is known of its acknowledgement."""
    record, selected = view.model[index], index == view.model.cursor
    mark = "▌" if selected else "•" if index in view.model.marks else " "
    after = _answer(view, index, record)
    room = width - 1 - sum(cells(text) for _, text in after)
    pieces = line(record, room, namespace_cells)
    if view.deltas:
        pieces[0] = (pieces[0][0], _delta(view, index, record))
    fragments = fit([("class:marker", mark), *styled(pieces)], room + 1) + after
    return [(f"{style} class:selected", text) for style, text in fragments] if selected else fragments


def _answer(view: View, index: int, record: Record) -> Fragments:
    answer = view.model.answer(index)
    if answer is not None and answer.rtt_ms is not None:
        sign, style = ("✗", "failed") if refused(answer) else ("✓", "good")
        return [(f"class:{style}", f"  {sign} {duration(answer.rtt_ms)}")]
    if view.model.is_waiting(index):
        waited = max(time.time() - record.time / 1e6, 0) * 1000
        return [("class:waits", f"  waiting {duration(waited)} …" if waited < 3.6e6 else "  no answer")]
    return []


def _delta(view: View, index: int, record: Record) -> str:
    before = view.model[index - 1] if index > view.model.first else record
    return f"{'+' + duration(max(record.time - before.time, 0) / 1000):>12}"


def namespace_width(view: View) -> int:
    """Give the width of the namespace's column; there is none while there is only one."""
    names = view.model.spaces.by_name
    if len(names) < 2:
        return 0
    return min(max(cells(safe(name)[:80]) for name in list(names)[:100]), _MAX_NAMESPACE)


def namespaces(view: View, width: int) -> list[tuple[str, Fragments]]:
    """Show the namespaces: each line with the name that it stands for."""
    shown = []
    for space in view.model.spaces.by_name.values():
        style, dot = _DOTS.get(space.state, ("quiet", "○"))
        current = "bold" if space.name == view.namespace else ""
        right = _unread(space)
        shown.append(
            (space.name, spread([(f"class:{style}", f" {dot} "), (current, safe(space.name))], right, width))
        )
    return shown


def _unread(space: Space) -> Fragments:
    if space.state is State.REFUSED:
        return [("class:failed", "refused ")]
    return [("class:sign", f"{space.unread:,} ")] if space.unread else []


def rooms(view: View, width: int) -> list[tuple[str, Fragments]]:
    """Show the rooms of the current namespace, and who is in the current one."""
    shown: list[tuple[str, Fragments]] = []
    for name, room in view.model.spaces[view.namespace].rooms.items():
        shown.append((name, _room(view, name, room, width)))
        if name == view.room:
            shown += [
                (name, fit([("class:quiet", f"   {safe(nick)}")], width))
                for nick in list(room.members.values())[:30]
            ]
    return shown


def _room(view: View, name: str, room: Room, width: int) -> Fragments:
    style, dot = ("good", "●") if room.joined else ("waits", "◌") if room.asked else ("quiet", "○")
    count = (
        f" {room.count:,} "
        if room.count is not None
        else " asked "
        if room.asked and not room.joined
        else " "
    )
    graph = _graph(room.rate, width)
    current = "bold" if name == view.room else ""
    return spread(
        [(f"class:{style}", f" {dot} "), (current, safe(name))],
        [("class:sign", graph), ("class:quiet", count)],
        width,
    )


def _graph(rate: Rate, width: int) -> str:
    return rate.graph(int(time.time()))[-4:] if width >= 20 else ""


def chat(view: View, width: int, height: int) -> list[Fragments]:
    """Show the last lines of the current room's chat, with a rule where the unread ones begin."""
    key = view.namespace, view.room
    all_lines = view.model.chats.lines(*key)
    unread = view.model.chats.counts.get(key, 0) - view.chat_read.get(key, 0)
    end = len(all_lines) - view.chat_back
    shown: list[Fragments] = []
    for at in range(end - 1, -1, -1):
        block = _chat_line(all_lines[at], width)
        if at == 0 or _day(all_lines[at - 1]) != _day(all_lines[at]):
            block.insert(0, _rule(_day(all_lines[at]), width))
        if key in view.chat_read and 0 < unread == len(all_lines) - at:
            block.insert(0, _rule("new", width))
        shown[:0] = block
        if len(shown) >= height:
            break
    return shown[-height:]


def _day(said: Line) -> str:
    try:
        return datetime.fromtimestamp(said.time / 1e6).strftime("%A %-d %B")
    except (ValueError, OverflowError, OSError):
        return "another time"


def _rule(text: str, width: int) -> Fragments:
    side = "─" * max((min(width, 90) - cells(text) - 14) // 2, 2)
    return [("class:rule", f"{' ' * 9}{side}  {text}  {side}")]


def _chat_line(said: Line, width: int) -> list[Fragments]:
    try:
        clock = datetime.fromtimestamp(said.time / 1e6).strftime("%H:%M")
    except (ValueError, OverflowError, OSError):
        clock = "--:--"
    nick = pad(clip(safe(said.nick), _NICK), _NICK)
    if said.change:
        return [[("", " " * 8), ("class:quiet", f"·{' ' * _NICK}{safe(said.nick)} {said.change}")]]
    mark = {Mark.TAKEN: "good", Mark.REFUSED: "failed", Mark.WAITING: "waits"}.get(said.mark, "")
    room = max(width - _NICK - 12, 10)
    parts = _wrap(safe(said.text[:20_000]), room)
    first = spread(
        [
            ("class:time", f" {clock}  "),
            ("class:own" if said.own else "class:nick", nick),
            ("", f" {parts[0]}"),
        ],
        [(f"class:{mark}", f" {said.mark} ")] if said.mark else [],
        width,
    )
    return [first, *([("", " " * (_NICK + 9) + part)] for part in parts[1:])]


def _wrap(text: str, width: int) -> list[str]:
    """Break safe text into lines of at most `width` cells, at blanks where there are any."""
    lines, now = [], ""
    for word in text.split(" "):
        while cells(word) > width:
            head = clip(word, width).removesuffix("…")
            if now:
                lines.append(now)
                now = ""
            lines.append(head)
            word = word[len(head) :]
        if now and cells(now) + 1 + cells(word) > width:
            lines.append(now)
            now = word
        else:
            now = f"{now} {word}" if now else word
    return [*lines, now]


def first_steps(view: View, width: int) -> list[Fragments]:
    """Say what to do while nothing has happened."""
    if view.failure:
        return _failed(view, width)
    rooms_here = view.model.spaces[view.namespace].rooms
    listed = ", ".join(safe(name) for name in list(rooms_here)[:8]) or "none that we know of yet"
    texts: Sequence[tuple[str, str]] = (
        ("", ""),
        ("class:quiet", "  Nothing has happened yet."),
        ("class:quiet", f"  Rooms: {listed}"),
        ("", ""),
        ("", "  /join lobby            ask to join a room"),
        ("", "  /emit hello you=true   emit an event"),
        ("", "  hello                  text goes to the room as a message"),
    )
    return [fit([(style, text)], width) for style, text in texts]


def _failed(view: View, width: int) -> list[Fragments]:
    reason: list[Fragments] = [
        [("class:failed", f"  {part}")] for part in _wrap(safe(view.failure), max(width - 4, 10))
    ]
    return [
        [],
        *reason,
        [],
        [
            ("", "  Press "),
            ("class:key", "r"),
            ("", " to try again, "),
            ("class:key", "q"),
            ("", " to quit."),
        ],
    ]


def prompt(view: View) -> Fragments:
    """Name where the text will go."""
    where = safe(f"{view.namespace} {view.room}".strip())
    return [("class:prompt", f" {clip(where, 40)} › ")]
