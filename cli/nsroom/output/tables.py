"""Print tables of rooms and sockets: once, or again at each change; as text or as JSON lines."""

import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence

from nsroom.output.ndjson import encode_value
from nsroom.output.room_names import room_text
from nsroom.output.stdio import put, say
from nsroom.output.summary import pad
from nsroom.output.terminal import cells, colours, safe
from nsroom.record import Json

Row = dict[str, Json]
Rows = list[Row]
RowCells = tuple[*tuple[str, ...], Sequence[str]]
"""The texts of a row's cells, not yet safe; the last one is a list."""
Cells = Callable[[Row], RowCells]
_DISPENSABLE = ("transport", "address", "server")
_GAP = "  "
_MIN_LIST = 8
"""Cells of the list at the end of a line."""
_UNBOUNDED = 100_000
"""Width of a table that is not printed to a terminal."""
_CLEAR = b"\x1b[2J"
_HOME, _END_OF_LINE, _BELOW = "\x1b[H", "\x1b[K", "\x1b[J"


def show(rows: Rows, columns: Sequence[str], cells: Cells, json: bool, empty: str) -> None:
    """Print rows once, or the message `empty` if there are none. Raises: Stopped, OutputError."""
    if json:
        put(b"".join(map(encode_value, rows)))
    elif rows:
        put(_table(rows, columns, cells).encode())
    else:
        say(empty)


async def follow(
    first: Rows, source: AsyncIterator[Rows], columns: Sequence[str], cells: Cells, json: bool, empty: str
) -> None:
    """Print rows and every change of them: on a terminal the whole table in place, else the changed rows.

    Raises: errors of `source`; Stopped, OutputError.
    """
    in_place = sys.stdout.isatty() and not json
    if in_place:
        put(_CLEAR)

    def paint(before: Rows, rows: Rows) -> None:
        if in_place:
            put(_overwrite(_table(rows, columns, cells) if rows else f"{empty}\n"))
        else:
            put(b"".join(map(encode_value, changes(before, rows))))

    paint([], first)
    async for rows in source:
        if rows != first:
            paint(first, rows)
            first = rows


def _table(rows: Rows, columns: Sequence[str], row_cells: Cells) -> str:
    """Return a table for stdout: on a terminal each row is one line, and only its list is cut."""
    width = os.get_terminal_size(sys.stdout.fileno()).columns if sys.stdout.isatty() else _UNBOUNDED
    dim, plain = ("\x1b[2m", "\x1b[0m") if colours(sys.stdout) else ("", "")
    head, *lines = layout(columns, [row_cells(row) for row in rows], width)
    return "".join(f"{line}\n" for line in (f"{dim}{head}{plain}", *lines))


def layout(columns: Sequence[str], rows: Sequence[RowCells], width: int) -> list[str]:
    """Return the lines of a table, the head first; the texts are made safe.

    Names and ids are never cut or broken, because users paste them into the next command: if the lines would
    be wider than `width`, the columns in `_DISPENSABLE` are left out, and the last column, a list, is cut.
    """
    texts = [[safe(text) for text in row[:-1]] for row in rows]
    table = [list(column) for column in zip(columns, *texts, strict=False)]
    table = [column for column in table if any(column[1:]) or column[0] not in _DISPENSABLE]
    while (used := sum(max(map(cells, column)) + len(_GAP) for column in table)) > width - _MIN_LIST:
        dispensable = next((column for column in table if column[0] in _DISPENSABLE), None)
        if dispensable is None:
            break
        table.remove(dispensable)
    lists = [
        columns[-1],
        *(joined([safe(item) for item in row[-1]], max(width - used, _MIN_LIST)) for row in rows),
    ]
    widths = [max(map(cells, column)) for column in table]
    return [
        _GAP.join([*(pad(text, size) for text, size in zip(line, widths, strict=True)), last]).rstrip()
        for *line, last in zip(*table, lists, strict=True)
    ]


def joined(items: Sequence[str], width: int) -> str:
    """Join the items that fit into `width` cells, and count the rest: `ann, bob, …+4`."""
    if cells(text := ", ".join(items)) <= width:
        return text
    shown: list[str] = []
    for item in items:
        rest = f"…+{len(items) - len(shown) - 1}"
        if cells(", ".join([*shown, item, rest])) > width:
            break
        shown.append(item)
    return ", ".join([*shown, f"…+{len(items) - len(shown)}"])


def _overwrite(text: str) -> bytes:
    """Return the output that overwrites the screen line by line, so that it does not flicker."""
    lines = text.replace("\n", f"{_END_OF_LINE}\n")
    return f"{_HOME}{lines}{_BELOW}".encode()


def room_cells(row: Row) -> RowCells:
    """Return the cells of a room: namespace, room, count, names."""
    return row["namespace"], room_text(row["room"]), str(row["count"]), list(map(_member, row["members"]))


def _member(member: Json) -> str:
    """Return a member's nick, or its sid."""
    if not isinstance(member, dict):
        return str(member)
    return str(member.get("nick") or member.get("sid") or "?")


def socket_cells(row: Row) -> RowCells:
    """Return the cells of a socket: namespace, sid, transport, address, time of connection, server, rooms.

    The server is empty if it is not known.
    """
    known = [row.get(key) or "?" for key in ("namespace", "sid", "transport", "address", "connected")]
    known.append(row.get("server") or "")
    return *map(str, known), list(map(room_text, row["rooms"]))


def changes(before: Rows, after: Rows) -> Iterator[Row]:
    """Yield the new and changed rows, then the names of the removed ones with `"gone": true`."""
    known = {_key(row): row for row in before}
    yield from (row for row in after if known.pop(_key(row), None) != row)
    removed = known.keys() - {_key(row) for row in after}
    yield from ({**_names(known[key]), "gone": True} for key in known if key in removed)


def _key(row: Row) -> tuple[Json, ...]:
    return tuple(_names(row).values())


def _names(row: Row) -> Row:
    return {key: row[key] for key in ("namespace", "room", "sid") if key in row}
