"""The actions of the sidebar's keys, and those that change the room or the pane."""

import json
from collections.abc import Mapping
from functools import partial

from nsroom.tui.input.key_context import Action, KeyContext
from nsroom.tui.screen.side_pane import Place
from nsroom.tui.screen.sidebar import selected
from nsroom.tui.screen.state import Focus, Mode, View

_NUMBERED_ROOMS = range(1, 10)


def _show_sidebar(context: KeyContext) -> None:
    screen, view = context.screen, context.view
    view.sidebar = not screen.shows_sidebar()
    if screen.covers_stream():
        screen.focus(Focus.SIDEBAR)


def _talk(context: KeyContext) -> None:
    place = selected(context.view)
    if context.view.is_observing and not place.client:
        _filter(context)
    else:
        context.screen.talk_in(place)
        _hint_to_join(context.view)


def _hint_to_join(view: View) -> None:
    room = view.model.namespaces[view.namespace].rooms.get(view.room)
    if room is not None and view.can_send and not (room.joined or room.asked):
        view.notice.show(f"you are not in {view.room}: /join {json.dumps(view.room)} asks to join it")


def _filter(context: KeyContext) -> None:
    context.host.run_line(f"/where {_expression(selected(context.view))}")


def _expression(place: Place) -> str:
    """Return the filter that shows only this namespace, room or client."""
    if place.client:
        return f"sid={json.dumps(place.client)}"
    namespace, room = f"ns={json.dumps(place.namespace)}", json.dumps(place.room)
    return f"{namespace} & (arg.0={room} | arg.0.room={room})" if place.room else namespace


def _fold(context: KeyContext) -> None:
    context.view.side.toggle(selected(context.view))


def _unread_first(context: KeyContext) -> None:
    side = context.view.side
    side.unread_first = not side.unread_first


def _go_to_nth_room(context: KeyContext, number: int) -> None:
    view = context.view
    rooms = view.model.namespaces[view.namespace].ordered_rooms(view.side.unread_first)
    if number > len(rooms):
        view.notice.show(f"{view.namespace} has {len(rooms)} known rooms", failed=True)
        return
    view.go_to(view.namespace, rooms[number - 1][0])
    _hint_to_join(view)


def _change_room(context: KeyContext, steps: int) -> None:
    """Go to the next or previous room; in the completion menu, to the next or previous completion."""
    view, buffer = context.view, context.input
    if view.focus is Focus.INPUT and buffer.text and buffer.complete_state is not None:
        buffer.complete_next() if steps > 0 else buffer.complete_previous()
        return
    found = _neighbour(view, steps)
    if found == (view.namespace, view.room):
        view.notice.show("no other room or namespace is known", failed=True)
        return
    view.go_to(*found)
    view.side.cursor = Place(*found)
    _hint_to_join(view)


def _neighbour(view: View, steps: int) -> tuple[str, str]:
    """Return the room after or before this one; after the last one, the first of the next namespace."""
    rooms = _rooms(view, view.namespace)
    at = rooms.index(view.room) + steps if view.room in rooms else 0
    if 0 <= at < len(rooms) and rooms[at] != view.room:
        return view.namespace, rooms[at]
    names = list(view.model.namespaces.by_name) or [view.namespace]
    at = names.index(view.namespace) + steps if view.namespace in names else 0
    name = names[at % len(names)]
    return name, _rooms(view, name)[0 if steps > 0 else -1]


def _rooms(view: View, namespace: str) -> list[str]:
    """Return the rooms of a namespace in their order, or no room if none are known."""
    known = view.model.namespaces[namespace].ordered_rooms(view.side.unread_first)
    return [name for name, _ in known] or [""]


def _panes(context: KeyContext) -> list[Focus]:
    view = context.view
    panes = [Focus.INPUT, Focus.STREAM]
    if view.detail is not None and view.mode is Mode.EVENTS:
        panes.append(Focus.DETAIL)
    return [*panes, Focus.SIDEBAR] if context.screen.shows_sidebar() else panes


def _next_pane(context: KeyContext, steps: int) -> None:
    """Go to another pane; while something is typed, complete it."""
    buffer, panes = context.input, _panes(context)
    if context.view.focus is Focus.INPUT and buffer.complete_state is not None:
        buffer.complete_next() if steps > 0 else buffer.complete_previous()
    elif context.view.focus is Focus.INPUT and buffer.text and steps > 0:
        buffer.start_completion(insert_common_part=True)
    else:
        context.screen.focus(panes[(panes.index(context.view.focus) + steps) % len(panes)])


SIDEBAR_ACTIONS: Mapping[str, Action] = {
    "sidebar": _show_sidebar,
    "talk": _talk,
    "side_filter": _filter,
    "side_fold": _fold,
    "unread_first": _unread_first,
    "leave_sidebar": lambda context: context.screen.focus(Focus.STREAM),
    "next_room": partial(_change_room, steps=1),
    "previous_room": partial(_change_room, steps=-1),
    "input_next_room": partial(_change_room, steps=1),
    "input_previous_room": partial(_change_room, steps=-1),
    "switch": partial(_next_pane, steps=1),
    "switch_back": partial(_next_pane, steps=-1),
    **{f"room_{number}": partial(_go_to_nth_room, number=number) for number in _NUMBERED_ROOMS},
}
