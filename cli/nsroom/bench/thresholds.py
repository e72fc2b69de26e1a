"""What a load run has to keep to, as `--max-p99 50ms`."""

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
class Bound:
    """The longest that a percentile of a scenario's latency may be.

    Where none is named: of every one but connecting, unless there is no other.
    """

    text: str
    percent: float
    limit: float
    """Seconds."""
    scenario: Scenario | None = None

    def misses(self, results: Mapping[Scenario, Tally]) -> Iterator[str]:
        """Say of each latency that is too long what it is."""
        for scenario in [self.scenario] if self.scenario else _events(results):
            taken = results.get(scenario, Tally()).histogram.percentile(self.percent) / SECOND
            if taken > self.limit:
                yield f"{self.text}: {scenario} took {taken * 1000:.4g} ms"


@dataclass(frozen=True, slots=True)
class ErrorBound:
    """How many errors there may be, or which share of all that was asked for."""

    text: str = "0"
    count: int = 0
    share: float | None = None

    def misses(self, results: Mapping[Scenario, Tally]) -> Iterator[str]:
        """Say if there are too many."""
        errors = sum(tally.errors.total() for tally in results.values())
        asked = errors + sum(tally.answered for tally in results.values())
        if errors > (self.count if self.share is None else self.share * asked):
            yield f"--max-errors {self.text}: there were {errors:,}"


def _events(results: Mapping[Scenario, Tally]) -> list[Scenario]:
    return [each for each in results if each != Scenario.CONNECT] or list(results)


def parse_bound(option: str, percent: float, text: str) -> Bound:
    """Read `50ms`, or for one scenario `ack=50ms`. Raises: UsageError."""
    name, equals, time = text.rpartition("=")
    if equals and name not in list(Scenario):
        raise UsageError(f"{option} {text!r}: there are {', '.join(Scenario)}")
    limit = parse_duration(option, time)
    return Bound(f"{option} {text}", percent, limit, Scenario(name) if equals else None)


def parse_errors(text: str) -> ErrorBound:
    """Read `10` or `0.5%`. Raises: UsageError."""
    found = _ERRORS.fullmatch(text)
    if found is None:
        raise UsageError(f"--max-errors {text!r}: give a number, or a share as 0.5%")
    return ErrorBound(text, int(found[1] or 0), float(found[2]) / 100 if found[2] else None)


def missed(bounds: Sequence[Bound | ErrorBound], results: Mapping[Scenario, Tally]) -> list[str]:
    """Give a line for each bound that was not kept."""
    return [miss for bound in bounds for miss in bound.misses(results)]
