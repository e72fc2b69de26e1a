"""The screen: what stands where."""

from collections.abc import Mapping, Sequence

from prompt_toolkit.application import get_app
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.filters import Condition, is_searching
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.layout import (
    BufferControl,
    ConditionalContainer,
    Container,
    Dimension,
    Float,
    FloatContainer,
    HSplit,
    Layout,
    VSplit,
    Window,
)
from prompt_toolkit.layout.menus import CompletionsMenu
from prompt_toolkit.layout.processors import (
    BeforeInput,
    HighlightMatchingBracketProcessor,
)
from prompt_toolkit.widgets import SearchToolbar

from nsroom.output.terminal import safe
from nsroom.tui.screen.chat_pane import conversation
from nsroom.tui.screen.event_list import rows
from nsroom.tui.screen.keymap import bar, help_lines
from nsroom.tui.screen.lines import Fragments, fit, highlight, prompt, styled, wrap
from nsroom.tui.screen.safe_text import SafeText
from nsroom.tui.screen.sidebar import Entry, sidebar
from nsroom.tui.screen.state import Focus, Mode, View
from nsroom.tui.screen.status import status
from nsroom.tui.screen.windows import LinesWindow, help_window, line_window, rule_window

_SIDEBAR = 24
_NARROW = 76
"""Columns under which there is no room for a sidebar."""
_SHORT = 18
"""Rows under which the detail takes the place of the stream."""
_NOTICE = 3


