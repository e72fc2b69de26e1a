"""The list of events: one row per record, with the state of its acknowledgement."""

from zlib import crc32

from nsroom.output.room_names import room_order
from nsroom.output.summary import Columns, Piece, Style, line, refused, time_column
from nsroom.output.terminal import cells, safe
from nsroom.output.times import Times
from nsroom.output.units import duration
from nsroom.proxy.marks import State, mark_of
from nsroom.record import Direction, Kind, Record
from nsroom.tui.screen.lines import Fragments, fit, highlight, length, styled, wrap
from nsroom.tui.screen.state import Focus, RowColour, View

_MAX_WAIT = 30_000
"""Milliseconds after which an event counts as not acknowledged."""
_HANDSHAKE = frozenset([Kind.OPEN, Kind.UPGRADE, Kind.CONNECT])
_INTERCEPTED = {
    State.WAITING: ("waits", "‖", "‖ waits for you"),
    State.BEHIND: ("quiet", "‖", "‖ behind"),
    State.DROPPED: ("failed", "✗", "✗ dropped"),
}
"""How packets look that wait in the proxy, or do not arrive."""
_CHANGED = {State.EDITED: "edited", State.SENT: "yours", State.ANSWER: "yours"}
_TINTS = 6
"""Colours of the themes for rows."""
_MIN_ROW = 30
"""Columns that the state of the acknowledgement must leave for the rest of the row."""
_FEW_ROWS = 12
_WIDE = 84
"""Below this width, columns are one cell apart and the event's column is narrower."""
_SHORT_TIME = 64
"""Below this width, times have no milliseconds."""
_NARROW = 44
"""Below this width, the event has no column."""
_TINTED = ("class:event", "class:text", "class:sign", "class:namespace")


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
    if view.via:
        return [] if model.rows else _hint("no events yet: what the sockets emit and receive shows here")
    has_events = any(namespace.events for namespace in model.namespaces.by_name.values())
    return [] if has_events and len(model.rows) > _FEW_ROWS else first_steps(view, width)


def _hint(text: str) -> list[Fragments]:
    return [[], [("class:quiet", f"  {text}")]]


def row(view: View, index: int, width: int, namespace_cells: int) -> Fragments:
    """Return the row of one record."""
    record, is_selected = view.model[index], index == view.model.cursor
    mark = "▌" if is_selected else "•" if index in view.model.marks else " "
    ack = _ack_fragments(view, index, record, width)
    room = width - 1 - length(ack)
    time = _time(view, index, record)
    if width < _SHORT_TIME and view.times in (Times.LOCAL, Times.UTC):
        time = time[:8]
    pieces = _pieces(view, index, time, _columns(width)._replace(namespace=namespace_cells), room)
    shown = fit([("class:marker", mark), *_tinted(view, record, styled(pieces))], room + 1) + ack
    shown = highlight(shown, view.model.pattern)
    return [(f"{style} class:row", text) for style, text in shown] if is_selected else shown


def _columns(width: int) -> Columns:
    if width >= _WIDE:
        return Columns()
    return Columns(event=12, gap=1) if width >= _NARROW else Columns(event=0, gap=1)


def _pieces(view: View, index: int, time: str, columns: Columns, room: int) -> list[Piece]:
    record = shown = view.model[index]
    # The row of the event shows the round trip and the ✓ already.
    is_matched = record.kind is Kind.ACK and index in view.model.acks.partners
    if is_matched:
        shown = shown._replace(rtt_ms=None)
    if clients := view.model.clients:
        shown = shown._replace(sid=clients.label(record.sid))
        columns = columns._replace(sid=clients.label_width)
    pieces = line(shown, room, columns, time, view.model.repeats.get(index, 1))
    if record.kind in _HANDSHAKE or (is_matched and not refused(record)):
        return [(style if style is Style.TIME else Style.QUIET, text) for style, text in pieces]
    return pieces


def _tinted(view: View, record: Record, pieces: Fragments) -> Fragments:
    """Colour the event and its summary by the event's name or by the namespace, if the user wants it."""
    if view.row_colour is RowColour.NONE or record.kind is not Kind.EVENT:
        return pieces
    name = str(record.event) if view.row_colour is RowColour.EVENT else record.namespace or "/"
    tint = f"class:tint{crc32(name.encode('utf-8', 'surrogatepass')) % _TINTS}"
    return [(f"{style} {tint}" if style in _TINTED else style, text) for style, text in pieces]


def _ack_fragments(view: View, index: int, record: Record, width: int) -> Fragments:
    """Return the state of a packet or its acknowledgement, only its sign if the row is narrow."""
    mark = mark_of(record)
    if mark is not None and mark["state"] in _INTERCEPTED:
        style, sign, text = _INTERCEPTED[mark["state"]]
    else:
        style, sign, text = _ack_state(view, index, record)
    if mark is not None and mark["state"] in _CHANGED:
        text = f"{_CHANGED[mark['state']]}  {text}".rstrip()
    if not sign or width - 1 - cells(text) - 2 >= _MIN_ROW:
        return [(f"class:{style}", f"  {text}")] if text else []
    return [(f"class:{style}", f" {sign}")]


def _ack_state(view: View, index: int, record: Record) -> tuple[str, str, str]:
    """Return the style, the sign and the text for the state of an acknowledgement that was asked for."""
    if record.kind is not Kind.EVENT or record.id is None:
        return "", "", ""
    answer = view.model.answer(index)
    if answer is not None:
        sign, style = ("✗", "failed") if refused(answer) else ("✓", "good")
        trip = duration(answer.rtt_ms) if answer.rtt_ms is not None else ""
        return style, sign, f"{f'{sign} {trip}':>9}"
    if index in view.model.acks.unconfirmed:
        return "failed", "✗", "✗ unconfirmed"
    if index in view.model.acks.partners or view.recording_name:
        return "", "", ""
    if record.direction is Direction.IN and view.can_send:
        return "waits", "?", "wants a reply (/reply)"
    waited = max(view.now - record.time / 1e6, 0) * 1000
    if waited > _MAX_WAIT:
        return "quiet", "-", "no answer"
    return "waits", "…", f"waiting {waited / 1000:.1f} s"


def _time(view: View, index: int, record: Record) -> str:
    first = view.model.ring.first
    previous = view.model[index - 1] if index > first else record
    return time_column(view.times, record, view.model[first], previous)


def namespace_width(view: View, width: int) -> int:
    """Return the width of the namespace column, or 0 if there is only one namespace."""
    names = view.model.namespaces.by_name
    if len(names) < 2:
        return 0
    most = 20 if width >= _SHORT_TIME else 10 if width >= _NARROW else 6
    return min(max(cells(safe(name[:80])) for name in list(names)[:100]), most)


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
        ("hello everyone", f"emit {view.message_event} with the text"),
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
