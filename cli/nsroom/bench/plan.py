"""What the processes of a load run are told to do: plain values, which travel as JSON."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from nsroom.client.target import Target, Transport
from nsroom.client.transports.handshake import new_key, request
from nsroom.errors import UsageError
from nsroom.record import Json


class Scenario(StrEnum):
    """What is measured."""

    CONNECT = "connect"
    ACK = "ack"
    FANOUT = "fan-out"


class Seat(NamedTuple):
    """A client and the room that it is in, by their numbers in the whole run."""

    client: int
    room: int


@dataclass(frozen=True, slots=True)
class Load:
    """How much of what; times are in seconds."""

    clients: int
    rooms: int = 1
    workers: int = 1
    ramp: float = 0.0
    """The time over which the clients come; 0 is as fast as the server lets them in."""
    rate: float | None = None
    """Events a second of all clients together; None is as fast as the server answers."""
    duration: float = 10.0
    in_flight: int = 1
    """Events of each sender that may be unanswered, where there is no rate."""
    timeout: float = 5.0
    size: int = 100
    """Characters of `{text}`."""

    def check(self) -> None:
        """Raises: UsageError for what does not fit together."""
        if 1 < self.rooms < self.workers:
            raise UsageError(
                f"--rooms {self.rooms} do not spread over --workers {self.workers}: give one, or as many"
            )
        wanted = 2 * max(self.rooms, self.workers)
        if self.clients < wanted:
            raise UsageError(
                f"--clients {self.clients}: it takes {wanted}, for every room and worker has two at least"
            )

    def seats(self, worker: int) -> Iterator[Seat]:
        """Give the clients of one process: a room is in one process, unless it is the only one."""
        for client in range(self.clients):
            room = client % self.rooms
            if (client if self.rooms == 1 else room) % self.workers == worker:
                yield Seat(client, room)


@dataclass(frozen=True, slots=True)
class Phrases:
    """What clients say: an event with its arguments, which may hold `{room}` and `{text}`."""

    ack: list[Json]
    send: list[Json]
    join: list[Json]


@dataclass(frozen=True, slots=True)
class Place:
    """Where to connect to, and what to say there first."""

    address: str
    port: int
    tls: bool
    host: str
    """The name that the certificate is to have."""
    insecure: bool
    cacert: str | None
    request: str
    """The head of the HTTP request."""
    namespace: str
    auth: dict[str, Json] | None
    timeout: float
    """Seconds that a client may take until it is in its namespace."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All that one process has to know."""

    place: Place
    load: Load
    phrases: Phrases
    worker: int
    run: str
    """Sets the events of this run apart from any others."""

    def for_worker(self, worker: int) -> "Plan":
        """Give the plan of another process."""
        return replace(self, worker=worker)

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON."""
        return asdict(self)


def from_json(value: dict[str, Any]) -> Plan:
    """Read what `to_json` gave."""
    return Plan(
        Place(**value["place"]),
        Load(**value["load"]),
        Phrases(**value["phrases"]),
        value["worker"],
        value["run"],
    )


def place_of(target: Target, address: str) -> Place:
    """Say how to connect a client to this address of the target. Raises: UsageError."""
    if target.transport is Transport.POLLING:
        raise UsageError("--transport polling: bench loads a server over WebSocket only")
    if len(target.namespaces) > 1:
        raise UsageError(f"bench loads one namespace, but {len(target.namespaces)} are named")
    parts = urlsplit(target.url)
    return Place(
        address,
        port_of(target),
        parts.scheme == "https",
        parts.hostname or "",
        target.insecure,
        target.cacert,
        request(target, new_key()),
        target.namespaces[0],
        target.auth,
        target.connect_timeout,
    )


def port_of(target: Target) -> int:
    """Give the port of the server."""
    parts = urlsplit(target.url)
    return parts.port or (443 if parts.scheme == "https" else 80)
