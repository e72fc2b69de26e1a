"""The sidebar: namespaces, and the rooms of the current one with their members."""

from itertools import islice
from typing import NamedTuple

from nsroom.output.terminal import cells, clip, safe
from nsroom.tui.model.clients import ObservedClient
from nsroom.tui.model.namespaces import Namespace, Room, State
from nsroom.tui.model.rates import Rate
from nsroom.tui.screen.lines import Fragments, fit, hold
from nsroom.tui.screen.state import View
from nsroom.tui.screen.status import DOTS

_MEMBERS = 30
_CLIENTS = 200


class Entry(NamedTuple):
    """A line of the sidebar, and where a click on it goes."""

    fragments: Fragments
    namespace: str = ""
    room: str = ""
    client: str = ""


def sidebar(view: View, width: int, height: int) -> list[Entry]:
    """Make the lines; where there are too many, the last one counts the rest."""
    spaces = [
        entry for space in view.model.namespaces.by_name.values() for entry in _space(view, space, width)
    ]
    rooms = _clients(view, width) if view.of_others else _rooms(view, width)
    # The rooms get at least half of the height, for they are what one talks to.
    most = max(height - len(rooms) - 3, (height - 3) // 2, 1)
    entries = [_heading("NAMESPACES"), *_cut(spaces, most, width), Entry([])]
    return [
        *entries,
        _heading("CLIENTS" if view.of_others else "ROOMS"),
        *_cut(rooms, height - len(entries) - 1, width),
    ][:height]


def _cut(entries: list[Entry], most: int, width: int) -> list[Entry]:
    if len(entries) <= most:
        return entries
    left = len(entries) - most + 1
    return [*entries[: max(most - 1, 0)], Entry(fit([("class:quiet", f"   {left:,} more")], width))]


def _heading(text: str) -> Entry:
    return Entry([("class:heading", f" {text}")])


def _space(view: View, space: Namespace, width: int) -> list[Entry]:
    style, dot = DOTS[space.state]
    current = space.name == view.namespace
    left = [(style, f" {dot} "), ("bold" if current else "", safe(space.name))]
    entries = [Entry(hold(left, _unread(space), width), space.name)]
    if current and space.sid:
        entries.append(Entry(fit([("class:quiet", f"   {safe(space.sid)}")], width), space.name))
    return entries


def _clients(view: View, width: int) -> list[Entry]:
    """List the clients, the newest first, those that have gone at the end."""
    clients, now = view.model.clients, view.moment
    known = reversed(clients.by_sid.values()) if clients else ()
    ordered = sorted(known, key=lambda client: not client.is_connected(now))
    entries = [_client(view, client, width) for client in islice(ordered, _CLIENTS)]
    left = len(ordered) - len(entries)
    return [*entries, *([_more(left, width)] if left else [])] or [
        Entry(fit([("class:quiet", "   none yet")], width))
    ]


def _client(view: View, client: ObservedClient, width: int) -> Entry:
    here = client.is_connected(view.moment)
    style, dot = DOTS[State.CONNECTED if here else State.DISCONNECTED]
    left = [(style, f" {dot} "), ("", f"#{client.number} "), ("class:quiet", safe(client.sid))]
    return Entry(hold(left, [("class:sign", f" {_graph(client.rate, view):4} ")], width), client=client.sid)


def _unread(space: Namespace) -> Fragments:
    if space.state is State.REFUSED:
        return [("class:failed", " refused ")]
    return [("class:sign", f" {space.unread:,} ")] if space.unread else []


def _rooms(view: View, width: int) -> list[Entry]:
    rooms = view.model.namespaces[view.namespace].rooms
    ordered = sorted(rooms.items(), key=lambda pair: (pair[0] != view.room, not pair[1].joined, pair[0]))
    entries = []
    for name, room in ordered:
        entries.append(Entry(_room(view, name, room, width), view.namespace, name))
        if name == view.room:
            entries += _members(view, name, room, width)
    return entries or [Entry(fit([("class:quiet", "   none known")], width))]


def _members(view: View, name: str, room: Room, width: int) -> list[Entry]:
    nicks = list(room.members.values())
    shown = [
        Entry(fit([("class:quiet", f"   {safe(nick)}")], width), view.namespace, name)
        for nick in nicks[:_MEMBERS]
    ]
    return shown if len(nicks) <= _MEMBERS else [*shown, _more(len(nicks) - _MEMBERS, width)]


def _more(count: int, width: int) -> Entry:
    return Entry(fit([("class:quiet", f"   {count:,} more")], width))


def _room(view: View, name: str, room: Room, width: int) -> Fragments:
    style, dot, told = _standing(room)
    right: Fragments = [("class:sign", f"{_graph(room.rate, view)} ")]
    right += [("class:sign", f"+{room.unread:,} ")] if room.unread else []
    right += [("class:failed" if room.refused else "class:quiet", f"{told:>2} ")]
    left = [(style, f" {dot} "), ("bold" if name == view.room else "", safe(name))]
    if cells(safe(name)) + 3 > width - sum(cells(text) for _, text in right):
        right = right[1:]
    return hold(left, right, width)


def _standing(room: Room) -> tuple[str, str, str]:
    count = room.count if room.count is not None else len(room.members) or None
    told = f"{count:,}" if count is not None else ""
    if room.refused:
        return "class:failed", "✗", "refused"
    if room.joined:
        return "class:good", "●", told
    return ("class:waits", "◌", "asked") if room.asked else ("class:quiet", "○", told)


def _graph(rate: Rate, view: View) -> str:
    graph = "" if view.recorded_from else rate.graph(int(view.now))[-4:]
    return clip(graph, 4) if graph.strip() else ""
