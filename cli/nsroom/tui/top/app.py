"""The application of `top`."""

from collections.abc import Callable, Coroutine
from typing import Any

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.filters import Condition
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import (
    BufferControl,
    ConditionalContainer,
    Container,
    Float,
    FloatContainer,
    HSplit,
    Layout,
    Window,
)
from prompt_toolkit.layout.processors import BeforeInput
from prompt_toolkit.output import Output

from nsroom.errors import NsroomError
from nsroom.introspection.inventory import Feature
from nsroom.output.terminal import safe
from nsroom.tui import config
from nsroom.tui.fullscreen import FullScreen
from nsroom.tui.input.modal_keys import bind_help
from nsroom.tui.mouse import press
from nsroom.tui.screen.lines import Fragments, fit
from nsroom.tui.screen.safe_text import SafeText
from nsroom.tui.screen.windows import LinesWindow, help_window, line_window, rule_window
from nsroom.tui.top import keys
from nsroom.tui.top.actions import Actions, counted, label
from nsroom.tui.top.activity import Scope
from nsroom.tui.top.rows import Level
from nsroom.tui.top.screen import body, path, status
from nsroom.tui.top.state import TopView

_MAX_NOTICE = 500


class TopApp(FullScreen):
    """The view of a server, with its keys."""

    def __init__(
        self,
        view: TopView,
        settings: config.Settings,
        input: Input | None = None,
        output: Output | None = None,
    ) -> None:
        self.view = view
        self._remapped = settings.keys
        self.followed: Scope | None = None
        """What the user wants to follow in the live view, if that is why this view closed."""
        self._typed: Callable[[str], None] | None = None
        self._done: Callable[[str], None] = lambda _: None
        self._suggested = ""
        self.count = 0
        """The number typed before the key that is being handled; 0 without one."""
        self._ask = Buffer(
            multiline=False, accept_handler=self._accept_answer, on_text_changed=self._handle_typing
        )
        self._body = LinesWindow(
            lambda width, height: body(view, width, height),
            clicked=self._click,
            scrolled=view.model.move,
            focusable=True,
        )
        self._ask_control = BufferControl(
            self._ask,
            input_processors=[
                SafeText(),
                BeforeInput(lambda: [("class:prompt", f" {safe(view.question)} › ")]),
            ],
        )
        self._layout = Layout(self._root(), focused_element=self._body)
        super().__init__(self._layout, self._bindings(), settings.theme, input, output)

    def title(self) -> str:
        """Return the title of the window."""
        return f"nsroom top {self.view.server}"

    def prepare(self, now: float) -> None:
        """Update the state for a frame at this time."""
        self.view.tick(now)
        self.view.typed_count = self.application.key_processor.arg or ""

    def _root(self) -> Container:
        view = self.view
        asking, noticed = Condition(lambda: bool(view.question)), Condition(lambda: bool(view.notice.text))
        parts = [
            line_window(lambda width: status(view, width)),
            rule_window(),
            line_window(lambda width: path(view, width)),
            self._body,
            rule_window(),
            ConditionalContainer(Window(self._ask_control, height=1), asking),
            ConditionalContainer(line_window(self._notice), noticed & ~asking),
            line_window(lambda width: keys.bar(view, width, self._remapped), self._click_bar),
        ]
        shown = help_window(view.help, lambda: keys.help_lines(self._remapped))
        return FloatContainer(HSplit(parts), [Float(shown, top=2, bottom=1)])

    def _notice(self, width: int) -> Fragments:
        notice = self.view.notice
        style = "class:failed" if notice.failed else "class:good"
        return fit([(style, f" {safe(notice.text[:_MAX_NOTICE])}")], width)

    def _bindings(self) -> KeyBindings:
        view, bindings = self.view, KeyBindings()
        here = Condition(lambda: not view.question and not view.help.is_open)
        for name, action in ACTIONS.items():
            for key in keys.shown_keys(name, self._remapped):
                bindings.add(*key.split(), filter=here, eager=key == "enter")(self._handler(action))
        for digit in "0123456789":
            is_count = here if digit != "0" else here & Condition(lambda: bool(view.typed_count))
            bindings.add(digit, filter=is_count)(lambda event: event.append_to_arg_count(event.data))
        asking = Condition(lambda: bool(view.question))
        bindings.add("enter", filter=asking, eager=True)(lambda _: self._ask.validate_and_handle())
        bindings.add("escape", filter=asking)(lambda _: self._cancel_question())
        bind_help(bindings, view.help)
        return bindings

    def _handler(self, action: "Callable[[TopApp], None]") -> Callable[[KeyPressEvent], None]:
        def handle(event: KeyPressEvent) -> None:
            self.view.notice.clear()
            self.count = event.arg if event.arg_present else 0
            action(self)

        return handle

    def page(self, pages: float) -> None:
        """Move by pages, each of the height of the list."""
        lines = max(round(abs(pages) * self.view.height) - (abs(pages) == 1), 1)
        self.move(lines if pages > 0 else -lines)

    def move(self, steps: int) -> None:
        """Move by rows or lines, as often as the count says."""
        self.view.model.move(steps * max(self.count, 1))

    def go_to_row(self, otherwise: Callable[[], None]) -> None:
        """Go to the row that the count names, or without a count do something else."""
        if self.count and self.view.model.page.level is not Level.EVENTS:
            self.view.model.move(self.count - 1 - self.view.model.page.at)
        else:
            otherwise()

    def toggle_mouse(self) -> None:
        """Leave the mouse to the terminal, which selects text with it, or take it back."""
        self.has_mouse = not self.has_mouse
        is_back = "clicks and the wheel work here again"
        self.view.notice.show(is_back if self.has_mouse else "the mouse selects text; M takes it back")

    def back(self) -> None:
        """Remove the filter, or go back."""
        if not self.view.model.back():
            self.view.notice.show("this is the top; q quits")

    def ask(
        self,
        label: str,
        done: Callable[[str], None],
        text: str = "",
        typed: Callable[[str], None] | None = None,
    ) -> None:
        """Ask for a line; `typed` is called with each change of it, and with `text` if it is cancelled."""
        self._typed = None
        self._ask.text, self._ask.cursor_position = text, len(text)
        self.view.question, self._done, self._typed, self._suggested = label, done, typed, text
        self._layout.focus(self._ask_control)

    def _handle_typing(self, buffer: Buffer) -> None:
        if self._typed is not None:
            self._typed(buffer.text)

    def _accept_answer(self, buffer: Buffer) -> bool:
        self._close_question()
        self._done(buffer.text.strip())
        return True

    def _cancel_question(self) -> None:
        if self._typed is not None:
            self._typed(self._suggested)
        self._close_question()

    def _close_question(self) -> None:
        self.view.question, self._typed = "", None
        self._layout.focus(self._body)

    def ask_filter(self) -> None:
        """Ask for the text of the filter, and filter while it is typed."""
        model = self.view.model
        if model.page.level is not Level.EVENTS:
            self.ask("filter", model.filter, model.page.pattern, model.filter)

    def ask_search(self) -> None:
        """Ask for a text to search for."""
        if self.view.model.page.level is not Level.EVENTS:
            self.ask("search", lambda text: self.search(text or self.view.model.searched, forward=True))

    def search(self, text: str, forward: bool) -> None:
        """Go to the next row that contains a text."""
        if not text:
            self.view.notice.show("nothing to search for; press / first", failed=True)
        elif not self.view.model.search(text, forward):
            self.view.notice.show(f"not found: {text}", failed=True)

    def follow(self) -> None:
        """Close this view, to follow the selected row in the live view."""
        if self._require_actions() is not None and (scope := self._require_selected()):
            self.followed = scope
            self.finish()

    def kick(self) -> None:
        """Disconnect the selected socket or the members of the selected room, if the user confirms it."""
        chosen = self._require_change(Feature.DISCONNECT, "select a room or a socket to disconnect")
        if chosen is None:
            return
        actions, scope = chosen
        number = counted(actions.members(scope))

        def confirmed(answer: str) -> None:
            if answer.lower() in ("y", "yes"):
                self._act(actions.kick(scope))
            else:
                self.view.notice.show("nothing was changed")

        self.ask(f"disconnect {label(scope)} ({number}) from {scope.namespace}? y/n", confirmed)

    def join(self) -> None:
        """Ask for a room to join the selected socket, or the members of the selected room, to."""
        if chosen := self._require_change(Feature.JOIN, "select a room or a socket to join"):
            actions, scope = chosen
            self.ask(f"join {label(scope)} to room", lambda room: self._act(actions.join(scope, room)))

    def emit(self) -> None:
        """Ask for an event to emit to the selected socket, room or namespace."""
        if chosen := self._require_change(Feature.EMIT, ""):
            actions, scope = chosen
            self.ask(f"emit to {label(scope)}", lambda line: self._act(actions.emit(scope, line)))

    def _require_actions(self) -> Actions | None:
        if self.view.actions is None:
            self.view.notice.show("this needs the admin namespace of an instrumented server", failed=True)
        return self.view.actions

    def _require_selected(self) -> Scope | None:
        scope = self.view.model.selected
        if scope is None:
            self.view.notice.show("nothing is selected", failed=True)
        return scope

    def _require_change(self, feature: Feature, whole: str) -> tuple[Actions, Scope] | None:
        """Return the actions and the selected row, or None with a notice of what is missing.

        `whole` is that notice if a whole namespace is selected, which is possible without one.
        """
        actions = self._require_actions()
        scope = self._require_selected() if actions is not None else None
        if actions is None or scope is None:
            return None
        try:
            actions.require(feature)
        except NsroomError as error:
            self.view.notice.show(str(error), failed=True)
            return None
        if whole and scope.sid is None and scope.room is None:
            self.view.notice.show(whole, failed=True)
            return None
        return actions, scope

    def _act(self, action: Coroutine[Any, Any, str]) -> None:
        self.spawn(self._run_action(action))

    async def _run_action(self, action: Coroutine[Any, Any, str]) -> None:
        try:
            self.view.notice.show(await action)
        except NsroomError as error:
            self.view.notice.show(str(error), failed=True)

    def _click_bar(self, x: int, width: int) -> None:
        press(keys.key_in_bar(self.view, width, self._remapped, x))

    def _click(self, at: int) -> None:
        """Select a row, or open the selected one."""
        page = self.view.model.page
        row = at - self.view.head + page.top
        if page.level is Level.EVENTS or not 0 <= row < len(self.view.model.rows) or at < self.view.head:
            return
        if row == page.at:
            self.view.model.enter()
        else:
            self.view.model.move(row - page.at)


ACTIONS: dict[str, Callable[[TopApp], None]] = {
    "up": lambda app: app.move(-1),
    "down": lambda app: app.move(1),
    "page_up": lambda app: app.page(-1),
    "page_down": lambda app: app.page(1),
    "half_page_up": lambda app: app.page(-0.5),
    "half_page_down": lambda app: app.page(0.5),
    "home": lambda app: app.go_to_row(app.view.model.home),
    "end": lambda app: app.go_to_row(app.view.model.end),
    "enter": lambda app: app.view.model.enter(),
    "back": TopApp.back,
    "search": TopApp.ask_search,
    "search_next": lambda app: app.search(app.view.model.searched, forward=True),
    "search_back": lambda app: app.search(app.view.model.searched, forward=False),
    "filter": TopApp.ask_filter,
    "sort": lambda app: app.view.model.sort(),
    "reverse": lambda app: app.view.model.reverse(),
    "follow": TopApp.follow,
    "kick": TopApp.kick,
    "join": TopApp.join,
    "emit": TopApp.emit,
    "mouse": TopApp.toggle_mouse,
    "help": lambda app: app.view.help.open(),
    "leave": TopApp.leave,
}
"""The action of each function in the table of keys."""
