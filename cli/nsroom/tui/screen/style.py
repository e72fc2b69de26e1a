"""The themes: one accent colour, dim for secondary text, red for failed, yellow for waiting, green for ok."""

import os

from prompt_toolkit.output import ColorDepth
from prompt_toolkit.styles import Style

from nsroom.output.terminal import Colour, Theme, wanted_colour

_TINTS = tuple(f"tint{number}" for number in range(6))
"""The colours of rows by event or namespace."""
_PALETTES = {
    Theme.DARK: {
        "accent": "#00cdcd",
        "dim": "#8a8a8a",
        "line": "#767676",
        "red": "#ff6b6b",
        "yellow": "#d7af5f",
        "green": "#87af5f",
        "selected": "bg:#303030 #e4e4e4",
        "menu": "bg:#303030 #d0d0d0",
        "meta": "bg:#303030 #a8a8a8",
        "chosen": "bg:#00cdcd #000000",
        "match": "bg:#5f5f00 #ffffff",
        "tint0": "#87afff",
        "tint1": "#d7af87",
        "tint2": "#87d7af",
        "tint3": "#d7afff",
        "tint4": "#d7d787",
        "tint5": "#87d7ff",
    },
    Theme.LIGHT: {
        "accent": "#005f87",
        "dim": "#6c6c6c",
        "line": "#8a8a8a",
        "red": "#af0000",
        "yellow": "#7a5200",
        "green": "#005f00",
        "selected": "bg:#dcdcdc #202020",
        "menu": "bg:#e4e4e4 #202020",
        "meta": "bg:#e4e4e4 #606060",
        "chosen": "bg:#005f87 #ffffff",
        "match": "bg:#ffffaf #000000",
        "tint0": "#00528f",
        "tint1": "#6f4e00",
        "tint2": "#005f4f",
        "tint3": "#870087",
        "tint4": "#525200",
        "tint5": "#5f00af",
    },
    Theme.NONE: {
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
        **dict.fromkeys(_TINTS, ""),
    },
}
# Replacements for the colours that a 16-colour terminal does not have, or shows with too little contrast.
_16_COLORS = {
    Theme.DARK: {
        "accent": "ansicyan",
        "dim": "",
        "line": "",
        "red": "ansibrightred",
        "yellow": "ansibrightyellow",
        "green": "ansigreen",
        "selected": "bg:ansiwhite ansiblack",
        "menu": "bg:ansiwhite ansiblack",
        "meta": "bg:ansiwhite ansiblack",
        "chosen": "bg:ansicyan ansiblack",
        "match": "bg:ansicyan ansiblack",
        "tint0": "ansicyan",
        "tint1": "ansibrightyellow",
        "tint2": "ansigreen",
        "tint3": "ansibrightmagenta",
        "tint4": "ansibrightgreen",
        "tint5": "ansibrightcyan",
    },
    Theme.LIGHT: {
        "accent": "ansiblue",
        "dim": "",
        "line": "ansibrightblack",
        "red": "ansired",
        "yellow": "ansimagenta",
        "green": "ansiblue",
        "selected": "bg:ansiblack ansiwhite",
        "menu": "bg:ansiblack ansiwhite",
        "meta": "bg:ansiblack ansiwhite",
        "chosen": "bg:ansiblue ansiwhite",
        "match": "bg:ansicyan ansiblack",
        "tint0": "ansiblue",
        "tint1": "ansimagenta",
        "tint2": "",
        "tint3": "ansiblue",
        "tint4": "ansimagenta",
        "tint5": "",
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
    **{tint: f"{{{tint}}}" for tint in _TINTS},
    "search": "noreverse",
    "search.current": "noreverse {match}",
}

_KEPT_IN_ROW = ("time", "namespace", "quiet", "sign", "failed", "good", "waits", "match", "marker")
"""Classes that keep their colour in a selected row."""


def style(theme: Theme, depth: ColorDepth | None) -> Style:
    """Return the style of a theme for a terminal with this colour depth."""
    if depth is ColorDepth.DEPTH_1_BIT:
        theme = Theme.NONE
    few_colours = depth is ColorDepth.DEPTH_4_BIT
    palette = _PALETTES[theme] | (_16_COLORS.get(theme, {}) if few_colours else {})
    rules = {name: text.format(**palette).strip() for name, text in _CLASSES.items()}
    if not few_colours:  # the 16 colours that can be read on the background cannot be read on a selected row
        rules |= {f"row {name}": rules[name] for name in _KEPT_IN_ROW}
    return Style.from_dict(rules)


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
