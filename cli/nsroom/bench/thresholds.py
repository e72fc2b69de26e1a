"""Pass or fail thresholds such as --max-p99 50ms."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from nsroom.bench.plan import Scenario
from nsroom.bench.report import Report
from nsroom.bench.schedule import SECOND
from nsroom.bench.tally import Tally
from nsroom.cli.durations import parse_duration
from nsroom.errors import UsageError

_ERRORS = re.compile(r"(\d+)|(\d+(?:\.\d+)?)%")


@dataclass(frozen=True, slots=True)
class LatencyThreshold:
    """The longest latency of a percentile, for each of some measurements."""

    text: str
    percent: float
    limit: float
    """Seconds."""
    measured: Sequence[str] = ()
    """The names of the scenarios, or of the lines of one."""

    def misses(self, report: Report) -> Iterator[str]:
        """Yield a line for each latency that is too long."""
        for name in self.measured:
            taken = report.results.get(name, Tally()).histogram.percentile(self.percent) / SECOND
            if taken > self.limit:
                yield f"{self.text}: {name} took {taken * 1000:.4g} ms"


@dataclass(frozen=True, slots=True)
class ErrorThreshold:
    """The number of errors allowed, or their share of all requests."""

    text: str = "0"
    count: int = 0
    share: float | None = None

    def misses(self, report: Report) -> Iterator[str]:
        """Yield a line if there are too many errors."""
        errors = sum(tally.errors.total() for tally in report.requests)
        total = errors + sum(tally.answered for tally in report.requests)
        if errors > (self.count if self.share is None else self.share * total):
            yield f"--max-errors {self.text}: there were {errors:,}"


def scenario_names(chosen: Sequence[Scenario]) -> Mapping[str, Sequence[str]]:
    """Return the scenarios by name; the empty name is all of them but `connect`, unless it is alone."""
    events = [each for each in chosen if each != Scenario.CONNECT]
    return {"": events or [Scenario.CONNECT], **{each: [each] for each in Scenario}}


def parse_latency(
    option: str, percent: float, text: str, names: Mapping[str, Sequence[str]]
) -> LatencyThreshold:
    """Parse `50ms`, or `ack=50ms` for one of the names, each with what it measures. Raises: UsageError."""
    name, _, time = text.rpartition("=")
    if name not in names or text.startswith("="):
        words = ", ".join(each for each in names if each and not each[-1].isdigit())
        raise UsageError(f"{option} {text!r}: unknown name; choose {words}{_or_line(names)}")
    return LatencyThreshold(f"{option} {text}", percent, parse_duration(option, time), names[name])


def _or_line(names: Iterable[str]) -> str:
    return ", or the number of a line" if any(each[-1:].isdigit() for each in names) else ""


def parse_errors(text: str) -> ErrorThreshold:
    """Parse `10` or `0.5%`. Raises: UsageError."""
    found = _ERRORS.fullmatch(text)
    if found is None:
        raise UsageError(f"--max-errors {text!r}: use a number, or a share such as 0.5%")
    return ErrorThreshold(text, int(found[1] or 0), float(found[2]) / 100 if found[2] else None)


def missed(thresholds: Sequence[LatencyThreshold | ErrorThreshold], report: Report) -> list[str]:
    """Return a line for each threshold that was exceeded."""
    return [line for threshold in thresholds for line in threshold.misses(report)]
