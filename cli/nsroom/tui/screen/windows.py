"""Windows that write finished lines straight to the screen.

prompt-toolkit's own Window copies its content character by character through several layers, about 60 ms for
a large screen. These lines have their final width, and the cells of unchanged lines are cached.
"""

from collections.abc import Callable
from functools import lru_cache

from prompt_toolkit.application import get_app
from prompt_toolkit.data_structures import Point
from prompt_toolkit.filters import Condition
from prompt_toolkit.layout import ConditionalContainer, Dimension, Window
from prompt_toolkit.layout.controls import UIContent, UIControl
from prompt_toolkit.layout.dimension import AnyDimension
from prompt_toolkit.layout.mouse_handlers import MouseHandlers
from prompt_toolkit.layout.screen import Char, Screen, WritePosition
from prompt_toolkit.mouse_events import MouseEvent, MouseEventType
from prompt_toolkit.utils import get_cwidth

from nsroom.tui.screen.help_pane import HelpPane
from nsroom.tui.screen.lines import Fragments

_WHEEL_LINES = 3
_HELP_COLUMNS = 84
_MAX_CHARS = 4096
MakeLines = Callable[[int, int], list[Fragments]]
"""Returns the lines for a width and a height."""


class LinesWindow(Window):
    """Shows the lines that a function returns for its size."""

    def __init__(
        self,
        make_lines: MakeLines,
        *,
        clicked: Callable[[int], None] | None = None,
        pointed: Callable[[int, int], None] | None = None,
        scrolled: Callable[[int], None] | None = None,
        focusable: bool = False,
        style: str = "",
        width: AnyDimension = None,
        height: AnyDimension = None,
        height_for: Callable[[int], Dimension] | None = None,
    ) -> None:
        """`clicked` gets the line of a click, `pointed` its column and the width of the window.

        `height_for` returns the height for a width; without it, the height does not depend on that.
        """
        super().__init__(_Focusable(focusable), width=width, height=height, dont_extend_height=height == 1)
        self._make_lines = make_lines
        self._clicked = clicked
        self._pointed = pointed
        self._scrolled = scrolled
        self._base_style = style
        self._height_for = height_for

    def preferred_height(self, width: int, max_available_height: int) -> Dimension:
        """Return the height for this width."""
        if self._height_for is not None:
            return self._height_for(width)
        return super().preferred_height(width, max_available_height)

    def write_to_screen(
        self,
        screen: Screen,
        mouse_handlers: MouseHandlers,
        write_position: WritePosition,
        parent_style: str,  # noqa: ARG002 - the lines have their own styles
        erase_bg: bool,  # noqa: ARG002 - every cell is written
        z_index: int | None,
    ) -> None:
        """Write the lines, now or when the floats are drawn."""

        def draw() -> None:
            self._draw(screen, mouse_handlers, write_position)

        if z_index:
            screen.draw_with_z_index(z_index, draw)
        else:
            draw()

    def _draw(self, screen: Screen, mouse_handlers: MouseHandlers, place: WritePosition) -> None:
        if place.width <= 0 or place.height <= 0:  # the last frame of an application has no height
            return
        lines = self._make_lines(place.width, place.height)[: place.height]
        lines += [[]] * (place.height - len(lines))
        for y, fragments in enumerate(lines, place.ypos):
            line = _cells(tuple(fragments), place.width, self._base_style)
            screen.data_buffer[y].update(enumerate(line, place.xpos))
        screen.width = max(screen.width, place.xpos + place.width)
        screen.height = max(screen.height, place.ypos + place.height)
        screen.visible_windows_to_write_positions[self] = place
        if get_app().layout.current_window is self:
            screen.show_cursor = False
            screen.set_cursor_position(self, Point(x=place.xpos, y=place.ypos))
        self._handle_mouse(mouse_handlers, place)

    def _handle_mouse(self, mouse_handlers: MouseHandlers, place: WritePosition) -> None:
        if not (self._clicked or self._pointed or self._scrolled):
            return

        def handle(event: MouseEvent) -> object:
            if self._pointed and event.event_type is MouseEventType.MOUSE_UP:
                self._pointed(event.position.x - place.xpos, place.width)
                return None
            return self._mouse_event(event.event_type, event.position.y - place.ypos)

        x_max, y_max = place.xpos + place.width, place.ypos + place.height
        mouse_handlers.set_mouse_handler_for_range(place.xpos, x_max, place.ypos, y_max, handle)

    def _mouse_event(self, kind: MouseEventType, y: int) -> object:
        if kind is MouseEventType.MOUSE_UP and self._clicked:
            self._clicked(y)
        elif kind is MouseEventType.SCROLL_UP and self._scrolled:
            self._scrolled(-_WHEEL_LINES)
        elif kind is MouseEventType.SCROLL_DOWN and self._scrolled:
            self._scrolled(_WHEEL_LINES)
        else:
            return NotImplemented
        return None


