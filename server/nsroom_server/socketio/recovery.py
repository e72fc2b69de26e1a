"""Connection state recovery: clients whose connection was lost come back with their sid, rooms and events.

A client gets a private id (`pid`) in the answer to its CONNECT, and an offset as the last argument of each
event. With its next CONNECT it sends both: https://socket.io/docs/v4/connection-state-recovery.

States: `open` makes a client known. When its connection is lost, `keep` leaves it in its namespace and rooms,
absent, until it is recovered, or `expire` is called after `seconds`. `close` forgets it, in any state.

Invariants: what is emitted to an absent client is only in the log. A client is recovered completely or not at
all: `resend` sends it what it has missed, in order, until nothing is missing, and before anything else.
"""

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import time

from nsroom_server.engineio import ids
from nsroom_server.engineio.packets import Batch, Outgoing
from nsroom_server.engineio.session import Options, Session
from nsroom_server.socketio.application import Client, Json
from nsroom_server.socketio.event_log import EventLog
from nsroom_server.socketio.rooms import Room

_CLIENT_SIZE = 4096
"""Bytes that an absent client takes."""


class Absent:
    """The receiver of a client without a connection: the log keeps what it is sent."""

    sid = ""

    def send_batch(self, batch: Batch) -> None:
        """Do nothing."""


ABSENT = Absent()


@dataclass(slots=True)
class _Known:
    client: Client
    pid: str
    opened: int
    """The position of the log when it connected."""
    since: float = 0.0
    """When its connection was lost."""
    timer: asyncio.TimerHandle | None = None
    """Ends its absence; None while it is connected."""
    resending: bool = False


class Recovery:
    """The clients that can be recovered, and what was emitted lately."""

    def __init__(self, options: Options, expire: Callable[[Client], object]) -> None:
        """`expire` is called with a client that is not recovered in time."""
        heartbeat = options.ping_interval + options.ping_timeout
        limits = options.limits
        self.forgets = options.faults.forget
        """Whether no client is recovered, on purpose."""
        self._seconds = options.recovery
        self._unconfirmed = heartbeat
        """The time before a connection is lost, in which packets may be lost too."""
        self._expire = expire
        self._log = EventLog(self._seconds + heartbeat, limits.recovery_bytes // 2)
        self._most_absent = max(limits.recovery_bytes // 2 // _CLIENT_SIZE, 1)
        self._chunk = max(min(256, limits.queued_frames // 4), 1)
        self._chunk_bytes = limits.queued_bytes // 4
        self._pids: dict[str, _Known] = {}
        self._clients: dict[Client, _Known] = {}
        self._absent: dict[Client, _Known] = {}
        self._loop = asyncio.get_running_loop()

    # What happens to all clients

    def add_event(
        self, packets: Sequence[Outgoing], namespace: str, to: Room, skip: Collection[str]
    ) -> list[Outgoing]:
        """Keep an event, and return its packets with their offset."""
        return self._log.add_event(packets, namespace, to, skip, (self._loop.time(), time()))

    def add_change(self, client: Client, room: str, entered: bool) -> None:
        """Keep that a client has entered or left a room."""
        self._log.add_change(client, room, entered, self._loop.time())

    # Clients

    def open(self, client: Client) -> str:
        """Return the pid of a client that is connected."""
        known = self._clients.get(client)
        if known is None:
            known = _Known(client, ids.generate_sid(), self._log.end)
            self._clients[client] = self._pids[known.pid] = known
        return known.pid

    def close(self, client: Client) -> None:
        """Forget a client."""
        if known := self._clients.pop(client, None):
            self._return(known)
            del self._pids[known.pid]

    def keep(self, client: Client) -> None:
        """Keep a client whose connection is lost; if there are too many, the oldest one expires."""
        known = self._clients[client]
        known.since = self._loop.time()
        self._start_timer(known)
        if len(self._absent) > self._most_absent:
            self._give_up(next(iter(self._absent.values())))

    def is_absent(self, client: Client) -> bool:
        """Return whether a client is kept without a connection."""
        return client in self._absent

    def expire_all(self) -> None:
        """End the absence of all clients: the log does not have all events for them."""
        for known in tuple(self._absent.values()):
            self._give_up(known)

    def find(self, namespace: str, auth: Json) -> Client | None:
        """Return the client that a CONNECT wants to continue as, or None."""
        pid = auth.get("pid") if isinstance(auth, Mapping) else None
        known = self._pids.get(pid) if isinstance(pid, str) else None
        if self.forgets or known is None or known.resending or known.client.namespace != namespace:
            return None
        return known.client

    async def resend(
        self, client: Client, auth: Json, rooms: Callable[[Client], Collection[str]], session: Session
    ) -> bool:
        """Send an absent client what it has missed, and return whether it is complete.

        If the session is closed before that, the client stays absent.
        """
        known = self._clients[client]
        offset = auth.get("offset")
        start = self._log.find_start(
            offset if isinstance(offset, str) else None, known.opened, known.since - self._unconfirmed
        )
        with self._resending(known):
            while start is not None and client in self._absent and not session.closed:
                end = self._log.end
                missed = self._log.missed(client, rooms(client), start)
                if missed is None:
                    return False
                await self._send(session, missed)
                if self._log.end == end and client in self._absent and not session.closed:
                    self._return(known)
                    return True
                start = end
        return False

    async def _send(self, session: Session, missed: Sequence[Sequence[Outgoing]]) -> None:
        """Send events, as fast as the client takes them."""
        packets = octets = 0
        for event in missed:
            size = sum(packet.size for packet in event)
            if packets and (packets + len(event) > self._chunk or octets + size > self._chunk_bytes):
                if not await session.drain():
                    return
                packets = octets = 0
            session.send(*event)
            packets += len(event)
            octets += size

    @contextmanager
    def _resending(self, known: _Known) -> Iterator[None]:
        if known.timer:
            known.timer.cancel()
        known.resending = True
        try:
            yield
        finally:
            known.resending = False
            if known.client in self._absent:
                self._start_timer(known)

    def _start_timer(self, known: _Known) -> None:
        self._absent[known.client] = known
        known.timer = self._loop.call_at(known.since + self._seconds, self._give_up, known)

    def _return(self, known: _Known) -> None:
        """End a client's absence."""
        self._absent.pop(known.client, None)
        if known.timer:
            known.timer.cancel()
            known.timer = None

    def _give_up(self, known: _Known) -> None:
        self._return(known)
        self._expire(known.client)
