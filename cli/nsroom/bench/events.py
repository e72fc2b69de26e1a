"""The events that load-test clients send."""

from nsroom.bench.plan import Events
from nsroom.client.joins import convention
from nsroom.errors import DecodeError, UsageError
from nsroom.protocol import strict_json
from nsroom.protocol.socketio import RESERVED_EVENTS
from nsroom.record import Json

_ACK: list[Json] = ["who", "{room}"]
_SEND: list[Json] = ["message", {"room": "{room}", "text": "{text}"}]


def parse_events(
    ack: tuple[str | None, str | None],
    send: tuple[str | None, str | None],
    join: tuple[str | None, str | None, str | None],
) -> Events:
    """Parse events and their JSON arguments; those not given are the reference server's.

    `join` is preset, event and arguments, as for `nsroom join`. Raises: UsageError.
    """
    joining = convention(*join, None)
    message = _parse_event("--room-args", *send, _SEND)
    if send[1] is not None and "{text}" not in str(message):
        raise UsageError("--room-args needs {text}, which carries the time when it was sent")
    return Events(_parse_event("--args", *ack, _ACK), message, [joining.event, *joining.args])


def _parse_event(option: str, event: str | None, args: str | None, default: list[Json]) -> list[Json]:
    if event in RESERVED_EVENTS:
        raise UsageError(f"{event!r} is a reserved event, for which servers close the connection")
    if event is None and args is None:
        return default
    name = event if event is not None else default[0]
    if args is None:
        return [name, "{text}"] if event != default[0] else default
    try:
        value = strict_json.load(args)
    except DecodeError as error:
        raise UsageError(f"{option}: {error}; write text as '\"…\"'") from None
    return [name, *value] if isinstance(value, list) else [name, value]
