"""The actions of the list of groups, and of the time line."""

import json
from collections.abc import Mapping

from nsroom.tui.input.key_context import Action, KeyContext
from nsroom.tui.model.groups import GroupKey
from nsroom.tui.screen.state import Focus, Mode


def _switch_groups(context: KeyContext) -> None:
    view = context.view
    if view.mode is Mode.CHAT:
        view.mark_chat_read()
    view.mode = Mode.EVENTS if view.mode is Mode.GROUPS else Mode.GROUPS


def show_events_of_group(context: KeyContext) -> None:
    """Show only the events of the selected group; `back` undoes that."""
    view = context.view
    keys = view.model.shown_groups.by_key
    key = view.group if view.group in keys else next(iter(keys), None)
    if key is None:
        view.notice.show("there are no events yet", failed=True)
        return
    before = view.model.where.text if view.model.where else ""
    wanted = _expression(key)
    view.model.filter(f"({before}) & {wanted}" if before else wanted)
    view.drilled = (view.model.where.text if view.model.where else "", before)
    view.group, view.mode = key, Mode.EVENTS
    view.model.follow()


def _expression(key: GroupKey) -> str:
    direction = "out" if key.is_sent else "in"
    return f"ns={json.dumps(key.namespace)} & event={json.dumps(key.event)} & dir={direction}"


def _back(context: KeyContext) -> None:
    """Go back from the groups to the events, and from the events of a group to the groups."""
    view = context.view
    if view.mode is Mode.GROUPS:
        view.mode = Mode.EVENTS
    elif view.mode is Mode.EVENTS and view.drilled is not None and view.is_drilled:
        view.model.filter(view.drilled[1])
        view.drilled, view.detail, view.mode = None, None, Mode.GROUPS
        context.screen.focus(Focus.STREAM)


def _time_line(context: KeyContext) -> None:
    context.view.time_line = not context.view.time_line


GROUP_ACTIONS: Mapping[str, Action] = {"group": _switch_groups, "back": _back, "time_line": _time_line}
