from nsroom.tui.screen.side_pane import Place, Scroll, SidePane


def test_the_window_contains_the_anchor_between_the_lines_that_count() -> None:
    scroll = Scroll()
    for anchor in (0, 5, 50, 98, 99, 3):
        window = scroll.window(100, 10, anchor)
        assert len(window) == 10
        assert anchor in window
        assert anchor == 0 or anchor != window[0]
        assert anchor == 99 or anchor != window[-1]


def test_a_low_window_starts_with_the_anchor() -> None:
    assert [Scroll().window(100, rows, 50)[0] for rows in (1, 2)] == [50, 50]


def test_the_wheel_scrolls_until_the_anchor_changes() -> None:
    pane = SidePane()
    pane.below.window(100, 10, 0)
    pane.scroll(30)
    assert pane.below.window(100, 10, 0)[0] == 30
    assert pane.below.window(100, 10, 1)[0] == 0
    pane.scroll(1000)
    assert pane.below.window(100, 10, 1)[-1] == 99


def test_folding_twice_is_as_before() -> None:
    pane, place = SidePane(), Place("/chat", "lobby")
    pane.toggle(place)
    assert place in pane.toggled
    pane.toggle(place)
    assert place not in pane.toggled
