"""Pass or fail thresholds such as --max-p99 50ms."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from nsroom.bench.plan import Scenario
from nsroom.bench.schedule import SECOND
from nsroom.bench.tally import Tally
from nsroom.cli.durations import parse_duration
from nsroom.errors import UsageError

_ERRORS = re.compile(r"(\d+)|(\d+(?:\.\d+)?)%")


@dataclass(frozen=True, slots=True)
class LatencyThreshold:
    """The longest latency of a percentile.

    Without a scenario it applies to all but `connect`, or to `connect` if that is the only one.
    """

    text: str
    percent: float
    limit: float
    """Seconds."""
    scenario: Scenario | None = None

    def misses(self, results: Mapping[Scenario, Tally]) -> Iterator[str]:
        """Yield a line for each latency that is too long."""
        for scenario in [self.scenario] if self.scenario else _events(results):
            taken = results.get(scenario, Tally()).histogram.percentile(self.percent) / SECOND
            if taken > self.limit:
                yield f"{self.text}: {scenario} took {taken * 1000:.4g} ms"


@dataclass(frozen=True, slots=True)
class ErrorThreshold:
    """The number of errors allowed, or their share of all requests."""

    text: str = "0"
    count: int = 0
    share: float | None = None

    def misses(self, results: Mapping[Scenario, Tally]) -> Iterator[str]:
        """Yield a line if there are too many errors."""
        errors = sum(tally.errors.total() for tally in results.values())
        total = errors + sum(tally.answered for tally in results.values())
        if errors > (self.count if self.share is None else self.share * total):
            yield f"--max-errors {self.text}: there were {errors:,}"


def _events(results: Mapping[Scenario, Tally]) -> list[Scenario]:
    return [each for each in results if each != Scenario.CONNECT] or list(results)


def parse_latency(option: str, percent: float, text: str) -> LatencyThreshold:
    """Parse `50ms`, or `ack=50ms` for one scenario. Raises: UsageError."""
    name, equals, time = text.rpartition("=")
    if equals and name not in list(Scenario):
        raise UsageError(f"{option} {text!r}: unknown scenario; choose {', '.join(Scenario)}")
    limit = parse_duration(option, time)
    return LatencyThreshold(f"{option} {text}", percent, limit, Scenario(name) if equals else None)


def parse_errors(text: str) -> ErrorThreshold:
    """Parse `10` or `0.5%`. Raises: UsageError."""
    found = _ERRORS.fullmatch(text)
    if found is None:
        raise UsageError(f"--max-errors {text!r}: use a number, or a share such as 0.5%")
    return ErrorThreshold(text, int(found[1] or 0), float(found[2]) / 100 if found[2] else None)


def missed(
    thresholds: Sequence[LatencyThreshold | ErrorThreshold], results: Mapping[Scenario, Tally]
) -> list[str]:
    """Return a line for each threshold that was exceeded."""
    return [line for threshold in thresholds for line in threshold.misses(results)]
