"""The rows of the stream: one record on a line, with what is known of its acknowledgement."""

from nsroom.output.summary import Style, duration, line, refused
from nsroom.output.terminal import cells, safe
from nsroom.record import Direction, Kind, Record
from nsroom.tui.screen.lines import Fragments, fit, highlight, length, styled, wrap
from nsroom.tui.screen.state import View

_MAX_NAMESPACE = 20
_PATIENCE = 30_000
"""Milliseconds for which an acknowledgement seems to be on its way."""
_SHORT_TIME = 64
"""Columns under which a time has no milliseconds and no namespace beside it."""
_NARROW = 44
"""Columns under which a row has no columns."""
_PADDING = 40
"""Cells that such a row lays out besides its width; what is too much is cut."""
_BESIDE = 30
"""Columns that a row must have left for a round trip beside it."""


def rows(view: View, width: int, height: int) -> tuple[list[Fragments], list[int]]:
    """Make what a window of this size shows of the stream, and the indexes of the records in it."""
    below = failed(view, width, height) if view.failure else []
    indexes = view.model.visible(height - len(below)) if height > len(below) else []
    column = namespace_width(view, width)
    made = [row(view, index, width, column) for index in indexes]
    if len(indexes) < height and not below:
        below = _rest(view, width)
    return [*made, *below], indexes


def _rest(view: View, width: int) -> list[Fragments]:
    """Say what to do below the last row, where there is something to say."""
    model = view.model
    if model.where is not None:
        nothing: Fragments = [("class:quiet", "  nothing matches the filter; x shows everything")]
        return [] if model.rows else [[], nothing]
    if view.recorded_from:
        return [] if model.rows or view.progress else [[], [("class:quiet", "  the recording is empty")]]
    if view.relaying:
        return [] if model.rows else _first_client(view, width)
    spoken = any(space.events for space in model.namespaces.by_name.values())
    return [] if spoken and len(model.rows) > 12 else first_steps(view, width)


def row(view: View, index: int, width: int, namespace_cells: int) -> Fragments:
    """Show one record."""
    record, selected = view.model[index], index == view.model.cursor
    mark = "▌" if selected else "•" if index in view.model.marks else " "
    after = _answer(view, index, record)
    room = width - 1 - length(after)
    if room < _BESIDE:
        after, room = [], width - 1
    joined = record.kind is Kind.ACK and index in view.model.acks.partners
    narrow = _PADDING if width < _NARROW else 4 if width < _SHORT_TIME else 0
    shown = record._replace(rtt_ms=None) if joined else record
    sid_cells = 0
    if clients := view.model.clients:
        shown, sid_cells = shown._replace(sid=clients.label(record.sid)), clients.label_width
    pieces = line(shown, room + narrow, namespace_cells, sid_cells)
    if joined and not refused(record):
        pieces = [(style if style is Style.TIME else Style.QUIET, text) for style, text in pieces]
    if view.deltas:
        pieces[0] = (pieces[0][0], _delta(view, index, record))
    elif narrow:
        pieces[0] = (pieces[0][0], pieces[0][1][:8])
    if width < _NARROW:
        pieces[1:] = [(style, _closer(text)) for style, text in pieces[1:]]
    fragments = fit([("class:marker", mark), *styled(pieces)], room + 1) + after
    fragments = highlight(fragments, view.model.pattern)
    return [(f"{style} class:row", text) for style, text in fragments] if selected else fragments


def _closer(text: str) -> str:
    """Take the padding of a column away, where there is no room for columns."""
    return f" {text.strip()}"


def _answer(view: View, index: int, record: Record) -> Fragments:
    if record.kind is not Kind.EVENT or record.id is None:
        return []
    answer = view.model.answer(index)
    if answer is not None:
        sign, style = ("✗", "failed") if refused(answer) else ("✓", "good")
        after = duration(answer.rtt_ms) if answer.rtt_ms is not None else ""
        return [(f"class:{style}", f"  {f'{sign} {after}':>9}")]
    if index in view.model.acks.unconfirmed:
        return [("class:failed", "  ✗ unconfirmed")]
    if index in view.model.acks.partners or view.recorded_from:
        return []
    if record.direction is Direction.IN and view.sends:
        return [("class:waits", "  asks for a /reply")]
    waited = max(view.now - record.time / 1e6, 0) * 1000
    if waited > _PATIENCE:
        return [("class:quiet", "  no answer")]
    return [("class:waits", f"  waiting {waited / 1000:.1f} s")]


def _delta(view: View, index: int, record: Record) -> str:
    before = view.model[index - 1] if index > view.model.ring.first else record
    return f"{'+' + duration(max(record.time - before.time, 0) / 1000):>12}"


def namespace_width(view: View, width: int) -> int:
    """Give the width of the namespace's column; there is none while there is only one."""
    names = view.model.namespaces.by_name
    if len(names) < 2 or width < _SHORT_TIME:
        return 0
    return min(max(cells(safe(name[:80])) for name in list(names)[:100]), _MAX_NAMESPACE)


def first_steps(view: View, width: int) -> list[Fragments]:
    """Say who is connected, which rooms there are and what to type, while little has happened."""
    space = view.model.namespaces[view.namespace]
    sid = f"connected to {view.namespace} as {space.sid}" if space.sid else f"connecting to {view.server} …"
    listed = ", ".join(list(space.rooms)[:8]) or "none known yet: /rooms asks the server"
    steps = (
        ("/join lobby", "ask to join a room"),
        ('/emit hello {"you": true}', "emit an event"),
        ("hello everyone", f"a message to {view.room or view.namespace}"),
    )
    return [
        [],
        fit([("class:quiet", f"  {safe(sid)}")], width),
        fit([("class:quiet", f"  rooms: {safe(listed)}")], width),
        [],
        *(
            fit([("", "  "), ("class:key", f"{typed:27}"), ("class:quiet", does)], width)
            for typed, does in ((typed, safe(does)) for typed, does in steps)
        ),
    ]


def _first_client(view: View, width: int) -> list[Fragments]:
    """Say how a client gets here, while there is none."""
    steps = (f"http://{view.server}", f"nsroom connect -u http://{view.server}")
    return [
        [],
        fit([("class:quiet", "  waiting for a client: open this in a browser, or connect to it")], width),
        [],
        *(fit([("class:key", f"  {safe(step)}")], width) for step in steps),
    ]


def failed(view: View, width: int, height: int) -> list[Fragments]:
    """Name the cause and the fix of a connection that failed, and offer to try again."""
    reason = wrap(safe(view.failure), max(min(width - 4, 100), 10))
    keys: Fragments = [
        ("", "  "),
        ("class:key", "r"),
        ("", " try again   "),
        ("class:key", "q"),
        ("", " quit"),
    ]
    told: list[Fragments] = [[("class:failed", f"  {part}")] for part in reason]
    # Where there is little room, what to do matters more than the end of the reason.
    return [[], *told, [], keys] if height > len(told) + 3 else [*told[: max(height - 1, 0)], keys]
