"""The list of events: one row per record, with the state of its acknowledgement."""

from nsroom.output.room_names import room_order
from nsroom.output.summary import Piece, Style, duration, line, refused, time_column
from nsroom.output.terminal import cells, safe
from nsroom.output.times import CELLS, Times
from nsroom.record import Direction, Kind, Record
from nsroom.tui.screen.lines import Fragments, fit, highlight, length, styled, wrap
from nsroom.tui.screen.state import Focus, View

_MAX_NAMESPACE = 20
_MAX_WAIT = 30_000
"""Milliseconds after which an event counts as not acknowledged."""
_SHORT_TIME = 64
"""Below this width, times have no milliseconds and namespaces no column."""
_NARROW = 44
"""Below this width, rows have no columns."""
_EXTRA_CELLS = 40
"""Cells beyond its width that a row without columns is made for; joining the columns shortens it."""
_MIN_ROW = 30
"""Columns that the state of the acknowledgement must leave for the rest of the row."""
_FEW_ROWS = 12


def rows(view: View, width: int, height: int) -> tuple[list[Fragments], list[int]]:
    """Return the lines of a window of this size, and the indexes of the records on them."""
    below = connection_failed(view, width, height) if view.failure else []
    indexes = view.model.visible(height - len(below)) if height > len(below) else []
    column = namespace_width(view, width)
    lines = [row(view, index, width, column) for index in indexes]
    if len(indexes) < height and not below:
        below = _hints(view, width)
    return [*lines, *below], indexes


def _hints(view: View, width: int) -> list[Fragments]:
    """Return what to do next, for below a list that has few rows."""
    model = view.model
    if model.where is not None:
        return [] if model.rows else _hint("nothing matches the filter; x shows everything")
    if view.recording_name:
        return [] if model.rows or view.progress else _hint("the recording is empty")
    if view.proxied_server:
        return [] if model.rows else _connect_a_client(view, width)
    has_events = any(namespace.events for namespace in model.namespaces.by_name.values())
    return [] if has_events and len(model.rows) > _FEW_ROWS else first_steps(view, width)


def _hint(text: str) -> list[Fragments]:
    return [[], [("class:quiet", f"  {text}")]]


def row(view: View, index: int, width: int, namespace_cells: int) -> Fragments:
    """Return the row of one record."""
    record, is_selected = view.model[index], index == view.model.cursor
    mark = "▌" if is_selected else "•" if index in view.model.marks else " "
    ack = _ack_state(view, index, record)
    room = width - 1 - length(ack)
    if room < _MIN_ROW:
        ack, room = [], width - 1
    extra = _EXTRA_CELLS if width < _NARROW else 4 if width < _SHORT_TIME else 0
    time = _time(view, index, record)
    if extra and view.times in (Times.LOCAL, Times.UTC):
        time = time[:8]
    hidden = CELLS if view.times is Times.NONE else 0
    pieces = _pieces(view, index, record, room + extra + hidden, namespace_cells)
    pieces[0] = (pieces[0][0], time)
    if width < _NARROW:
        pieces[1:] = [(style, f" {text.strip()}") for style, text in pieces[1:]]
    fragments = fit([("class:marker", mark), *styled(pieces)], room + 1) + ack
    fragments = highlight(fragments, view.model.pattern)
    return [(f"{style} class:row", text) for style, text in fragments] if is_selected else fragments


def _pieces(view: View, index: int, record: Record, width: int, namespace_cells: int) -> list[Piece]:
    shown, sid_cells = record, 0
    # The row of the event shows the round trip and the ✓ already.
    is_matched = record.kind is Kind.ACK and index in view.model.acks.partners
    if is_matched:
        shown = shown._replace(rtt_ms=None)
    if clients := view.model.clients:
        shown, sid_cells = shown._replace(sid=clients.label(record.sid)), clients.label_width
    pieces = line(shown, width, namespace_cells, sid_cells)
    if is_matched and not refused(record):
        return [(style if style is Style.TIME else Style.QUIET, text) for style, text in pieces]
    return pieces