class Screen:
    """The containers of the view, and where the focus can be."""

    def __init__(
        self,
        view: View,
        input_buffer: Buffer,
        ask_buffer: Buffer,
        keys: Mapping[str, tuple[str, ...]],
        commands: Sequence[tuple[str, str]],
    ) -> None:
        """`commands` are those of the input line, each as its usage and its help."""
        self._view = view
        self._keys = keys
        self._commands = commands
        self._visible: list[int] = []
        self._sides: list[Entry] = []
        self.input_buffer = input_buffer
        self._past = SearchToolbar(text_if_not_searching="", backward_search_prompt=" earlier › ")
        self.input_control = self._input_control()
        self.input = Window(
            self.input_control, height=Dimension(min=1, max=8), dont_extend_height=True, wrap_lines=True
        )
        ask = BufferControl(ask_buffer, input_processors=[SafeText(), BeforeInput(self._question)])
        self.ask = Window(ask, height=1)
        self.stream = LinesWindow(
            self._stream_lines, clicked=self._click_row, scrolled=self._scroll, focusable=True
        )
        self.detail = LinesWindow(
            self._detail_lines,
            clicked=self._click_detail,
            scrolled=self._scroll_detail,
            focusable=True,
            height=self._detail_height,
        )
        self._windows = {
            Focus.INPUT: self.input,
            Focus.STREAM: self.stream,
            Focus.DETAIL: self.detail,
            Focus.ASK: self.ask,
        }
        self.layout = Layout(self._root(), focused_element=self.stream)

    def _input_control(self) -> BufferControl:
        return BufferControl(
            self.input_buffer,
            input_processors=[
                HighlightMatchingBracketProcessor("[](){}"),
                SafeText(),
                BeforeInput(lambda: list(prompt(self._view))),
            ],
            search_buffer_control=self._past.control,
            preview_search=True,
            focus_on_click=True,
        )

    def focus(self, where: Focus) -> None:
        """Let the keys go there."""
        self._view.focus = where
        self.layout.focus(self._windows[where])

    def sync(self) -> None:
        """Follow where a click, or the search in what was typed, has put the focus."""
        if self.layout.current_control is self._past.control:
            self._view.focus = Focus.HISTORY
            return
        for where, window in self._windows.items():
            if window is self.layout.current_window:
                self._view.focus = where

    def _root(self) -> Container:
        view = self._view
        asking = Condition(lambda: view.question is not None)
        body = HSplit(
            [
                line_window(lambda width: status(view, width)),
                rule_window(),
                VSplit([self._sidebar(), self._middle()]),
                rule_window(),
                ConditionalContainer(self.ask, asking, alternative_content=self.input),
                ConditionalContainer(self._past, is_searching),
                ConditionalContainer(
                    LinesWindow(self._notice_lines, height=lambda: len(self._notice_lines(_columns(), 0))),
                    Condition(lambda: bool(view.notice)),
                ),
                line_window(lambda width: bar(view, width, self._keys)),
            ]
        )
        menu = CompletionsMenu(max_height=10, scroll_offset=1)
        floats = [
            Float(menu, xcursor=True, ycursor=True),
            Float(help_window(self._help_lines, lambda: view.help, self.scroll_help), top=2, bottom=1),
        ]
        return FloatContainer(body, floats)

    def _sidebar(self) -> Container:
        view = self._view
        shown = Condition(lambda: view.sidebar and view.mode is Mode.EVENTS and _columns() >= _NARROW)
        entries = LinesWindow(self._side_lines, clicked=self._click_side, width=_SIDEBAR)
        edge = LinesWindow(lambda _, height: [[("class:rule", "│")]] * height, width=1)
        return ConditionalContainer(VSplit([entries, edge]), shown)

    def _middle(self) -> Container:
        view = self._view
        opened = Condition(lambda: view.detail is not None and view.mode is Mode.EVENTS)
        tall = Condition(lambda: _rows() >= _SHORT)
        title = line_window(self._detail_title)
        badge = Float(self._badge(), right=0, bottom=0, height=1)
        return HSplit(
            [
                ConditionalContainer(FloatContainer(self.stream, [badge]), ~opened | tall),
                ConditionalContainer(
                    HSplit([ConditionalContainer(rule_window(), tall), title, self.detail]),
                    opened,
                ),
            ]
        )

    def _detail_height(self) -> Dimension:
        """Give the detail what it has lines for, and at most half of the screen."""
        most = max((_rows() - 6) // 2, 3)
        count = len(self._view.detail.lines(0, most)) if self._view.detail else 0
        tall = _rows() >= _SHORT
        return Dimension.exact(max(min(count, most), 3)) if tall else Dimension(min=1)

    def _help_lines(self, width: int, height: int) -> list[Fragments]:
        lines = help_lines(self._view, self._keys, self._commands)
        self._view.help_top = min(max(self._view.help_top, 0), max(len(lines) - height, 0))
        top = self._view.help_top
        return [fit(line, width) for line in lines[top : top + height]]

    def scroll_help(self, steps: int) -> None:
        """Scroll the help."""
        self._view.help_top += steps

    def _question(self) -> StyleAndTextTuples:
        question = self._view.question
        return [("class:prompt", f" {question.label} › ")] if question else []

    def _notice_lines(self, width: int, _height: int) -> list[Fragments]:
        style = "class:failed" if self._view.notice_failed else "class:good"
        parts = wrap(safe(self._view.notice[:2000]), max(width - 2, 8))[:_NOTICE]
        return [fit([(style, f" {part}")], width) for part in parts]

    def _stream_lines(self, width: int, height: int) -> list[Fragments]:
        view = self._view
        view.stream_height = height
        if view.mode is Mode.CHAT:
            shown = conversation(view, width, height)
            return [*([[]] * (height - len(shown))), *shown]
        made, self._visible = rows(view, width, height)
        return made

    def _click_row(self, at: int) -> None:
        self.focus(Focus.STREAM)
        if self._view.mode is Mode.EVENTS and at < len(self._visible):
            again = self._view.model.cursor == self._visible[at]
            self._view.model.select(self._visible[at])
            if self._view.detail is not None or again:
                self._view.show_detail()

    def _scroll(self, steps: int) -> None:
        if self._view.mode is Mode.CHAT:
            self._view.chat_back = max(self._view.chat_back - steps, 0)
        else:
            self._view.model.scroll(steps, self._view.stream_height)

    def _badge(self) -> Container:
        view = self._view

        def badge(width: int, _height: int) -> list[Fragments]:
            parts = [("class:badge", f" ▼ {view.model.new:,} new "), ("class:quiet", " End to follow ")]
            return [fit(parts, width)]

        window = LinesWindow(badge, clicked=lambda _: view.model.follow(), width=_badge_width, height=1)
        return ConditionalContainer(
            window, Condition(lambda: view.model.new > 0 and view.mode is Mode.EVENTS)
        )

    def _side_lines(self, width: int, height: int) -> list[Fragments]:
        self._sides = sidebar(self._view, width, height)
        return [entry.fragments for entry in self._sides]

    def _click_side(self, at: int) -> None:
        entry = self._sides[at] if at < len(self._sides) else Entry([])
        if entry.client:
            self._view.model.only_client(entry.client)
        elif entry.namespace:
            self._view.go(entry.namespace, entry.room)

    def _detail_title(self, width: int) -> Fragments:
        detail = self._view.detail
        return fit([("class:event", f" {detail.title()}")], width) if detail else []

    def _detail_lines(self, width: int, height: int) -> list[Fragments]:
        view = self._view
        if view.detail is None:
            return []
        known = view.detail.lines(0, view.detail_row + 1)
        view.detail_row = min(view.detail_row, max(len(known) - 1, 0))
        view.detail_top = min(max(view.detail_top, view.detail_row - height + 1), view.detail_row)
        shown = view.detail.lines(view.detail_top, height)
        made = [fit([("", " "), *styled(line.pieces)], width) for line in shown]
        made = [highlight(line, view.model.pattern) for line in made]
        at = view.detail_row - view.detail_top
        if view.focus is Focus.DETAIL and at < len(made):
            made[at] = [(f"{style} class:row", text) for style, text in made[at]]
        return made

    def _click_detail(self, at: int) -> None:
        self.focus(Focus.DETAIL)
        self._view.detail_row = self._view.detail_top + at
        self.turn()

    def _scroll_detail(self, steps: int) -> None:
        self._view.detail_row = max(self._view.detail_row + steps, 0)

    def turn(self) -> None:
        """Fold or unfold what the detail's cursor is on."""
        view = self._view
        if view.detail is not None:
            for line in view.detail.lines(view.detail_row, 1):
                if line.path is not None:
                    view.detail.turn(line.path)


def _columns() -> int:
    return get_app().output.get_size().columns


def _rows() -> int:
    return get_app().output.get_size().rows


def _badge_width() -> Dimension:
    return Dimension.exact(min(34, _columns()))
