"""The lines of the screen: who is looked at, the list with its columns, what to do where there is nothing."""

from collections.abc import Sequence
from itertools import islice

from nsroom.output.summary import Piece, pad
from nsroom.output.terminal import clip, safe
from nsroom.tui.screen.lines import Fragments, fit, hold, length, styled, wrap
from nsroom.tui.top.model import Model
from nsroom.tui.top.rows import Column, Level, Row, Value
from nsroom.tui.top.state import TopView

_GRAPH = Column("", 10, 2)
_LEAST = 12
"""Cells that a column of names must have."""
_NAME = 44
"""… and may have, unless the screen is wide."""
_SHORT_TIME = 64
"""Columns under which a time has no milliseconds."""
_LONGEST = 200
"""Characters of a name that are looked at."""
_SPANS = ((86_400, "d"), (3600, "h"), (60, "m"))


def status(view: TopView, width: int) -> Fragments:
    """Say which server this is, how much it does and how much there is of it."""
    model, snapshot = view.model, view.model.census.snapshot
    up = snapshot.connected and not view.connection
    left: Fragments = [("bold", " nsroom top  "), *_dot(up), ("", clip(safe(view.server), 40))]
    about: Fragments = [("class:quiet", f"  {safe(view.via)}")]
    if not up:
        left, about = [*left, ("class:waits", f"  {view.connection or 'gone'}")], []
    parts = [*_traffic(model), [("class:number", f" {_count(sum(snapshot.population.values()), 'socket')} ")]]
    if snapshot.servers:
        parts.insert(-1, [("class:quiet", f" {_count(len(snapshot.servers), 'server')} ")])
    while parts and length(left) + length(about) + sum(map(length, parts)) + 1 > width:
        if about:
            about = []
        else:
            parts.pop(0)
    left += about
    return hold(left, [piece for part in parts for piece in part], width) if parts else fit(left, width)


def _dot(up: bool) -> Fragments:
    return [("class:good", "● ")] if up else [("class:waits", "◌ ")]


def _traffic(model: Model) -> list[Fragments]:
    if not model.sees_events:
        return []
    second, total = model.now // 1_000_000, model.census.total
    return [
        [("class:sign", f" {total.graph(second):8}")],
        [("class:number", f" {total.per_second(second):>6,}/s ")],
    ]


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' if number != 1 else ''}"


def path(view: TopView, width: int) -> Fragments:
    """Name the way down to what is listed, and the filter."""
    model = view.model
    names = [
        _title(page.level, page.place.namespace, page.place.room, page.place.sid) for page in model.pages
    ]
    left: Fragments = [
        ("class:heading", f" {' › '.join(names[:-1])}{' › ' if names[1:] else ''}"),
        ("bold", names[-1]),
    ]
    right: Fragments = []
    if model.is_gone:
        right.append(("class:failed", " gone "))
    if model.page.pattern:
        listed = sum(not row.is_all for row in model.rows)
        right.append(
            ("class:badge", f" {clip(safe(model.page.pattern), 20)}: {listed:,} of {model.count:,} ")
        )
    if model.page.back:
        right.append(("class:badge", f" ▲ {model.page.back:,} back, End to follow "))
    return hold(left, right, width) if right else fit(left, width)


def _title(level: Level, namespace: str, room: str | None, sid: str | None) -> str:
    if level is Level.NAMESPACES:
        return "namespaces"
    name = namespace if level is Level.ROOMS else sid if level is Level.EVENTS else room
    return clip(safe(name[:_LONGEST]), 24) if name is not None else "all sockets"


def body(view: TopView, width: int, height: int) -> list[Fragments]:
    """Make the list, or the events, and what there is to say below them."""
    model = view.model
    if model.page.level is Level.EVENTS:
        view.head, view.height = 0, height
        return _events(model, width, height)
    above = _servers(view, width, height)
    above.append(_head(model, width))
    view.head, view.height = len(above), max(height - len(above), 1)
    rows, selected = model.visible(view.height)
    made = [_row(model, row, width, at == selected) for at, row in enumerate(rows)]
    return [*above, *made, *_below(model, width)]


def _servers(view: TopView, width: int, height: int) -> list[Fragments]:
    """Describe the servers above the namespaces, where there is room: each knows only how many it has."""
    servers = view.model.census.snapshot.servers
    most = height // 4 if height >= 12 and view.model.page.level is Level.NAMESPACES else 0
    if not servers or not most:
        return []
    shown = servers if len(servers) <= most else servers[: most - 1]
    made = []
    for server in shown:
        spaces = "  ".join(
            f"{safe(name[:_LONGEST])} {count:,}" for name, count in islice(server.namespaces.items(), 20)
        )
        name = clip(safe(server.id[:_LONGEST]), 20)
        parts = [("", f" server {name:20}"), ("class:number", f" {_count(server.clients, 'client'):>14}")]
        made.append(fit([*parts, ("class:quiet", f"   {spaces}")], width))
    if len(servers) > len(shown):
        made.append(fit([("class:quiet", f" and {_count(len(servers) - len(shown), 'server')} more")], width))
    return [*made, []]


