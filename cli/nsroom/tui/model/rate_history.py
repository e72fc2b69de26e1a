"""The number of events over a whole session, in buckets that become longer as the session does."""

from itertools import pairwise

_MAX_BUCKETS = 512


class RateHistory:
    """Counts events by time; `start` and `step` are in seconds."""

    def __init__(self) -> None:
        self.start = 0
        self.step = 1
        self._counts: list[int] = []

    def add(self, second: int) -> None:
        """Count one event; one from before the start counts there."""
        if not self._counts:
            self.start = second
        at = max(second - self.start, 0) // self.step
        while at >= _MAX_BUCKETS:
            self._halve()
            at = max(second - self.start, 0) // self.step
        if at >= len(self._counts):
            self._counts += [0] * (at + 1 - len(self._counts))
        self._counts[at] += 1

    def _halve(self) -> None:
        pairs = zip(self._counts[::2], [*self._counts[1::2], 0], strict=False)
        self._counts = [sum(pair) for pair in pairs]
        self.step *= 2

    def rates(self, columns: int, until: int) -> list[float]:
        """Return the events per second in each of `columns` equal parts of the time up to `until`."""
        if not self._counts:
            return [0.0] * columns
        count = max((until - self.start) // self.step + 1, len(self._counts))
        bounds = [column * count // columns for column in range(columns + 1)]
        return [self._mean(low, max(high, low + 1)) for low, high in pairwise(bounds)]

    def _mean(self, low: int, high: int) -> float:
        return sum(self._counts[low:high]) / (high - low) / self.step

    def column(self, second: int, columns: int, until: int) -> int:
        """Return the number of the column that a time is in."""
        count = max((until - self.start) // self.step + 1, len(self._counts))
        bucket = min(max(second - self.start, 0) // self.step, count - 1)
        return min(bucket * columns // count, columns - 1)
