"""What is measured, and at which sizes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from benchmarks.scale.fit import Fit, fit

_CPU_FLOOR = 0.005
_MEMORY_FLOOR = 1024.0
"""Less than this is mostly noise, in seconds and KiB."""


class Spent(NamedTuple):
    """The cost of a job to the process that is measured."""

    cpu: float
    """Seconds."""
    memory: float = 0.0
    """The growth, or the peak, in KiB; 0 where it was not measured."""


@dataclass(frozen=True, slots=True)
class Series:
    """One job of a subject, measured at each size."""

    name: str
    cpu: float = 1.0
    """The expected exponent: the job costs as much for each item (1), or as much at any size (0)."""
    memory: float = 1.0
    count: int = 1
    """How many times the job was done."""
    is_whole: bool = False
    """Whether the memory is that of a whole process, including its start, not the growth of a server."""
    reason: str = ""
    """Why more than linear is expected."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Jobs that share the same processes, all new for each measurement."""

    name: str
    item: str
    sizes: Sequence[int]
    quick: Sequence[int]
    series: Sequence[Series]
    measure: Callable[[int], Mapping[str, Spent]]
    """Returns the cost of each job, by the name of its series."""
    connects: bool = False
    """Whether each item is an open connection."""


@dataclass(frozen=True, slots=True)
class Growth:
    """A job at all sizes: what it cost in all, and how that grows."""

    subject: Subject
    series: Series
    costs: Mapping[int, Spent]

    @property
    def cpu(self) -> Fit | None:
        """The growth of the CPU time."""
        return fit({size: cost.cpu for size, cost in self.costs.items()}, _CPU_FLOOR)

    @property
    def memory(self) -> Fit | None:
        """The growth of the memory."""
        return fit({size: cost.memory for size, cost in self.costs.items()}, _MEMORY_FLOOR)

    @property
    def faults(self) -> Iterator[str]:
        """What clearly grows faster than expected."""
        for what, found, expected in (
            ("CPU time", self.cpu, self.series.cpu),
            ("memory", self.memory, self.series.memory),
        ):
            if found and found.is_above(expected):
                yield f"{self.subject.name}, {self.series.name}: {what} grows with exponent {found}"
