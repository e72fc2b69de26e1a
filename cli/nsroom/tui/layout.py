"""The screen: what stands where."""

from collections.abc import Callable, Iterable
from typing import Any

from prompt_toolkit.application import get_app
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.data_structures import Point
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.layout import (
    BufferControl,
    ConditionalContainer,
    Container,
    Dimension,
    Float,
    FloatContainer,
    FormattedTextControl,
    HSplit,
    Layout,
    UIContent,
    UIControl,
    VSplit,
    Window,
)
from prompt_toolkit.layout.menus import CompletionsMenu
from prompt_toolkit.layout.processors import BeforeInput
from prompt_toolkit.mouse_events import MouseEvent, MouseEventType

from nsroom.tui import lines
from nsroom.tui.lines import Fragments
from nsroom.tui.view import Focus, Mode, View

_SIDEBAR = 22
_NARROW = 72
"""Columns under which there is no room for a sidebar."""
_SHORT = 16
"""Rows under which the detail takes the place of the stream."""

Bar = Callable[[int], Fragments]


class LinesControl(UIControl):
    """Shows lines that are made for the size of the window, and only those that fit."""

    def __init__(
        self,
        make: Callable[[int, int], list[Fragments]],
        clicked: Callable[[int], None] | None = None,
        scrolled: Callable[[int], None] | None = None,
        focusable: bool = False,
    ) -> None:
        self._make = make
        self._clicked = clicked
        self._scrolled = scrolled
        self._focusable = focusable

    def is_focusable(self) -> bool:
        """Tell whether keys may go here."""
        return self._focusable

    def create_content(self, width: int, height: int) -> UIContent:
        """Make what is visible."""
        made: list[StyleAndTextTuples] = [list(line) for line in self._make(width, height)[:height]]
        return UIContent(
            get_line=lambda at: made[at] if at < len(made) else [],
            line_count=max(len(made), 1),
            cursor_position=Point(x=0, y=0),
            show_cursor=False,
        )

    def mouse_handler(self, mouse_event: MouseEvent) -> Any:
        """Take clicks and the wheel."""
        kind = mouse_event.event_type
        if kind is MouseEventType.MOUSE_UP and self._clicked:
            self._clicked(mouse_event.position.y)
        elif kind is MouseEventType.SCROLL_UP and self._scrolled:
            self._scrolled(-3)
        elif kind is MouseEventType.SCROLL_DOWN and self._scrolled:
            self._scrolled(3)
        else:
            return NotImplemented
        return None


