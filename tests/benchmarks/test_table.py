"""What a table says of the growth of a job."""

from collections.abc import Callable

from benchmarks.scale.subject import Growth, Series, Spent, Subject
from benchmarks.scale.table import table

KIB = 1024.0


def growth(series: Series, cost: Callable[[int], Spent]) -> Growth:
    """Return the growth of a job whose cost is known."""
    sizes = (100, 1000, 10_000)
    subject = Subject("cows", "cows in a herd", sizes, sizes, (series,), lambda _size: {})
    return Growth(subject, series, {size: cost(size) for size in sizes})


def rows(of: Growth) -> list[list[str]]:
    """Return the words of the table."""
    return [line.split() for line in table([of])]


def test_costs_are_for_each_item() -> None:
    milked = growth(Series("milk", count=2), lambda size: Spent(size * 1e-3, size * 20.0))
    assert rows(milked) == [
        ["cows", "in", "a", "herd", "100", "1,000", "10,000", "exponent", "at", "end"],
        ["milk,", "µs", "500", "500", "500", "1.00", "±", "0.00", "1.00"],
        ["memory,", "KiB", "10.0", "10.0", "10.0", "1.00", "±", "0.00", "1.00"],
    ]
    assert list(milked.faults) == []


def test_costs_that_should_not_grow_are_of_the_job() -> None:
    counted = growth(
        Series("count", cpu=0, memory=0, is_whole=True), lambda size: Spent(size * 1e-3, 20 * KIB)
    )
    assert rows(counted)[1:] == [
        ["count,", "µs", "100,000", "1,000,000", "10,000,000", "1.00", "±", "0.00", "1.00"],
        ["memory,", "MiB", "in", "all", "20.0", "20.0", "20.0", "0.00", "±", "0.00", "0.00"],
    ]
    assert list(counted.faults) == ["cows, count: CPU time grows with exponent 1.00 ± 0.00"]


def test_memory_that_grows_too_fast_is_a_fault() -> None:
    fed = growth(Series("feed"), lambda size: Spent(size * 1e-3, size**1.5 * KIB))
    assert list(fed.faults) == ["cows, feed: memory grows with exponent 1.50 ± 0.00"]


def test_what_is_too_cheap_to_measure_has_no_exponent() -> None:
    petted = growth(Series("pet"), lambda size: Spent(size * 1e-9))
    assert rows(petted)[1:] == [["pet,", "µs", "0.0", "0.0", "0.0", "-", "-"]]


def test_why_more_is_expected() -> None:
    met = growth(Series("meet", cpu=2, reason="each meets all others"), lambda size: Spent(size**2 * 1e-6))
    assert rows(met)[2:] == [["meet:", "each", "meets", "all", "others"]]
    assert list(met.faults) == []
