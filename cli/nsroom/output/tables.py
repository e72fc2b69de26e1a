"""Rows of plain JSON on the standard output: a table for people, lines for programs, again and again."""

import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence

from nsroom.output.ndjson import encode_value
from nsroom.output.stdio import put, say
from nsroom.output.terminal import console, safe
from nsroom.record import Json

Row = dict[str, Json]


Rows = list[Row]


Cells = Callable[[Row], Sequence[str]]
"""The texts of a row's cells, as the server sent them."""
_UNBOUNDED = 100_000
"""Cells of a table that no terminal shows."""
_CLEAR = b"\x1b[2J"
_HOME, _END_OF_LINE, _BELOW = "\x1b[H", "\x1b[K", "\x1b[J"


def show(rows: Rows, columns: Sequence[str], cells: Cells, json: bool, empty: str) -> None:
    """Print rows once; `empty` is said where there are none. Raises: Stopped, OutputError."""
    if json:
        put(b"".join(map(encode_value, rows)))
    elif rows:
        put(_table(rows, columns, cells).encode())
    else:
        say(empty)


async def follow(
    first: Rows, source: AsyncIterator[Rows], columns: Sequence[str], cells: Cells, json: bool, empty: str
) -> None:
    """Print rows again whenever they change: a table in its place on a terminal, else only what changed.

    Raises: what ends the source; Stopped, OutputError.
    """
    in_place = sys.stdout.isatty() and not json
    if in_place:
        put(_CLEAR)

    def paint(before: Rows, rows: Rows) -> None:
        if in_place:
            put(_in_place(_table(rows, columns, cells) if rows else f"{empty}\n"))
        else:
            put(b"".join(map(encode_value, changes(before, rows))))

    paint([], first)
    async for rows in source:
        if rows != first:
            paint(first, rows)
            first = rows


def _table(rows: Rows, columns: Sequence[str], cells: Cells) -> str:
    from rich.table import Column, Table

    # What is cut off cannot be pasted into the next command.
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


def _in_place(text: str) -> bytes:
    """Write over what is there, line by line, so that nothing flickers."""
    lines = text.replace("\n", f"{_END_OF_LINE}\n")
    return f"{_HOME}{lines}{_BELOW}".encode()


def room_cells(row: Row) -> Sequence[str]:
    """Give the cells of a room: namespace, room, count, names."""
    names = ", ".join(map(_name, row["members"]))
    return row["namespace"], row["room"], str(row["count"]), names


def _name(member: Json) -> str:
    """Give a member's nick, else its sid."""
    if not isinstance(member, dict):
        return str(member)
    return str(member.get("nick") or member.get("sid") or "?")


def socket_cells(row: Row) -> Sequence[str]:
    """Give the cells of a socket: namespace, sid, transport, address, since, rooms."""
    known = [row.get(key) or "?" for key in ("namespace", "sid", "transport", "address", "connected")]
    return *map(str, known), ", ".join(row["rooms"])


def changes(before: Rows, after: Rows) -> Iterator[Row]:
    """Give the rows that are new or others than before, then those that are gone, marked as such."""
    known = {_key(row): row for row in before}
    yield from (row for row in after if known.pop(_key(row), None) != row)
    left = known.keys() - {_key(row) for row in after}
    yield from ({**_named(known[key]), "gone": True} for key in known if key in left)


def _key(row: Row) -> tuple[Json, ...]:
    return tuple(_named(row).values())


def _named(row: Row) -> Row:
    return {key: row[key] for key in ("namespace", "room", "sid") if key in row}
