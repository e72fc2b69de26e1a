"""Write a scenario from a recording: what the clients sent, and what they received."""

import json
import re
import shlex
from collections.abc import Iterable, Iterator

from nsroom.client.events import parse_arguments
from nsroom.record import Direction, Json, Kind, Record, escape
from nsroom.scenarios.variables import escape_names

_VOLATILE = re.compile(r"(?i).*(id|from|time|date|stamp|token|_at|seq|version|uuid|sid|ms)$")
"""Keys with values that differ from run to run."""
_MAX_TESTS, _MAX_TEXT = 3, 60
_WORD = re.compile(r"[\w.:/@+-]+")


class _Client:
    """A client of the recording: its name, its namespaces, and its last expectation."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.namespaces: list[str] = []
        self.replies: set[str] = set()


def write(records: Iterable[Record]) -> Iterator[str]:
    """Yield the lines of a scenario; each sid of a recording of several clients is one of them."""
    kept = [record for record in records if record.kind in (Kind.EVENT, Kind.ACK, Kind.CONNECT)]
    acks = {_key(record): record for record in kept if record.kind is Kind.ACK}
    clients: dict[str | None, _Client] = {}
    yield "# from a recording: loosen what may differ, and name values with `as id=arg.0.id`"
    for sid in dict.fromkeys(_sid(record) for record in kept):
        clients[sid] = client = _Client(f"c{len(clients) + 1}")
        own = [record.namespace or "/" for record in kept if _sid(record) == sid]
        client.namespaces = list(dict.fromkeys(own))
        yield f"{client.name}: connect {' '.join(map(shlex.quote, client.namespaces))}"
    for record in kept:
        if record.kind is Kind.EVENT and isinstance(record.event, str):
            yield from map(escape_names, _lines(clients[_sid(record)], record, acks))


def _sid(record: Record) -> str | None:
    """Return the client of a record: only events of several clients have a sid."""
    return record.sid if record.kind is not Kind.CONNECT else None


def _key(record: Record) -> tuple[str | None, str | None, int | None, Direction]:
    """Return the key of an acknowledgement, with the direction of its event."""
    opposite = Direction.IN if record.direction is Direction.OUT else Direction.OUT
    return record.sid, record.namespace, record.id, opposite


def _lines(client: _Client, record: Record, acks: dict[Json, Record]) -> Iterator[str]:
    ack = acks.get((record.sid, record.namespace, record.id, record.direction))
    namespace = f" {record.namespace}" if len(client.namespaces) > 1 else ""
    words = " ".join([_word(str(record.event)), *(_argument(arg) for arg in record.args or [])])
    if record.direction is Direction.OUT:
        yield f"{client.name}: {'emit' if ack is None else 'call'}{namespace} {words}"
        return
    if record.direction is Direction.IN:
        if ack is not None and str(record.event) not in client.replies:
            client.replies.add(str(record.event))
            answer = " ".join([_word(str(record.event)), *(_argument(arg) for arg in ack.args or [])])
            yield f"{client.name}: reply {answer}"
        yield f"{client.name}: expect {' & '.join(_tests(client, record))}"


def _tests(client: _Client, record: Record) -> Iterator[str]:
    yield f"event={_value(str(record.event))}"
    if len(client.namespaces) > 1:
        yield f"ns={record.namespace}"
    first = record.args[0] if record.args else None
    if not isinstance(first, dict):
        yield from ([f"arg.0={_value(first)}"] if _is_stable(first) else [])
        return
    stable = [key for key, value in first.items() if _is_stable(value) and not _VOLATILE.fullmatch(key)]
    for key in stable[:_MAX_TESTS]:
        yield f"arg.0.{_key_step(key)}={_value(first[key])}"


def _is_stable(value: Json) -> bool:
    return isinstance(value, (bool, int, float)) or (isinstance(value, str) and len(value) <= _MAX_TEXT)


def _key_step(key: str) -> str:
    return key if re.fullmatch(r"\w+", key) else json.dumps(key)


def _value(value: Json) -> str:
    """Return a value of a filter: a text is quoted unless it is a word and not a constant."""
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z_][\w:-]*", value) and value not in _CONSTANTS:
        return value
    return json.dumps(value, ensure_ascii=False)


_CONSTANTS = ("true", "false", "null")


def _argument(value: Json) -> str:
    """Return an argument: JSON, unless it is text that is read as it is."""
    if isinstance(value, str) and not value.startswith("@") and parse_arguments([value]) == [value] != ["as"]:
        return shlex.quote(value)
    text = json.dumps(escape(value), ensure_ascii=False, separators=(",", ":"))
    return text if isinstance(value, (dict, list)) else shlex.quote(text)


def _word(text: str) -> str:
    return text if _WORD.fullmatch(text) else shlex.quote(text)
