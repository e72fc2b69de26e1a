"""Completion of a filter: fields, paths into arguments, the values seen there, and what joins tests."""

import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from prompt_toolkit.completion import Completion

from nsroom.output.terminal import safe
from nsroom.record import Direction, Json, Kind, Record, value_at
from nsroom.tui.screen.state import View

_FIELDS = (
    *("kind=", "ns=", "event=", "event~", "dir=", "arg.", "arg~", "rtt>", "id=", "sid=", "reason~"),
    *("message~", "data.", "bytes>", "seq>"),
)
_JOINS = ("& ", "| ", "and ", "or ")
_ATTRIBUTES = {"arg": "args", "args": "args", "data": "data", "id": "id", "reason": "reason", "rtt": "rtt_ms"}
_ATTRIBUTES |= {name: name for name in ("message", "bytes", "seq", "rtt_ms")}
"""The fields whose values are looked for in records, with the names that records have for them."""
_MAX_RECORDS = 2000
"""The newest records, in which to look for values: all of them would take longer than a key press should."""
_MAX_SEEN = 5000
_MAX_VALUES = 50
_MAX_LENGTH = 200

_QUOTED = r'"(?:[^"\\]|\\.)*(?:"|\Z)'
_WORD = re.compile(rf'(?:[^\s&|()!"]|!=|{_QUOTED})+', re.DOTALL)
_STEP = re.compile(r'\.("(?:[^"\\]|\\.)*"|[^\s.=!~<>&|()"]+)')
_FIELD = rf"(?P<field>[A-Za-z_]+)(?P<path>(?:{_STEP.pattern})*)"
_TEST = re.compile(rf"(?P<start>{_FIELD}(?:!=|>=|<=|==|[=~<>]))(?P<typed>.*)", re.DOTALL)
_PATH = re.compile(rf'(?P<start>{_FIELD}\.)(?P<typed>[^\s.=!~<>&|()"]*)')
_STARTS_TEST = re.compile(r"(?:\A|[&|!(]|(?:\A|[\s)])(?:and|or|not))\s*\Z")
_PLAIN = re.compile(r"[\w/.:#@+-]+")


def complete_filter(view: View, text: str) -> Iterator[Completion]:
    """Complete the last word of an expression."""
    # From the start, because a quoted text may have blanks in it.
    word = next((found[0] for found in _WORD.finditer(text) if found.end() == len(text)), "")
    before = text[: len(text) - len(word)]
    if not _STARTS_TEST.search(before):
        return _offered(((join, join) for join in _JOINS), word)
    if test := _TEST.fullmatch(word):
        values = ((raw, test["start"] + shown) for raw, shown in _values(view, test["field"], test["path"]))
        return _offered(values, word, test["typed"].removeprefix('"'))
    if part := _PATH.fullmatch(word):
        keys = ((raw, part["start"] + shown) for raw, shown in _keys(view, part["field"], part["path"]))
        return _offered(keys, word, part["typed"])
    names = ((name, _quoted(name)) for name in _events(view)) if word else ()
    return _offered(chain(((field, field) for field in _FIELDS), names), word)


def _offered(
    candidates: Iterable[tuple[str, str]], word: str, typed: str | None = None
) -> Iterator[Completion]:
    """Yield the candidates, each as its text and what is inserted, whose text starts with what was typed.

    Only safe ones: a server may have chosen their names.
    """
    wanted = word if typed is None else typed
    matching = (
        shown
        for raw, shown in candidates
        if raw.startswith(wanted) and shown != word and len(shown) <= _MAX_LENGTH and safe(shown) == shown
    )
    for shown in islice(dict.fromkeys(matching), _MAX_VALUES):
        yield Completion(shown, -len(word))


def _values(view: View, field: str, path: str) -> Iterator[tuple[str, str]]:
    """Yield the values that a field had, each as text and as it is written in an expression."""
    namespaces, clients = view.model.namespaces, view.model.clients
    known: dict[str, Iterable[str]] = {
        "kind": Kind,
        "dir": Direction,
        "direction": Direction,
        "ns": namespaces.by_name,
        "namespace": namespaces.by_name,
        "event": _events(view),
        "sid": reversed(clients.by_sid if clients else namespaces.sids),
    }
    values: Iterable[Json] = known.get(field) or _seen(view, field, path)
    for value in values:
        if isinstance(value, str):
            yield value, _quoted(value)
        elif isinstance(value, (int, float)):
            yield json.dumps(value), json.dumps(value)


def _keys(view: View, field: str, path: str) -> Iterator[tuple[str, str]]:
    """Yield the keys that a value had, each as text and as it is written in an expression."""
    for value in _seen(view, field, path):
        pairs: Iterable[tuple[str, Json]] = ()
        if isinstance(value, dict):
            pairs = islice(value.items(), _MAX_VALUES)
        elif isinstance(value, list):
            pairs = ((str(at), item) for at, item in enumerate(value[:10]))
        for key, item in pairs:
            step = key if re.fullmatch(r'[^\s.=!~<>&|()"]+', key) else json.dumps(key)
            yield key, step + ("." if isinstance(item, (dict, list)) and item else "=")


def _seen(view: View, field: str, path: str) -> Iterator[Json]:
    """Yield the values that the newest records have at a path, the newest first."""
    attribute = _ATTRIBUTES.get(field)
    if attribute is None:
        return
    try:
        steps = [json.loads(step) if step[0] == '"' else step for step in _STEP.findall(path)]
    except ValueError:
        return
    newest = reversed(view.model.records[-_MAX_RECORDS:])
    roots = chain.from_iterable(_roots(record, attribute, steps) for record in newest)
    for value in islice(roots, _MAX_SEEN):
        yield value_at(value, steps)


def _roots(record: Record, attribute: str, steps: list[str]) -> Iterable[Json]:
    value = getattr(record, attribute)
    if attribute != "args" or (steps and steps[0].isdigit()):
        return () if value is None else (value,)
    return value or ()  # a path without an index is looked for in every argument


def _events(view: View) -> list[str]:
    """Return the names of events, the newest of the current namespace first."""
    by_name = view.model.namespaces.by_name
    others = [name for name in by_name if name != view.namespace]
    return [
        event for name in (view.namespace, *others) for event in [*view.model.namespaces[name].events][::-1]
    ]


def _quoted(text: str) -> str:
    is_plain = _PLAIN.fullmatch(text) and text not in ("and", "or", "not")
    return text if is_plain else json.dumps(text, ensure_ascii=False)
