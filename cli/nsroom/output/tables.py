"""Print tables of rooms and sockets: once, or again at each change; as text or as JSON lines."""

import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence

from nsroom.output.ndjson import encode_value
from nsroom.output.room_names import room_text
from nsroom.output.stdio import put, say
from nsroom.output.terminal import console, safe
from nsroom.record import Json

Row = dict[str, Json]
Rows = list[Row]
Cells = Callable[[Row], Sequence[str]]
"""Returns the texts of a row's cells, not yet safe."""
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


def _table(rows: Rows, columns: Sequence[str], cells: Cells) -> str:
    from rich.table import Column, Table

    # Not cut off: users paste names and ids from the table into the next command.
    heads = [Column(name, overflow="fold") for name in columns]
    table = Table(*heads, box=None, pad_edge=False, header_style="dim")
    for row in rows:
        table.add_row(*map(safe, cells(row)))
    shown = console(sys.stdout)
    if not sys.stdout.isatty():
        shown.width = _UNBOUNDED
    with shown.capture() as captured:
        shown.print(table)
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def _overwrite(text: str) -> bytes:
    """Return the output that overwrites the screen line by line, so that it does not flicker."""
    lines = text.replace("\n", f"{_END_OF_LINE}\n")
    return f"{_HOME}{lines}{_BELOW}".encode()


def room_cells(row: Row) -> Sequence[str]:
    """Return the cells of a room: namespace, room, count, names."""
    names = ", ".join(map(_member, row["members"]))
    return row["namespace"], room_text(row["room"]), str(row["count"]), names


def _member(member: Json) -> str:
    """Return a member's nick, or its sid."""
    if not isinstance(member, dict):
        return str(member)
    return str(member.get("nick") or member.get("sid") or "?")


def socket_cells(row: Row) -> Sequence[str]:
    """Return the cells of a socket: namespace, sid, transport, address, time of connection, rooms."""
    known = [row.get(key) or "?" for key in ("namespace", "sid", "transport", "address", "connected")]
    return *map(str, known), ", ".join(map(room_text, row["rooms"]))


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
