"""Values by name: `{id}` in a line is replaced by a value of an earlier answer, or of --set.

`{{id}}` is the text `{id}`. It can be told from JSON, which has text between two opening braces.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence

from nsroom.client.target import parse_pairs
from nsroom.errors import DecodeError
from nsroom.protocol import strict_json
from nsroom.record import Json, escape

_NAME = re.compile(r"\{([A-Za-z_]\w*)\}")
_NAME_OR_TEXT = re.compile(rf"\{{({_NAME.pattern})\}}|{_NAME.pattern}")
"""A name in two pairs of braces, which is text, or in one."""
_JSON = re.compile(r"\[|\{(?![A-Za-z_])|[A-Za-z_][\w.-]*:=")
_ITEM = re.compile(r"[A-Za-z_][\w.-]*:?=")
_AFTER_OPERATOR = re.compile(r"[=~<>]\s*$")


def names_in(text: str) -> list[tuple[str, int]]:
    """Return the names that a text uses, and where."""
    return [(found[3], found.start()) for found in _NAME_OR_TEXT.finditer(text) if found[3]]


def escape_names(text: str) -> str:
    """Return a text in which each `{name}` is written so that it stays text."""
    return _NAME.sub(r"{{\1}}", text)


def fill_word(word: str, values: Mapping[str, Json], plain: bool = False) -> str:
    """Return a word with the values in it: as JSON where an argument is JSON, else as text.

    A word that is one value stays that value when it is read as an argument; with `plain` it is only text.
    """
    if not plain and (whole := _NAME.fullmatch(word)) and whole[1] in values:
        value = values[whole[1]]
        return value if isinstance(value, str) and parse_text(value) == value else _dump(value)
    in_json = not plain and _JSON.match(word)
    return _fill(word, values, lambda before: bool(in_json) and not _in_quotes(before))


def parse_values(texts: Sequence[str]) -> dict[str, Json]:
    """Return the values of --set: JSON or else text, as arguments are. Raises: UsageError."""
    pairs = parse_pairs("--set", texts)
    return {key: text if (value := parse_text(text)) is None else value for key, text in pairs}


def parse_text(text: str) -> Json:
    """Return JSON, or else the text; None for a text that an argument would not be read as."""
    if text.startswith("@") or _ITEM.match(text):
        return None
    try:
        return strict_json.load(text)
    except DecodeError:
        return text


def fill_expression(text: str, values: Mapping[str, Json]) -> str:
    """Return a filter with the values in it: each is one value after an operator, and text elsewhere."""

    def as_value(before: str) -> bool:
        return bool(_AFTER_OPERATOR.search(before)) and not _in_quotes(before)

    return _fill(text, values, as_value, lambda value: _dump(_as_text(value) if _is_long(value) else value))


def _fill(
    text: str,
    values: Mapping[str, Json],
    is_json: Callable[[str], bool],
    dump: Callable[[Json], str] = lambda value: _dump(value),
) -> str:
    parts, at = [], 0
    for found in _NAME_OR_TEXT.finditer(text):
        before = text[: found.start()]
        if found[1]:
            filled = found[1]
        elif found[3] in values:
            value = values[found[3]]
            filled = dump(value) if is_json(before) else _inside(before, value)
        else:
            continue
        parts += [text[at : found.start()], filled]
        at = found.end()
    return "".join([*parts, text[at:]])


def _inside(before: str, value: Json) -> str:
    """Return a value as a part of a text, which may be quoted."""
    text = _as_text(value)
    return _dump(text)[1:-1] if _in_quotes(before) else text


def _in_quotes(before: str) -> bool:
    return len(re.findall(r'(?<!\\)"', before)) % 2 == 1


def _is_long(value: Json) -> bool:
    return isinstance(value, (list, dict, bytes))


def _as_text(value: Json) -> str:
    return value if isinstance(value, str) else _dump(value)


def _dump(value: Json) -> str:
    return json.dumps(escape(value), ensure_ascii=False, separators=(",", ":"))