class Screen:
    """The containers of the view, and where the focus can be."""

    def __init__(
        self,
        view: View,
        input_buffer: Buffer,
        ask_buffer: Buffer,
        bar: Bar,
        help_lines: Callable[[], list[Fragments]],
    ) -> None:
        self._view = view
        self._visible: list[int] = []
        self._sides: list[tuple[str, str]] = []
        self._bar = bar
        self._help_lines = help_lines
        self.input = Window(
            BufferControl(input_buffer, input_processors=[BeforeInput(lambda: list(lines.prompt(view)))]),
            height=Dimension(min=1, max=8),
            dont_extend_height=True,
            wrap_lines=True,
        )
        self.ask = Window(BufferControl(ask_buffer, input_processors=[BeforeInput(self._question)]), height=1)
        self.stream = Window(LinesControl(self._stream_lines, self._click_row, self._scroll, focusable=True))
        self.detail = Window(
            LinesControl(self._detail_lines, self._click_detail, self._scroll_detail, focusable=True),
            height=Dimension(min=3, preferred=12, max=16),
        )
        self.layout = Layout(self._root(), focused_element=self.stream)

    def focus(self, where: Focus) -> None:
        """Let the keys go there."""
        self._view.focus = where
        windows = {
            Focus.INPUT: self.input,
            Focus.STREAM: self.stream,
            Focus.DETAIL: self.detail,
            Focus.ASK: self.ask,
        }
        self.layout.focus(windows[where])

    def _root(self) -> Container:
        view = self._view
        asking = Condition(lambda: view.question is not None)
        body = HSplit(
            [
                _line(lambda width: lines.status(view, width)),
                _rule(),
                VSplit([self._sidebar(), self._middle()]),
                _rule(),
                ConditionalContainer(self.ask, asking, alternative_content=self.input),
                ConditionalContainer(_line(self._notice), Condition(lambda: bool(view.notice))),
                _line(self._bar),
            ]
        )
        floats = [
            Float(CompletionsMenu(max_height=10, scroll_offset=1), xcursor=True, ycursor=True),
            Float(self._help(), top=2, bottom=2),
        ]
        return FloatContainer(body, floats)

    def _sidebar(self) -> Container:
        shown = Condition(
            lambda: (
                self._view.sidebar
                and self._view.mode is Mode.EVENTS
                and get_app().output.get_size().columns >= _NARROW
            )
        )
        control = LinesControl(self._side_lines, self._click_side)
        bar = Window(control, width=_SIDEBAR), Window(char="│", width=1, style="class:rule")
        return ConditionalContainer(VSplit(list(bar)), shown)

    def _middle(self) -> Container:
        view = self._view
        opened = Condition(lambda: view.detail is not None and view.mode is Mode.EVENTS)
        tall = Condition(lambda: get_app().output.get_size().rows >= _SHORT)
        badge = Float(_badge(view), right=1, bottom=0, height=1)
        return HSplit(
            [
                ConditionalContainer(FloatContainer(self.stream, [badge]), ~opened | tall),
                ConditionalContainer(HSplit([_rule(), _line(self._detail_title), self.detail]), opened),
            ]
        )

    def _help(self) -> Container:
        control = FormattedTextControl(lambda: _joined(self._help_lines()))
        return ConditionalContainer(
            Window(control, style="class:help", width=Dimension(max=78), wrap_lines=False),
            Condition(lambda: self._view.help),
        )

    def _question(self) -> StyleAndTextTuples:
        question = self._view.question
        return [("class:prompt", f" {question.label} ")] if question else []

    def _notice(self, width: int) -> Fragments:
        from nsroom.terminal import safe

        style = "class:failed" if self._view.notice_failed else "class:good"
        return lines.fit([(style, f" {safe(self._view.notice)}")], width)

    def _stream_lines(self, width: int, height: int) -> list[Fragments]:
        view = self._view
        view.stream_height = height
        if view.mode is Mode.CHAT and not view.failure:
            shown = lines.chat(view, width, height)
            return [*([[]] * (height - len(shown))), *shown]
        if view.failure and not view.model.rows:
            return lines.first_steps(view, width)
        self._visible = view.model.visible(height)
        if (
            not any(view.model[index].kind == "event" for index in view.model.rows[:20])
            and view.model.where is None
        ):
            made = [lines.row(view, index, width, lines.namespace_width(view)) for index in self._visible]
            return [*made, *lines.first_steps(view, width)]
        column = lines.namespace_width(view)
        return [lines.row(view, index, width, column) for index in self._visible]

    def _click_row(self, at: int) -> None:
        self.focus(Focus.STREAM)
        if self._view.mode is Mode.EVENTS and at < len(self._visible):
            self._view.model.select(self._visible[at])
            if self._view.detail is not None:
                self._view.show_detail()

    def _scroll(self, steps: int) -> None:
        if self._view.mode is Mode.CHAT:
            self._view.chat_back = max(self._view.chat_back - steps, 0)
        else:
            self._view.model.scroll(steps, self._view.stream_height)

    def _side_lines(self, width: int, height: int) -> list[Fragments]:
        view = self._view
        spaces = [("ns", name, made) for name, made in lines.namespaces(view, width)]
        rooms = [("room", name, made) for name, made in lines.rooms(view, width)]
        entries = [_heading("NAMESPACES"), *spaces, ("", "", []), _heading("ROOMS"), *rooms][:height]
        self._sides = [(kind, name) for kind, name, _ in entries]
        return [made for _, _, made in entries]

    def _click_side(self, at: int) -> None:
        kind, name = self._sides[at] if at < len(self._sides) else ("", "")
        if kind == "ns":
            self._view.go(name)
        elif kind == "room":
            self._view.go(self._view.namespace, name)

    def _detail_title(self, width: int) -> Fragments:
        detail = self._view.detail
        return lines.fit([("class:event", f" {detail.title()}")], width) if detail else []

    def _detail_lines(self, width: int, height: int) -> list[Fragments]:
        view = self._view
        if view.detail is None:
            return []
        view.detail_top = min(max(view.detail_top, view.detail_row - height + 1), view.detail_row)
        shown = view.detail.lines(view.detail_top, height)
        if not shown and view.detail_top:
            view.detail_row = view.detail_top = 0
            shown = view.detail.lines(0, height)
        view.detail_row = min(view.detail_row, view.detail_top + max(len(shown) - 1, 0))
        made = [lines.fit([("", " "), *lines.styled(line.pieces)], width) for line in shown]
        at = view.detail_row - view.detail_top
        if view.focus is Focus.DETAIL and at < len(made):
            made[at] = [(f"{style} class:selected", text) for style, text in made[at]]
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


def _line(make: Callable[[int], Fragments]) -> Window:
    return Window(LinesControl(lambda width, _: [make(width)]), height=1)


def _heading(text: str) -> tuple[str, str, Fragments]:
    return "", "", [("class:heading", f" {text}")]


def _rule() -> Window:
    return Window(char="─", height=1, style="class:rule")


def _badge(view: View) -> Container:
    control = FormattedTextControl(
        lambda: [("class:badge", f" ▼ {view.model.new:,} new "), ("class:quiet", " End to follow ")]
    )
    return ConditionalContainer(
        Window(control, height=1), Condition(lambda: view.model.new > 0 and view.mode is Mode.EVENTS)
    )


def _joined(made: Iterable[Fragments]) -> StyleAndTextTuples:
    joined: StyleAndTextTuples = []
    for line in made:
        joined += [*line, ("", "\n")]
    return joined
