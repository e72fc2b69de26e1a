"""The screen of `top`."""

from collections.abc import Sequence
from itertools import islice

from nsroom.output.summary import Piece, pad
from nsroom.output.terminal import clip, safe
from nsroom.tui.screen.lines import Fragments, fit, highlight, justify, length, styled, wrap
from nsroom.tui.top.model import Model, Page
from nsroom.tui.top.rows import Column, Level, Row, Value
from nsroom.tui.top.state import TopView

_GRAPH = Column("", 10, 2)
_MIN_NAME = 12
"""The least width of a column of names."""
_MAX_NAME = 44
"""The greatest width of a column of names, except on a wide screen."""
_SHORT_TIME = 64
"""Below this width, times have no milliseconds."""
_MAX_LENGTH = 200
"""Characters of a name that are made safe; no screen shows more."""
_MAX_TEXT = 90
_MAX_NAMESPACES = 20
_UNITS = ((86_400, "d"), (3600, "h"), (60, "m"))
_QUIET_COLUMNS = ("transport", "address", "since")


def status(view: TopView, width: int) -> Fragments:
    """Return the status line: the server, its traffic, and its number of sockets."""
    model, snapshot = view.model, view.model.activity.snapshot
    up = snapshot.connected and not view.connection
    left: Fragments = [("bold", " nsroom top  "), *_dot(up), ("", clip(safe(view.server), 40))]
    via: Fragments = [("class:quiet", f"  {safe(view.via)}")]
    if not up:
        left, via = [*left, ("class:waits", f"  {view.connection or 'disconnected'}")], []
    parts = [*_traffic(model), [("class:number", f" {_count(sum(snapshot.population.values()), 'socket')} ")]]
    if snapshot.servers:
        parts.insert(-1, [("class:quiet", f" {_count(len(snapshot.servers), 'server')} ")])
    while parts and length(left) + length(via) + sum(map(length, parts)) + 1 > width:
        if via:
            via = []
        else:
            parts.pop(0)
    left += via
    return justify(left, [piece for part in parts for piece in part], width) if parts else fit(left, width)


def _dot(up: bool) -> Fragments:
    return [("class:good", "● ")] if up else [("class:waits", "◌ ")]


def _traffic(model: Model) -> list[Fragments]:
    if not model.sees_events:
        return []
    second, total = model.now // 1_000_000, model.activity.total
    return [
        [("class:sign", f" {total.graph(second):8}")],
        [("class:number", f" {total.per_second(second):>6,}/s ")],
    ]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' if number != 1 else ''}"


def path(view: TopView, width: int) -> Fragments:
    """Return the line with the path to the current page, and its filter."""
    model = view.model
    names = [_title(page) for page in model.pages]
    left: Fragments = [
        ("class:heading", f" {' › '.join(names[:-1])}{' › ' if names[1:] else ''}"),
        ("bold", names[-1]),
    ]
    right: Fragments = []
    if model.is_gone:
        right.append(("class:failed", " gone "))
    if model.page.pattern:
        shown = sum(not row.is_all for row in model.rows)
        right.append(("class:badge", f" {clip(safe(model.page.pattern), 20)}: {shown:,} of {model.count:,} "))
    if model.page.scrolled:
        right.append(("class:badge", f" ▲ {model.page.scrolled:,} lines back, End to follow "))
    return justify(left, right, width) if right else fit(left, width)


def _title(page: Page) -> str:
    scope = page.scope
    names = {Level.ROOMS: scope.namespace, Level.SOCKETS: scope.room, Level.EVENTS: scope.sid}
    if page.level is Level.NAMESPACES:
        return "namespaces"
    name = names[page.level]
    return clip(safe(name[:_MAX_LENGTH]), 24) if name is not None else "all sockets"


def body(view: TopView, width: int, height: int) -> list[Fragments]:
    """Return the lines of the current page."""
    model = view.model
    if model.page.level is Level.EVENTS:
        view.head, view.height = 0, height
        return _event_lines(model, width, height)
    above = [*_servers(view, width, height), _head(model, width)]
    view.head, view.height = len(above), max(height - len(above), 1)
    rows, selected = model.visible(view.height)
    lines = [_row(model, row, width, at == selected) for at, row in enumerate(rows)]
    return [*above, *lines, *_hints(model, width)]


def _servers(view: TopView, width: int, height: int) -> list[Fragments]:
    """Return the servers of a cluster, for above the namespaces if there is room."""
    servers = view.model.activity.snapshot.servers
    most = height // 4 if height >= 12 and view.model.page.level is Level.NAMESPACES else 0
    if not servers or not most:
        return []
    shown = servers if len(servers) <= most else servers[: most - 1]
    lines = []
    for server in shown:
        namespaces = "  ".join(
            f"{safe(name[:_MAX_LENGTH])} {count:,}"
            for name, count in islice(server.namespaces.items(), _MAX_NAMESPACES)
        )
        name = clip(safe(server.id[:_MAX_LENGTH]), 20)
        parts = [("", f" server {name:20}"), ("class:number", f" {_count(server.clients, 'client'):>14}")]
        lines.append(fit([*parts, ("class:quiet", f"   {namespaces}")], width))
    if len(servers) > len(shown):
        more = f" and {_count(len(servers) - len(shown), 'more server')}"
        lines.append(fit([("class:quiet", more)], width))
    return [*lines, []]


