"""How cost and memory grow with the size of what is served or read: `python -m benchmarks.scale`, on Linux.

Each line is a job at growing sizes: CPU time for each item, or for the job where its cost should not depend
on the size, and the exponent of the growth of the whole. The exit code is 1 if a job clearly grows faster
than expected.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.machine import machine, print_machine
from benchmarks.scale import history, recordings, server, sockets
from benchmarks.scale.subject import Growth, Spent, Subject
from benchmarks.scale.table import table
from benchmarks.serving import raise_descriptor_limit

SUBJECTS = {
    each.name: each for each in (*server.SUBJECTS, *history.SUBJECTS, *recordings.SUBJECTS, *sockets.SUBJECTS)
}
_SPARE_DESCRIPTORS = 100
"""Files of the server and of this process besides the connections."""
_ENOUGH = 60.0
"""Seconds after which a measurement is not repeated."""


def measure(subject: Subject, sizes: Sequence[int], runs: int) -> list[Growth]:
    """Measure a subject at all sizes: the least CPU time of several runs, and the median of the memory."""
    costs = {size: _repeat(subject, size, runs) for size in sizes}
    return [
        Growth(subject, series, {size: costs[size][series.name] for size in sizes})
        for series in subject.series
    ]


def _repeat(subject: Subject, size: int, runs: int) -> Mapping[str, Spent]:
    begun = time.monotonic()
    results = [subject.measure(size)]
    while len(results) < runs and time.monotonic() - begun < _ENOUGH:
        results.append(subject.measure(size))
    costs = {name: _least([each[name] for each in results]) for name in results[0]}
    # The large sizes take minutes: an interrupted run has not been for nothing.
    shown = ", ".join(f"{name} {cost.cpu:.3f} s {cost.memory / 1024:.1f} MiB" for name, cost in costs.items())
    sys.stderr.write(f"{subject.name} {size:,}: {shown}\n")
    return costs


def _least(costs: Sequence[Spent]) -> Spent:
    # Other processes only ever add to the CPU time, by emptying the caches.
    return Spent(min(cost.cpu for cost in costs), statistics.median(cost.memory for cost in costs))


def _export(growth: Growth) -> dict[str, Any]:
    return {
        "subject": growth.subject.name,
        "job": growth.series.name,
        "times": growth.series.count,
        "sizes": list(growth.costs),
        "cpu_seconds": [cost.cpu for cost in growth.costs.values()],
        "memory_kib": [cost.memory for cost in growth.costs.values()],
        "cpu_growth": growth.cpu and growth.cpu._asdict(),
        "memory_growth": growth.memory and growth.memory._asdict(),
        "expected": {"cpu": growth.series.cpu, "memory": growth.series.memory},
        "faults": list(growth.faults),
    }


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument(
        "subjects", nargs="*", metavar="SUBJECT", help=f"of {', '.join(SUBJECTS)} (default: all)"
    )
    parser.add_argument("--quick", action="store_true", help="small sizes, once")
    parser.add_argument("--sizes", type=int, nargs="+", help="other sizes")
    parser.add_argument("--runs", type=int, help="runs of each size, within a minute (default: 3)")
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end")
    given = parser.parse_args()
    if unknown := sorted(set(given.subjects) - set(SUBJECTS)):
        parser.error(f"unknown subject {unknown[0]}: choose from {', '.join(SUBJECTS)}")
    if any(number < 1 for number in (*(given.sizes or ()), 1 if given.runs is None else given.runs)):
        parser.error("--sizes and --runs must be at least 1")
    return given


def main() -> int:
    """Print the tables, and return 1 if anything grows faster than expected."""
    given = _options()
    most = raise_descriptor_limit() - _SPARE_DESCRIPTORS
    runs = given.runs or (1 if given.quick else 3)
    growths: list[Growth] = []
    if not given.json:
        print_machine()
    for subject in (SUBJECTS[name] for name in given.subjects or SUBJECTS):
        sizes = given.sizes or (subject.quick if given.quick else subject.sizes)
        if subject.connects:
            sizes = [min(size, most) for size in sizes]
        found = measure(subject, sorted(set(sizes)), runs)
        growths += found
        if not given.json:
            _say("\n" + "\n".join(table(found)))
    faults = [fault for growth in growths for fault in growth.faults]
    if given.json:
        _say(json.dumps({"machine": machine(), "series": [_export(growth) for growth in growths]}))
    else:
        _say("\n" + ("\n".join(faults) or "Nothing grows faster than expected."))
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
