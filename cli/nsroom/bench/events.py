"""What clients say, read from the command line."""

from nsroom.bench.plan import Phrases
from nsroom.client.joins import convention
from nsroom.errors import DecodeError, UsageError
from nsroom.protocol import strict_json
from nsroom.protocol.socketio import RESERVED_EVENTS
from nsroom.record import Json

_ACK: list[Json] = ["who", "{room}"]
_SEND: list[Json] = ["message", {"room": "{room}", "text": "{text}"}]


def phrases(
    ack: tuple[str | None, str | None],
    send: tuple[str | None, str | None],
    join: tuple[str | None, str | None, str | None],
) -> Phrases:
    """Join events with their arguments; those of the reference server where none is named.

    `join` is the preset, the event and its arguments, as for `nsroom join`. Raises: UsageError.
    """
    asked = convention(*join, None)
    said = _phrase("--room-args", *send, _SEND)
    if send[1] is not None and "{text}" not in str(said):
        raise UsageError("--room-args has no {text}, which tells when it was sent")
    return Phrases(_phrase("--args", *ack, _ACK), said, [asked.event, *asked.args])


def _phrase(option: str, event: str | None, args: str | None, usual: list[Json]) -> list[Json]:
    if event in RESERVED_EVENTS:
        raise UsageError(f"{event!r} is an event that servers end the connection for")
    if event is None and args is None:
        return usual
    name = event if event is not None else usual[0]
    if args is None:
        return [name, "{text}"] if event != usual[0] else usual
    try:
        value = strict_json.load(args)
    except DecodeError as error:
        raise UsageError(f"{option}: {error}; write text as '\"…\"'") from None
    return [name, *value] if isinstance(value, list) else [name, value]
