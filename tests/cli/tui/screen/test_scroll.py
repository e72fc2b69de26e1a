from nsroom.tui.screen.scroll import Scroll


def test_the_window_contains_the_anchor_between_the_lines_that_count() -> None:
    scroll = Scroll()
    for anchor in (0, 5, 50, 98, 99, 3):
        window = scroll.window(100, 10, anchor)
        assert len(window) == 10
        assert anchor in window
        assert anchor in (0, 99) or anchor not in (window[0], window[-1])


def test_a_low_window_starts_with_the_anchor() -> None:
    assert [Scroll().window(100, rows, 50)[0] for rows in (1, 2)] == [50, 50]


def test_the_window_stays_inside_a_list_that_has_become_shorter() -> None:
    scroll = Scroll()
    scroll.window(100, 10, 99)
    assert scroll.window(12, 10, 99) == range(2, 12)
    assert scroll.window(3, 10, 99) == range(3)