def _head(model: Model, width: int) -> Fragments:
    name, _ = model.sorts[model.page.level]
    head: Fragments = [("", " ")]
    for column, room in fitted(model.columns, width - 1):
        arrow = _arrow(model, column) if column.name == name else ""
        text = f"{column.name:>{room - 2}}{arrow:1} " if column.is_number else f"{column.name}{arrow}"
        head.append(("class:sign" if arrow else "class:heading", fill(text, room)))
    return fit(head, width)


def _arrow(model: Model, column: Column) -> str:
    _, turned = model.sorts[model.page.level]
    return "▼" if column.is_number != turned else "▲"


def fitted(columns: Sequence[Column], width: int) -> list[tuple[Column, int]]:
    """Give the columns that there is room for, and their widths."""
    shown = []
    for column in columns:
        shown += [column, _GRAPH] if column.name == "events/s" else [column]
    while len(shown) > 1 and sum(column.width or _LEAST for column in shown) > width:
        shown.remove(min(shown[1:], key=lambda column: column.weight))
    rest = width - sum(column.width for column in shown)
    if shown[-1].width:  # or the eye has a long way from a name to its numbers
        rest = min(rest, max(_NAME, width // 2))
    return [(column, column.width or max(rest, 0)) for column in shown]


def _row(model: Model, row: Row, width: int, selected: bool) -> Fragments:
    values = dict(zip((column.name for column in model.all_columns), row.values, strict=True))
    made: Fragments = [("class:marker", "▌" if selected else " ")]
    for column, room in fitted(model.columns, width - 1):
        if column is _GRAPH:
            graph = row.rate.graph(model.now // 1_000_000) if row.rate else ""
            made.append(("class:sign", f"{graph:8}  "))
        else:
            style = _style(column, values[column.name], row)
            made.append((style, _cell(column, values[column.name], room)))
    made = fit(made, width)
    return [(f"{style} class:row", text) for style, text in made] if selected else made


def _style(column: Column, value: Value, row: Row) -> str:
    if column.name in ("transport", "address", "since") or not value:
        return "class:quiet"
    return (
        "class:quiet" if row.is_all and isinstance(value, str) else "class:number" if column.is_number else ""
    )


def _cell(column: Column, value: Value, room: int) -> str:
    if isinstance(value, int):
        text = _span(value) if column.is_time else f"{value:,}"
        return f"{text:>{room - 2}}  "
    return fill(clip(safe((value or "")[:_LONGEST]), max(room - 1, 0)), room)


def fill(text: str, room: int) -> str:
    """Cut or fill safe text to exactly so many cells."""
    return pad(clip(text, room), room)


def _span(seconds: int) -> str:
    """Write a time with its greatest unit."""
    return next((f"{seconds // span:,} {unit}" for span, unit in _SPANS if seconds >= span), f"{seconds} s")


def _below(model: Model, width: int) -> list[Fragments]:
    """Say why there is nothing, or less than could be."""
    told = [_nothing(model)] if not any(not row.is_all for row in model.rows) else []
    if model.census.snapshot.hint and model.page.level is not Level.NAMESPACES:
        told.append(model.census.snapshot.hint)
    parts = [part for text in told for part in wrap(text, max(min(width - 4, 90), 10))]
    return [[], *(fit([("class:quiet", f"  {part}")], width) for part in parts)] if parts else []


def _nothing(model: Model) -> str:
    if model.page.pattern:
        return f"nothing holds {safe(model.page.pattern[:_LONGEST])!r}; Esc shows everything"
    if model.page.level is Level.ROOMS:
        return "no rooms: nobody has joined one"
    if model.page.level is Level.SOCKETS:
        return "nobody is here any more; Esc goes back" if model.is_gone else "nobody is connected"
    return "nobody is connected yet"


def _events(model: Model, width: int, height: int) -> list[Fragments]:
    seen = model.census.seen()
    if not seen:
        parts = wrap(_no_events(model), max(min(width - 4, 90), 10))
        return [[], *(fit([("class:quiet", f"  {part}")], width) for part in parts)]
    model.page.back = min(model.page.back, max(len(seen) - height, 0))
    start = max(len(seen) - height - model.page.back, 0)
    return [_event(made, width) for made in islice(seen, start, start + height)]


def _event(made: list[Piece], width: int) -> Fragments:
    if width < _SHORT_TIME:
        made = [(made[0][0], made[0][1][:8]), *made[1:]]
    return fit([("", " "), *styled(made)], width)


def _no_events(model: Model) -> str:
    if not model.sees_events:
        return "only an admin namespace tells what sockets do: give the server one (nsroom serve --admin)"
    return (
        "this socket has gone; Esc goes back"
        if model.is_gone
        else "nothing yet: what it emits and receives will be here"
    )
