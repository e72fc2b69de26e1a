from nsroom.tui.screen.notice import Notice


def test_good_news_disappears_after_six_seconds() -> None:
    notice = Notice()
    notice.show("copied")
    for now, text in ((100.0, "copied"), (106.0, "copied"), (106.1, "")):
        notice.tick(now)
        assert notice.text == text


def test_a_failure_stays_until_it_is_cleared() -> None:
    notice = Notice()
    notice.show("refused", failed=True)
    notice.tick(100.0)
    notice.tick(200.0)
    assert (notice.text, notice.failed) == ("refused", True)
    notice.clear()
    assert (notice.text, notice.failed) == ("", False)
