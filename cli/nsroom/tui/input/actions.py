"""The actions of the keys: one function for each name in the keymap."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.key_binding import KeyPressEvent
from prompt_toolkit.search import SearchDirection, start_search

from nsroom.cli.shell_words import is_open
from nsroom.output.times import Times
from nsroom.record import Kind, Record
from nsroom.tui.input import copy_formats, detail_actions, playback_actions
from nsroom.tui.input.group_actions import GROUP_ACTIONS, show_events_of_group
from nsroom.tui.input.intercept_actions import INTERCEPT_ACTIONS
from nsroom.tui.input.key_context import Action, KeyContext, repeat
from nsroom.tui.input.palette_actions import open_palette
from nsroom.tui.input.sidebar_actions import SIDEBAR_ACTIONS
from nsroom.tui.input.slash_commands import find_command
from nsroom.tui.screen.group_list import move as move_group
from nsroom.tui.screen.keymap import NOT_IN_GROUPS
from nsroom.tui.screen.sidebar import move
from nsroom.tui.screen.state import FILTER, Focus, Leaving, Mode, RowColour, View

Handler = Callable[[KeyPressEvent], None]
_MAX_LINES = 20_000
"""How far Home and End go in lines that are rendered lazily and have no known number."""

_MAX_SESSIONS = 100
"""How many file names are tried for a suggestion."""


def handlers(context: KeyContext) -> dict[str, Handler]:
    """Return the handler of each function in the keymap."""
    return {name: _handler(name, action, context) for name, action in ACTIONS.items()}


def _handler(name: str, action: Action, context: KeyContext) -> Handler:
    def handle(event: KeyPressEvent) -> None:
        view = context.view
        view.notice.clear()
        view.count = event.arg if event.arg_present else 0
        if view.mode is Mode.GROUPS and name in NOT_IN_GROUPS:
            view.notice.show("this is for events; Esc goes back to them", failed=True)
        else:
            action(context)
        view.count = 0

    return handle


def _move(context: KeyContext, steps: int) -> None:
    """Move by lines, as often as the count says, in the sidebar, the detail, the chat or the stream."""
    view = context.view
    steps *= max(view.count, 1)
    if view.focus is Focus.SIDEBAR:
        move(view, steps)
    elif view.focus is Focus.DETAIL:
        view.detail_row = max(view.detail_row + steps, 0)
    elif view.mode is Mode.CHAT:
        view.chat_scroll = max(view.chat_scroll - steps, 0)
    elif view.mode is Mode.GROUPS:
        move_group(view, steps)
    else:
        view.model.move(steps)
        _update_detail(view)


def _update_detail(view: View) -> None:
    if view.detail is not None:
        view.show_detail()


def _page_up(context: KeyContext) -> None:
    _move(context, -max(context.view.stream_height - 1, 1))


def _page_down(context: KeyContext) -> None:
    _move(context, max(context.view.stream_height - 1, 1))


def _half_page(context: KeyContext, direction: int) -> None:
    _move(context, direction * max(context.view.stream_height // 2, 1))


def _go_to_line(context: KeyContext) -> bool:
    """Go to the row or line that the count names; return whether there was a count."""
    view = context.view
    if not view.count:
        return False
    if view.focus is Focus.DETAIL:
        view.detail_row = min(view.count, _MAX_LINES) - 1
    elif view.focus is Focus.STREAM and view.mode is Mode.EVENTS and view.model.rows:
        view.model.select(view.model.rows[min(view.count, len(view.model.rows)) - 1])
        _update_detail(view)
    return True


def _home(context: KeyContext) -> None:
    if _go_to_line(context):
        return
    view = context.view
    if view.focus is Focus.SIDEBAR:
        move(view, -_MAX_LINES)
    elif view.focus is Focus.DETAIL:
        view.detail_row = 0
    elif view.mode is Mode.CHAT:
        view.chat_scroll = _MAX_LINES
    elif view.mode is Mode.GROUPS:
        move_group(view, -_MAX_LINES)
    else:
        view.model.home()
        _update_detail(view)


def _end(context: KeyContext) -> None:
    if _go_to_line(context):
        return
    view = context.view
    if view.focus is Focus.SIDEBAR:
        move(view, _MAX_LINES)
    elif view.focus is Focus.DETAIL:
        view.detail_row = _MAX_LINES
    elif view.mode is Mode.GROUPS:
        move_group(view, _MAX_LINES)
    else:
        view.chat_scroll = 0
        view.model.follow()


def _detail(context: KeyContext) -> None:
    view = context.view
    if view.mode is Mode.CHAT:
        return
    if view.mode is Mode.GROUPS:
        show_events_of_group(context)
        return
    if view.detail is not None:
        _close_detail(context)
        return
    if view.model.cursor is None:
        view.model.move(-1)
    view.show_detail()


def _close_detail(context: KeyContext) -> None:
    context.view.detail = None
    context.screen.focus(Focus.STREAM)


def _ask_search_or_command(context: KeyContext) -> None:
    view = context.view
    context.host.ask(
        "search", "", partial(_search_or_run, context), lambda text: find_command(view, text) is not None
    )


def _search_or_run(context: KeyContext, text: str) -> None:
    command = find_command(context.view, text)
    if command is None:
        _search_typed(context, text)
        return
    if command.sends:  # text comes next
        context.screen.focus(Focus.INPUT)
    context.host.run_line(f"/{text}")


def _ask_search(context: KeyContext) -> None:
    context.host.ask("search", "", partial(_search_typed, context))


def _search_typed(context: KeyContext, text: str) -> None:
    context.screen.focus(Focus.STREAM)
    _search(context.view, text or context.view.model.pattern, forward=False)


def _search(view: View, text: str, forward: bool) -> None:
    if not text:
        view.notice.show("nothing to search for; press / first", failed=True)
    elif not view.model.search(text, forward):
        view.notice.show(f"not found {'below' if forward else 'above'}: {text}", failed=True)
    _update_detail(view)


def _ask_filter(context: KeyContext) -> None:
    where = context.view.model.where
    context.host.ask(FILTER, where.text if where else "", partial(_filter, context))


def _filter(context: KeyContext, text: str) -> None:
    context.host.run_line(f"/where {text}")


def _only(context: KeyContext) -> None:
    if record := _selected_event(context.view):
        _filter(context, f"event={json.dumps(str(record.event))}")


def _hide(context: KeyContext) -> None:
    if record := _selected_event(context.view):
        where = context.view.model.where
        current = f"({where.text}) & " if where else ""
        _filter(context, f"{current}!event={json.dumps(str(record.event))}")


def _only_client(context: KeyContext) -> None:
    record = context.view.require_selected()
    if record is not None and record.sid is not None and context.view.is_observing:
        context.view.model.only_client(record.sid)


def _switch_mode(context: KeyContext) -> None:
    view = context.view
    if view.is_observing:
        view.notice.show("no chat view here: every client receives each message", failed=True)
        return
    if view.mode is Mode.CHAT:
        view.mark_chat_read()
    if view.focus is Focus.DETAIL:
        context.screen.focus(Focus.STREAM)
    view.mode = Mode.EVENTS if view.mode is Mode.CHAT else Mode.CHAT


def _pause(context: KeyContext) -> None:
    if context.view.recording_name:
        playback_actions.play(context)
    else:
        context.view.model.pause()


def _jump(context: KeyContext) -> None:
    if reason := context.view.model.jump():
        context.view.notice.show(reason, failed=True)
    _update_detail(context.view)


def _mark(context: KeyContext) -> None:
    if context.view.require_selected():
        context.view.model.mark()


def _go_to_mark(view: View, forward: bool) -> None:
    if not view.model.next_mark(forward):
        view.notice.show(f"no mark {'below' if forward else 'above'}; m marks a row", failed=True)
    _update_detail(view)


def _ask_copy(context: KeyContext) -> None:
    if context.view.require_selected():
        context.view.copying = True


def copy_as(context: KeyContext, format: str) -> None:
    """Copy the selected record in a format, or cancel if the format is unknown."""
    context.view.copying = False
    record = context.view.require_selected()
    if record is not None and format in copy_formats.FORMATS:
        context.host.copy(copy_formats.FORMATS[format](record))


def _edit(context: KeyContext) -> None:
    if record := _selected_event(context.view):
        context.input.text = copy_formats.as_typed(record)
        context.input.cursor_position = len(context.input.text)
        context.screen.focus(Focus.INPUT)


def _resend(context: KeyContext) -> None:
    if context.view.failure:
        context.host.retry()
    elif record := _selected_event(context.view):
        context.host.run_line(copy_formats.as_typed(record))


def _selected_event(view: View) -> Record | None:
    record = view.require_selected()
    if record is not None and record.kind is not Kind.EVENT:
        view.notice.show("this row is not an event", failed=True)
        return None
    return record


def _deltas(context: KeyContext) -> None:
    view = context.view
    if view.times is Times.DELTA:
        view.times, view.other_times = view.other_times, Times.LOCAL
    else:
        view.times, view.other_times = Times.DELTA, view.times


def _heartbeats(context: KeyContext) -> None:
    model = context.view.model
    model.heartbeats = not model.heartbeats
    model.refilter()


def _acknowledgements(context: KeyContext) -> None:
    model = context.view.model
    model.show_acknowledgements(not model.acknowledgements)


def _row_colour(context: KeyContext) -> None:
    view, colours = context.view, list(RowColour)
    view.row_colour = colours[(colours.index(view.row_colour) + 1) % len(colours)]
    by = f"by {view.row_colour}" if view.row_colour is not RowColour.NONE else "all alike"
    view.notice.show(f"row colours: {by}")


def _leave(context: KeyContext) -> None:
    view = context.view
    if view.leaving or not view.unsaved:
        context.host.leave()
    else:
        view.leaving = Leaving.QUIT


def save_and_leave(context: KeyContext) -> None:
    """Ask for a file, and leave once the records are saved to it."""
    context.host.ask("save to file and quit", _new_file(), context.host.save_and_leave)


def _new_file() -> str:
    """Return the suggestion for a file: `session.ndjson`, or with a number if that exists."""
    names = ("session.ndjson", *(f"session-{number}.ndjson" for number in range(2, _MAX_SESSIONS)))
    return next((name for name in names if not Path(name).exists()), names[0])


def _save(context: KeyContext) -> None:
    context.host.ask("save to file", _new_file(), partial(_save_to, context))


def _save_to(context: KeyContext, path: str) -> None:
    context.host.run_line(f"/save {path}")


def _send(context: KeyContext) -> None:
    buffer = context.input
    if accept_completion(buffer):
        return
    if is_open(buffer.text):
        buffer.insert_text("\n")
    elif buffer.text.strip() or context.view.is_observing:
        buffer.validate_and_handle()


def accept_completion(buffer: Buffer) -> bool:
    """Accept the completion that is selected in the menu; return whether there was one."""
    state = buffer.complete_state
    if state is None or state.current_completion is None:
        return False
    buffer.complete_state = None
    return True


def _editor(context: KeyContext) -> None:
    context.input.open_in_editor()


def _search_history(context: KeyContext) -> None:
    start_search(context.screen.input_control, SearchDirection.BACKWARD)


def _go_to_stream(context: KeyContext) -> None:
    if context.input.complete_state is not None:
        context.input.cancel_completion()
    else:
        context.screen.focus(Focus.STREAM)


def _open_palette(context: KeyContext) -> None:
    open_palette(context, ACTIONS)


ACTIONS: Mapping[str, Action] = {
    "up": lambda context: _move(context, -1),
    "down": lambda context: _move(context, 1),
    "detail_up": lambda context: _move(context, -1),
    "detail_down": lambda context: _move(context, 1),
    "page_up": _page_up,
    "page_down": _page_down,
    "reading_page_up": _page_up,
    "reading_page_down": _page_down,
    "half_page_up": lambda context: _half_page(context, -1),
    "half_page_down": lambda context: _half_page(context, 1),
    "home": _home,
    "end": _end,
    "detail": _detail,
    "fold": lambda context: context.screen.toggle_fold(),
    "close_detail": _close_detail,
    "detail_search": detail_actions.ask_search,
    "detail_next": repeat(lambda context: detail_actions.search_next(context.view, forward=True)),
    "detail_back": repeat(lambda context: detail_actions.search_next(context.view, forward=False)),
    "copy_value": detail_actions.copy_value,
    "copy_path": detail_actions.copy_path,
    "send": _send,
    "newline": lambda context: context.input.insert_text("\n"),
    "editor": _editor,
    "recall": _search_history,
    "search": _ask_search_or_command,
    "input_search": _ask_search,
    "search_next": repeat(lambda context: _search(context.view, context.view.model.pattern, forward=False)),
    "search_back": repeat(lambda context: _search(context.view, context.view.model.pattern, forward=True)),
    "filter": _ask_filter,
    "input_filter": _ask_filter,
    "only": _only,
    "hide": _hide,
    "only_client": _only_client,
    "unfilter": lambda context: _filter(context, ""),
    "mode": _switch_mode,
    "input_mode": _switch_mode,
    "pause": _pause,
    "input_pause": _pause,
    "play": playback_actions.play,
    "step": repeat(lambda context: playback_actions.step(context, forward=True)),
    "step_back": repeat(lambda context: playback_actions.step(context, forward=False)),
    "faster": lambda context: playback_actions.change_speed(context, 2),
    "slower": lambda context: playback_actions.change_speed(context, 1 / 2),
    "seek": playback_actions.ask_time,
    "jump": _jump,
    "mark": _mark,
    "next_mark": repeat(lambda context: _go_to_mark(context.view, forward=False)),
    "back_mark": repeat(lambda context: _go_to_mark(context.view, forward=True)),
    "copy": _ask_copy,
    "compare": lambda context: detail_actions.compare(context.view),
    "edit": _edit,
    "resend": _resend,
    "acknowledgements": _acknowledgements,
    "collapse": lambda context: context.view.model.collapse(),
    "row_colour": _row_colour,
    "deltas": _deltas,
    "heartbeats": _heartbeats,
    "save": _save,
    "read": _go_to_stream,
    "write": lambda context: context.screen.focus(Focus.INPUT),
    "palette": _open_palette,
    "side_palette": _open_palette,
    "input_palette": _open_palette,
    "mouse": lambda context: context.host.toggle_mouse(),
    "help": lambda context: context.view.help.open(),
    "input_help": lambda context: context.view.help.open(),
    "leave": _leave,
    "quit": lambda context: context.host.leave(),
    **SIDEBAR_ACTIONS,
    **GROUP_ACTIONS,
    **INTERCEPT_ACTIONS,
}
"""The action of each function in the keymap, by its name there and in the settings."""
