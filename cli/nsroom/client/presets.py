"""Presets: how the servers of a framework are reached, and how they join rooms and report errors."""

from typing import NamedTuple

from nsroom.client.events import Emit, fill
from nsroom.errors import UsageError
from nsroom.record import Json


class Convention(NamedTuple):
    """The event that a server joins a client on, and its arguments, with `{room}` in them."""

    event: str = "join"
    args: tuple[Json, ...] = ("{room}",)

    def request(self, namespace: str, room: str) -> Emit:
        """Return the event that asks to join a room."""
        return Emit(namespace, self.event, [fill(arg, room=room) for arg in self.args])


class Preset(NamedTuple):
    """The conventions of a framework; a field with its default has none, or that of Socket.IO."""

    join: Convention | None = None
    path: str | None = None
    query: tuple[tuple[str, str], ...] = ()
    fail: str | None = None
    """The filter that an answer of `call` matches if it is an error."""
    error_first: bool = False
    """Whether the first argument of an answer is null, or else an error."""


PRESETS = {
    "room": Preset(Convention("room")),
    "join": Preset(Convention("join")),
    "join-object": Preset(Convention("join", ({"room": "{room}"},))),
    "join_room": Preset(Convention("join_room", ({"room": "{room}"},))),
    "joinRoom": Preset(Convention("joinRoom")),
    "subscribe": Preset(Convention("subscribe")),
    # Without a version in the query, Sails refuses the handshake. A GET of a model subscribes to its records.
    "sails": Preset(
        Convention("get", ({"method": "get", "url": "/{room}", "headers": {}, "data": {}},)),
        query=(
            ("__sails_io_sdk_version", "1.2.1"),
            ("__sails_io_sdk_platform", "node"),
            ("__sails_io_sdk_language", "javascript"),
        ),
        fail="arg.0.statusCode>=400",
    ),
    "nestjs": Preset(Convention("joinRoom"), fail="arg.0.status=error"),
    "feathers": Preset(error_first=True),
    "nicegui": Preset(path="/_nicegui_ws/socket.io/"),
    "chainlit": Preset(path="/ws/socket.io/"),
}


def find(name: str | None) -> Preset:
    """Return the preset of this name; an empty one without a name. Raises: UsageError."""
    if name is None:
        return Preset()
    if name not in PRESETS:
        raise UsageError(f"unknown preset {name!r}: choose {', '.join(PRESETS)}")
    return PRESETS[name]
