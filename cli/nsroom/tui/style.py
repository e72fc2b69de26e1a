"""The themes: one accent, dim for the secondary, red for failed, yellow for waiting, green for state."""

import os

from prompt_toolkit.styles import Style

_PALETTES = {
    "dark": {
        "accent": "ansicyan",
        "dim": "ansibrightblack",
        "red": "ansibrightred",
        "yellow": "ansiyellow",
        "green": "ansigreen",
        "selected": "bg:#303030",
        "menu": "bg:#303030 #d0d0d0",
        "chosen": "bg:ansicyan ansiblack",
    },
    "light": {
        "accent": "ansiblue",
        "dim": "#6c6c6c",
        "red": "ansired",
        "yellow": "#8a6d00",
        "green": "#00702a",
        "selected": "bg:#dcdcdc",
        "menu": "bg:#e4e4e4 #202020",
        "chosen": "bg:ansiblue ansiwhite",
    },
    "none": {
        "accent": "",
        "dim": "",
        "red": "bold",
        "yellow": "",
        "green": "",
        "selected": "reverse",
        "menu": "",
        "chosen": "reverse",
    },
}
THEMES = tuple(_PALETTES)

# What each class of the layout looks like, in the words of a palette.
_CLASSES = {
    "time": "{dim}",
    "namespace": "{dim}",
    "quiet": "{dim}",
    "rule": "{dim}",
    "sign": "{accent}",
    "event": "bold",
    "key": "{accent} bold",
    "heading": "{dim} bold",
    "prompt": "{accent} bold",
    "failed": "{red}",
    "good": "{green}",
    "waits": "{yellow}",
    "badge": "{accent} reverse",
    "selected": "{selected}",
    "marker": "{accent} bold",
    "nick": "{accent}",
    "own": "bold",
    "help": "{menu}",
    "help key": "{accent} bold",
    "completion-menu": "{menu}",
    "completion-menu.completion": "{menu}",
    "completion-menu.completion.current": "{chosen} noreverse",
    "completion-menu.meta.completion": "{menu}",
    "completion-menu.meta.completion.current": "{chosen}",
}


def style(theme: str) -> Style:
    """Make the style of a theme; NO_COLOR wins."""
    palette = _PALETTES["none" if os.environ.get("NO_COLOR") else theme]
    return Style.from_dict({name: look.format(**palette).strip() for name, look in _CLASSES.items()})
