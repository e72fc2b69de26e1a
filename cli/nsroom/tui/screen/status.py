"""The status line: server, connection, traffic, and the file that records are saved to."""

from nsroom.output.terminal import clip, safe
from nsroom.output.times import local_time, utc_time
from nsroom.output.units import duration
from nsroom.tui.model.clients import Clients
from nsroom.tui.model.namespaces import State
from nsroom.tui.model.playback import Playback
from nsroom.tui.screen.lines import Fragments, fit, justify, length
from nsroom.tui.screen.state import Mode, View

DOTS = {
    State.CONNECTED: ("class:good", "●"),
    State.CONNECTING: ("class:waits", "◌"),
    State.REFUSED: ("class:failed", "✗"),
    State.DISCONNECTED: ("class:quiet", "○"),
}


def status(view: View, width: int) -> Fragments:
    """Return the status line, without the less important parts if they do not fit."""
    left = [("bold", " nsroom  "), *_server(view)]
    parts = _chat_parts(view) if view.mode is Mode.CHAT else _event_parts(view)
    while parts and length(left) + sum(map(length, parts)) + 1 > width:
        parts.pop(min(range(len(parts)), key=lambda at: _weight(parts[at])))
    right = [piece for part in parts for piece in part]
    return justify(left, right, width) if right else fit(left, width)


def _weight(part: Fragments) -> int:
    """Return the importance of a part; the highest says that something is not shown."""
    styles = {style for style, _ in part}
    if "class:badge" in styles or "class:failed" in styles:
        return 2
    return 1 if "class:number" in styles else 0


def _server(view: View) -> Fragments:
    if view.recording_name:
        return [("class:sign", "▷ "), ("", safe(view.recording_name))]
    namespaces = view.model.namespaces
    style, dot = DOTS[State.REFUSED if view.failure else namespaces.state]
    server: Fragments = [(style, f"{dot} "), ("", clip(safe(view.server), 40))]
    if view.proxied_server:
        server += [("class:quiet", " → "), ("", clip(safe(view.proxied_server), 40))]
    if view.via:
        server.append(("class:quiet", f"  via {clip(safe(view.via), 24)}"))
    if view.failure:
        server.append(("class:failed", "  no connection"))
    elif namespaces.state is State.CONNECTING and namespaces.attempt:
        wait = max(namespaces.retry_at / 1e6 - view.now, 0)
        server.append(("class:waits", f"  retry {namespaces.attempt} in {wait:.0f} s"))
    return server


def _event_parts(view: View) -> list[Fragments]:
    parts: list[Fragments] = []
    if view.model.paused:
        parts.append(_paused(view))
    if view.interceptor is not None and (waiting := view.interceptor.interception.undecided):
        parts.append([("class:badge", f" {waiting:,} wait "), ("", " ")])
    if view.model.where:
        parts.append([("class:badge", f" {clip(safe(view.model.where.text), 28)} "), ("", " ")])
    if dropped := view.model.ring.first:
        parts.append([("class:waits", f" {dropped:,} older dropped ")])
    if view.playback and view.playback.is_partial:
        parts += _playback(view.playback, view)
    elif view.progress:
        parts.append([("class:quiet", f" {view.progress} ")])
    elif view.model.clients is not None:
        parts += _clients(view, view.model.clients)
    elif not view.recording_name:
        parts += [*_transport(view), _traffic(view)]
    if view.saved_to:
        saved = [("class:failed", " ⏺ "), ("", clip(safe(view.saved_to), 20))]
        parts.append([*saved, ("class:quiet", f" {view.saved:>7,} ")])
    return parts


def _paused(view: View) -> Fragments:
    return [("class:badge", f" paused, {view.model.held:,} held "), ("", " ")]


def _playback(playback: Playback, view: View) -> list[Fragments]:
    """Return the state of a recording that is shown in part: its time, its speed and its position."""
    time = (utc_time if view.in_utc else local_time)(playback.clock)
    sign = "▶" if playback.is_playing else "‖"
    end = view.model.ring.end
    return [
        [("class:badge", f" {sign} {time} ")],
        [("class:number", f" {playback.speed:g}× ")],
        [("class:quiet", f" {playback.position:>{len(f'{end:,}')},} of {end:,} ")],
    ]


def _transport(view: View) -> list[Fragments]:
    if view.model.namespaces.state is not State.CONNECTED:
        return []
    trip = f"rtt {duration(view.rtt_ms)}" if view.rtt_ms is not None else ""
    return [[("class:quiet", f" {view.transport} ")], [("class:quiet", f" {trip:>10}  ")]]


def _clients(view: View, clients: Clients) -> list[Fragments]:
    count, second = clients.count_connected(view.client_time), int(view.now)
    return [
        [("class:sign", f" {clients.rate.graph(second):8}")],
        [("class:number", f" {clients.rate.per_second(second):>5,}/s ")],
        [("class:number", f" {count:>2,} client{'s' if count != 1 else ' '} ")],
    ]


def _traffic(view: View) -> Fragments:
    namespaces, second = view.model.namespaces, int(view.now)
    return [
        ("class:quiet", " in "),
        ("class:number", f"{namespaces.received.per_second(second):>5,}/s "),
        ("class:sign", f"{namespaces.received.graph(second):8}"),
        ("class:quiet", " out "),
        ("class:number", f"{namespaces.sent.per_second(second):>4,}/s "),
    ]


def _chat_parts(view: View) -> list[Fragments]:
    room = view.shown_namespaces[view.namespace].rooms.get(view.room)
    name = f" {clip(safe(view.namespace), 24)}  {f'#{clip(safe(view.room), 24)}' if view.room else ''} "
    parts: list[Fragments] = [[("class:number", name)]]
    if view.model.paused:
        parts.insert(0, _paused(view))
    if view.playback and view.playback.is_partial:
        parts[:0] = _playback(view.playback, view)
    if room and room.count is not None:
        parts.append([("class:quiet", f" {room.count:,} member{'s' if room.count != 1 else ''} ")])
    return parts
