"""The list of groups: one row per event name, namespace and direction, with its figures."""

from collections.abc import Callable
from typing import NamedTuple

from nsroom.output.summary import summary
from nsroom.output.terminal import cells, clip, safe
from nsroom.output.units import duration, size
from nsroom.tui.model.groups import Group, GroupKey
from nsroom.tui.screen.event_list import namespace_width
from nsroom.tui.screen.lines import Fragments, fit, wrap
from nsroom.tui.screen.state import View

_MAX_EVENT = 24
_DROPPED = {"graph": 16, "SIZE": 16, "ACK p50": 16, "NS": 12, "/s": 6, "LAST": 6}
"""Columns that are left out one after the other until the last value has this room."""
_MAX_FOOTER = 3


class _Column(NamedTuple):
    title: str
    style: str
    is_number: bool
    text: Callable[[View, GroupKey, Group, int], str]
    """Its text, for a width that only the last value uses."""


_COLUMNS = {
    "EVENT": _Column("EVENT", "class:event", False, lambda _view, key, _group, _: safe(key.event)),
    "DIR": _Column("", "class:sign", False, lambda _view, key, _group, _: _arrow(key)),
    "NS": _Column("NS", "class:namespace", False, lambda _view, key, _group, _: safe(key.namespace)),
    "COUNT": _Column("COUNT", "class:number", True, lambda _view, _key, group, _: f"{group.count:,}"),
    "/s": _Column("/s", "class:number", True, lambda view, _key, group, _: _rate(view, group)),
    "graph": _Column("", "class:sign", False, lambda view, _key, group, _: group.rate.graph(view.second)),
    "LAST": _Column("LAST", "", False, lambda view, _key, group, width: _last(view, group, width)),
    "SIZE": _Column("SIZE", "class:quiet", True, lambda _view, _key, group, _: _sizes(group)),
    "ACK p50": _Column("ACK p50", "class:good", True, lambda _view, _key, group, _: _trip(group)),
}


def group_lines(view: View, width: int, height: int) -> tuple[list[Fragments], list[GroupKey | None]]:
    """Return the lines of a window of this size, and the group on each of them."""
    groups = view.model.shown_groups
    keys = list(groups.by_key)
    if not keys:
        where = " that match the filter; x shows everything" if view.model.where else " yet"
        return [[], [("class:quiet", f"  no events{where}")]], []
    selected = view.group if view.group in groups.by_key else keys[0]
    widths = _widths(view, width)
    is_cut = any(name not in widths for name in _DROPPED if name != "NS")
    footer = _footer(view, selected, width) if is_cut and height > _MAX_FOOTER + 3 else []
    if groups.ungrouped:
        footer = [fit([("class:waits", f"  {groups.ungrouped:,} events of other names")], width), *footer]
    rows = max(height - 1 - len(footer), 1)
    window = view.group_scroll.window(len(keys), rows, keys.index(selected))
    lines = [_row(view, keys[at], widths, width, keys[at] == selected) for at in window]
    if window[0] > 0 and rows > 2:
        lines[0] = fit([("class:quiet", f"  ↑ {window[0] + 1:,} more")], width)
    if window[-1] < len(keys) - 1 and rows > 1:
        lines[-1] = fit([("class:quiet", f"  ↓ {len(keys) - window[-1]:,} more")], width)
    padding: list[Fragments] = [[]] * (rows - len(lines))
    shown: list[GroupKey | None] = [None, *(keys[at] for at in window)]
    return [_header(widths, width), *lines, *padding, *footer], shown


def move(view: View, steps: int) -> None:
    """Select another group."""
    keys = list(view.model.shown_groups.by_key)
    if keys:
        at = keys.index(view.group) if view.group in keys else 0
        view.group = keys[min(max(at + steps, 0), len(keys) - 1)]


def _widths(view: View, width: int) -> dict[str, int]:
    """Return the width of each column that is shown."""
    groups = view.model.shown_groups.by_key
    names = max(cells(clip(safe(key.event), _MAX_EVENT)) for key in groups)
    count = max(len(f"{group.count:,}") for group in groups.values())
    widths = {
        "EVENT": max(names, 5) if width >= 60 else min(max(names, 5), 12),
        "DIR": 1,
        "NS": namespace_width(view, width),
        "COUNT": max(count, 5),
        "/s": 5,
        "graph": 8,
        "LAST": 0,
        "SIZE": max(4, *(len(_sizes(group)) for group in groups.values())),
        "ACK p50": 7,
    }
    if not widths["NS"]:
        del widths["NS"]
    for name, room in _DROPPED.items():
        if name in widths and sum(widths.values()) + 2 * len(widths) + room > width:
            del widths[name]
    if "LAST" in widths:
        widths["LAST"] = width - sum(widths.values()) - 2 * len(widths)
    return widths


def _header(widths: dict[str, int], width: int) -> Fragments:
    titles = "  ".join(_aligned(_COLUMNS[name].title, name, widths) for name in widths)
    return fit([("class:heading", f" {titles}")], width)


def _aligned(text: str, name: str, widths: dict[str, int]) -> str:
    shown = clip(text, widths[name])
    blanks = " " * (widths[name] - cells(shown))
    return blanks + shown if _COLUMNS[name].is_number else shown + blanks


def _row(view: View, key: GroupKey, widths: dict[str, int], width: int, is_selected: bool) -> Fragments:
    group = view.model.shown_groups.by_key[key]
    pieces: Fragments = [("class:marker", "▌" if is_selected else " ")]
    for name in widths:
        column = _COLUMNS[name]
        text = column.text(view, key, group, widths[name])
        pieces += [(column.style, _aligned(text, name, widths)), ("", "  ")]
    shown = fit(pieces[:-1], width)
    return [(f"{style} class:row", text) for style, text in shown] if is_selected else shown


def _footer(view: View, key: GroupKey, width: int) -> list[Fragments]:
    """Return all figures of a group, for a list that has no room for them."""
    group = view.model.shown_groups.by_key[key]
    parts = [
        f"{safe(key.event)} {_arrow(key)} {safe(key.namespace)}",
        f"{group.count:,} events",
        f"{_rate(view, group)}/s {group.rate.graph(view.second)}".strip(),
        _sizes(group),
        f"ack p50 {_trip(group)}",
    ]
    lines = wrap("  ".join(parts), max(width - 2, 8))[:_MAX_FOOTER]
    return [fit([("class:quiet", f"  {line}")], width) for line in lines]


def _rate(view: View, group: Group) -> str:
    return f"{group.rate.per_second(view.second):,}"


def _arrow(key: GroupKey) -> str:
    return "→" if key.is_sent else "←"


def _last(view: View, group: Group, width: int) -> str:
    """Return the arguments of the last event, as its row in the stream shows them."""
    if group.last not in view.model.ring:
        return "no longer kept"
    return summary(view.model[group.last], width)


def _sizes(group: Group) -> str:
    """Return the smallest and the largest size: `94 B`, `61-480 B`, `950 B-1.2 kB`."""
    if group.smallest is None or group.largest is None:
        return "–"
    smallest, largest = size(group.smallest), size(group.largest)
    if smallest == largest:
        return largest
    is_same_unit = smallest.split()[1] == largest.split()[1]
    return f"{smallest.split()[0] if is_same_unit else smallest}-{largest}"


def _trip(group: Group) -> str:
    median = group.median_trip()
    return duration(median) if median is not None else "–"
