"""The application of `top`."""

from collections.abc import Callable

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

from nsroom.output.terminal import safe
from nsroom.tui import config
from nsroom.tui.fullscreen import FullScreen
from nsroom.tui.input.modal_keys import bind_help
from nsroom.tui.screen.lines import Fragments, fit
from nsroom.tui.screen.safe_text import SafeText
from nsroom.tui.screen.windows import LinesWindow, help_window, line_window, rule_window
from nsroom.tui.top import keys
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
        self._previous_filter = ""
        self._ask = Buffer(
            multiline=False, accept_handler=self._accept_filter, on_text_changed=self._filter_changed
        )
        self._body = LinesWindow(
            lambda width, height: body(view, width, height),
            clicked=self._click,
            scrolled=view.model.move,
            focusable=True,
        )
        self._ask_control = BufferControl(
            self._ask, input_processors=[SafeText(), BeforeInput([("class:prompt", " filter › ")])]
        )
        self._layout = Layout(self._root(), focused_element=self._body)
        super().__init__(self._layout, self._bindings(), settings.theme, input, output)

    def prepare(self, now: float) -> None:
        """Update the state for a frame at this time."""
        self.view.tick(now)

    def _root(self) -> Container:
        view = self.view
        asking, noticed = Condition(lambda: view.asking), Condition(lambda: bool(view.notice.text))
        parts = [
            line_window(lambda width: status(view, width)),
            rule_window(),
            line_window(lambda width: path(view, width)),
            self._body,
            rule_window(),
            ConditionalContainer(Window(self._ask_control, height=1), asking),
            ConditionalContainer(line_window(self._notice), noticed & ~asking),
            line_window(lambda width: keys.bar(view, width, self._remapped)),
        ]
        shown = help_window(view.help, lambda: keys.help_lines(self._remapped))
        return FloatContainer(HSplit(parts), [Float(shown, top=2, bottom=1)])

    def _notice(self, width: int) -> Fragments:
        notice = self.view.notice
        style = "class:failed" if notice.failed else "class:good"
        return fit([(style, f" {safe(notice.text[:_MAX_NOTICE])}")], width)

    def _bindings(self) -> KeyBindings:
        view, bindings = self.view, KeyBindings()
        here = Condition(lambda: not view.asking and not view.help.is_open)
        for name, action in ACTIONS.items():
            for key in keys.shown_keys(name, self._remapped):
                bindings.add(*key.split(), filter=here, eager=key == "enter")(self._handler(action))
        asking = Condition(lambda: view.asking)
        bindings.add("enter", filter=asking, eager=True)(lambda _: self._ask.validate_and_handle())
        bindings.add("escape", filter=asking)(lambda _: self._cancel_filter())
        bind_help(bindings, view.help)
        return bindings

    def _handler(self, action: "Callable[[TopApp], None]") -> Callable[[KeyPressEvent], None]:
        def handle(_event: KeyPressEvent) -> None:
            self.view.notice.clear()
            action(self)

        return handle

    def page(self, direction: int) -> None:
        """Move by the height of the list."""
        self.view.model.move(direction * max(self.view.height - 1, 1))

    def back(self) -> None:
        """Remove the filter, or go back."""
        if not self.view.model.back():
            self.view.notice.show("this is the top; q quits")

    def ask_filter(self) -> None:
        """Ask for the text of the filter."""
        if self.view.model.page.level is Level.EVENTS:
            return
        self._previous_filter = self.view.model.page.pattern
        self._ask.text = self._previous_filter
        self._ask.cursor_position = len(self._ask.text)
        self.view.asking = True
        self._layout.focus(self._ask_control)

    def _filter_changed(self, buffer: Buffer) -> None:
        if self.view.asking:
            self.view.model.filter(buffer.text)

    def _accept_filter(self, _buffer: Buffer) -> bool:
        self._close_question()
        return True

    def _cancel_filter(self) -> None:
        self.view.model.filter(self._previous_filter)
        self._close_question()

    def _close_question(self) -> None:
        self.view.asking = False
        self._layout.focus(self._body)

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
    "up": lambda app: app.view.model.move(-1),
    "down": lambda app: app.view.model.move(1),
    "page_up": lambda app: app.page(-1),
    "page_down": lambda app: app.page(1),
    "home": lambda app: app.view.model.home(),
    "end": lambda app: app.view.model.end(),
    "enter": lambda app: app.view.model.enter(),
    "back": TopApp.back,
    "filter": TopApp.ask_filter,
    "sort": lambda app: app.view.model.sort(),
    "reverse": lambda app: app.view.model.reverse(),
    "help": lambda app: app.view.help.open(),
    "leave": TopApp.leave,
}
"""The action of each function in the table of keys."""
