"""A histogram of durations, exact to three digits, in the format of HdrHistogram.

The format: https://github.com/HdrHistogram/HdrHistogram; `encode` writes its second encoding (V2).
"""

import base64
import math
import struct
import zlib
from collections.abc import Iterator, Mapping

DIGITS = 3
LOWEST, HIGHEST = 1, 3_600_000_000_000
"""Nanoseconds; anything longer than an hour counts as an hour."""
_BITS = 11
"""Up to 2**11 every nanosecond has its own counter, which is enough for three digits."""
_HALF = _BITS - 1
_COOKIE, _COMPRESSED_COOKIE = 0x1C849313, 0x1C849314


def index_of(duration: int) -> int:
    """Return the index of the counter for a duration in nanoseconds."""
    bucket = max(0, duration.bit_length() - _BITS)
    return (bucket << _HALF) + (duration >> bucket)


def lowest_of(index: int) -> int:
    """Return the shortest duration of a counter, in nanoseconds."""
    bucket = max(0, (index >> _HALF) - 1)
    return (index - (bucket << _HALF)) << bucket


def highest_of(index: int) -> int:
    """Return the longest duration of a counter, in nanoseconds."""
    return lowest_of(index + 1) - 1


class Histogram:
    """Counts durations in nanoseconds, by size."""

    def __init__(self, counts: Mapping[int, int] | None = None) -> None:
        self.counts = dict(counts or {})
        """Counts by the index of the counter, without zeros."""

    def record(self, duration: int) -> None:
        """Count a duration; a negative one, from a clock that was set back, counts as 0."""
        bucket = duration.bit_length() - _BITS
        # The fast case: nearly all durations are above the first bucket, which ends at two microseconds.
        if bucket > 0 and 0 < duration <= HIGHEST:
            index = (bucket << _HALF) + (duration >> bucket)
        else:
            index = index_of(min(max(duration, 0), HIGHEST))
        counts = self.counts
        counts[index] = counts.get(index, 0) + 1

    def add(self, other: "Histogram") -> None:
        """Add the counts of another histogram."""
        for index, count in other.counts.items():
            self.counts[index] = self.counts.get(index, 0) + count

    @property
    def total(self) -> int:
        """The number of durations."""
        return sum(self.counts.values())

    @property
    def mean(self) -> float:
        """The mean duration, or 0 without any."""
        total = self.total
        middles = ((lowest_of(index) + highest_of(index)) / 2 * count for index, count in self.counts.items())
        return sum(middles) / total if total else 0.0

    def percentile(self, percent: float) -> int:
        """Return the duration that at least `percent` of all do not exceed, or 0 without any."""
        wanted = max(1, math.ceil(self.total * percent / 100))
        for index, count in sorted(self.counts.items()):
            wanted -= count
            if wanted <= 0:
                return highest_of(index)
        return 0

    def between(self, low: int, high: int) -> int:
        """Return the number of durations from `low` to below `high`."""
        return sum(count for index, count in self.counts.items() if low <= highest_of(index) < high)

    def encode(self) -> str:
        """Return the histogram in HdrHistogram's compressed base64 format."""
        body = b"".join(map(_zigzag, _runs(self.counts)))
        head = struct.pack(">iiiiqqd", _COOKIE, len(body), 0, DIGITS, LOWEST, HIGHEST, 1.0)
        packed = zlib.compress(head + body)
        return base64.b64encode(struct.pack(">ii", _COMPRESSED_COOKIE, len(packed)) + packed).decode()


def _runs(counts: Mapping[int, int]) -> Iterator[int]:
    """Yield the counts in order, and for each run of zeros its length as a negative number."""
    after = 0
    for index, count in sorted(counts.items()):
        if index > after:
            yield after - index
        yield count
        after = index + 1


def _zigzag(number: int) -> bytes:
    """Encode a number in as few bytes as possible, with its sign in the last bit."""
    number = number << 1 if number >= 0 else (-number << 1) - 1
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
