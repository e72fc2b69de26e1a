from nsroom.tui.screen.help_pane import HelpPane
from nsroom.tui.screen.lines import Fragments
from tests.cli.tui.records import plain

LINES: list[Fragments] = [[("", f"line {n}")] for n in range(10)]


def test_it_scrolls_within_its_lines_and_opens_at_the_first() -> None:
    pane = HelpPane()
    pane.open()
    pane.scroll(3)
    assert [plain(line) for line in pane.visible(LINES, 8, 2)] == ["line 3", "line 4"]
    pane.scroll(100)
    assert [plain(line) for line in pane.visible(LINES, 8, 2)] == ["line 8", "line 9"]
    pane.scroll(-100)
    assert [plain(line) for line in pane.visible(LINES, 8, 2)] == ["line 0", "line 1"]
    pane.scroll(5)
    pane.close()
    pane.open()
    assert (pane.is_open, pane.top) == (True, 0)
