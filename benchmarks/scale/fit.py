"""How a cost grows with the size: the exponent of a power law, and whether it is clearly too high. Pure."""

import math
import statistics
from collections.abc import Mapping
from typing import NamedTuple

_QUANTILES = (6.31, 2.92, 2.35, 2.13, 2.02, 1.94)
"""Of Student's t distribution, for 1, 2, … degrees of freedom: the margin covers 90 %."""
_TOLERANCE = 0.1
"""The lower end of the exponent may be above the expected one by this much."""
_END_TOLERANCE = 0.5
"""As above, for the exponent at the end, without a margin: caches and garbage collection add a step."""
_FAR = 2.9
"""The two sizes at the end must differ by this factor."""


class Fit(NamedTuple):
    """A power law through the measurements."""

    exponent: float
    """1 is linear: ten times the size costs ten times as much."""
    margin: float
    """Of the exponent, either way, with a confidence of 90 %."""
    end: float | None
    """The exponent between the largest size and one that is a third of it, where the growth shows first."""

    def __str__(self) -> str:
        return f"{self.exponent:.2f} ± {self.margin:.2f}"

    def is_above(self, expected: float) -> bool:
        """Return whether the cost clearly grows faster, in general or at the end."""
        if self.exponent - self.margin > expected + _TOLERANCE:
            return True
        return self.end is not None and self.end > expected + _END_TOLERANCE


def fit(costs: Mapping[int, float], floor: float = 0.0) -> Fit | None:
    """Return the power law through costs by size, by least squares of the logarithms.

    Costs below the floor are mostly noise and do not count; None if fewer than three are left.
    """
    points = [(math.log(size), math.log(cost)) for size, cost in sorted(costs.items()) if cost > floor]
    if len(points) < 3:
        return None
    sizes, logs = zip(*points, strict=True)
    exponent, offset = statistics.linear_regression(sizes, logs)
    freedom = len(points) - 2
    residue = sum((cost - offset - exponent * size) ** 2 for size, cost in points)
    middle = statistics.fmean(sizes)
    error = math.sqrt(residue / freedom / sum((size - middle) ** 2 for size in sizes))
    return Fit(exponent, _QUANTILES[min(freedom, len(_QUANTILES)) - 1] * error, _end(points))


def _end(points: list[tuple[float, float]]) -> float | None:
    last, cost = points[-1]
    before = [point for point in points if last - point[0] >= math.log(_FAR)]
    return (cost - before[-1][1]) / (last - before[-1][0]) if before else None
