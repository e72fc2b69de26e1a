"""A record as JSON, shell command, JavaScript or Python. Pure."""

import base64
import json
import shlex
from collections.abc import Callable

from nsroom.record import Json, Record, escape, to_json


def as_json(record: Record) -> str:
    """Return the record as one line of NDJSON."""
    return json.dumps(to_json(record))


def as_list(record: Record) -> str:
    """Return an event as `["event", arg…]`, which `emit -` and the live view's input read."""
    return json.dumps([record.event, *escape(record.args or [])])


def as_emit(record: Record) -> str:
    """Return the `nsroom emit` command that emits the event again."""
    words = ["nsroom", "emit"]
    if record.namespace not in (None, "/"):
        words += ["-n", str(record.namespace)]
    args = record.args or []
    if has_bytes(args):
        return f"echo {shlex.quote(as_list(record))} | {shlex.join(words)} -"
    encoded = [json.dumps(arg, ensure_ascii=False) for arg in args]
    # An argument that starts with a dash would be parsed as an option.
    dashes = ["--"] if any(word.startswith("-") for word in [str(record.event), *encoded]) else []
    return shlex.join([*words, *dashes, str(record.event), *encoded])


def as_typed(record: Record) -> str:
    """Return the line for the live view's input that emits the event again."""
    args = record.args or []
    if has_bytes(args):
        line = as_list(record)
        return line if record.namespace in (None, "/") else as_json(record._replace(frames=None))
    words = [] if record.namespace in (None, "/") else ["-n", str(record.namespace)]
    return f"/emit {shlex.join([*words, str(record.event)])} {' '.join(map(_word, args))}".rstrip()


def as_javascript(record: Record) -> str:
    """Return the socket.io-client call that emits the event again."""
    return f"socket.emit({', '.join(map(_javascript, [record.event, *(record.args or [])]))});"


def as_python(record: Record) -> str:
    """Return the python-socketio call that emits the event again."""
    args = record.args or []
    # A single argument needs no tuple, except None, which python-socketio takes for no arguments.
    data = repr(args[0]) if len(args) == 1 and args[0] is not None else repr(tuple(args))
    namespace = f", namespace={record.namespace!r}" if record.namespace not in (None, "/") else ""
    return f"await sio.emit({record.event!r}, {data}{namespace})"


FORMATS: dict[str, Callable[[Record], str]] = {
    "json": as_json,
    "emit": as_emit,
    "js": as_javascript,
    "python": as_python,
}


def has_bytes(value: Json) -> bool:
    """Return whether the value contains binary data."""
    if isinstance(value, dict):
        return any(map(has_bytes, value.values()))
    return isinstance(value, bytes) or (isinstance(value, list) and any(map(has_bytes, value)))


def _javascript(value: Json) -> str:
    if isinstance(value, bytes):
        return f'Buffer.from("{base64.b64encode(value).decode()}", "base64")'
    if isinstance(value, list):
        return f"[{', '.join(map(_javascript, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(key)}: {_javascript(item)}' for key, item in value.items())}}}"
    return json.dumps(value)


def _word(arg: Json) -> str:
    """Return an argument as a word of the input line, where objects and arrays need no quotes."""
    text = json.dumps(arg, ensure_ascii=False)
    return text if isinstance(arg, (dict, list)) else shlex.quote(text)
