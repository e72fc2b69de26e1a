"""The one gate between what others sent and a terminal: safe text, its width, and a console.

rich is imported by the functions that need it: this module loads on every start, rich costs tens of
milliseconds.
"""

import os
import re
import unicodedata
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console

MAX_MARKS = 8
"""Combining marks on one character; more pile up over the neighbouring lines."""

_SHOWN_AS = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}
_HIDING = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
# Blank or without width although they count as letters or marks.
_FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
_SELECTOR = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
# One variation selector picks a glyph; a second one can only smuggle.
_SUSPECT = re.compile(f"[{''.join(sorted(_FILLERS))}]|[{_SELECTOR}]{{2}}")
_SELECTORS = re.compile(f"(?<=[{_SELECTOR}])[{_SELECTOR}]")
# Emoji younger than the interpreter's Unicode tables.
_NEW_EMOJI = range(0x1F000, 0x1FB00)
_MAX_TABLE = 4096


class _Table(dict[int, str]):
    """What `str.translate` asks for every character, filled as characters come by."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        shown = _escaped(character) if _hides(character) else character
        if len(self) < _MAX_TABLE:
            self[code] = shown
        return shown


_TABLE = _Table()


def safe(text: str) -> str:
    """Show what a terminal would obey or hide as visible escapes, and leave all else as it is.

    Control characters (line breaks too), bidi controls, zero-width and tag characters, lone surrogates,
    private use and noncharacters become `\\x1b`, `\\u202e`, `\\U000e0041`; so do combining marks after
    the eighth on one character, and a second variation selector.
    """
    if text.isprintable() and (text.isascii() or not (_SUSPECT.search(text) or _may_pile(text))):
        return text
    return _unpiled(_SELECTORS.sub(lambda found: _escaped(found[0]), text.translate(_TABLE)))


def clip(text: str, width: int) -> str:
    """Cut safe text to `width` terminal cells; a cut shows as `…`."""
    if text.isascii():
        return text if len(text) <= width else (text[: width - 1] + "…")[: max(width, 0)]
    # Every character but the marks on it takes a cell: no more of the text than this can be seen.
    head = text[: max(width, 0) * (MAX_MARKS + 1) + 1]
    if head == text and cells(text) <= width:
        return text
    return _cut(head, width - 1) + "…" if width > 0 else ""


def cells(text: str) -> int:
    """Count the terminal cells that safe text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _cut(text: str, width: int) -> str:
    from rich.cells import set_cell_size

    return set_cell_size(text, width).rstrip(" ")


def colours(stream: TextIO) -> bool:
    """Say whether to colour: on a terminal that can, unless NO_COLOR is set."""
    return (
        stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "") not in ("", "dumb")
    )


def console(stream: TextIO) -> "Console":
    """Make a rich console that parses no markup and colours only where `colours` says so."""
    from rich.console import Console

    return Console(
        file=stream,
        markup=False,
        highlight=False,
        emoji=False,
        force_terminal=stream.isatty(),
        color_system="auto" if colours(stream) else None,
    )


def _escaped(character: str) -> str:
    code = ord(character)
    if character in _SHOWN_AS:
        return _SHOWN_AS[character]
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _hides(character: str) -> bool:
    category = unicodedata.category(character)
    if category == "Cn":
        return ord(character) not in _NEW_EMOJI
    return category in _HIDING or character in _FILLERS


def _may_pile(text: str) -> bool:
    """Say whether marks could pile up: more than eight in a row must show in a sample of every ninth."""
    return any(map(_is_mark, text[:: MAX_MARKS + 1]))


def _is_mark(character: str) -> bool:
    return unicodedata.category(character) in ("Mn", "Me")


def _unpiled(text: str) -> str:
    if text.isascii() or not _may_pile(text):
        return text
    shown, marks = [], 0
    for character in text:
        marks = marks + 1 if _is_mark(character) else 0
        shown.append(_escaped(character) if marks > MAX_MARKS else character)
    return "".join(shown)