def _head(model: Model, width: int) -> Fragments:
    sorted_by, _ = model.sorts[model.page.level]
    head: Fragments = [("", " ")]
    for column, room in fitted(model.columns, width - 1):
        arrow = _arrow(model, column) if column.name == sorted_by else ""
        text = f"{column.name:>{room - 2}}{arrow:1} " if column.is_number else f"{column.name}{arrow}"
        head.append(("class:sign" if arrow else "class:heading", fill(text, room)))
    return fit(head, width)


def _arrow(model: Model, column: Column) -> str:
    _, is_reversed = model.sorts[model.page.level]
    return "▼" if column.is_number != is_reversed else "▲"


def fitted(columns: Sequence[Column], width: int) -> list[tuple[Column, int]]:
    """Return the columns that fit, each with its width."""
    shown = []
    for column in columns:
        shown += [column, _GRAPH] if column.name == "events/s" else [column]
    while len(shown) > 1 and sum(column.width or _MIN_NAME for column in shown) > width:
        shown.remove(min(shown[1:], key=lambda column: column.weight))
    rest = width - sum(column.width for column in shown)
    if shown[-1].width:  # a wider column of names would move the numbers too far from their names
        rest = min(rest, max(_MAX_NAME, width // 2))
    return [(column, column.width or max(rest, 0)) for column in shown]


def _row(model: Model, row: Row, width: int, is_selected: bool) -> Fragments:
    values = dict(zip((column.name for column in model.all_columns), row.values, strict=True))
    line: Fragments = [("class:marker", "▌" if is_selected else " ")]
    for column, room in fitted(model.columns, width - 1):
        if column is _GRAPH:
            graph = row.rate.graph(model.now // 1_000_000) if row.rate else ""
            line.append(("class:sign", f"{graph:8}  "))
        else:
            value = values[column.name]
            line.append((_style(column, value, row), _cell(column, value, room)))
    line = highlight(fit(line, width), model.searched)
    return [(f"{style} class:row", text) for style, text in line] if is_selected else line


def _style(column: Column, value: Value, row: Row) -> str:
    if column.name in _QUIET_COLUMNS or not value or (row.is_all and isinstance(value, str)):
        return "class:quiet"
    return "class:number" if column.is_number else ""


def _cell(column: Column, value: Value, room: int) -> str:
    if isinstance(value, int):
        text = _span(value) if column.is_time else f"{value:,}"
        return f"{text:>{room - 2}}  "
    return fill(clip(safe((value or "")[:_MAX_LENGTH]), max(room - 1, 0)), room)


def fill(text: str, room: int) -> str:
    """Cut or pad safe text to exactly `room` cells."""
    return pad(clip(text, room), room)


def _span(seconds: int) -> str:
    """Return a time span in its largest unit."""
    return next((f"{seconds // span:,} {unit}" for span, unit in _UNITS if seconds >= span), f"{seconds} s")


def _hints(model: Model, width: int) -> list[Fragments]:
    """Return why the list is empty or incomplete, if it is."""
    hints = [_empty_hint(model)] if all(row.is_all for row in model.rows) else []
    hint = model.activity.snapshot.hint
    if hint and model.page.level is not Level.NAMESPACES:
        hints.append(hint)
    return _paragraphs(hints, width) if hints else []


def _paragraphs(texts: list[str], width: int) -> list[Fragments]:
    """Return wrapped texts after an empty line."""
    parts = [part for text in texts for part in wrap(text, max(min(width - 4, _MAX_TEXT), 10))]
    return [[], *(fit([("class:quiet", f"  {part}")], width) for part in parts)]


def _empty_hint(model: Model) -> str:
    if model.page.pattern:
        return f"no row contains {safe(model.page.pattern[:_MAX_LENGTH])!r}; Esc shows everything"
    if model.page.level is Level.NAMESPACES:
        return "no sockets are connected yet"
    if model.page.level is Level.ROOMS:
        return "no rooms"
    return "this room is empty now; Esc goes back" if model.is_gone else "no sockets"


def _event_lines(model: Model, width: int, height: int) -> list[Fragments]:
    lines = model.activity.watched_lines()
    if not lines:
        return _paragraphs([_no_events_hint(model)], width)
    model.page.scrolled = min(model.page.scrolled, max(len(lines) - height, 0))
    start = max(len(lines) - height - model.page.scrolled, 0)
    return [_event_line(pieces, width) for pieces in islice(lines, start, start + height)]


def _event_line(pieces: list[Piece], width: int) -> Fragments:
    if width < _SHORT_TIME:
        pieces = [(pieces[0][0], pieces[0][1][:8]), *pieces[1:]]
    return fit([("", " "), *styled(pieces)], width)


def _no_events_hint(model: Model) -> str:
    if not model.sees_events:
        return "only an admin namespace shows events; start the server with one: nsroom serve --admin"
    return "this socket is disconnected; Esc goes back" if model.is_gone else "no events yet"
