"""How servers refuse: an event (acknowledgement), a namespace (CONNECT_ERROR), a session (HTTP response)."""

from collections.abc import Sequence
from typing import NamedTuple

from nsroom.errors import DecodeError
from nsroom.protocol import strict_json
from nsroom.record import Json, brief

_MAX_TEXT = 300
"""Characters of a message, and of the data after it."""


class Refusal(NamedTuple):
    """The server's reason to refuse an event."""

    code: Json
    message: Json

    def __str__(self) -> str:
        return (
            f"{brief(self.code, _MAX_TEXT)}: {brief(self.message, _MAX_TEXT)}"
            if self.message
            else brief(self.code, _MAX_TEXT)
        )


def refusal(args: Sequence[Json] | None) -> Refusal | None:
    """Return why an acknowledgement refuses the event, or None: its first argument has `error`."""
    answer = args[0] if args else None
    if isinstance(answer, dict) and "error" in answer:
        return Refusal(answer["error"], answer.get("message"))
    return None


def message_of(data: Json) -> str | None:
    """Return the text of a refused namespace: a string in Socket.IO 2, an object since 3."""
    text = data.get("message") if isinstance(data, dict) else data
    return text if isinstance(text, str) else None


def explain_connect_error(data: Json) -> str:
    """Return the payload of a refused namespace as text: its message, then its further data as JSON."""
    message = message_of(data)
    if message is None:
        return brief(data, _MAX_TEXT) if data else "no reason given"
    rest = {key: value for key, value in data.items() if key != "message"} if isinstance(data, dict) else {}
    if rest.keys() == {"data"}:
        rest = rest["data"]
    return brief(message, _MAX_TEXT) + (f" {brief(rest, _MAX_TEXT)}" if rest not in ({}, None) else "")


def parse_engine_error(text: str) -> tuple[int | None, str | None]:
    """Return code and message of an Engine.IO error response; python-engineio sends no code."""
    try:
        value = strict_json.load(text)
    except DecodeError:
        return None, None
    message = message_of(value)
    code = value.get("code") if message is not None and isinstance(value, dict) else None
    return (code if isinstance(code, int) else None), message
