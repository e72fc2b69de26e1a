"""The rate of events over the whole session, as a graph above the stream."""

from nsroom.output.times import Times, local_time, utc_time
from nsroom.tui.screen.lines import Fragments, fit, justify
from nsroom.tui.screen.state import View

HEIGHT = 2
_BARS = " ▁▂▃▄▅▆▇█"


def time_line(view: View, width: int) -> list[Fragments]:
    """Return the graph, with the time of the selected row marked, and its scale."""
    history, columns = view.model.rate_history, max(width - 2, 1)
    until = max(view.second, history.start)
    rates = history.rates(columns, until)
    top = max(rates)
    bars = [_BARS[-int(-rate * (len(_BARS) - 1) // top)] if top else " " for rate in rates]
    graph: Fragments = [("class:sign", bar) for bar in bars]
    record = view.model.selected()
    if record is not None:
        at = history.column(record.time // 1_000_000, columns, until)
        graph[at] = ("class:badge", bars[at])
    return [fit([("", " "), *graph], width), _scale(view, history.start, until, top, width)]


def _scale(view: View, start: int, until: int, top: float, width: int) -> Fragments:
    """Return the first and the last time, and the highest rate."""
    clock = utc_time if view.times is Times.UTC else local_time
    first, last = (clock(second * 1_000_000)[:8] for second in (start, until))
    per_second = f"{top:,.0f}" if top >= 10 else f"{top:.1f}"
    left: Fragments = [("class:quiet", f" {first}"), ("class:quiet", f"   highest {per_second}/s")]
    return justify(left, [("class:quiet", f"{last} ")], width)
