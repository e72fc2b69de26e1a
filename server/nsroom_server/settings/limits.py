"""Every limit, its default, and what happens to a client that exceeds it."""

from dataclasses import dataclass, fields
from typing import Any, Self

from nsroom_server.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How much history to keep: messages of each room, their age in seconds, bytes of the file."""

    messages: int
    age: float
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """All limits but the size of a packet; times in seconds, sizes in bytes.

    Raises: ConfigError.
    """

    attachments: int = 10
    """In one packet; the session is closed (1002)."""
    json_depth: int = 64
    """Nested arrays and objects in one packet; the session is closed (1002)."""
    json_containers: int = 65_536
    """Arrays and objects in one packet, half as many with attachments; the session is closed (1002)."""
    rooms_per_socket: int = 128
    """`too_many_rooms`."""
    namespaces_per_connection: int = 16
    """CONNECT_ERROR `too_many_namespaces`."""
    room_name: int = 128
    """Characters; `bad_room`."""
    nick: int = 64
    """Characters; `bad_request`."""
    events_per_second: float = 200
    """Of one connection; `rate_limited`. Events without an acknowledgement id are handled late."""
    events_burst: int = 1000
    """Events accepted at once, before the rate applies."""
    address_events_per_second: float = 20_000
    """Of all connections from one address together."""
    address_events_burst: int = 50_000
    bytes_per_second: float = 2_000_000
    """Received from one connection; reading it pauses above this rate."""
    bytes_burst: int = 8_000_000
    connections_per_address: int = 10_000
    """HTTP status 429."""
    address_connects_per_second: float = 500
    """New connections from one address; HTTP status 429."""
    address_connects_burst: int = 5000
    failed_logins_per_second: float = 1
    """Wrong tokens and passwords from one address; CONNECT_ERROR `rate_limited`, even for the right ones."""
    failed_logins_burst: int = 5
    tcp_connections_per_address: int = 20_000
    """With or without requests; the connection is dropped."""
    head_timeout: float = 10
    """For the head of a request, and for the TLS handshake; the connection is dropped."""
    connect_timeout: float = 10
    """For the first CONNECT to a namespace; the session is closed (1008)."""
    body_timeout: float = 10
    """To send a request's body, and to read a response; HTTP status 408."""
    queued_frames: int = 1024
    """Queued for a slow reader; the session is closed (4008)."""
    queued_bytes: int = 1_048_576
    """Queued for a slow reader; the session is closed (4008)."""
    pending_answers: int = 1024
    """Acknowledgements pending for one connection; its next event waits."""
    history_default: int = 100
    history_max: int = 1000
    """Messages in one answer; `bad_request`."""
    history_messages: int = 100_000
    """Kept of each room; the oldest are deleted."""
    history_age: float = 7_776_000
    """Of a message: 90 days; older ones are deleted."""
    history_size: int = 1_073_741_824
    """Of the file; the oldest messages are deleted."""
    recovery_bytes: int = 67_108_864
    """For --recovery: half of it for recent events, half for absent clients; the oldest are dropped."""
    listed: int = 1000
    """Rooms or members named in one answer; the counts are always complete."""

    @property
    def retention(self) -> Retention:
        """How much history to keep."""
        return Retention(messages=self.history_messages, age=self.history_age, size=self.history_size)

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0 < value < 2**53:
                raise ConfigError(f"limit {field.name} {value}: must be more than 0")

    @classmethod
    def parse(cls, settings: list[str]) -> Self:
        """Parse `NAME=VALUE` settings.

        Raises: ConfigError.
        """
        return cls(**dict(_setting(text) for text in settings))


_NAMES = {field.name for field in fields(Limits)}
_FRACTIONS = {name for name in _NAMES if name.endswith(("_second", "_timeout", "_age"))}


def _setting(text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    if name not in _NAMES:
        raise ConfigError(f"limit {name!r}: no such limit; --print-limits lists them")
    try:
        return name, float(value) if name in _FRACTIONS else int(value)
    except ValueError:
        raise ConfigError(f"limit {name} {value!r}: must be a number") from None
