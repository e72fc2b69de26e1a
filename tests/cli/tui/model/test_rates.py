from nsroom.tui.model.rates import Rate


def test_a_rate_covers_the_last_whole_second() -> None:
    rate = Rate()
    for second in (10, 10, 10, 11):
        rate.add(second)
    assert rate.per_second(11) == 3
    assert rate.per_second(12) == 1
    assert rate.per_second(13) == 0


def test_the_highest_bar_of_a_graph_is_full() -> None:
    rate = Rate()
    for second, count in ((1, 1), (2, 8), (4, 4)):
        for _ in range(count):
            rate.add(second)
    assert rate.graph(5) == "    ▁█ ▄"
    assert Rate().graph(5) == ""
