"""Safe text for a terminal, its width, colours, and a rich console.

Every text from outside passes `safe` before it is printed. rich is imported inside functions: this module is
loaded on every start, and rich costs tens of milliseconds.
"""

import os
import unicodedata
from enum import StrEnum
from typing import TYPE_CHECKING, TextIO

from nsroom.lazy import compile_lazily

if TYPE_CHECKING:
    from rich.console import Console

MAX_MARKS = 8
"""Combining marks shown on one character; more would spill over the lines above and below."""

_SHOWN_AS = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}
_HIDING = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
# Blank or zero-width, although Unicode classes them as letters or marks.
_FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
_SELECTOR = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
# One variation selector picks a glyph; a second one can only hide data.
_SUSPECT = compile_lazily(f"[{''.join(sorted(_FILLERS))}]|[{_SELECTOR}]{{2}}")
_SELECTORS = compile_lazily(f"(?<=[{_SELECTOR}])[{_SELECTOR}]")
# Emoji newer than the interpreter's Unicode tables.
_NEW_EMOJI = range(0x1F000, 0x1FB00)
_MAX_TABLE = 4096


class _Table(dict[int, str]):
    """The table of `str.translate`, filled with each character on its first use."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        shown = _escaped(character) if _hides(character) else character
        if len(self) < _MAX_TABLE:
            self[code] = shown
        return shown


_TABLE = _Table()


def safe(text: str) -> str:
    """Return text with every character that a terminal would obey or hide as a visible escape.

    Control characters (line breaks too), bidi controls, zero-width and tag characters, lone surrogates,
    private use and noncharacters become `\\x1b`, `\\u202e`, `\\U000e0041`; so do combining marks beyond
    the eighth on one character, and a second variation selector.
    """
    if text.isprintable() and (text.isascii() or not (_SUSPECT.search(text) or _may_pile(text))):
        return text
    return _escape_piles(_SELECTORS.sub(lambda found: _escaped(found[0]), text.translate(_TABLE)))


def clip(text: str, width: int) -> str:
    """Return safe text cut to `width` terminal cells; a cut is shown as `…`."""
    if text.isascii():
        return text if len(text) <= width else (text[: width - 1] + "…")[: max(width, 0)]
    # Every character except marks takes at least one cell, so text beyond this cannot be seen.
    head = text[: max(width, 0) * (MAX_MARKS + 1) + 1]
    if head == text and cells(text) <= width:
        return text
    return _cut(head, width - 1) + "…" if width > 0 else ""


def cells(text: str) -> int:
    """Return the number of terminal cells that safe text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _cut(text: str, width: int) -> str:
    from rich.cells import set_cell_size

    return set_cell_size(text, width).rstrip(" …")


class Colour(StrEnum):
    """When to use colours."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Theme(StrEnum):
    """The colours of the live view; auto follows the background of the terminal."""

    AUTO = "auto"
    DARK = "dark"
    LIGHT = "light"
    NONE = "none"


_chosen = Colour.AUTO


def choose_colour(when: Colour) -> None:
    """Set the value of --color."""
    global _chosen
    _chosen = when


def wanted_colour() -> Colour:
    """Return when to use colours: by --color, NO_COLOR, FORCE_COLOR and CLICOLOR_FORCE, in this order."""
    if _chosen is not Colour.AUTO:
        return _chosen
    if os.environ.get("NO_COLOR"):
        return Colour.NEVER
    forced = os.environ.get("FORCE_COLOR") or os.environ.get("CLICOLOR_FORCE") or ""
    if forced in ("0", "false"):
        return Colour.NEVER if os.environ.get("FORCE_COLOR") else Colour.AUTO
    return Colour.ALWAYS if forced else Colour.AUTO


def colours(stream: TextIO) -> bool:
    """Return whether to use colours: on a terminal that has them, unless the user wants it otherwise."""
    wanted = wanted_colour()
    if wanted is Colour.AUTO:
        return stream.isatty() and os.environ.get("TERM", "") not in ("", "dumb")
    return wanted is Colour.ALWAYS


def console(stream: TextIO) -> "Console":
    """Return a rich console without markup, with colours only if `colours` allows them."""
    from rich.console import Console

    coloured = colours(stream)
    return Console(
        file=stream,
        markup=False,
        highlight=False,
        emoji=False,
        force_terminal=stream.isatty() or coloured,
        color_system=("auto" if stream.isatty() else "standard") if coloured else None,
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
    """Return whether more than eight marks in a row are possible, by a sample of every ninth character."""
    return any(map(_is_mark, text[:: MAX_MARKS + 1]))


def _is_mark(character: str) -> bool:
    return unicodedata.category(character) in ("Mn", "Me")


def _escape_piles(text: str) -> str:
    if text.isascii() or not _may_pile(text):
        return text
    shown, marks = [], 0
    for character in text:
        marks = marks + 1 if _is_mark(character) else 0
        shown.append(_escaped(character) if marks > MAX_MARKS else character)
    return "".join(shown)
