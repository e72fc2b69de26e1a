"""Counts of durations, exact to three digits however long they are, in the form of HdrHistogram.

The form: https://github.com/HdrHistogram/HdrHistogram; what `encode` writes is its second encoding (V2).
"""

import base64
import math
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping

DIGITS = 3
LOWEST, HIGHEST = 1, 3_600_000_000_000
"""Nanoseconds; what is longer than an hour counts as an hour."""
_BITS = 11
"""Up to 2**11 every nanosecond has its own counter: three digits, and a half more to round in."""
_HALF = _BITS - 1
_COOKIE, _COMPRESSED_COOKIE = 0x1C849313, 0x1C849314


def index_of(duration: int) -> int:
    """Give the number of the counter for a duration in nanoseconds."""
    bucket = max(0, duration.bit_length() - _BITS)
    return (bucket << _HALF) + (duration >> bucket)


def lowest_of(index: int) -> int:
    """Give the shortest duration of a counter, in nanoseconds."""
    bucket = max(0, (index >> _HALF) - 1)
    return (index - (bucket << _HALF)) << bucket


def highest_of(index: int) -> int:
    """Give the longest duration of a counter, in nanoseconds."""
    return lowest_of(index + 1) - 1


class Histogram:
    """How many durations there were of each size. Durations are in nanoseconds."""

    def __init__(self, counts: Mapping[int, int] | None = None) -> None:
        self.counts = dict(counts or {})
        """By the number of the counter; only those that are not zero."""

    def record(self, duration: int) -> None:
        """Count one. A clock that went back made it less than nothing: that counts as nothing."""
        bucket = duration.bit_length() - _BITS
        # Nearly all are longer than the two microseconds below which there is one bucket only.
        if bucket > 0 and 0 < duration <= HIGHEST:
            index = (bucket << _HALF) + (duration >> bucket)
        else:
            index = index_of(min(max(duration, 0), HIGHEST))
        counts = self.counts
        counts[index] = counts.get(index, 0) + 1

    def add(self, other: "Histogram") -> None:
        """Count all of another, too."""
        for index, count in other.counts.items():
            self.counts[index] = self.counts.get(index, 0) + count

    @property
    def total(self) -> int:
        """How many there are."""
        return sum(self.counts.values())

    @property
    def mean(self) -> float:
        """The mean duration; 0 where there is none."""
        total = self.total
        middles = ((lowest_of(index) + highest_of(index)) / 2 * count for index, count in self.counts.items())
        return sum(middles) / total if total else 0.0

    def percentile(self, percent: float) -> int:
        """Give the duration that at least so many per cent are not longer than; 0 where there is none."""
        wanted = max(1, math.ceil(self.total * percent / 100))
        for index, count in sorted(self.counts.items()):
            wanted -= count
            if wanted <= 0:
                return highest_of(index)
        return 0

    def between(self, low: int, high: int) -> int:
        """Count the durations from `low` to less than `high`."""
        return sum(count for index, count in self.counts.items() if low <= highest_of(index) < high)

    def encode(self) -> str:
        """Write it as HdrHistogram's compressed base64."""
        body = b"".join(map(_zigzag, _runs(self.counts)))
        head = struct.pack(">iiiiqqd", _COOKIE, len(body), 0, DIGITS, LOWEST, HIGHEST, 1.0)
        packed = zlib.compress(head + body)
        return base64.b64encode(struct.pack(">ii", _COMPRESSED_COOKIE, len(packed)) + packed).decode()


def merged(histograms: Iterable[Histogram]) -> Histogram:
    """Add histograms up."""
    whole = Histogram()
    for each in histograms:
        whole.add(each)
    return whole


def _runs(counts: Mapping[int, int]) -> Iterator[int]:
    """Give the counts in their order, and for zeros in a row how many there are, less than nothing."""
    after = 0
    for index, count in sorted(counts.items()):
        if index > after:
            yield after - index
        yield count
        after = index + 1


def _zigzag(number: int) -> bytes:
    """Write a number in as few bytes as it needs, the sign in its last bit."""
    number = number << 1 if number >= 0 else (-number << 1) - 1
    octets = bytearray()
    while number > 0x7F:
        octets.append(number & 0x7F | 0x80)
        number >>= 7
    octets.append(number)
    return bytes(octets)
