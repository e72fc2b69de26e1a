"""Lines of styled text of a given width, of which the screen is made. What came from outside is safe here."""

import re
from collections.abc import Iterable

from nsroom.output.summary import Piece
from nsroom.output.terminal import cells, clip, safe
from nsroom.tui.screen.state import View

Fragments = list[tuple[str, str]]


def styled(pieces: Iterable[Piece]) -> Fragments:
    """Give pieces of a summary as prompt-toolkit takes them."""
    return [(f"class:{style}", text) for style, text in pieces]


def fit(fragments: Fragments, width: int) -> Fragments:
    """Cut or fill a line to exactly `width` cells."""
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
    """Count the cells of a line."""
    return sum(cells(text) for _, text in fragments)


def spread(left: Fragments, right: Fragments, width: int) -> Fragments:
    """Put two parts at the ends of a line; the right one goes where there is no room for it."""
    room = width - length(right)
    if room < length(left) + 1:
        return fit(left, width)
    return [*fit(left, room), *right]


def hold(left: Fragments, right: Fragments, width: int) -> Fragments:
    """Put two parts at the ends of a line; the left one is cut where there is no room for both."""
    room = width - length(right)
    return [*fit(left, room), *right] if room > 1 else fit(left, width)


def highlight(fragments: Fragments, pattern: str) -> Fragments:
    """Show where the text that was searched for stands."""
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
    """Break safe text into lines of at most `width` cells, at blanks where there are any."""
    lines, now = [], ""
    for word in text.split(" "):
        while cells(word) > width:
            if now:
                lines.append(now)
                now = ""
            head = clip(word, width + 1).removesuffix("…")
            head = head if cells(head) <= width else head[:-1]
            lines.append(head or word[0])
            word = word[len(lines[-1]) :]
        if now and cells(now) + 1 + cells(word) > width:
            lines.append(now)
            now = word
        else:
            now = f"{now} {word}" if now else word
    return [*lines, now]


def rule(text: str, width: int, indent: int) -> Fragments:
    """Draw a rule with a word in the middle."""
    side = "─" * max((min(width, 90) - cells(text) - 4 - 2 * indent) // 2, 2)
    return fit([("class:rule", f"{' ' * indent}{side}  {text}  {side}")], width)


def prompt(view: View) -> Fragments:
    """Name where the text will go."""
    if view.of_others:
        return [("class:prompt", " filter › ")]
    where = clip(safe(view.namespace), 24) + (f" {clip(safe(view.room), 24)}" if view.room else "")
    return [("class:prompt", f" {where} › ")]
