"""The exponent of a growth, and when it is too high."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.scale.fit import fit

SIZES = (100, 300, 1000, 3000, 10_000)


@given(
    st.floats(0, 2.5),
    st.floats(1e-6, 1e3),
    st.lists(st.integers(1, 10**7), min_size=3, max_size=8, unique=True),
)
def test_a_power_law_is_found(exponent: float, cost: float, sizes: list[int]) -> None:
    found = fit({size: cost * size**exponent for size in sizes})
    assert found is not None
    assert math.isclose(found.exponent, exponent, abs_tol=1e-3)
    assert found.margin < 1e-2
    assert not found.is_above(exponent)


@pytest.mark.parametrize("costs", [{}, {10: 1.0}, {10: 1.0, 100: 10.0}])
def test_two_points_have_no_fit(costs: dict[int, float]) -> None:
    assert fit(costs) is None


def test_costs_below_the_floor_do_not_count() -> None:
    costs = {10: 0.004, 100: 0.004, 1000: 0.01, 10_000: 0.1, 100_000: 1.0}
    found = fit(costs, 0.005)
    assert found is not None
    assert found.exponent == pytest.approx(1)
    assert fit(costs, 0.05) is None


@pytest.mark.parametrize(
    ("exponent", "expected", "above"),
    [
        (1, 1, False),
        (1.05, 1, False),
        (2, 1, True),
        (1.5, 1, True),
        (2, 2, False),
        (0, 0, False),
        (1, 0, True),
    ],
)
def test_what_is_above_the_expected_exponent(exponent: float, expected: float, above: bool) -> None:
    found = fit({size: 1e-4 * size**exponent for size in SIZES})
    assert found is not None
    assert found.is_above(expected) is above


def test_a_quadratic_part_shows_at_the_end() -> None:
    found = fit({size: 1e-4 * size + 3e-8 * size**2 for size in SIZES})
    assert found is not None
    assert found.exponent < 1.3
    assert found.end is not None
    assert found.end > 1.5
    assert found.is_above(1)


def test_a_constant_part_is_not_above() -> None:
    found = fit({size: 0.2 + 1e-4 * size for size in SIZES})
    assert found is not None
    assert not found.is_above(1)


def test_noise_is_not_above() -> None:
    noise = random.Random(1)
    for _ in range(200):
        found = fit({size: 1e-4 * size * noise.uniform(1, 1.3) for size in SIZES})
        assert found is not None
        assert not found.is_above(1), found


def test_sizes_close_together_have_no_end() -> None:
    found = fit({100: 1.0, 200: 4.0, 250: 6.25})
    assert found is not None
    assert found.end is None
