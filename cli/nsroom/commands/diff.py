"""`nsroom diff`: compare two recordings."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nsroom.errors import ExitCode, UsageError
from nsroom.output.stdio import put, say

if TYPE_CHECKING:
    from nsroom.comparison import Difference, Item, Steps
    from nsroom.filters import Filter
    from nsroom.record import Json, Record

_MARKS = {"changed": "~", "missing": "-", "extra": "+"}
_STYLES = {"changed": "\x1b[33m", "missing": "\x1b[31m", "extra": "\x1b[32m"}
_WIDTH = 80
"""Cells of a terminal that does not report its width."""
_MIN_COLUMN = 20
"""Cells of a recording's column."""
_MAX_PATHS = 20
"""Differing values shown of one record."""
_MISSING = object()
_LONGEST = 20
"""Characters of a cell to look at: more cannot be seen."""


def diff(
    first: Annotated[Path, typer.Argument(metavar="A", help="A recording, or a HAR file; - is stdin.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="Another one.")],
    *,
    ignore: Annotated[
        list[str] | None,
        typer.Option(
            "--ignore",
            metavar="PATH",
            help="Leave out this value: arg.0.id, arg.*.time, or a key anywhere; repeatable.",
        ),
    ] = None,
    where: Annotated[
        str | None, typer.Option("--where", metavar="EXPR", help="Compare only matching records.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print NDJSON, even on a terminal.")] = False,
) -> None:
    """Compare two recordings.

    Prints the records that changed, those missing from B and those extra in B: side by side on a terminal,
    as a JSON object each in a pipe. Records are compared in order within each client, namespace and event.
    Times, sids, acknowledgement ids and other made-up ids may differ, but an id must be the same wherever it
    appears. Heartbeats are not compared. Exits with 1 if there are differences.

    \b
    Examples:
      nsroom diff before.ndjson after.ndjson
      nsroom diff before.ndjson after.ndjson --ignore arg.0.total --where ns=/a
      nsroom diff page.har after.ndjson --json | jq -r .what | sort | uniq -c
    """
    from nsroom.comparison import Ignored, compare
    from nsroom.filters import parse

    if str(first) == str(second) == "-":
        raise UsageError("stdin can be one of the two recordings, not both")
    keep = parse(where) if where else None
    records = [_read(file, keep) for file in (first, second)]
    found = compare(records[0], records[1], Ignored(ignore or ()))
    report(found, (len(records[0]), len(records[1])), as_json)


def report(found: "Sequence[Difference]", counts: tuple[int, int], as_json: bool = False) -> None:
    """Print the differences between two recordings with these numbers of records.

    Raises: typer.Exit with 1 if there are any.
    """
    import sys

    from nsroom.output.ndjson import encode_value

    if sys.stdout.isatty() and not as_json:
        put("".join(f"{line}\n" for each in found for line in _side_by_side(each)).encode())
    else:
        put(b"".join(encode_value(_to_json(each)) for each in found))
    sizes = " and ".join(f"{count:,}" for count in counts)
    if found:
        say(f"{_counts(found)} ({sizes} records)")
        raise typer.Exit(ExitCode.NO)
    say(f"no differences ({sizes} records)")


def _read(file: Path, keep: "Filter | None") -> "list[tuple[int, Record]]":
    """Return the records with their numbers, from 1. Raises: UsageError, DataError."""
    from nsroom.capture.recorded import read_file

    numbered = enumerate(read_file(file), 1)
    return [(at, each._replace(frames=None)) for at, each in numbered if keep is None or keep(each)]


def _counts(found: "Sequence[Difference]") -> str:
    counts = {what: sum(each.what == what for each in found) for what in _MARKS}
    return ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)


def _to_json(difference: "Difference") -> "dict[str, Json]":
    """Return a difference as plain JSON, with both records and their lines."""
    from nsroom.record import shallow

    stream = difference.stream
    row: dict[str, Json] = {"what": difference.what, **stream._asdict()}
    row = {key: value for key, value in row.items() if value is not None}
    if difference.paths:
        row["paths"] = [".".join(steps) for steps in difference.paths]
    for name, item in (("a", difference.first), ("b", difference.second)):
        if item is not None:
            row[name] = {"line": item.line, "record": shallow(item.record)}
    return row


def _side_by_side(difference: "Difference") -> "Iterator[str]":
    """Yield the lines of a difference: the event, and both records in columns."""
    import os
    import sys

    from nsroom.output.summary import label, namespace, pad, sign
    from nsroom.output.terminal import clip, colours, safe

    width = os.get_terminal_size(sys.stdout.fileno()).columns or _WIDTH
    column = max((width - 3) // 2 - 2, _MIN_COLUMN)
    colour, plain = (_STYLES[difference.what], "\x1b[0m") if colours(sys.stdout) else ("", "")
    item = difference.first or difference.second
    assert item is not None  # a difference has at least one record
    record = item.record
    client = f"  client {difference.stream.client}" if difference.stream.client > 1 else ""
    name = clip(safe(label(record)[:200]), column)
    head = f"{_MARKS[difference.what]} {sign(record)} {namespace(record, column)} {name}{client}"
    yield f"{colour}{clip(head, width)}{plain}"
    for first, second in _rows(difference, column):
        yield f"  {pad(first, column)} │ {second}".rstrip()


def _rows(difference: "Difference", width: int) -> "Iterator[tuple[str, str]]":
    """Yield the rows of a difference: the whole records, then the values that differ."""
    from nsroom.output.terminal import clip, safe

    yield _whole(difference.first, width), _whole(difference.second, width)
    first, second = difference.first, difference.second
    if first is None or second is None:
        return
    for steps in difference.paths[:_MAX_PATHS]:
        texts = (f"  {'.'.join(steps)}: {_value(item, steps, width)}" for item in (first, second))
        one, other = (clip(safe(text[: _LONGEST * width]), width) for text in texts)
        yield one, other
    if len(difference.paths) > _MAX_PATHS:
        yield f"  …+{len(difference.paths) - _MAX_PATHS}", ""


def _whole(item: "Item | None", width: int) -> str:
    """Return the line and the summary of a record."""
    from nsroom.output.summary import summary

    if item is None:
        return ""
    line = f"{item.line:>5}  "
    return line + summary(item.record, width - len(line))


def _value(item: "Item", steps: "Steps", width: int) -> str:
    """Return the value at these steps as short JSON, not yet safe, or a remark if one is missing."""
    from nsroom.record import brief, value_at

    value = value_at(item.content, steps, _MISSING)
    return "(missing)" if value is _MISSING else brief(value, _LONGEST * width)
