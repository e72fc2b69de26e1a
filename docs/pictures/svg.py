"""Draw a terminal's screen as SVG: text on a grid, with lines and blocks as shapes, so that they join."""

import re
from functools import partial
from html import escape
from itertools import groupby
from typing import NamedTuple

import pyte
from pyte.screens import Char

from nsroom.output.terminal import cells

CELL, LINE, SIZE, EDGE = 8.4, 18, 14, 14
FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace"


class Paper(NamedTuple):
    """The default colours of a terminal."""

    background: str
    foreground: str


DARK, LIGHT = Paper("#16181d", "#d4d7dd"), Paper("#ffffff", "#1b1d22")
_COLOURS = {
    "black": "#16181d",
    "red": "#e06c75",
    "green": "#98c379",
    "brown": "#d19a66",
    "blue": "#61afef",
    "magenta": "#c678dd",
    "cyan": "#56b6c2",
    "white": "#d4d7dd",
    "brightblack": "#7f848e",
}
_EIGHTHS = "▁▂▃▄▅▆▇█"


def draw(screen: pyte.Screen, title: str, cursor: bool = False, paper: Paper = DARK) -> str:
    """Give the picture; `title` is for those who do not see it."""
    width = screen.columns * CELL + 2 * EDGE
    height = screen.lines * LINE + 2 * EDGE
    shapes: list[str] = []
    for y in range(screen.lines):
        row = screen.buffer[y]
        shapes += _row([row[x] for x in range(screen.columns)], y, paper)
    if cursor:
        shapes.append(
            _rect(screen.cursor.x, screen.cursor.y, 1, 0.12, paper.foreground, wide=0.25, high=0.76)
        )
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" role="img">',
            f"<title>{escape(title)}</title>",
            f'<rect width="100%" height="100%" rx="8" fill="{paper.background}"/>',
            f'<g font-family="{FONT}" font-size="{SIZE}" xml:space="preserve">',
            *shapes,
            "</g>",
            "</svg>\n",
        )
    )


def _row(row: list[Char], y: int, paper: Paper) -> list[str]:
    shapes: list[str] = []
    x = 0
    for look, run in groupby(row, partial(_look, paper)):
        part = list(run)
        ground = look[1]
        if ground != paper.background:
            shapes.append(_rect(x, y, len(part), 0, ground))
        shapes += _pieces([cell.data for cell in part], x, y, look)
        x += len(part)
    return shapes


def _look(paper: Paper, cell: Char) -> tuple[str, str, bool]:
    colour, ground = _colour(cell.fg, paper.foreground), _colour(cell.bg, paper.background)
    return (ground, colour, cell.bold) if cell.reverse else (colour, ground, cell.bold)


def _colour(name: str, default: str) -> str:
    if name == "default":
        return default
    return _COLOURS.get(name, f"#{name}" if len(name) == 6 else default)


def _pieces(texts: list[str], x: int, y: int, look: tuple[str, str, bool]) -> list[str]:
    shapes: list[str] = []
    for kind, run in groupby(enumerate(texts, x), lambda pair: _kind(pair[1])):
        pairs = list(run)
        at, text = pairs[0][0], "".join(each for _, each in pairs)
        if kind == "text":
            # Viewers collapse blanks: what stands apart is drawn apart.
            words = re.finditer(r"\S+( \S+)*", text)
            shapes += [_text(at + found.start(), y, found[0], look) for found in words]
        elif kind == "wide":
            shapes += [_text(place, y, each, look) for place, each in pairs if each]
        elif kind == "─":
            shapes.append(_rect(at, y, len(pairs), 0.47, look[0], high=0.06))
        elif kind in ("│", "▌"):
            wide, left = (0.1, 0.45) if kind == "│" else (0.4, 0.0)
            shapes += [_rect(place + left, y, 1, 0, look[0], wide=wide) for place, _ in pairs]
        elif kind == "bar":
            shapes += [_bar(place, y, each, look[0]) for place, each in pairs]
    return shapes


def _kind(text: str) -> str:
    if text in ("─", "│", "▌"):
        return text
    if text and text in _EIGHTHS:
        return "bar"
    return "wide" if not text or cells(text) == 2 else "text"


def _bar(x: int, y: int, text: str, colour: str) -> str:
    high = (_EIGHTHS.index(text) + 1) / 8 * 0.8
    return _rect(x, y, 1, 0.9 - high, colour, wide=0.9, high=high)


def _text(x: int, y: int, text: str, look: tuple[str, str, bool]) -> str:
    colour, _, bold = look
    weight = ' font-weight="bold"' if bold else ""
    place = f'x="{EDGE + x * CELL:.1f}" y="{EDGE + y * LINE + 13.5:.1f}"'
    length = f'textLength="{cells(text) * CELL:.1f}" lengthAdjust="spacingAndGlyphs"'
    return f'<text {place} {length} fill="{colour}"{weight}>{escape(text)}</text>'


def _rect(
    x: float, y: int, count: int, top: float, colour: str, *, wide: float = 1.0, high: float = 1.0
) -> str:
    width = count * CELL if count > 1 else CELL * wide
    place = f'x="{EDGE + x * CELL:.1f}" y="{EDGE + (y + top) * LINE:.1f}"'
    return f'<rect {place} width="{width:.1f}" height="{LINE * high:.1f}" fill="{colour}"/>'
