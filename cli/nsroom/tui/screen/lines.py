"""Lines of styled text of a given width, from which the screen is made. All text here is safe."""

import re
from collections.abc import Iterable

from nsroom.output.summary import Piece
from nsroom.output.terminal import cells, clip, safe

Fragments = list[tuple[str, str]]


def styled(pieces: Iterable[Piece]) -> Fragments:
    """Return pieces of a summary as prompt-toolkit's fragments."""
    return [(f"class:{style}", text) for style, text in pieces]


def fit(fragments: Fragments, width: int) -> Fragments:
    """Cut or pad a line to exactly `width` cells."""
    fitted: Fragments = []
    for style, text in fragments:
        if width <= 0:
            break
        shown = clip(text, width)
        fitted.append((style, shown))
        width -= cells(shown)
    if width > 0:
        fitted.append(("", " " * width))
    return fitted


def length(fragments: Fragments) -> int:
    """Return the number of cells of a line."""
    return sum(cells(text) for _, text in fragments)


def justify(left: Fragments, right: Fragments, width: int) -> Fragments:
    """Put two parts at the ends of a line, and cut the left one if both do not fit."""
    room = width - length(right)
    return [*fit(left, room), *right] if room > 1 else fit(left, width)


def highlight(fragments: Fragments, pattern: str) -> Fragments:
    """Mark each occurrence of the search pattern."""
    if not pattern:
        return fragments
    parts = re.compile(f"({re.escape(safe(pattern))})", re.IGNORECASE)
    return [
        (f"{style} class:match" if at % 2 else style, part)
        for style, text in fragments
        for at, part in enumerate(parts.split(text))
        if part
    ]


def wrap(text: str, width: int) -> list[str]:
    """Break safe text into lines of at most `width` cells, at spaces if possible."""
    lines, line = [], ""
    for word in text.split(" "):
        while cells(word) > width:
            if line:
                lines.append(line)
                line = ""
            head = clip(word, width + 1).removesuffix("…")
            while cells(head) > width:  # the last character may be a mark without a width of its own
                head = head[:-1]
            lines.append(head or word[0])
            word = word[len(lines[-1]) :]
        if line and cells(line) + 1 + cells(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line]


def rule(text: str, width: int, indent: int) -> Fragments:
    """Return a horizontal rule with a text in the middle."""
    side = "─" * max((min(width, 90) - cells(text) - 4 - 2 * indent) // 2, 2)
    return fit([("class:rule", f"{' ' * indent}{side}  {text}  {side}")], width)
