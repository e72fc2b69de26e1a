import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom.tui.model.rate_history import RateHistory


def history(*seconds: int) -> RateHistory:
    made = RateHistory()
    for second in seconds:
        made.add(second)
    return made


@pytest.mark.parametrize(
    ("seconds", "columns", "until", "rates"),
    [
        ((), 3, 0, [0, 0, 0]),
        ((100, 100, 102), 3, 102, [2, 0, 1]),
        ((100, 100, 102), 6, 102, [2, 2, 0, 0, 1, 1]),
        ((100, 100, 101, 103), 2, 103, [1.5, 0.5]),
        ((100,), 2, 103, [0.5, 0]),
        ((100, 99, 50), 1, 100, [3]),
    ],
)
def test_rates(seconds: tuple[int, ...], columns: int, until: int, rates: list[float]) -> None:
    assert history(*seconds).rates(columns, until) == rates


@given(st.lists(st.integers(0, 10**13), min_size=1, max_size=50), st.integers(1, 300))
def test_any_session_fits(seconds: list[int], columns: int) -> None:
    made = history(*seconds)
    assert len(made._counts) <= 512
    assert sum(made._counts) == len(seconds)
    until = max(seconds)
    rates = made.rates(columns, until)
    assert len(rates) == columns
    assert all(0 <= made.column(second, columns, until) < columns for second in [*seconds, 0, 10**15])
    assert max(rates) > 0


def test_a_long_session_has_longer_buckets() -> None:
    made = history(*range(100_000))
    assert made.step == 256
    assert [round(rate, 1) for rate in made.rates(10, 99_999)] == [1.0] * 10
