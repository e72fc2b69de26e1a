"""The view of a server as an application."""

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
from nsroom.tui.fullscreen import Stage
from nsroom.tui.screen.lines import Fragments, fit
from nsroom.tui.screen.safe_text import SafeText
from nsroom.tui.screen.windows import LinesWindow, help_window, line_window, rule_window
from nsroom.tui.top import keys
from nsroom.tui.top.rows import Level
from nsroom.tui.top.screen import body, path, status
from nsroom.tui.top.state import TopView

_SCROLLS = {"up": -1, "k": -1, "down": 1, "j": 1, "pageup": -10, "pagedown": 10, "space": 10}
Action = Callable[[], None]


class TopApp(Stage):
    """Shows the view, and does what the keys say."""

    def __init__(
        self,
        view: TopView,
        settings: config.Settings,
        input: Input | None = None,
        output: Output | None = None,
    ) -> None:
        self.view = view
        self._remapped = settings.keys
        self._before_asking = ""
        self._ask = Buffer(multiline=False, accept_handler=self._keep, on_text_changed=self._filtered)
        self._body = LinesWindow(
            lambda width, height: body(view, width, height),
            clicked=self._click,
            scrolled=view.model.move,
            focusable=True,
        )
        control = BufferControl(
            self._ask, input_processors=[SafeText(), BeforeInput([("class:prompt", " filter › ")])]
        )
        self._layout = Layout(self._root(control), focused_element=self._body)
        self._control = control
        super().__init__(self._layout, self._bindings(), settings.theme, input, output)

    def prepare(self, now: float) -> None:
        """Take the time."""
        self.view.tick(now)

    def _root(self, control: BufferControl) -> Container:
        view = self.view
        asking, noticed = Condition(lambda: view.asking), Condition(lambda: bool(view.notice))
        notice = ConditionalContainer(line_window(self._notice), noticed & ~asking)
        ask = ConditionalContainer(Window(control, height=1), asking)
        parts = [
            line_window(lambda width: status(view, width)),
            rule_window(),
            line_window(lambda width: path(view, width)),
            self._body,
            rule_window(),
            ask,
            notice,
            line_window(lambda width: keys.bar(view, width, self._remapped)),
        ]
        shown = help_window(self._help_lines, lambda: view.help, self._scroll_help)
        return FloatContainer(HSplit(parts), [Float(shown, top=2, bottom=1)])

    def _notice(self, width: int) -> Fragments:
        view = self.view
        return fit(
            [("class:failed" if view.notice_failed else "class:good", f" {safe(view.notice[:500])}")], width
        )

    def _help_lines(self, width: int, height: int) -> list[Fragments]:
        lines = keys.help_lines(self._remapped)
        self.view.help_top = min(max(self.view.help_top, 0), max(len(lines) - height, 0))
        top = self.view.help_top
        return [fit(line, width) for line in lines[top : top + height]]

    def _scroll_help(self, steps: int) -> None:
        self.view.help_top += steps

    def _bindings(self) -> KeyBindings:
        view, bound = self.view, KeyBindings()
        here = Condition(lambda: not view.asking and not view.help)
        for name in keys.KEYS:
            for key in keys.shown_keys(name, self._remapped):
                bound.add(*key.split(), filter=here, eager=key == "enter")(
                    self._acting(getattr(self, f"_{name}"))
                )
        asking, helping = Condition(lambda: view.asking), Condition(lambda: view.help)
        bound.add("enter", filter=asking, eager=True)(lambda _: self._ask.validate_and_handle())
        bound.add("escape", filter=asking)(lambda _: self._leave_question())
        bound.add("<any>", filter=helping, eager=True)(lambda _: self._close_help())
        for key, steps in _SCROLLS.items():
            bound.add(key, filter=helping, eager=True)(self._scroller(steps))
        return bound

    def _acting(self, action: Action) -> Callable[[KeyPressEvent], None]:
        def act(_event: KeyPressEvent) -> None:
            self.view.say("")
            action()

        return act

    def _scroller(self, steps: int) -> Callable[[KeyPressEvent], None]:
        return lambda _: self._scroll_help(steps)

    def _close_help(self) -> None:
        self.view.help = False

    def _up(self) -> None:
        self.view.model.move(-1)

    def _down(self) -> None:
        self.view.model.move(1)

    def _page_up(self) -> None:
        self.view.model.move(-max(self.view.height - 1, 1))

    def _page_down(self) -> None:
        self.view.model.move(max(self.view.height - 1, 1))

    def _home(self) -> None:
        self.view.model.home()

    def _end(self) -> None:
        self.view.model.end()

    def _enter(self) -> None:
        self.view.model.enter()

    def _back(self) -> None:
        if not self.view.model.back():
            self.view.say("this is the top; q quits")

    def _filter(self) -> None:
        if self.view.model.page.level is Level.EVENTS:
            return
        self._before_asking = self.view.model.page.pattern
        self._ask.text = self._before_asking
        self._ask.cursor_position = len(self._ask.text)
        self.view.asking = True
        self._layout.focus(self._control)

    def _filtered(self, buffer: Buffer) -> None:
        if self.view.asking:
            self.view.model.filter(buffer.text)

    def _keep(self, _buffer: Buffer) -> bool:
        self._answered()
        return True

    def _leave_question(self) -> None:
        self.view.model.filter(self._before_asking)
        self._answered()

    def _answered(self) -> None:
        self.view.asking = False
        self._layout.focus(self._body)

    def _sort(self) -> None:
        self.view.model.sort()

    def _reverse(self) -> None:
        self.view.model.reverse()

    def _help(self) -> None:
        self.view.help, self.view.help_top = True, 0

    def _leave(self) -> None:
        self.leave()

    def _click(self, at: int) -> None:
        """Select a row; a click on the selected one goes into it."""
        page = self.view.model.page
        row = at - self.view.head + page.top
        if page.level is Level.EVENTS or not 0 <= row < len(self.view.model.rows) or at < self.view.head:
            return
        if row == page.at:
            self.view.model.enter()
        else:
            self.view.model.move(row - page.at)
