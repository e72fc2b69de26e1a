"""The results of a load test, as JSON and as HdrHistogram's log."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from nsroom import __version__
from nsroom.bench.histogram import Histogram
from nsroom.bench.plan import Load
from nsroom.bench.schedule import SECOND
from nsroom.bench.tally import Tally
from nsroom.record import Json

PERCENTILES = (50, 90, 99, 99.9)
TOO_BUSY = 0.9
"""The share of a core above which a worker may be the bottleneck."""
_MS = SECOND / 1000
_NOT_TAG = re.compile(r"[\s,]+")
"""What a tag of the log must not contain."""


@dataclass(slots=True)
class Report:
    """The measured scenarios, in order."""

    target: str
    namespace: str
    load: Load
    results: dict[str, Tally] = field(default_factory=dict)
    """The scenarios; with --script its lines, and `start` and `run`."""
    script: str | None = None
    """The file of --script."""
    groups: int = 0
    lines: tuple[str, ...] = ()
    """The names of the lines of --script."""
    missed: list[str] = field(default_factory=list)
    """A line for each threshold that was exceeded."""
    interrupted: bool = False
    joining: Tally = field(default_factory=Tally)
    """The result of joining the rooms, whose errors count for fan-out."""
    started: float = field(default_factory=time.time)

    @property
    def busy(self) -> str | None:
        """A scenario in which a worker may have been slower than the server."""
        return next((name for name, tally in self.results.items() if tally.busy > TOO_BUSY), None)

    @property
    def requests(self) -> list[Tally]:
        """The counts of the requests, each once: a run of --script consists of its lines."""
        return [tally for name, tally in self.results.items() if self.script is None or name in self.lines]

    def to_json(self) -> Json:
        """Return the report as a JSON object; latencies are in milliseconds."""
        load = self.load
        ended: dict[str, Json] = {"missed": list(self.missed), "interrupted": self.interrupted}
        if self.script is not None:
            return {**self._script_to_json(), **ended}
        return {
            "target": self.target,
            "namespace": self.namespace,
            "clients": load.clients,
            "rooms": load.rooms,
            "workers": load.workers,
            "rate": load.rate,
            "in_flight": load.in_flight if load.rate is None else None,
            "size": load.size,
            "scenarios": {str(name): _scenario(tally) for name, tally in self.results.items()},
            **ended,
        }

    def _script_to_json(self) -> dict[str, Json]:
        measured = {name: _measured(tally) for name, tally in self.results.items()}
        return {
            "target": self.target,
            "script": self.script,
            "clients": self.load.clients,
            "groups": self.groups,
            "workers": self.load.workers,
            "rate": self.load.rate,
            "lines": {name: measured.pop(name) for name in self.lines if name in measured},
            **measured,
            "busy": round(max((tally.busy for tally in self.results.values()), default=0.0), 3),
        }

    def log(self) -> Iterator[str]:
        """Yield the lines of an HdrHistogram log, format 1.2: one interval per scenario, in nanoseconds."""
        yield f"#[nsroom bench {__version__}, {self.target}]"
        yield "#[Histogram log format version 1.2]"
        started = time.strftime("%a %b %d %H:%M:%S UTC %Y", time.gmtime(self.started))
        yield f"#[StartTime: {self.started:.3f} (seconds since epoch), {started}]"
        yield '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"'
        at = 0.0
        for name, tally in self.results.items():
            longest = tally.histogram.percentile(100) / _MS
            head = f"Tag={_NOT_TAG.sub('-', name)},{at:.3f},{tally.seconds:.3f},{longest:.3f}"
            yield f"{head},{tally.histogram.encode()}"
            at += tally.seconds if self.script is None else 0


def per_second(tally: Tally) -> float:
    """Return the answers per second."""
    return tally.answered / tally.seconds if tally.seconds else 0.0


def _scenario(tally: Tally) -> Json:
    return {**_measured(tally), "busy": round(tally.busy, 3)}


def _measured(tally: Tally) -> dict[str, Json]:
    return {
        "sent": tally.sent,
        "count": tally.answered,
        "seconds": round(tally.seconds, 3),
        "per_second": round(per_second(tally), 1),
        "latency_ms": _latency(tally.histogram) if tally.histogram.counts else None,
        "errors": dict(tally.errors.most_common()),
    }


def _latency(histogram: Histogram) -> Json:
    percentiles = {f"p{percent:g}": round(histogram.percentile(percent) / _MS, 4) for percent in PERCENTILES}
    longest = round(histogram.percentile(100) / _MS, 4)
    return {"mean": round(histogram.mean / _MS, 4), **percentiles, "max": longest}
