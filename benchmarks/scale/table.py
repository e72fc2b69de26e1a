"""The table of a subject, as text. Pure."""

from collections.abc import Iterator, Sequence

from benchmarks.scale.fit import Fit
from benchmarks.scale.subject import Growth


def table(growths: Sequence[Growth]) -> Iterator[str]:
    """Yield the lines of a subject's table."""
    sizes = list(growths[0].costs)
    yield _line(growths[0].subject.item, [f"{size:,}" for size in sizes], "exponent", "at end")
    for growth in growths:
        per = [size if growth.series.cpu else 1 for size in sizes]
        micros = [
            cost.cpu * 1e6 / growth.series.count / each
            for cost, each in zip(growth.costs.values(), per, strict=True)
        ]
        yield _line(f"{growth.series.name}, µs", [_number(each) for each in micros], *_verdict(growth.cpu))
        if any(cost.memory for cost in growth.costs.values()):
            yield from _memory(growth)
        if growth.series.reason:
            yield f"  {growth.series.name}: {growth.series.reason}"


def _memory(growth: Growth) -> Iterator[str]:
    if growth.series.is_whole:
        unit, per = "MiB in all", [1024] * len(growth.costs)
    else:
        unit, per = "KiB", [size * growth.series.count for size in growth.costs]
    cells = [_number(cost.memory / each) for cost, each in zip(growth.costs.values(), per, strict=True)]
    yield _line(f"  memory, {unit}", cells, *_verdict(growth.memory))


def _line(name: str, cells: Sequence[str], exponent: str, end: str) -> str:
    return f"{name:<38}{''.join(f'{cell:>12}' for cell in cells)}{exponent:>14}{end:>8}"


def _verdict(found: Fit | None) -> tuple[str, str]:
    if found is None:
        return "-", "-"
    return str(found), "-" if found.end is None else f"{found.end:.2f}"


def _number(value: float) -> str:
    return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"
