"""How often something may happen: a rate, and how much of it at once."""


class Bucket:
    """A token bucket; time is an argument, in seconds."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: int) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = float(burst)
        self._at = 0.0

    def take(self, now: float) -> float:
        """Take one, or give the seconds until there is one."""
        self._tokens = min(self._burst, self._tokens + max(now - self._at, 0) * self._rate)
        self._at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / self._rate

    def is_full(self, now: float) -> bool:
        """Tell whether nothing is missing: a new one would be the same."""
        return self._tokens + max(now - self._at, 0) * self._rate >= self._burst
