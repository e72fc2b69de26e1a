"""How often something may happen: a rate, and how much of it at once."""


class Bucket:
    """A token bucket; time is an argument, in seconds."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: int) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = float(burst)
        self._at = 0.0

    def take(self, now: float, amount: int = 1) -> float:
        """Take so many, or give the seconds until they are there; of more than fit, until it is full."""
        self._tokens = min(self._burst, self._tokens + max(now - self._at, 0) * self._rate)
        self._at = now
        missing = min(amount, self._burst) - self._tokens
        if missing <= 0:
            self._tokens -= amount
            return 0.0
        return missing / self._rate

    def is_full(self, now: float) -> bool:
        """Tell whether nothing is missing: a new one would be the same."""
        return self._tokens + max(now - self._at, 0) * self._rate >= self._burst
