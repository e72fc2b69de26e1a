from nsroom.tui.screen.help_pane import HelpPane
from nsroom.tui.screen.lines import Fragments
from tests.cli.tui.records import plain

LINES: list[Fragments] = [[("", f"line {n}")] for n in range(10)]


def test_it_scrolls_within_its_lines_and_opens_at_the_first() -> None:
    def shown() -> list[str]:
        return [plain(line) for line in pane.visible(LINES, 60, 3)]

    pane = HelpPane()
    pane.open()
    pane.scroll(3)
    assert shown() == ["line 3", "line 4", " ▼ 5 more lines: ↓ PgDn Space G"]
    pane.scroll(100)
    assert shown() == ["line 8", "line 9", " ▲ the end: ↑ PgUp g"]
    pane.scroll(-100)
    assert shown() == ["line 0", "line 1", " ▼ 8 more lines: ↓ PgDn Space G"]
    pane.scroll(5)
    pane.close()
    pane.open()
    assert (pane.is_open, pane.top) == (True, 0)


def test_lines_that_fit_need_no_note() -> None:
    assert [plain(line) for line in HelpPane().visible(LINES[:3], 8, 3)] == ["line 0", "line 1", "line 2"]
