"""The sidebar: namespaces, and the rooms of the current one with their members, or the clients."""

from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from nsroom.output.terminal import cells, clip, safe
from nsroom.tui.model.clients import ObservedClient
from nsroom.tui.model.namespaces import Namespace, Room, State
from nsroom.tui.model.rates import Rate
from nsroom.tui.screen.lines import Fragments, fit, justify
from nsroom.tui.screen.scroll import Scroll
from nsroom.tui.screen.side_pane import Place
from nsroom.tui.screen.state import Focus, View
from nsroom.tui.screen.status import DOTS

_MAX_MEMBERS = 30
_MAX_CLIENTS = 200
WIDTH = 24


class Entry(NamedTuple):
    """A line of the sidebar, and what it selects."""

    fragments: Fragments
    place: Place | None = None


def sidebar(view: View, width: int, height: int) -> list[Entry]:
    """Return the lines; in a list that is too long, those around the selected one, with the rest counted."""
    namespaces, below = _namespaces(view, width), _below(view, width)
    # At least half of the height is for the rooms: they are what the user writes to.
    most = max(height - len(below) - 3, (height - 3) // 2, 1)
    above = _scrolled(view, namespaces, view.side.namespaces, most, width)
    entries = [_heading("NAMESPACES"), *above, Entry([])]
    entries.append(_heading("CLIENTS" if view.is_observing else "ROOMS"))
    rows = max(height - len(entries), 0)
    return [*entries, *_scrolled(view, below, view.side.below, rows, width)][:height]


def places(view: View) -> list[Place]:
    """Return what the lines of the sidebar select, in their order."""
    entries = [*_namespaces(view, WIDTH), *_below(view, WIDTH)]
    return list(dict.fromkeys(entry.place for entry in entries if entry.place))


def selected(view: View) -> Place:
    """Return what the selected line selects: at first, the room or namespace that typed text goes to."""
    return view.side.cursor or Place(view.namespace, view.room)


def move(view: View, steps: int) -> None:
    """Select another line."""
    all_places, current = places(view), selected(view)
    if all_places:
        at = all_places.index(current) if current in all_places else 0
        view.side.cursor = all_places[min(max(at + steps, 0), len(all_places) - 1)]


def _scrolled(view: View, entries: Sequence[Entry], scroll: Scroll, rows: int, width: int) -> list[Entry]:
    """Return the lines of a list in its window, the selected one marked."""
    current = selected(view) if view.focus is Focus.SIDEBAR else Place(view.namespace, view.room)
    anchor = next((at for at, entry in enumerate(entries) if entry.place == current), 0)
    window = range(len(entries))
    if len(entries) > rows:
        window = scroll.window(len(entries), rows, anchor)
    shown = [_marked(view, entries[at]) for at in window]
    if window and window[0] > 0 and rows > 2:
        shown[0] = Entry(_quiet(f"↑ {window[0] + 1:,} more", width))
    if window and window[-1] < len(entries) - 1 and rows > 1:
        shown[-1] = Entry(_quiet(f"↓ {len(entries) - window[-1]:,} more", width))
    return shown


def _marked(view: View, entry: Entry) -> Entry:
    if view.focus is not Focus.SIDEBAR or entry.place != selected(view):
        return entry
    return entry._replace(fragments=[(f"{style} class:row", text) for style, text in entry.fragments])


def _heading(text: str) -> Entry:
    return Entry([("class:heading", f" {text}")])


def _quiet(text: str, width: int) -> Fragments:
    return fit([("class:quiet", f"   {text}")], width)


def _namespaces(view: View, width: int) -> list[Entry]:
    known = list(view.shown_namespaces.by_name.values())
    if view.side.unread_first:
        known.sort(key=lambda namespace: not namespace.unread)
    return [entry for namespace in known for entry in _namespace(view, namespace, width)]


def _namespace(view: View, namespace: Namespace, width: int) -> list[Entry]:
    """Return the line of a namespace, followed by our sid there, or by its rooms if they are unfolded."""
    style, dot = DOTS[namespace.state]
    place, is_current = Place(namespace.name), namespace.name == view.namespace
    fold = _fold_mark(view, place, is_current, bool(namespace.rooms))
    left = [("", fold), (style, f"{dot} "), ("bold" if is_current else "", safe(namespace.name))]
    entries = [Entry(justify(left, _unread(namespace), width), place)]
    if is_current and namespace.sid:
        entries.append(Entry(_quiet(safe(namespace.sid), width), place))
    elif not is_current and place in view.side.toggled:
        entries += _rooms(view, namespace, width, indent=" ")
    return entries


def _fold_mark(view: View, place: Place, is_open: bool, can_fold: bool) -> str:
    """Return the sign before a line that folds, shown while the sidebar has the keys."""
    if view.focus is not Focus.SIDEBAR or not can_fold or view.is_observing:
        return " "
    return "▾" if is_open != (place in view.side.toggled) else "▸"


def _unread(namespace: Namespace) -> Fragments:
    if namespace.state is State.REFUSED:
        return [("class:failed", " refused ")]
    return [("class:sign", f" {namespace.unread:,} ")] if namespace.unread else []


def _below(view: View, width: int) -> list[Entry]:
    if view.is_observing:
        return _observed(view, width)
    namespace = view.shown_namespaces[view.namespace]
    if Place(view.namespace) in view.side.toggled:
        return [Entry(_quiet(f"{len(namespace.rooms):,} folded", width), Place(view.namespace))]
    return _rooms(view, namespace, width) or [Entry(_quiet("none known", width))]


def _observed(view: View, width: int) -> list[Entry]:
    """Return the clients, and then the rooms that some of them are known to be in."""
    rooms = [
        entry
        for namespace in view.shown_namespaces.by_name.values()
        for name, room in namespace.ordered_rooms()
        for entry in _observed_room(view, Place(namespace.name, name), room, width)
    ]
    clients = _clients(view, width)
    return [*clients, Entry([]), _heading("ROOMS"), *rooms] if rooms else clients


def _observed_room(view: View, place: Place, room: Room, width: int) -> list[Entry]:
    count = room.count if room.count is not None else len(room.members)
    left: Fragments = [("class:quiet", f" {clip(safe(place.namespace), 8)} "), ("", safe(place.room))]
    head = Entry(justify(left, [("class:quiet", f" {count:,} ")], width), place)
    clients = view.shown_clients
    labels = (
        [clients.label(sid) or safe(sid) for sid in islice(room.members, _MAX_MEMBERS)] if clients else []
    )
    return [head, Entry(_quiet(" ".join(labels), width), place)]


def _clients(view: View, width: int) -> list[Entry]:
    """Return the clients, the newest first, and the disconnected ones after the others."""
    clients, now = view.shown_clients, view.client_time
    known = reversed(clients.by_sid.values()) if clients else ()
    ordered = sorted(known, key=lambda client: not client.is_connected(now))
    if not ordered:
        return [Entry(_quiet("none yet", width))]
    entries = [_client(view, client, width) for client in islice(ordered, _MAX_CLIENTS)]
    left = len(ordered) - len(entries)
    return [*entries, Entry(_quiet(f"{left:,} more", width))] if left else entries


def _client(view: View, client: ObservedClient, width: int) -> Entry:
    is_connected = client.is_connected(view.client_time)
    style, dot = DOTS[State.CONNECTED if is_connected else State.DISCONNECTED]
    left = [(style, f" {dot} "), ("", f"#{client.number} "), ("class:quiet", safe(client.sid))]
    right = [("class:sign", f" {_graph(client.rate, view):4} ")]
    return Entry(justify(left, right, width), Place(client=client.sid))


def _rooms(view: View, namespace: Namespace, width: int, indent: str = "") -> list[Entry]:
    entries = []
    for name, room in namespace.ordered_rooms(view.side.unread_first):
        place = Place(namespace.name, name)
        is_current = place == (view.namespace, view.room, "")
        fold = indent + _fold_mark(view, place, is_current, bool(room.members))
        entries.append(Entry(_room(view, name, room, width, fold, is_current), place))
        if is_current != (place in view.side.toggled):
            entries += _members(room, width, place)
    return entries


def _members(room: Room, width: int, place: Place) -> list[Entry]:
    nicks = list(room.members.values())
    shown = [Entry(_quiet(safe(nick), width), place) for nick in nicks[:_MAX_MEMBERS]]
    left = len(nicks) - len(shown)
    return [*shown, Entry(_quiet(f"{left:,} more", width), place)] if left else shown


def _room(view: View, name: str, room: Room, width: int, fold: str, is_current: bool) -> Fragments:
    style, dot, state = _room_state(room)
    right: Fragments = [("class:sign", f"{_graph(room.rate, view)} ")]
    right += [("class:sign", f"+{room.unread:,} ")] if room.unread else []
    right += [("class:failed" if room.refused else "class:quiet", f"{state:>2} ")]
    left = [("", fold), (style, f"{dot} "), ("bold" if is_current else "", safe(name))]
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
