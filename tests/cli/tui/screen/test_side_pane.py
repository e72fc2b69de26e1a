from nsroom.tui.screen.side_pane import Place, SidePane


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
