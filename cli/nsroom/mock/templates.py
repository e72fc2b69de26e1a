"""Values with names in them, such as `{"id": {arg.0.id}, "at": "{now}"}`, to be filled in for each event.

A text is compiled once: each name becomes a mark, which is legal inside JSON, and after the arguments are
parsed, every text that contains marks is filled. So a value from outside cannot change what is around it.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

from nsroom.protocol.strict_json import Number
from nsroom.record import Json, Record, brief, format_time, value_at

Lookup = Callable[[str], Json]
"""Return the value of a name."""
NAME = re.compile(r"\{((?:arg|data)(?:\.[^\s{}.\"]+)+|arg|data|event|ns|sid|n|now|uuid)\}")
MARK = "\ue000"
"""Around the number of a name, in text: a private character, which a script must not contain."""
_MARKED = re.compile(f"{MARK}(\\d+){MARK}")
_MAX_TEXT = 100_000
"""Characters of a value inside a text."""


def mark(text: str, names: list[str]) -> str:
    """Return the text with marks in place of its names, which are added to `names`.

    Outside quotes a mark is a whole JSON string: it is replaced by the value, not by its text.
    """
    parts, at, is_quoted = [], 0, False
    for found in NAME.finditer(text):
        before = text[at : found.start()]
        is_quoted ^= len(re.findall(r'(?<!\\)"', before)) % 2 == 1
        names.append(found[1])
        marked = f"{MARK}{len(names) - 1}{MARK}"
        if not is_quoted:
            # After `key:=` the word is not JSON from its start, so that its quotes would be taken off.
            marked = f"""'"{marked}"'""" if before.endswith(":=") else f'"{marked}"'
        parts += [before, marked]
        at = found.end()
    return "".join([*parts, text[at:]])


def fill(value: Json, names: list[str], lookup: Lookup) -> Json:
    """Return a value with its marks filled: one that is only a mark is the value itself."""
    if isinstance(value, str):
        return _fill_text(value, names, lookup)
    if isinstance(value, Number):
        return value.value
    if isinstance(value, list):
        return [fill(each, names, lookup) for each in value]
    if isinstance(value, dict):
        return {
            _as_text(_fill_text(key, names, lookup)): fill(each, names, lookup) for key, each in value.items()
        }
    return value


def _fill_text(text: str, names: list[str], lookup: Lookup) -> Json:
    if MARK not in text:
        return text
    if whole := _MARKED.fullmatch(text):
        return lookup(names[int(whole[1])])
    return _MARKED.sub(lambda found: _as_text(lookup(names[int(found[1])])), text)


def _as_text(value: Json) -> str:
    return value if isinstance(value, str) else brief(value, _MAX_TEXT)


def value_of(name: str, record: Record, number: int) -> Json:
    """Return the value of a name for a record; null if the record has no such value.

    `n` is `number`; `now` the time in UTC; `uuid` is another one each time.
    """
    first, *steps = name.split(".")
    if first in ("arg", "data"):
        return value_at(record.args or [] if first == "arg" else record.data, steps)
    if first == "now":
        return format_time(int(datetime.now(UTC).timestamp() * 1_000_000))
    if first == "uuid":
        return str(uuid4())
    return {"event": record.event, "ns": record.namespace, "sid": record.sid, "n": number}[first]
