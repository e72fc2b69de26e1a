"""The sidebar: namespaces, and the rooms of the current one with their members, or the clients."""

from itertools import islice
from typing import NamedTuple

from nsroom.output.room_names import room_order
from nsroom.output.terminal import cells, clip, safe
from nsroom.tui.model.clients import ObservedClient
from nsroom.tui.model.namespaces import Namespace, Room, State
from nsroom.tui.model.rates import Rate
from nsroom.tui.screen.lines import Fragments, fit, justify
from nsroom.tui.screen.state import View
from nsroom.tui.screen.status import DOTS

_MAX_MEMBERS = 30
_MAX_CLIENTS = 200


class Entry(NamedTuple):
    """A line of the sidebar, and what a click on it selects."""

    fragments: Fragments
    namespace: str = ""
    room: str = ""
    client: str = ""


def sidebar(view: View, width: int, height: int) -> list[Entry]:
    """Return the lines; if there are too many, the last line of a list counts the rest."""
    namespaces = [
        entry
        for namespace in view.shown_namespaces.by_name.values()
        for entry in _namespace(view, namespace, width)
    ]
    below = _observed(view, width) if view.is_observing else _rooms(view, width)
    # At least half of the height is for the rooms: they are what the user writes to.
    most = max(height - len(below) - 3, (height - 3) // 2, 1)
    entries = [_heading("NAMESPACES"), *_cut(namespaces, most, width), Entry([])]
    return [
        *entries,
        _heading("CLIENTS" if view.is_observing else "ROOMS"),
        *_cut(below, height - len(entries) - 1, width),
    ][:height]


def _cut(entries: list[Entry], most: int, width: int) -> list[Entry]:
    if len(entries) <= most:
        return entries
    return [*entries[: max(most - 1, 0)], _more(len(entries) - most + 1, width)]


def _heading(text: str) -> Entry:
    return Entry([("class:heading", f" {text}")])


def _quiet(text: str, width: int) -> Fragments:
    return fit([("class:quiet", f"   {text}")], width)


def _more(count: int, width: int) -> Entry:
    return Entry(_quiet(f"{count:,} more", width))


def _namespace(view: View, namespace: Namespace, width: int) -> list[Entry]:
    style, dot = DOTS[namespace.state]
    is_current = namespace.name == view.namespace
    left = [(style, f" {dot} "), ("bold" if is_current else "", safe(namespace.name))]
    entries = [Entry(justify(left, _unread(namespace), width), namespace.name)]
    if is_current and namespace.sid:
        entries.append(Entry(_quiet(safe(namespace.sid), width), namespace.name))
    return entries


def _unread(namespace: Namespace) -> Fragments:
    if namespace.state is State.REFUSED:
        return [("class:failed", " refused ")]
    return [("class:sign", f" {namespace.unread:,} ")] if namespace.unread else []


def _observed(view: View, width: int) -> list[Entry]:
    """Return the clients, and then the rooms that some of them are known to be in."""
    rooms = [
        entry
        for namespace in view.shown_namespaces.by_name.values()
        for name in sorted(namespace.rooms, key=room_order)
        for entry in _observed_room(view, namespace, name, width)
    ]
    clients = _clients(view, width)
    return [*clients, Entry([]), _heading("ROOMS"), *rooms] if rooms else clients


def _observed_room(view: View, namespace: Namespace, name: str, width: int) -> list[Entry]:
    room = namespace.rooms[name]
    count = room.count if room.count is not None else len(room.members)
    left: Fragments = [("class:quiet", f" {clip(safe(namespace.name), 8)} "), ("", safe(name))]
    head = Entry(justify(left, [("class:quiet", f" {count:,} ")], width), namespace.name)
    clients = view.shown_clients
    labels = (
        [clients.label(sid) or safe(sid) for sid in islice(room.members, _MAX_MEMBERS)] if clients else []
    )
    return [head, Entry(_quiet(" ".join(labels), width), namespace.name)]


def _clients(view: View, width: int) -> list[Entry]:
    """Return the clients, the newest first, and the disconnected ones after the others."""
    clients, now = view.shown_clients, view.client_time
    known = reversed(clients.by_sid.values()) if clients else ()
    ordered = sorted(known, key=lambda client: not client.is_connected(now))
    if not ordered:
        return [Entry(_quiet("none yet", width))]
    entries = [_client(view, client, width) for client in islice(ordered, _MAX_CLIENTS)]
    left = len(ordered) - len(entries)
    return [*entries, _more(left, width)] if left else entries


def _client(view: View, client: ObservedClient, width: int) -> Entry:
    is_connected = client.is_connected(view.client_time)
    style, dot = DOTS[State.CONNECTED if is_connected else State.DISCONNECTED]
    left = [(style, f" {dot} "), ("", f"#{client.number} "), ("class:quiet", safe(client.sid))]
    right = [("class:sign", f" {_graph(client.rate, view):4} ")]
    return Entry(justify(left, right, width), client=client.sid)


def _rooms(view: View, width: int) -> list[Entry]:
    rooms = view.shown_namespaces[view.namespace].rooms
    ordered = sorted(
        rooms.items(), key=lambda pair: (pair[0] != view.room, not pair[1].joined, room_order(pair[0]))
    )
    entries = []
    for name, room in ordered:
        entries.append(Entry(_room(view, name, room, width), view.namespace, name))
        if name == view.room:
            entries += _members(view, name, room, width)
    return entries or [Entry(_quiet("none known", width))]


def _members(view: View, name: str, room: Room, width: int) -> list[Entry]:
    nicks = list(room.members.values())
    shown = [Entry(_quiet(safe(nick), width), view.namespace, name) for nick in nicks[:_MAX_MEMBERS]]
    return shown if len(nicks) <= _MAX_MEMBERS else [*shown, _more(len(nicks) - _MAX_MEMBERS, width)]


def _room(view: View, name: str, room: Room, width: int) -> Fragments:
    style, dot, state = _room_state(room)
    right: Fragments = [("class:sign", f"{_graph(room.rate, view)} ")]
    right += [("class:sign", f"+{room.unread:,} ")] if room.unread else []
    right += [("class:failed" if room.refused else "class:quiet", f"{state:>2} ")]
    left = [(style, f" {dot} "), ("bold" if name == view.room else "", safe(name))]
    if cells(safe(name)) + 3 > width - sum(cells(text) for _, text in right):
        right = right[1:]
    return justify(left, right, width)


def _room_state(room: Room) -> tuple[str, str, str]:
    """Return the style, the dot, and the number of members or the state of our request."""
    if room.refused:
        return "class:failed", "✗", "refused"
    if room.asked and not room.joined:
        return "class:waits", "◌", "asked"
    count = room.count if room.count is not None else len(room.members) or None
    text = f"{count:,}" if count is not None else ""
    return ("class:good", "●", text) if room.joined else ("class:quiet", "○", text)


def _graph(rate: Rate, view: View) -> str:
    graph = "" if view.recording_name else rate.graph(int(view.now))[-4:]
    return clip(graph, 4) if graph.strip() else ""
