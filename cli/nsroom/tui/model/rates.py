"""Events per second: the count of the last whole second, and a small graph of the last eight."""

from collections import deque

_SECONDS = 8
_BARS = " ▁▂▃▄▅▆▇█"


class Rate:
    """Counts events by second."""

    __slots__ = ("_counts", "_second")

    def __init__(self) -> None:
        self._second = 0
        self._counts: deque[int] = deque([0] * (_SECONDS + 1), maxlen=_SECONDS + 1)

    def add(self, second: int) -> None:
        """Count one event."""
        if second != self._second:
            self._advance(second)
        self._counts[-1] += 1

    def per_second(self, second: int) -> int:
        """Return the count of the last whole second before `second`."""
        self._advance(second)
        return self._counts[-2]

    def total(self, second: int) -> int:
        """Return the sum of the seconds in the graph."""
        self._advance(second)
        return sum(self._counts) - self._counts[-1]

    def graph(self, second: int) -> str:
        """Return a bar for each of the last whole seconds, the highest one full; empty without events."""
        self._advance(second)
        counts = list(self._counts)[:-1]
        top = max(counts)
        return "".join(_BARS[-(-count * (len(_BARS) - 1) // top)] for count in counts) if top else ""

    def _advance(self, second: int) -> None:
        """Start a new second; if the clock was set back, stay in the current one."""
        for _ in range(min(second - self._second, _SECONDS + 1)):
            self._counts.append(0)
        self._second = max(second, self._second)
