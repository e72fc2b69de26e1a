"""How many events a second: of the last whole second, and a small graph of the last few."""

from collections import deque

_SPAN = 8
_BARS = " ▁▂▃▄▅▆▇█"


class Rate:
    """Counts events by the second in which they were seen."""

    __slots__ = ("_counts", "_second")

    def __init__(self) -> None:
        self._second = 0
        self._counts: deque[int] = deque([0] * (_SPAN + 1), maxlen=_SPAN + 1)

    def add(self, second: int) -> None:
        """Count one event."""
        if second != self._second:
            self._turn(second)
        self._counts[-1] += 1

    def per_second(self, second: int) -> int:
        """Give the count of the last whole second before `second`."""
        self._turn(second)
        return self._counts[-2]

    def total(self, second: int) -> int:
        """Give the count of the last whole seconds together, those of the graph."""
        self._turn(second)
        return sum(self._counts) - self._counts[-1]

    def graph(self, second: int) -> str:
        """Draw the last whole seconds, the highest as a full bar; blank when nothing came."""
        self._turn(second)
        counts = list(self._counts)[:-1]
        top = max(counts)
        return "".join(_BARS[-(-count * (len(_BARS) - 1) // top)] for count in counts) if top else ""

    def _turn(self, second: int) -> None:
        """Go on to this second; a clock that ran backwards counts as the same one."""
        for _ in range(min(second - self._second, _SPAN + 1)):
            self._counts.append(0)
        self._second = max(second, self._second)
