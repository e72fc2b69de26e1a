"""The status line: where we are, how it stands, how much goes by, and what is recorded."""

from nsroom.output.summary import duration
from nsroom.output.terminal import clip, safe
from nsroom.tui.model.clients import Clients
from nsroom.tui.model.namespaces import State
from nsroom.tui.screen.lines import Fragments, fit, hold, length
from nsroom.tui.screen.state import Mode, View

DOTS = {
    State.CONNECTED: ("class:good", "●"),
    State.CONNECTING: ("class:waits", "◌"),
    State.REFUSED: ("class:failed", "✗"),
    State.DISCONNECTED: ("class:quiet", "○"),
}


def status(view: View, width: int) -> Fragments:
    """Make the line; what matters less goes first where there is no room."""
    left = [("bold", " nsroom  "), *_server(view)]
    parts = _chat_parts(view) if view.mode is Mode.CHAT else _parts(view)
    while parts and length(left) + sum(map(length, parts)) + 1 > width:
        parts.pop(min(range(len(parts)), key=lambda at: _weight(parts[at])))
    right = [piece for part in parts for piece in part]
    return hold(left, right, width) if right else fit(left, width)


def _weight(part: Fragments) -> int:
    """Tell how much a part matters: what says that something is not shown matters most."""
    styles = {style for style, _ in part}
    return 2 if "class:badge" in styles or "class:failed" in styles else 1 if "class:number" in styles else 0


def _server(view: View) -> Fragments:
    if view.recorded_from:
        return [("class:sign", "▷ "), ("", safe(view.recorded_from))]
    spaces = view.model.namespaces
    style, dot = DOTS[State.REFUSED if view.failure else spaces.state]
    server: Fragments = [(style, f"{dot} "), ("", clip(safe(view.server), 40))]
    if view.relaying:
        server += [("class:quiet", " → "), ("", clip(safe(view.relaying), 40))]
    if view.failure:
        server.append(("class:failed", "  no connection"))
    elif spaces.state is State.CONNECTING and spaces.attempt:
        wait = max(spaces.retry_at / 1e6 - view.now, 0)
        server.append(("class:waits", f"  gone, try {spaces.attempt} in {wait:.0f} s"))
    return server


def _parts(view: View) -> list[Fragments]:
    parts: list[Fragments] = []
    if view.model.paused:
        parts.append([("class:badge", f" paused, {view.model.held:,} held "), ("", " ")])
    if view.model.where:
        parts.append([("class:badge", f" {clip(safe(view.model.where.text), 28)} "), ("", " ")])
    if dropped := view.model.ring.first:
        parts.append([("class:waits", f" {dropped:,} older dropped ")])
    if view.progress:
        parts.append([("class:quiet", f" {view.progress} ")])
    elif view.model.clients is not None:
        parts += _passing(view, view.model.clients)
    elif not view.recorded_from:
        parts += [*_line(view), _traffic(view)]
    if view.recording:
        recorded = [("class:failed", " ⏺ "), ("", clip(safe(view.recording), 20))]
        parts.append([*recorded, ("class:quiet", f" {view.recorded:>7,} ")])
    return parts


def _line(view: View) -> list[Fragments]:
    """Say what carries the packets, and how fast."""
    if view.model.namespaces.state is not State.CONNECTED:
        return []
    trip = f"rtt {duration(view.rtt_ms)}" if view.rtt_ms is not None else ""
    return [[("class:quiet", f" {view.transport} ")], [("class:quiet", f" {trip:>10}  ")]]


def _passing(view: View, clients: Clients) -> list[Fragments]:
    """Say for how many clients, and how much."""
    count, second = clients.count_connected(view.moment), int(view.now)
    return [
        [("class:sign", f" {clients.rate.graph(second):8}")],
        [("class:number", f" {clients.rate.per_second(second):>5,}/s ")],
        [("class:number", f" {count:>2,} client{'s' if count != 1 else ' '} ")],
    ]


def _traffic(view: View) -> Fragments:
    spaces, second = view.model.namespaces, int(view.now)
    return [
        ("class:quiet", " in "),
        ("class:number", f"{spaces.received.per_second(second):>5,}/s "),
        ("class:sign", f"{spaces.received.graph(second):8}"),
        ("class:quiet", " out "),
        ("class:number", f"{spaces.sent.per_second(second):>4,}/s "),
    ]


def _chat_parts(view: View) -> list[Fragments]:
    """Name the chat's room and how many are in it."""
    room = view.model.namespaces[view.namespace].rooms.get(view.room)
    where = f" {clip(safe(view.namespace), 24)}  {f'#{clip(safe(view.room), 24)}' if view.room else ''} "
    parts: list[Fragments] = [[("class:number", where)]]
    if view.model.paused:
        parts.insert(0, [("class:badge", f" paused, {view.model.held:,} held "), ("", " ")])
    if room and room.count is not None:
        parts.append([("class:quiet", f" {room.count:,} here ")])
    return parts
