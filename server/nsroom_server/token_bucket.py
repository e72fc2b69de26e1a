"""A token bucket: a rate, and a burst."""


class TokenBucket:
    """A token bucket; `now` is in seconds."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: int) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = float(burst)
        self._at = 0.0

    def take(self, now: float, amount: int = 1) -> float:
        """Take `amount` tokens and return 0, or return the seconds until there are enough.

        An amount above the burst is taken from a full bucket, which is then in debt.
        """
        self._tokens = min(self._burst, self._tokens + max(now - self._at, 0) * self._rate)
        self._at = now
        missing = min(amount, self._burst) - self._tokens
        if missing <= 0:
            self._tokens -= amount
            return 0.0
        return missing / self._rate

    def is_empty(self, now: float) -> bool:
        """Return whether not even one token can be taken."""
        return self._tokens + max(now - self._at, 0) * self._rate < 1

    def is_full(self, now: float) -> bool:
        """Return whether the bucket is full, as a new one is."""
        return self._tokens + max(now - self._at, 0) * self._rate >= self._burst
