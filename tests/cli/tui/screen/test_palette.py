import pytest

from nsroom.output.times import Times
from nsroom.tui.input.slash_commands import command_help
from nsroom.tui.screen.palette import Palette
from nsroom.tui.screen.palette_entries import entries
from nsroom.tui.screen.state import Focus, View
from tests.cli.tui.drawing import is_drawn, sizes
from tests.cli.tui.records import NOON, event, observed, plain, view


def palette(viewed: View) -> Palette:
    return Palette(entries(viewed, {"pause": ("f6",)}, command_help(viewed)))


def test_it_finds_functions_and_commands_by_any_words() -> None:
    made = palette(view(event("x")))
    made.search("PAUSE")
    assert [entry.function for entry in made.matches] == ["pause"]
    assert made.matches[0].keys == "F6"
    made.search("room join")
    assert [entry.command for entry in made.matches] == ["/join "]
    made.search("fold detail")
    assert ("fold", "detail") in [(entry.function, entry.pane) for entry in made.matches]
    made.search("nonsense")
    assert made.selected is None
    assert "nothing matches" in plain(made.lines(40, 3)[-1])


def test_everything_is_listed_once_and_the_pane_comes_first() -> None:
    viewed = view(event("x"))
    viewed.focus = Focus.INPUT
    made = palette(viewed)
    helps = [entry.help for entry in made.entries if entry.function]
    assert len(helps) == len(set(helps))
    assert made.entries[0].pane == ""
    assert {entry.pane for entry in made.entries} == {"", "stream", "detail", "sidebar"}


def test_it_offers_only_what_makes_sense() -> None:
    made = palette(observed(event("x", sid="a")))
    assert not {"edit", "play"} & {entry.function for entry in made.entries}
    assert not any(entry.command.startswith("/emit") for entry in made.entries)


def test_the_selection_stays_visible_and_inside() -> None:
    made = palette(view(event("x")))
    made.move(-5)
    assert made.at == 0
    made.move(10)
    assert any("class:row" in line[0][0] for line in made.lines(60, 4))
    made.move(10_000)
    assert made.selected == made.entries[-1]
    assert made.select(0)
    assert made.at == made.top
    assert not made.select(10_000)
    made.search("pause")
    assert made.at == 0


@pytest.mark.parametrize("width", [1, 10, 40, 200])
def test_lines_have_the_width(width: int) -> None:
    for line in palette(view(event("x"))).lines(width, 6):
        assert not line or len("".join(text for _, text in line)) == width


@sizes
async def test_how_it_looks(cols: int, rows: int) -> None:
    viewed = view(event("price", {"bid": 1}, time=NOON))
    viewed.times = Times.UTC
    viewed.palette = palette(viewed)
    viewed.palette.search("row")
    viewed.palette.move(1)
    await is_drawn(viewed, "palette", cols, rows)