def line_window(
    make_line: Callable[[int], Fragments], pointed: Callable[[int, int], None] | None = None
) -> LinesWindow:
    """Return a window of one line; `pointed` gets the column of a click and the width."""
    return LinesWindow(lambda width, _: [make_line(width)], height=1, pointed=pointed)


def rule_window() -> LinesWindow:
    """Return a window with a horizontal rule."""
    return line_window(lambda width: [("class:rule", "─" * width)])


def help_window(pane: HelpPane, make_lines: Callable[[], list[Fragments]]) -> ConditionalContainer:
    """Return the window of the help, which covers the others while it is open."""
    window = LinesWindow(
        lambda width, height: pane.visible(make_lines(), width, height),
        style="class:overlay",
        width=_help_width,
        scrolled=pane.scroll,
    )
    return ConditionalContainer(window, Condition(lambda: pane.is_open))


def palette_window(
    make_lines: MakeLines, clicked: Callable[[int], None], scrolled: Callable[[int], None]
) -> LinesWindow:
    """Return the window of the palette."""
    return LinesWindow(
        make_lines, style="class:overlay", width=_help_width, clicked=clicked, scrolled=scrolled
    )


def _help_width() -> Dimension:
    return Dimension.exact(min(_HELP_COLUMNS, get_app().output.get_size().columns))


class _Focusable(UIControl):
    """An empty control, which a window needs to get the focus."""

    def __init__(self, focusable: bool) -> None:
        self._is_focusable = focusable

    def is_focusable(self) -> bool:
        return self._is_focusable

    def create_content(self, width: int, height: int) -> UIContent:  # noqa: ARG002
        return UIContent(show_cursor=False)


class _Chars(dict[str, Char]):
    """The cells of one style by character, created on demand."""

    def __init__(self, style: str) -> None:
        super().__init__()
        self.style = style

    def __missing__(self, character: str) -> Char:
        char = Char(character, self.style)
        if len(self) < _MAX_CHARS:
            self[character] = char
        return char


_chars = lru_cache(maxsize=256)(_Chars)


@lru_cache(maxsize=2048)
def _cells(fragments: tuple[tuple[str, str], ...], width: int, base_style: str) -> list[Char]:
    """Return a line's cells; a wide character is followed by an empty one."""
    cells: list[Char] = []
    for style, text in fragments:
        chars = _chars(f"{base_style} {style}".strip())
        if text.isascii():
            cells += map(chars.__getitem__, text)
        else:
            for character in text:
                _append(cells, chars[character], character)
    return _cut_or_pad(cells, width, base_style)


def _append(cells: list[Char], char: Char, character: str) -> None:
    if char.width == 1:
        cells.append(char)
    elif char.width == 2:
        cells += (char, Char("", char.style))
    elif cells:
        _combine(cells, character)


def _combine(cells: list[Char], mark: str) -> None:
    """Add a combining mark to the character before it."""
    at = -2 if cells[-1].char == "" and len(cells) > 1 else -1
    cells[at] = Char(cells[at].char + mark, cells[at].style)


def _cut_or_pad(cells: list[Char], width: int, base_style: str) -> list[Char]:
    if len(cells) > width:
        del cells[width:]
        if cells and get_cwidth(cells[-1].char) == 2:
            cells[-1] = Char(" ", cells[-1].style)
    style = cells[-1].style if cells and base_style else base_style
    return cells + [Char(" ", style)] * (width - len(cells))
