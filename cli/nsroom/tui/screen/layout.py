"""The layout of the live view: its windows, and the focus."""

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

from nsroom.client.messages import DEFAULT_EVENT
from nsroom.output.terminal import cells, clip, safe
from nsroom.tui.model.groups import GroupKey
from nsroom.tui.mouse import press
from nsroom.tui.screen.chat_pane import chat_lines
from nsroom.tui.screen.event_list import rows
from nsroom.tui.screen.group_list import group_lines
from nsroom.tui.screen.keymap import bar, first_key, help_lines, key_in_bar
from nsroom.tui.screen.lines import Fragments, fit, highlight, styled, wrap
from nsroom.tui.screen.palette import Entry as PaletteEntry
from nsroom.tui.screen.palette_entries import entries as palette_entries
from nsroom.tui.screen.safe_text import SafeText
from nsroom.tui.screen.side_pane import Place
from nsroom.tui.screen.sidebar import WIDTH, Entry, sidebar
from nsroom.tui.screen.state import Focus, Mode, View
from nsroom.tui.screen.status import status
from nsroom.tui.screen.time_line import HEIGHT, time_line
from nsroom.tui.screen.windows import LinesWindow, help_window, line_window, palette_window, rule_window

_WIDE = 100
"""The sidebar is shown from this width; on a narrower screen, when the user asks for it."""
_NARROW = 60
"""Below this width the sidebar replaces the stream."""
_LOW = 18
"""Below this height the detail replaces the stream."""
_MIN_INPUT = 30
"""Columns that the name of the event after the input must leave."""
_MAX_NOTICE_LINES = 3
_MAX_NOTICE = 2000


