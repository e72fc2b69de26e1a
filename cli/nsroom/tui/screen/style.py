"""The themes: one accent colour, dim for secondary text, red for failed, yellow for waiting, green for ok."""

import os

from prompt_toolkit.output import ColorDepth
from prompt_toolkit.styles import Style

from nsroom.output.terminal import Colour, wanted_colour

_PALETTES = {
    "dark": {
        "accent": "ansicyan",
        "dim": "#8a8a8a",
        "line": "#585858",
        "red": "#ff6b6b",
        "yellow": "#d7af5f",
        "green": "#87af5f",
        "selected": "bg:#303030",
        "menu": "bg:#303030 #d0d0d0",
        "meta": "bg:#303030 #9a9a9a",
        "chosen": "bg:ansicyan ansiblack",
        "match": "bg:#5f5f00 #ffffff",
    },
    "light": {
        "accent": "#005f87",
        "dim": "#6c6c6c",
        "line": "#b2b2b2",
        "red": "#af0000",
        "yellow": "#875f00",
        "green": "#005f00",
        "selected": "bg:#dcdcdc",
        "menu": "bg:#e4e4e4 #202020",
        "meta": "bg:#e4e4e4 #606060",
        "chosen": "bg:#005f87 #ffffff",
        "match": "bg:#ffffaf #000000",
    },
    "none": {
        "accent": "",
        "dim": "",
        "line": "",
        "red": "bold",
        "yellow": "",
        "green": "",
        "selected": "reverse",
        "menu": "reverse",
        "meta": "reverse",
        "chosen": "noreverse bold",
        "match": "underline bold",
    },
}
THEMES = tuple(_PALETTES)
# Replacements for the colours that a 16-colour terminal does not have.
_16_COLORS = {
    "dark": {
        "dim": "",
        "line": "ansibrightblack",
        "red": "ansibrightred",
        "yellow": "ansiyellow",
        "green": "ansigreen",
        "selected": "bg:ansiwhite ansiblack",
        "menu": "bg:ansiwhite ansiblack",
        "meta": "bg:ansiwhite ansiblack",
        "match": "bg:ansiyellow ansiblack",
    },
    "light": {
        "accent": "ansiblue",
        "dim": "",
        "line": "ansibrightblack",
        "red": "ansired",
        "yellow": "ansired",
        "green": "ansigreen",
        "selected": "bg:ansiblack ansiwhite",
        "menu": "bg:ansiblack ansiwhite",
        "meta": "bg:ansiblack ansiwhite",
        "chosen": "bg:ansiblue ansiwhite",
        "match": "bg:ansiyellow ansiblack",
    },
}

# The style of each class, in colours of the palette.
_CLASSES = {
    "time": "{dim}",
    "namespace": "{dim}",
    "quiet": "{dim}",
    "number": "",
    "rule": "{line}",
    "unread": "{accent}",
    "sign": "{accent}",
    "event": "bold",
    "key": "{accent} bold",
    "heading": "{dim} bold",
    "prompt": "{accent} bold",
    "failed": "{red}",
    "good": "{green}",
    "waits": "{yellow}",
    "badge": "{accent} reverse",
    "match": "{match}",
    "row": "{selected}",
    "marker": "{accent} bold",
    "nick": "{accent}",
    "own": "bold",
    "overlay": "{menu}",
    "matching-bracket.cursor": "{accent} bold",
    "matching-bracket.other": "{accent} bold",
    "completion-menu": "{menu}",
    "completion-menu.completion": "{menu}",
    "completion-menu.completion.current": "noreverse {chosen}",
    "completion-menu.meta.completion": "{meta}",
    "completion-menu.meta.completion.current": "noreverse {chosen}",
    "scrollbar.background": "{menu}",
    "scrollbar.button": "{chosen}",
    "search": "noreverse",
    "search.current": "noreverse {match}",
}


def style(theme: str, depth: ColorDepth | None) -> Style:
    """Return the style of a theme for a terminal with this colour depth."""
    if depth is ColorDepth.DEPTH_1_BIT:
        theme = "none"
    palette = _PALETTES[theme]
    if depth is ColorDepth.DEPTH_4_BIT:
        palette = palette | _16_COLORS.get(theme, {})
    return Style.from_dict({name: text.format(**palette).strip() for name, text in _CLASSES.items()})


def color_depth() -> ColorDepth | None:
    """Return the terminal's colour depth, 1 bit without colours, or None to let prompt-toolkit decide."""
    if wanted_colour() is Colour.NEVER:
        return ColorDepth.DEPTH_1_BIT
    if os.environ.get("COLORTERM") or os.environ.get("PROMPT_TOOLKIT_COLOR_DEPTH"):
        return None
    has_few = 0 < _terminfo_colors() < 256 or os.environ.get("TERM", "").endswith("-16color")
    return ColorDepth.DEPTH_4_BIT if has_few else None


def _terminfo_colors() -> int:
    """Return the number of colours in the terminfo entry, or 0 without one."""
    try:
        import curses
    except ImportError:  # Windows
        return 0
    try:
        curses.setupterm(fd=1)
        return curses.tigetnum("colors")
    except curses.error:
        return 0
