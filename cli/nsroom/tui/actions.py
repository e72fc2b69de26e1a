"""What the keys do: a method for each function of `key_bindings.KEYS`."""

import json
import shlex
from collections.abc import Callable

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.key_binding import KeyPressEvent

from nsroom.record import Kind, Record
from nsroom.tui import copies
from nsroom.tui.layout import Screen
from nsroom.tui.view import Focus, Mode, Question, View

Action = Callable[[KeyPressEvent], None]


class Actions:
    """The functions of the view, by the names of the table of keys."""

    def __init__(
        self,
        view: View,
        input_buffer: Buffer,
        ask_buffer: Buffer,
        *,
        do: Callable[[str], None],
        copy: Callable[[str], None],
        leave: Callable[[], None],
        retry: Callable[[], None],
    ) -> None:
        self._view = view
        self._model = view.model
        self._input = input_buffer
        self._ask = ask_buffer
        self._do = do
        self._copy = copy
        self._leave = leave
        self._retry = retry
        self.screen: Screen

    def table(self) -> dict[str, Action]:
        """Give every function that takes a key."""
        names = [
            name for name in dir(self) if not name.startswith("_") and name not in ("table", "screen", "ask")
        ]
        return {name: self._wrapped(getattr(self, name)) for name in names}

    def _wrapped(self, function: Callable[[], None]) -> Action:
        def act(_event: KeyPressEvent) -> None:
            self._view.notice = ""
            function()

        return act

    def up(self) -> None:
        if self._view.mode is Mode.CHAT:
            self._view.chat_back += 1
        else:
            self._select(-1)

    def down(self) -> None:
        if self._view.mode is Mode.CHAT:
            self._view.chat_back = max(self._view.chat_back - 1, 0)
        else:
            self._select(1)

    def page_up(self) -> None:
        self._page(-1)

    def page_down(self) -> None:
        self._page(1)

    def _page(self, direction: int) -> None:
        step = max(self._view.stream_height - 1, 1)
        if self._view.focus is Focus.DETAIL:
            self._view.detail_row = max(self._view.detail_row + direction * 10, 0)
        elif self._view.mode is Mode.CHAT:
            self._view.chat_back = max(self._view.chat_back - direction * step, 0)
        else:
            self._select(direction * step)

    def _select(self, steps: int) -> None:
        self._model.move(steps)
        self._refresh_detail()

    def _refresh_detail(self) -> None:
        if self._view.detail is not None:
            self._view.show_detail()

    def home(self) -> None:
        self._model.home()
        self._refresh_detail()

    def end(self) -> None:
        self._view.chat_back = 0
        self._model.follow()

    def detail(self) -> None:
        view = self._view
        if view.detail is not None:
            self.close_detail()
            return
        if view.model.cursor is None:
            view.model.move(-1)
        view.show_detail()

    def close_detail(self) -> None:
        self._view.detail = None
        self.screen.focus(Focus.STREAM)

    def detail_up(self) -> None:
        self._view.detail_row = max(self._view.detail_row - 1, 0)

    def detail_down(self) -> None:
        self._view.detail_row += 1

    def fold(self) -> None:
        self.screen.turn()

    def search(self) -> None:
        self.ask("search", self._model.pattern, lambda text: self._search(text, forward=False))

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
        self.ask("filter", where.text if where else "", lambda text: self._do(f"/where {text}"))

    input_filter = filter

    def only(self) -> None:
        if record := self._event():
            self._do(f"/where event={json.dumps(str(record.event))}")

    def hide(self) -> None:
        if record := self._event():
            where = self._model.where
            before = f"({where.text}) & " if where else ""
            self._do(f"/where {before}!event={json.dumps(str(record.event))}")

    def unfilter(self) -> None:
        self._do("/where")

    def mode(self) -> None:
        view = self._view
        if view.mode is Mode.CHAT:
            view.leave_chat()
        view.mode = Mode.EVENTS if view.mode is Mode.CHAT else Mode.CHAT

    input_mode = mode

    def pause(self) -> None:
        self._model.pause()

    input_pause = pause

    def jump(self) -> None:
        if not self._model.jump():
            self._view.say("this row has no acknowledgement, and is none", failed=True)
        self._refresh_detail()

    def mark(self) -> None:
        self._model.mark()

    def next_mark(self) -> None:
        self._model.next_mark(forward=False)
        self._refresh_detail()

    def back_mark(self) -> None:
        self._model.next_mark(forward=True)
        self._refresh_detail()

    def copy(self) -> None:
        if self._view.selected():
            self._view.copying = True

    def copy_as(self, format: str) -> None:
        """Copy the selected record in one of the formats."""
        self._view.copying = False
        record = self._view.selected()
        if record is not None and format in copies.FORMATS:
            self._copy(copies.FORMATS[format](record))

    def edit(self) -> None:
        if record := self._event():
            self._input.text = _command(record)
            self._input.cursor_position = len(self._input.text)
            self.screen.focus(Focus.INPUT)

    def resend(self) -> None:
        if self._view.failure:
            self._retry()
        elif record := self._event():
            self._do(_command(record))

    def _event(self) -> Record | None:
        record = self._view.selected()
        if record is not None and record.kind is not Kind.EVENT:
            self._view.say("this row is no event", failed=True)
            return None
        return record

    def deltas(self) -> None:
        self._view.deltas = not self._view.deltas

    def sidebar(self) -> None:
        self._view.sidebar = not self._view.sidebar

    def save(self) -> None:
        self.ask(
            "record to file", self._view.recording or "session.ndjson", lambda text: self._do(f"/save {text}")
        )

    def send(self) -> None:
        if _is_open(self._input.text):
            self._input.insert_text("\n")
        elif self._input.text.strip():
            self._input.validate_and_handle()

    def newline(self) -> None:
        self._input.insert_text("\n")

    def editor(self) -> None:
        self._input.open_in_editor()

    def read(self) -> None:
        self.screen.focus(Focus.STREAM)

    def write(self) -> None:
        self.screen.focus(Focus.INPUT)

    def switch(self) -> None:
        opened = self._view.detail is not None and self._view.mode is Mode.EVENTS
        if self._view.focus is Focus.STREAM and opened:
            self.screen.focus(Focus.DETAIL)
        else:
            self.screen.focus(Focus.INPUT)

    def help(self) -> None:
        self._view.help = True

    input_help = help

    def leave(self) -> None:
        self._leave()

    quit = leave

    def ask(self, label: str, text: str, done: Callable[[str], None]) -> None:
        """Ask for a line in the place of the input."""
        self._view.question = Question(label, text, done)
        self._ask.text = text
        self._ask.cursor_position = len(text)
        self.screen.focus(Focus.ASK)


def _command(record: Record) -> str:
    """Write an event as a line that sends it again."""
    args = record.args or []
    if any(isinstance(arg, bytes) for arg in args):
        return copies.as_json(record._replace(frames=None, bytes=None))
    words = [] if record.namespace in (None, "/") else ["-n", str(record.namespace)]
    words += [str(record.event), *(json.dumps(arg, ensure_ascii=False) for arg in args)]
    return f"/emit {shlex.join(words)}"


def _is_open(text: str) -> bool:
    """Tell whether brackets outside of texts are still open, so that Enter goes on with a new line."""
    if text[:1] not in ("[", "{"):
        return False
    depth, quoted, escaped = 0, False, False
    for character in text:
        if quoted:
            quoted = escaped or character != '"'
            escaped = not escaped and character == "\\"
        elif character == '"':
            quoted = True
        else:
            depth += (character in "[{") - (character in "]}")
    return depth > 0 or quoted
