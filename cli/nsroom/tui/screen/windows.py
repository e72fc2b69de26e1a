"""Windows of ready-made lines: the quick way from styled text to the cells of the screen.

prompt-toolkit's own Window copies its content character by character through several layers, some 60 ms for
a large screen. These lines have the right width already, and those that did not change are cells already.
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

from nsroom.tui.screen.lines import Fragments

_WHEEL = 3
_HELP = 84
"""Columns."""
_MAX_CHARS = 4096
Make = Callable[[int, int], list[Fragments]]
"""Makes the lines for a width and a height."""


class LinesWindow(Window):
    """Shows lines that are made for its size."""

    def __init__(
        self,
        make: Make,
        *,
        clicked: Callable[[int], None] | None = None,
        scrolled: Callable[[int], None] | None = None,
        focusable: bool = False,
        style: str = "",
        width: AnyDimension = None,
        height: AnyDimension = None,
    ) -> None:
        super().__init__(_Focusable(focusable), width=width, height=height, dont_extend_height=height == 1)
        self._make = make
        self._clicked = clicked
        self._scrolled = scrolled
        self._look = style

    def write_to_screen(
        self,
        screen: Screen,
        mouse_handlers: MouseHandlers,
        write_position: WritePosition,
        parent_style: str,  # noqa: ARG002 - the lines have their styles
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
        made = self._make(place.width, place.height)[: place.height]
        made += [[]] * (place.height - len(made))
        for y, fragments in enumerate(made, place.ypos):
            line = _cells(tuple(fragments), place.width, self._look)
            screen.data_buffer[y].update(enumerate(line, place.xpos))
        screen.width = max(screen.width, place.xpos + place.width)
        screen.height = max(screen.height, place.ypos + place.height)
        screen.visible_windows_to_write_positions[self] = place
        if get_app().layout.current_window is self:
            screen.show_cursor = False
            screen.set_cursor_position(self, Point(x=place.xpos, y=place.ypos))
        self._listen(mouse_handlers, place)

    def _listen(self, mouse_handlers: MouseHandlers, place: WritePosition) -> None:
        if not (self._clicked or self._scrolled):
            return

        def handle(event: MouseEvent) -> object:
            return self._mouse(event.event_type, event.position.y - place.ypos)

        x_max, y_max = place.xpos + place.width, place.ypos + place.height
        mouse_handlers.set_mouse_handler_for_range(place.xpos, x_max, place.ypos, y_max, handle)

    def _mouse(self, kind: MouseEventType, y: int) -> object:
        if kind is MouseEventType.MOUSE_UP and self._clicked:
            self._clicked(y)
        elif kind is MouseEventType.SCROLL_UP and self._scrolled:
            self._scrolled(-_WHEEL)
        elif kind is MouseEventType.SCROLL_DOWN and self._scrolled:
            self._scrolled(_WHEEL)
        else:
            return NotImplemented
        return None


def line_window(make: Callable[[int], Fragments]) -> LinesWindow:
    """Show one line that is made for the width."""
    return LinesWindow(lambda width, _: [make(width)], height=1)


def rule_window() -> LinesWindow:
    """Draw a rule."""
    return line_window(lambda width: [("class:rule", "─" * width)])


def help_window(
    make: Make, shown: Callable[[], bool], scrolled: Callable[[int], None]
) -> ConditionalContainer:
    """Lay lines of help over the rest, while they are to be shown."""
    window = LinesWindow(make, style="class:overlay", width=_help_width, scrolled=scrolled)
    return ConditionalContainer(window, Condition(shown))


def _help_width() -> Dimension:
    return Dimension.exact(min(_HELP, get_app().output.get_size().columns))


class _Focusable(UIControl):
    """Takes the place of a content; the keys may go here."""

    def __init__(self, focusable: bool) -> None:
        self._is_focusable = focusable

    def is_focusable(self) -> bool:
        return self._is_focusable

    def create_content(self, width: int, height: int) -> UIContent:  # noqa: ARG002
        return UIContent(show_cursor=False)


class _Chars(dict[str, Char]):
    """The characters of one style, made as they come by."""

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
def _cells(fragments: tuple[tuple[str, str], ...], width: int, look: str) -> list[Char]:
    """Give one Char for each cell; what a wide character covers besides its own is empty."""
    made: list[Char] = []
    for style, text in fragments:
        chars = _chars(f"{look} {style}".strip())
        if text.isascii():
            made += map(chars.__getitem__, text)
        else:
            for character in text:
                _append(made, chars[character], character)
    return _exactly(made, width, look)


def _append(made: list[Char], char: Char, character: str) -> None:
    if char.width == 1:
        made.append(char)
    elif char.width == 2:
        made += (char, Char("", char.style))
    elif made:
        _combine(made, character)


def _combine(made: list[Char], mark: str) -> None:
    """Put a combining mark onto the character before it."""
    at = -2 if made[-1].char == "" and len(made) > 1 else -1
    made[at] = Char(made[at].char + mark, made[at].style)


def _exactly(made: list[Char], width: int, look: str) -> list[Char]:
    if len(made) > width:
        del made[width:]
        if made and get_cwidth(made[-1].char) == 2:
            made[-1] = Char(" ", made[-1].style)
    style = made[-1].style if made and look else look
    return made + [Char(" ", style)] * (width - len(made))
