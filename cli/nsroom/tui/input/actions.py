"""What the keys do: a method for each function of `key_bindings.KEYS`."""

import json
from collections.abc import Callable
from typing import Protocol

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.key_binding import KeyPressEvent
from prompt_toolkit.search import SearchDirection, start_search

from nsroom.record import Kind, Record
from nsroom.tui.input import copy_formats
from nsroom.tui.input.shell_words import is_open
from nsroom.tui.screen.keymap import KEYS
from nsroom.tui.screen.layout import Screen
from nsroom.tui.screen.state import Focus, Mode, View

Action = Callable[[KeyPressEvent], None]
_FURTHEST = 20_000
"""Lines that Home and End go at most where lines are made only as somebody looks."""


class Host(Protocol):
    """What the application does for a key."""

    def do(self, text: str, typed: bool = False) -> None:
        """Do what a line says."""

    def ask(self, label: str, text: str, done: Callable[[str], None]) -> None:
        """Ask for a line in the place of the input."""

    def copy(self, text: str) -> None:
        """Give text to the clipboard."""

    def leave(self) -> None:
        """End the view."""

    def retry(self) -> None:
        """Try to connect again."""


class Actions:
    """The functions of the view, by the names of the table of keys."""

    def __init__(self, view: View, screen: Screen, host: Host) -> None:
        self._view = view
        self._model = view.model
        self._screen = screen
        self._input: Buffer = screen.input_buffer
        self._host = host

    def table(self) -> dict[str, Action]:
        """Give every function that takes a key."""
        return {key.name: self._wrapped(getattr(self, key.name)) for key in KEYS}

    def _wrapped(self, function: Callable[[], None]) -> Action:
        def act(_event: KeyPressEvent) -> None:
            self._view.say("")
            function()

        return act

    def up(self) -> None:
        self._step(-1)

    def down(self) -> None:
        self._step(1)

    def page_up(self) -> None:
        self._step(-max(self._view.stream_height - 1, 1))

    def page_down(self) -> None:
        self._step(max(self._view.stream_height - 1, 1))

    def detail_up(self) -> None:
        self._step(-1)

    def detail_down(self) -> None:
        self._step(1)

    def _step(self, steps: int) -> None:
        """Go on by so many lines in what one reads."""
        view = self._view
        if view.focus is Focus.DETAIL:
            view.detail_row = max(view.detail_row + steps, 0)
        elif view.mode is Mode.CHAT:
            view.chat_back = max(view.chat_back - steps, 0)
        else:
            self._model.move(steps)
            self._refresh_detail()

    def _refresh_detail(self) -> None:
        if self._view.detail is not None:
            self._view.show_detail()

    def home(self) -> None:
        if self._view.focus is Focus.DETAIL:
            self._view.detail_row = 0
        elif self._view.mode is Mode.CHAT:
            self._view.chat_back = _FURTHEST
        else:
            self._model.home()
            self._refresh_detail()

    def end(self) -> None:
        if self._view.focus is Focus.DETAIL:
            self._view.detail_row = _FURTHEST
        else:
            self._view.chat_back = 0
            self._model.follow()

    def detail(self) -> None:
        view = self._view
        if view.mode is Mode.CHAT:
            return
        if view.detail is not None:
            self.close_detail()
            return
        if view.model.cursor is None:
            view.model.move(-1)
        view.show_detail()

    def close_detail(self) -> None:
        self._view.detail = None
        self._screen.focus(Focus.STREAM)

    def fold(self) -> None:
        self._screen.turn()

    def search(self) -> None:
        self._host.ask("search", "", self._search_anew)

    def _search_anew(self, text: str) -> None:
        self._search(text or self._model.pattern, forward=False)

    def search_next(self) -> None:
        self._search(self._model.pattern, forward=False)

    def search_back(self) -> None:
        self._search(self._model.pattern, forward=True)

    def _search(self, text: str, forward: bool) -> None:
        if not text:
            self._view.say("nothing to search for: / asks for it", failed=True)
        elif not self._model.search(text, forward):
            self._view.say(f"no {'later' if forward else 'earlier'} row holds {text!r}", failed=True)
        self._refresh_detail()

    def filter(self) -> None:
        where = self._model.where
        self._host.ask("filter", where.text if where else "", self._filter)

    input_filter = filter

    def _filter(self, text: str) -> None:
        self._host.do(f"/where {text}")

    def only(self) -> None:
        if record := self._event():
            self._filter(f"event={json.dumps(str(record.event))}")

    def hide(self) -> None:
        if record := self._event():
            where = self._model.where
            before = f"({where.text}) & " if where else ""
            self._filter(f"{before}!event={json.dumps(str(record.event))}")

    def only_client(self) -> None:
        record = self._view.selected()
        if record is not None and record.sid is not None and self._view.of_others:
            self._model.only_client(record.sid)

    def unfilter(self) -> None:
        self._filter("")

    def mode(self) -> None:
        view = self._view
        if view.of_others:
            view.say("there is no chat: each client gets every message once more", failed=True)
            return
        if view.mode is Mode.CHAT:
            view.leave_chat()
        if view.focus is Focus.DETAIL:
            self._screen.focus(Focus.STREAM)
        view.mode = Mode.EVENTS if view.mode is Mode.CHAT else Mode.CHAT

    input_mode = mode

    def pause(self) -> None:
        self._model.pause()

    input_pause = pause

    def jump(self) -> None:
        if reason := self._model.jump():
            self._view.say(reason, failed=True)
        self._refresh_detail()

    def mark(self) -> None:
        if self._view.selected():
            self._model.mark()

    def next_mark(self) -> None:
        self._mark_elsewhere(forward=False)

    def back_mark(self) -> None:
        self._mark_elsewhere(forward=True)

    def _mark_elsewhere(self, forward: bool) -> None:
        if not self._model.next_mark(forward):
            self._view.say(f"no mark further {'down' if forward else 'up'}: m marks a row", failed=True)
        self._refresh_detail()

    def copy(self) -> None:
        if self._view.selected():
            self._view.copying = True

    def copy_as(self, format: str) -> None:
        """Copy the selected record in one of the formats."""
        self._view.copying = False
        record = self._view.selected()
        if record is not None and format in copy_formats.FORMATS:
            self._host.copy(copy_formats.FORMATS[format](record))

    def edit(self) -> None:
        if record := self._event():
            self._input.text = copy_formats.as_typed(record)
            self._input.cursor_position = len(self._input.text)
            self._screen.focus(Focus.INPUT)

    def resend(self) -> None:
        if self._view.failure:
            self._host.retry()
        elif record := self._event():
            self._host.do(copy_formats.as_typed(record))

    def _event(self) -> Record | None:
        record = self._view.selected()
        if record is not None and record.kind is not Kind.EVENT:
            self._view.say("this row is no event", failed=True)
            return None
        return record

    def deltas(self) -> None:
        self._view.deltas = not self._view.deltas

    def heartbeats(self) -> None:
        self._model.heartbeats = not self._model.heartbeats
        self._model.refilter()

    def sidebar(self) -> None:
        self._view.sidebar = not self._view.sidebar

    def save(self) -> None:
        self._host.ask("record to file", "session.ndjson", lambda text: self._host.do(f"/save {text}"))

    def send(self) -> None:
        state = self._input.complete_state
        if state is not None and state.current_completion is not None:
            self._input.complete_state = None
        elif is_open(self._input.text):
            self._input.insert_text("\n")
        elif self._input.text.strip() or self._view.of_others:
            self._input.validate_and_handle()

    def newline(self) -> None:
        self._input.insert_text("\n")

    def editor(self) -> None:
        self._input.open_in_editor()

    def recall(self) -> None:
        start_search(self._screen.input_control, SearchDirection.BACKWARD)

    def read(self) -> None:
        if self._input.complete_state is not None:
            self._input.cancel_completion()
        else:
            self._screen.focus(Focus.STREAM)

    def write(self) -> None:
        self._screen.focus(Focus.INPUT)

    def switch(self) -> None:
        opened = self._view.detail is not None and self._view.mode is Mode.EVENTS
        if self._view.focus is Focus.STREAM and opened:
            self._screen.focus(Focus.DETAIL)
        else:
            self._screen.focus(Focus.INPUT)

    def help(self) -> None:
        self._view.help, self._view.help_top = True, 0

    input_help = help

    def leave(self) -> None:
        self._host.leave()

    quit = leave