class Screen:
    """The windows of the live view."""

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
        self._ask_buffer = ask_buffer
        self._visible: list[int] = []
        self._visible_groups: list[GroupKey | None] = []
        self._entries: list[Entry] = []
        self.input_buffer = input_buffer
        self._history_search = SearchToolbar(text_if_not_searching="", backward_search_prompt=" history › ")
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
            height_for=self._detail_height,
        )
        self.sidebar = LinesWindow(
            self._sidebar_lines,
            clicked=self._click_sidebar,
            scrolled=view.side.scroll,
            focusable=True,
            width=_sidebar_width,
        )
        self._windows = {
            Focus.INPUT: self.input,
            Focus.STREAM: self.stream,
            Focus.DETAIL: self.detail,
            Focus.SIDEBAR: self.sidebar,
            Focus.ASK: self.ask,
        }
        self.layout = Layout(self._root(), focused_element=self.stream)

    def _input_control(self) -> BufferControl:
        return BufferControl(
            self.input_buffer,
            input_processors=[
                HighlightMatchingBracketProcessor("[](){}"),
                SafeText(),
                BeforeInput(self._prompt),
            ],
            search_buffer_control=self._history_search.control,
            preview_search=True,
            focus_on_click=True,
        )

    @property
    def leave_key(self) -> str:
        """The key that leaves the view from the stream."""
        return first_key("leave", self._keys)

    def focus(self, where: Focus) -> None:
        """Move the keyboard focus to a pane."""
        if self.covers_stream() and where is not Focus.SIDEBAR:
            self._view.sidebar = None
        self._view.focus = where
        self.layout.focus(self._windows[where])

    def sync(self) -> None:
        """Update the view's focus, which a click or the history search may have changed."""
        if self.layout.current_control is self._history_search.control:
            self._view.focus = Focus.HISTORY
            return
        for where, window in self._windows.items():
            if window is self.layout.current_window:
                self._view.focus = where
        if self._view.focus is Focus.SIDEBAR and not self.shows_sidebar():
            self.focus(Focus.STREAM)
        elif self._view.focus in (Focus.STREAM, Focus.DETAIL) and self.covers_stream():
            self._view.sidebar = None

    def _root(self) -> Container:
        view = self._view
        asking = Condition(lambda: view.question is not None)
        body = HSplit(
            [
                line_window(lambda width: status(view, width)),
                rule_window(),
                VSplit(
                    [
                        ConditionalContainer(self._sidebar(), Condition(self.shows_sidebar)),
                        ConditionalContainer(self._middle(), ~Condition(self.covers_stream)),
                    ]
                ),
                rule_window(),
                ConditionalContainer(self.ask, asking, alternative_content=self._input_row()),
                ConditionalContainer(self._history_search, is_searching),
                ConditionalContainer(
                    line_window(self._matching),
                    Condition(lambda: bool(view.matching) and not view.notice.text),
                ),
                ConditionalContainer(
                    LinesWindow(self._notice_lines, height=lambda: len(self._notice_lines(_columns(), 0))),
                    Condition(lambda: bool(view.notice.text)),
                ),
                line_window(lambda width: bar(view, width, self._keys), self._click_bar),
            ]
        )
        menu = CompletionsMenu(max_height=10, scroll_offset=1)
        floats = [
            Float(menu, xcursor=True, ycursor=True),
            Float(help_window(view.help, self._help_lines), top=2, bottom=1),
            Float(self._palette(), top=2, bottom=3),
        ]
        return FloatContainer(body, floats)

    def _sidebar(self) -> Container:
        def edge(_width: int, height: int) -> list[Fragments]:
            style = "class:sign" if self._view.focus is Focus.SIDEBAR else "class:rule"
            return [[(style, "│")]] * height

        return VSplit([self.sidebar, LinesWindow(edge, width=1)])

    def shows_sidebar(self) -> bool:
        """Return whether the sidebar is shown."""
        view = self._view
        wanted = view.sidebar if view.sidebar is not None else _columns() >= _WIDE
        return wanted and view.mode is Mode.EVENTS

    def covers_stream(self) -> bool:
        """Return whether the sidebar is shown instead of the stream."""
        return self.shows_sidebar() and _columns() < _NARROW

    def _middle(self) -> Container:
        view = self._view
        opened = Condition(lambda: view.detail is not None and view.mode is Mode.EVENTS)
        tall = Condition(lambda: _rows() >= _LOW)
        title = line_window(self._detail_title)
        badge = Float(self._badge(), right=0, bottom=0, height=1)
        graphed = Condition(lambda: view.time_line and view.mode is not Mode.CHAT)
        graph = LinesWindow(lambda width, _: time_line(view, width), height=HEIGHT)
        return HSplit(
            [
                ConditionalContainer(graph, graphed),
                ConditionalContainer(FloatContainer(self.stream, [badge]), ~opened | tall),
                ConditionalContainer(
                    HSplit([ConditionalContainer(rule_window(), tall), title, self.detail]),
                    opened,
                ),
            ]
        )

    def _detail_height(self, width: int) -> Dimension:
        """Return the number of the detail's lines of this width, limited to half of the screen."""
        most = max((_rows() - 6) // 2, 3)
        self._resize_detail(width)
        count = len(self._view.detail.lines(0, most)) if self._view.detail else 0
        tall = _rows() >= _LOW
        return Dimension.exact(max(min(count, most), 3)) if tall else Dimension(min=1)

    def _resize_detail(self, width: int) -> None:
        if self._view.detail is not None:
            self._view.detail.resize(width - 1, self._view.in_utc)

    def _help_lines(self) -> list[Fragments]:
        return help_lines(self._view, self._keys, self._commands)

    def palette_entries(self) -> list[PaletteEntry]:
        """Return the functions and commands to choose from in the focused pane."""
        return palette_entries(self._view, self._keys, self._commands)

    def _palette(self) -> Container:
        view = self._view

        def click(at: int) -> None:
            if view.palette is not None and view.palette.select(at):
                press("enter")

        def lines(width: int, height: int) -> list[Fragments]:
            return view.palette.lines(width, height) if view.palette else []

        def scroll(steps: int) -> None:
            if view.palette is not None:
                view.palette.move(steps)

        shown = Condition(lambda: view.palette is not None)
        return ConditionalContainer(palette_window(lines, click, scroll), shown)

    def _click_bar(self, x: int, width: int) -> None:
        press(key_in_bar(self._view, width, self._keys, x))

    def _prompt(self) -> StyleAndTextTuples:
        """Return the prompt: the room that typed text goes to."""
        view = self._view
        if view.is_observing:
            return [("class:prompt", " filter › ")]
        where = clip(safe(view.namespace), 24) + (f" {clip(safe(view.room), 24)}" if view.room else "")
        return [("class:prompt", f" {where} › ")]

    def _input_row(self) -> Container:
        """Return the input, with the event that text becomes at its end if it is not the usual one."""
        view = self._view
        event = LinesWindow(
            lambda width, _: [fit([("class:quiet", self._message_event())], width)],
            width=lambda: Dimension.exact(cells(self._message_event())),
            height=1,
        )
        shown = Condition(
            lambda: (
                view.can_send
                and view.message_event != DEFAULT_EVENT
                and _columns() >= cells(self._message_event()) + _MIN_INPUT
            )
        )
        return VSplit([self.input, ConditionalContainer(event, shown)])

    def _message_event(self) -> str:
        return f"({clip(safe(self._view.message_event), 24)}) "

    def _question(self) -> StyleAndTextTuples:
        question = self._view.question
        if question is None:
            return []
        is_command = question.is_command is not None and question.is_command(self._ask_buffer.text)
        return [("class:prompt", f" {'command' if is_command else question.label} › ")]

    def _matching(self, width: int) -> Fragments:
        return fit([("class:quiet", f" {safe(self._view.matching)}")], width)

    def _notice_lines(self, width: int, _height: int) -> list[Fragments]:
        notice = self._view.notice
        style = "class:failed" if notice.failed else "class:good"
        parts = wrap(safe(notice.text[:_MAX_NOTICE]), max(width - 2, 8))[:_MAX_NOTICE_LINES]
        return [fit([(style, f" {part}")], width) for part in parts]

    def _stream_lines(self, width: int, height: int) -> list[Fragments]:
        view = self._view
        view.stream_height = height
        if view.mode is Mode.CHAT:
            lines = chat_lines(view, width, height)
            return [*([[]] * (height - len(lines))), *lines]
        if view.mode is Mode.GROUPS:
            lines, self._visible_groups = group_lines(view, width, height)
            return lines
        lines, self._visible = rows(view, width, height)
        return lines

    def _click_row(self, at: int) -> None:
        self.focus(Focus.STREAM)
        if self._view.mode is Mode.GROUPS and at < len(self._visible_groups):
            self._view.group = self._visible_groups[at] or self._view.group
        if self._view.mode is Mode.EVENTS and at < len(self._visible):
            was_selected = self._view.model.cursor == self._visible[at]
            self._view.model.select(self._visible[at])
            if self._view.detail is not None or was_selected:
                self._view.show_detail()

    def _scroll(self, steps: int) -> None:
        if self._view.mode is Mode.CHAT:
            self._view.chat_scroll = max(self._view.chat_scroll - steps, 0)
        elif self._view.mode is Mode.GROUPS:
            self._view.group_scroll.top += steps
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

    def _sidebar_lines(self, width: int, height: int) -> list[Fragments]:
        self._entries = sidebar(self._view, width, height)
        return [entry.fragments for entry in self._entries]

    def _click_sidebar(self, at: int) -> None:
        if at < len(self._entries) and (place := self._entries[at].place):
            self.talk_in(place)

    def talk_in(self, place: Place) -> None:
        """Send typed text to a room or namespace from now on; filter to a client."""
        view = self._view
        view.side.cursor = place
        if place.client:
            view.model.only_client(place.client)
            return
        view.go_to(place.namespace, place.room)
        if view.can_send:
            self.focus(Focus.INPUT)

    def _detail_title(self, width: int) -> Fragments:
        self._resize_detail(width)
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
        lines = [fit([("", " "), *styled(line.pieces)], width) for line in shown]
        lines = [highlight(line, view.model.pattern) for line in lines]
        at = view.detail_row - view.detail_top
        if view.focus is Focus.DETAIL and at < len(lines):
            lines[at] = [(f"{style} class:row", text) for style, text in lines[at]]
        return lines

    def _click_detail(self, at: int) -> None:
        self.focus(Focus.DETAIL)
        self._view.detail_row = self._view.detail_top + at
        self.toggle_fold()

    def _scroll_detail(self, steps: int) -> None:
        self._view.detail_row = max(self._view.detail_row + steps, 0)

    def toggle_fold(self) -> None:
        """Fold or unfold the value on the detail's current line."""
        view = self._view
        if view.detail is not None:
            for line in view.detail.lines(view.detail_row, 1):
                if line.path is not None:
                    view.detail.toggle(line.path)


def _columns() -> int:
    return get_app().output.get_size().columns


def _rows() -> int:
    return get_app().output.get_size().rows


def _sidebar_width() -> Dimension:
    return Dimension.exact(WIDTH if _columns() >= _NARROW else max(_columns() - 1, 1))


def _badge_width() -> Dimension:
    return Dimension.exact(min(34, _columns()))