def _ack_state(view: View, index: int, record: Record) -> Fragments:
    """Return the state of an event's acknowledgement, if it asked for one."""
    if record.kind is not Kind.EVENT or record.id is None:
        return []
    answer = view.model.answer(index)
    if answer is not None:
        sign, style = ("✗", "failed") if refused(answer) else ("✓", "good")
        trip = duration(answer.rtt_ms) if answer.rtt_ms is not None else ""
        return [(f"class:{style}", f"  {f'{sign} {trip}':>9}")]
    if index in view.model.acks.unconfirmed:
        return [("class:failed", "  ✗ unconfirmed")]
    if index in view.model.acks.partners or view.recording_name:
        return []
    if record.direction is Direction.IN and view.can_send:
        return [("class:waits", "  wants a reply (/reply)")]
    waited = max(view.now - record.time / 1e6, 0) * 1000
    if waited > _MAX_WAIT:
        return [("class:quiet", "  no answer")]
    return [("class:waits", f"  waiting {waited / 1000:.1f} s")]


def _time(view: View, index: int, record: Record) -> str:
    first = view.model.ring.first
    previous = view.model[index - 1] if index > first else record
    return time_column(view.times, record, view.model[first], previous)


def namespace_width(view: View, width: int) -> int:
    """Return the width of the namespace column, or 0 if there is only one namespace."""
    names = view.model.namespaces.by_name
    if len(names) < 2 or width < _SHORT_TIME:
        return 0
    return min(max(cells(safe(name[:80])) for name in list(names)[:100]), _MAX_NAMESPACE)


def first_steps(view: View, width: int) -> list[Fragments]:
    """Return the state of the connection, the known rooms, and what to type."""
    namespace = view.model.namespaces[view.namespace]
    if namespace.sid:
        state = f"connected to {view.namespace} as {namespace.sid}"
    else:
        state = f"connecting to {view.server} …"
    rooms = ", ".join(sorted(namespace.rooms, key=room_order)[:8]) or "none known yet"
    return [
        [],
        fit([("class:quiet", f"  {safe(state)}")], width),
        fit([("class:quiet", f"  rooms: {safe(rooms)}")], width),
        [],
        *(
            fit([("", "  "), ("class:key", f"{typed:27}"), ("class:quiet", safe(effect))], width)
            for typed, effect in _steps(view)
        ),
    ]


def _steps(view: View) -> tuple[tuple[str, str], ...]:
    """Return what to type first, and what it does on this server."""
    if view.knows_server:
        return (
            ("hello everyone", f"send a message to {view.room or view.namespace}"),
            ("/join lobby", "join a room"),
            ("/rooms", "list the rooms"),
        )
    return (
        ("hello everyone", "emit message with the text"),
        ('/emit hello {"you": true}', "emit an event"),
        ("/join lobby", "emit join: ask for a room"),
    )


def _connect_a_client(view: View, width: int) -> list[Fragments]:
    steps = (f"http://{view.server}", f"nsroom connect -u http://{view.server}")
    return [
        [],
        fit([("class:quiet", "  waiting for a client: open this URL in a browser, or connect to it")], width),
        [],
        *(fit([("class:key", f"  {safe(step)}")], width) for step in steps),
    ]


def connection_failed(view: View, width: int, height: int) -> list[Fragments]:
    """Return why the connection failed, and the keys to try again or quit."""
    reason: list[Fragments] = [
        [("class:failed", f"  {part}")] for part in wrap(safe(view.failure), max(min(width - 4, 100), 10))
    ]
    keys: Fragments = [
        ("", "  "),
        ("class:key", "Esc r" if view.focus is Focus.INPUT else "r"),
        ("", " try again   "),
        ("class:key", "q"),
        ("", " quit"),
    ]
    # In a low window, the keys matter more than the end of the reason.
    return [[], *reason, [], keys] if height > len(reason) + 3 else [*reason[: max(height - 1, 0)], keys]
