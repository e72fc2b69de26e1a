"""Explain an expectation that was not met: the records that came closest, and the parts that differ."""

import re
from collections.abc import Sequence

from nsroom.filters import Filter, conjuncts, tested_value
from nsroom.output import summary
from nsroom.output.terminal import clip, safe
from nsroom.record import Record, brief

_CLOSEST = 3
_MAX_LINE, _MAX_VALUE = 160, 80
_MARK = "✗"
_ANY_ARGUMENT = re.compile(r"args?(\.[^0-9].*)?")
_SHOWN = ("event", "ack", "connect_error", "disconnect", "close", "protocol_error")
"""The kinds of record that are compared; heartbeats never help."""


def closest(expression: str, records: Sequence[Record]) -> list[str]:
    """Return two lines for each of the closest records: the record, and the parts that do not match."""
    parts = conjuncts(expression)
    candidates = [record for record in records if record.kind in _SHOWN and record.direction != "out"]
    candidates = candidates or [record for record in records if record.kind in _SHOWN]
    scored = sorted(enumerate(candidates), key=lambda each: (-_score(parts, each[1]), each[0]))
    lines: list[str] = []
    for _, record in scored[:_CLOSEST]:
        lines.append(describe(record))
        lines += [f"  {_MARK} {each}" for each in _differences(parts, record)]
    return lines


def _score(parts: Sequence[Filter], record: Record) -> int:
    return sum(bool(part(record)) for part in parts)


def _differences(parts: Sequence[Filter], record: Record) -> list[str]:
    """Return what differs: `arg.0.id=7, but it is 6`."""
    return [safe(clip(_difference(part, record), _MAX_LINE)) for part in parts if not part(record)] or [
        "it matches, but it is not a received event: name its kind or dir"
    ]


def _difference(part: Filter, record: Record) -> str:
    found = tested_value(part.text, record)
    if found is None:
        return f"{part.text} does not match"
    path, value = found
    if _ANY_ARGUMENT.fullmatch(path):
        return f"{part.text}: no argument matches"
    shown = "missing" if value is None else brief(value, _MAX_VALUE)
    return f"{part.text}, but it is {shown}"


def describe(record: Record) -> str:
    """Return a record as one line, without its time."""
    pieces = summary.line(record, _MAX_LINE)
    return "".join(text for _, text in pieces[1:]).strip()
