import pytest
from prompt_toolkit.output import ColorDepth

from nsroom.tui.screen.style import THEMES, color_depth, style


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("depth", [None, *ColorDepth])
def test_every_theme_is_a_valid_style(theme: str, depth: ColorDepth | None) -> None:
    assert style(theme, depth).get_attrs_for_style_str("class:event").bold


def test_no_color_means_no_colors() -> None:
    rules = style("dark", ColorDepth.DEPTH_1_BIT).style_rules
    assert not [rule for _, rule in rules if "#" in rule or "ansi" in rule]


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
