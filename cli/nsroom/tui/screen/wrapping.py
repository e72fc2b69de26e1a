"""Break text into lines of a given width in cells. Pure."""

from collections.abc import Callable, Iterable, Iterator

from nsroom.output.summary import Piece
from nsroom.output.terminal import cells, safe

MIN_ROOM = 10
"""Cells of the longest escape that `safe` makes of one character."""


def text_rows(text: str, room: int) -> Iterator[str]:
    """Yield untrusted text as safe lines of at most `room` cells, broken after a blank if possible."""
    room, start = max(room, MIN_ROOM), 0
    while start < len(text):
        end = text.find("\n", start, start + room + 1)
        stop = min(start + room, len(text)) if end < 0 else end
        line = text[start:stop]
        count = fitting(line, room, safe)
        if start + count == end:
            yield safe(line.removesuffix("\r"))
            start = end + 1
            continue
        if start + count < len(text):
            count = _after_blank(line, count)
        yield safe(line[:count])
        start += count


def flow(pieces: Iterable[Piece], room: int) -> list[list[Piece]]:
    """Return safe pieces on lines of at most `room` cells; a piece that fits into a line is not broken."""
    rows: list[list[Piece]] = [[]]
    left = room = max(room, MIN_ROOM)
    for style, text in pieces:
        while (needed := cells(text)) > left:
            count = fitting(text, left)
            if rows[-1] and (needed <= room + 2 or cells(text[:count]) > left):
                count = 0  # the next line has more room
            else:
                count = _after_blank(text, count)
                rows[-1].append((style, text[:count]))
            rows.append([])
            text, left = text[count:].lstrip(" "), room
        if text:
            rows[-1].append((style, text))
            left -= cells(text)
    return rows if rows[-1] else rows[:-1]


def fitting(text: str, room: int, shown: Callable[[str], str] = str) -> int:
    """Return how many characters at the start of a text take at most `room` cells, at least one."""
    count = min(len(text), max(room, 1))
    while count > 1 and (needed := cells(shown(text[:count]))) > room:
        count = min(max(count * room // needed, 1), count - 1)
    return count


def _after_blank(text: str, count: int) -> int:
    """Return a smaller count that ends after a blank, if there is one near the end."""
    return text.rfind(" ", count * 2 // 3, count) + 1 or count
