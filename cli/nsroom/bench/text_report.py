"""The report as text: a table, a plot of each latency, the errors, and the workers' CPU time."""

import shutil
import sys
from collections.abc import Iterator, Sequence
from itertools import count
from typing import NamedTuple

from nsroom.bench.histogram import Histogram
from nsroom.bench.report import PERCENTILES, TOO_BUSY, Report, per_second
from nsroom.bench.schedule import SECOND
from nsroom.bench.tally import Tally
from nsroom.output.terminal import clip, console, safe

_LABEL, _CELL = 10, 10
_LINE_PERCENTILES = PERCENTILES[:3]
"""Those of the lines of a scenario, which have less space."""
_MAX_WIDTH = 100
_EIGHTHS = " ▏▎▍▌▋▊▉"
_UNITS = ((SECOND, "s"), (SECOND // 1000, "ms"), (SECOND // 1_000_000, "µs"))

_TOO_BUSY = f"above {TOO_BUSY:.0%} bench itself may be the bottleneck: use more --workers, or a lower --rate"
_LIMITED = (
    "the server limits what a client may send: use --rate, more --rooms, or another --limit of the server"
)
_SATURATED = "saturated: a late answer delays the next event, which hides the delay; --rate measures it"
_CORRECTED = "latencies count from when an event was due (corrected for coordinated omission)"
_LINES_CORRECTED = "latencies count from when a line should have started (corrected for coordinated omission)"


class Line(NamedTuple):
    """A line of text and its style."""

    text: str
    style: str = ""


def format_duration(nanoseconds: float) -> str:
    """Format a duration with three digits."""
    size, unit = next((each for each in _UNITS if nanoseconds >= each[0]), _UNITS[-1])
    value = nanoseconds / size
    return f"{value:.{2 if value < 9.995 else 1 if value < 99.95 else 0}f} {unit}"


def lines(report: Report, width: int) -> Iterator[Line]:
    """Yield the lines of a report; plots are `width` cells wide at most."""
    yield Line(
        f"{report.target}{report.namespace}{f'  {safe(report.script)}' if report.script else ''}", "bold"
    )
    yield Line(_summary(report))
    yield Line("")
    yield from (_table_of_lines if report.script else _table_and_plots)(report, width)
    yield Line("")
    yield from _errors(report)
    yield from _notes(report)


def _summary(report: Report) -> str:
    load, is_script = report.load, report.script is not None
    events = "runs" if is_script else "events"
    how = "saturated" if load.rate is None else f"{load.rate:g} {events}/s"
    groups = (report.groups, "group") if is_script else (load.rooms, "room")
    parts = [(load.clients, "client"), groups, (load.workers, "worker")]
    counted = [f"{number:,} {noun}{'' if number == 1 else 's'}" for number, noun in parts]
    return "  ".join([*counted, how])


def _table_and_plots(report: Report, width: int) -> Iterator[Line]:
    yield from _table(report)
    for name, tally in report.results.items():
        if tally.histogram.counts:
            yield Line("")
            yield Line(f"{name} latency", "bold")
            yield from _plot(tally.histogram, width)


def _table_of_lines(report: Report, width: int) -> Iterator[Line]:
    """Yield a row for each line of a scenario: its number, its verb, and its numbers."""
    heads = ["count", "errors", *(f"p{percent:g}" for percent in _LINE_PERCENTILES), "longest"]
    names = [safe(name.removeprefix(f"{report.script}:")) for name in report.results]
    label = max(_LABEL, min(max(map(len, names), default=0), width - _CELL * len(heads)))
    yield Line(_row("", heads, label), "dim")
    for name, tally in zip(names, report.results.values(), strict=True):
        latencies = [_percentile(tally, percent) for percent in (*_LINE_PERCENTILES, 100)]
        cells = [f"{tally.answered:,}", f"{tally.errors.total():,}", *latencies]
        yield Line(_row(clip(name, label), cells, label), "red" if tally.errors else "")


def _table(report: Report) -> Iterator[Line]:
    results = report.results
    yield Line(_row("", list(results)), "dim")
    yield Line(_row("answered", [f"{tally.answered:,}" for tally in results.values()]))
    yield Line(_row("per second", [f"{per_second(tally):,.0f}" for tally in results.values()]))
    for percent in (*PERCENTILES, 100):
        label = "longest" if percent == 100 else f"p{percent:g}"
        yield Line(_row(label, [_percentile(tally, percent) for tally in results.values()]))
    failed = any(tally.errors for tally in results.values())
    counts = [f"{tally.errors.total():,}" for tally in results.values()]
    yield Line(_row("errors", counts), "red" if failed else "")


def _percentile(tally: Tally, percent: float) -> str:
    return format_duration(tally.histogram.percentile(percent)) if tally.histogram.counts else "-"


def _row(label: str, cells: Sequence[str], width: int = _LABEL) -> str:
    return f"{label:<{width}}{''.join(f'{cell:>{_CELL}}' for cell in cells)}"


def _steps() -> Iterator[int]:
    """Yield 1, 2, 5, 10, 20, … microseconds, in nanoseconds."""
    return (factor * 10**power for power in count(3) for factor in (1, 2, 5))


def _plot(histogram: Histogram, width: int) -> Iterator[Line]:
    shortest, longest, total = histogram.percentile(0), histogram.percentile(100), histogram.total
    low, shares = 0, []
    for high in _steps():
        if high > shortest:
            shares.append((high, histogram.between(low, high) / total))
        low = high
        if high > longest:
            break
    most = max(share for _, share in shares)
    room = max(0, width - 21)
    for high, share in shares:
        size = f"{100 * share:.1f} %" if share >= 0.0005 or not share else "<0.1 %"
        yield Line(f"{f'< {_round(high)}':>10}  {size:>7}  {_bar(share / most * room)}".rstrip())


def _round(nanoseconds: int) -> str:
    size, unit = next(each for each in _UNITS if nanoseconds >= each[0])
    return f"{nanoseconds // size} {unit}"


def _bar(cells: float) -> str:
    whole, eighths = divmod(round(cells * 8), 8)
    return "█" * whole + _EIGHTHS[eighths].rstrip() or ("▏" if cells > 0 else "")


def _errors(report: Report) -> Iterator[Line]:
    for name, tally in report.results.items():
        for cause, number in tally.errors.most_common():
            yield Line(f"{number:>10,}  {name}: {safe(cause)}", "red")


def _notes(report: Report) -> Iterator[Line]:
    shares = ", ".join(f"{name} {tally.busy:.0%}" for name, tally in report.results.items())
    if report.script is not None:
        shares = f"{max(tally.busy for tally in report.results.values()):.0%}"
    yield Line(f"CPU time of bench, as a share of a core: {shares}", "yellow" if report.busy else "dim")
    if report.busy:
        yield Line(_TOO_BUSY, "yellow")
    if any(cause.endswith("rate_limited") for tally in report.results.values() for cause in tally.errors):
        yield Line(_LIMITED, "yellow")
    corrected = _LINES_CORRECTED if report.script else _CORRECTED
    yield Line(_SATURATED if report.load.rate is None else corrected, "dim")


def render(report: Report) -> bytes:
    """Return a report as bytes for stdout."""
    from rich.text import Text

    width = min(shutil.get_terminal_size().columns, _MAX_WIDTH)
    shown = console(sys.stdout)
    shown.width = width
    with shown.capture() as captured:
        for text, style in lines(report, width):
            for part in _wrapped(text, width):
                shown.print(Text(part, style))
    return captured.get().encode()


def _wrapped(text: str, width: int) -> Iterator[str]:
    """Wrap a long line at spaces; cut it where it has none."""
    import textwrap

    if len(text) <= width or not text:
        yield text
        return
    indent = " " * (len(text) - len(text.lstrip()))
    yield from (clip(part, width) for part in textwrap.wrap(text.strip(), width, initial_indent=indent))
