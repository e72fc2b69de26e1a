"""A record as JSON, shell command, JavaScript or Python. Pure.

A copy is pasted into shells and programs, so it has only printable text, whatever a server sends: a control
character such as Ctrl-C would end even a quoted paste. bash, zsh, dash and fish read the command alike.
"""

import base64
import json
import shlex
from collections.abc import Callable

from nsroom.output.shell import ascii_json, is_plain, join
from nsroom.output.terminal import safe
from nsroom.record import Json, Kind, Record, escape, to_json


def as_json(record: Record) -> str:
    """Return the record as one line of NDJSON."""
    return json.dumps(to_json(record))


def as_list(record: Record) -> str:
    """Return an event as `["event", arg…]`, which `emit -` and the live view's input read."""
    return json.dumps(_list(record))


def _list(record: Record) -> list[Json]:
    return [record.event, *escape(record.args or [])]


def as_emit(record: Record) -> str:
    """Return the `nsroom emit` command that emits the event again; for another record, its content."""
    if record.kind is not Kind.EVENT:
        return json.dumps(escape(_content(record)))
    emit = ["nsroom", "emit"]
    if record.namespace not in (None, "/"):
        name = str(record.namespace)
        emit += ["-n", name if is_plain(name) and name.isprintable() else ascii_json(name)]
    words = _words(record)
    if words is None:
        # Not echo, which replaces \u0003 in zsh.
        return f"printf '%s\\n' '{ascii_json(_list(record))}' | {join([*emit, '-'])}"
    # A word that starts with a dash would be parsed as an option.
    dashes = ["--"] if any(word.startswith("-") for word in words) else []
    return join([*emit, *dashes, *words])


def _words(record: Record) -> list[str] | None:
    """Return the event and its arguments as words of a command line, or None if they need stdin."""
    args = record.args or []
    if not isinstance(record.event, str) or record.event == "-" or has_bytes(args):
        return None
    words = [record.event, *(json.dumps(arg, ensure_ascii=False) for arg in args)]
    return words if all(map(is_plain, words)) else None


def as_typed(record: Record) -> str:
    """Return the line for the live view's input that emits the event again."""
    args = record.args or []
    if has_bytes(args):
        line = as_list(record)
        return line if record.namespace in (None, "/") else as_json(record._replace(frames=None))
    name, event = str(record.namespace or "/"), str(record.event)
    words = [] if name == "/" else ["-n", name if name.isprintable() else ascii_json(name)]
    # An event that starts with a dash would be read as an option.
    words += ["--"] if event.startswith("-") else []
    return f"/emit {shlex.join([*words, event])} {' '.join(map(_word, args))}".rstrip()


def as_javascript(record: Record) -> str:
    """Return the socket.io-client call that emits the event again; for another record, its content."""
    if record.kind is not Kind.EVENT:
        return _javascript(_content(record))
    return f"socket.emit({', '.join(map(_javascript, [record.event, *(record.args or [])]))});"


def as_python(record: Record) -> str:
    """Return the python-socketio call that emits the event again; for another record, its content."""
    if record.kind is not Kind.EVENT:
        return _python(_content(record))
    args = record.args or []
    # A single argument needs no tuple, except None, which python-socketio takes for no arguments.
    data = args[0] if len(args) == 1 and args[0] is not None else tuple(args)
    namespace = f", namespace={_python(record.namespace)}" if record.namespace not in (None, "/") else ""
    return f"await sio.emit({_python(record.event)}, {_python(data)}{namespace})"


def _content(record: Record) -> Json:
    """Return the values of an acknowledgement, or the fields of another record that is not an event."""
    return record.args or [] if record.kind is Kind.ACK else to_json(record)


def as_value(value: Json) -> str:
    """Return one value: printable text as it is, binary as base64, everything else as JSON."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    is_printable = isinstance(value, str) and safe(value) == value
    return str(value) if is_printable else json.dumps(escape(value))


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
        return f"{{{', '.join(f'{_key(key)}: {_javascript(item)}' for key, item in value.items())}}}"
    return json.dumps(value)


def _key(name: str) -> str:
    # A literal "__proto__" would set the prototype instead of a member.
    return '["__proto__"]' if name == "__proto__" else json.dumps(name)


def _python(value: Json) -> str:
    text = repr(value)
    return text if safe(text) == text else ascii(value)


def _word(arg: Json) -> str:
    """Return an argument as a word of the input line, where objects and arrays need no quotes."""
    text = json.dumps(arg, ensure_ascii=False)
    return text if isinstance(arg, (dict, list)) else shlex.quote(text)
