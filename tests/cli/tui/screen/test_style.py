import pytest
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.styles import Style

from nsroom.output.terminal import Theme
from nsroom.tui.background import luminance
from nsroom.tui.screen.style import color_depth, style

DIM = {"time", "namespace", "quiet", "rule", "heading", "completion-menu.meta.completion"}
"""Classes of secondary text and lines; the others are text."""
PALETTES = {
    "xterm": (
        "000000 cd0000 00cd00 cdcd00 0000ee cd00cd 00cdcd e5e5e5"
        " 7f7f7f ff0000 00ff00 ffff00 5c5cff ff00ff 00ffff ffffff"
    ),
    "VGA": (
        "000000 aa0000 00aa00 aa5500 0000aa aa00aa 00aaaa aaaaaa"
        " 555555 ff5555 55ff55 ffff55 5555ff ff55ff 55ffff ffffff"
    ),
}
NAMES = (
    *("ansiblack", "ansired", "ansigreen", "ansiyellow", "ansiblue", "ansimagenta", "ansicyan", "ansigray"),
    *("ansibrightblack", "ansibrightred", "ansibrightgreen", "ansibrightyellow", "ansibrightblue"),
    *("ansibrightmagenta", "ansibrightcyan", "ansiwhite"),
)
BACKGROUNDS = {
    Theme.DARK: [("d0d0d0", "000000"), ("abb2bf", "282c34"), ("93a1a1", "002b36")],
    Theme.LIGHT: [("000000", "ffffff"), ("586e75", "fdf6e3")],
}
"""Text and background of terminals: those of the palettes, One Dark, and Solarized."""


@pytest.mark.parametrize("theme", [theme for theme in Theme if theme is not Theme.AUTO])
@pytest.mark.parametrize("depth", [None, *ColorDepth])
def test_every_theme_is_a_valid_style(theme: Theme, depth: ColorDepth | None) -> None:
    assert style(theme, depth).get_attrs_for_style_str("class:event").bold


def test_no_color_means_no_colors() -> None:
    rules = style(Theme.DARK, ColorDepth.DEPTH_1_BIT).style_rules
    assert not [rule for _, rule in rules if "#" in rule or "ansi" in rule]


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours such as `ffffff`, from 1 to 21, as WCAG defines it."""
    lights = sorted(
        luminance(*(int(each[at : at + 2], 16) / 255 for at in (0, 2, 4))) for each in (one, other)
    )
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def colours(shown: Style, name: str, text: str, background: str, palette: str) -> tuple[str, str]:
    """Return the colours of a class on a terminal with this text, background and palette."""
    attrs = shown.get_attrs_for_style_str(" ".join(f"class:{part}" for part in name.split()))
    numbered = dict(zip(NAMES, PALETTES[palette].split(), strict=True))
    front = numbered.get(attrs.color or "", attrs.color) or text
    back = numbered.get(attrs.bgcolor or "", attrs.bgcolor) or background
    return (back, front) if attrs.reverse else (front, back)


def faint(theme: Theme, depth: ColorDepth | None, palette: str) -> list[str]:
    """Return the classes whose contrast is too low."""
    shown = style(theme, depth)
    names = [name for name, _ in shown.style_rules]
    in_row = [
        f"{name} row" for name in names if not name.startswith(("row", "completion", "scroll", "search"))
    ]
    found = []
    for text, background in BACKGROUNDS[theme][: 1 if depth else None]:
        for name in [*names, *in_row]:
            wanted = 3 if DIM & {name, *name.split()} else 4.5
            got = contrast(*colours(shown, name, text, background, palette))
            if got < wanted:
                found.append(f"{name} on {background}: {got:.1f}")
    return found


@pytest.mark.parametrize("theme", [Theme.DARK, Theme.LIGHT])
@pytest.mark.parametrize("palette", PALETTES)
@pytest.mark.parametrize("depth", [None, ColorDepth.DEPTH_4_BIT], ids=["many colours", "16 colours"])
def test_text_has_contrast(theme: Theme, depth: ColorDepth | None, palette: str) -> None:
    assert faint(theme, depth, palette) == []


@pytest.mark.parametrize(
    ("variables", "depth"),
    [
        ({"NO_COLOR": "1"}, ColorDepth.DEPTH_1_BIT),
        ({"TERM": "xterm-256color"}, None),
        ({"TERM": "xterm-16color"}, ColorDepth.DEPTH_4_BIT),
        ({"COLORTERM": "truecolor", "TERM": "xterm"}, None),
    ],
)
def test_the_color_depth_of_the_terminal(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], depth: ColorDepth | None
) -> None:
    for name in ("NO_COLOR", "COLORTERM", "TERM", "PROMPT_TOOLKIT_COLOR_DEPTH"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert color_depth() is depth
