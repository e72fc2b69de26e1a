"""Several servers as one, over Redis Streams: rooms, members, nicks, messages and events.

All servers read one stream, the bus, in the same order. A change of rooms and a numbered message take effect
when their entry is read from it, on the server that published it too. An event that is only relayed reaches
this server's own clients at once.
"""

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from nsroom_server.chat.backend import Backend
from nsroom_server.chat.delivery import broadcast_message
from nsroom_server.cluster.connection import FAILURES, TIMEOUT
from nsroom_server.cluster.consumer import Consumer
from nsroom_server.cluster.delivery import SharedDeliveries, deliver_event
from nsroom_server.cluster.entries import Entry, Membership, Op, ReceivedEntry, Snapshot
from nsroom_server.cluster.history import SharedHistory
from nsroom_server.cluster.members import Members, PresenceEvent
from nsroom_server.cluster.presence import SharedPresence
from nsroom_server.cluster.publisher import LEASE, Publisher
from nsroom_server.cluster.queries import Queries
from nsroom_server.cluster.retention import keep_trimmed
from nsroom_server.counters import BusFigures
from nsroom_server.engineio.close_reasons import SHUTTING_DOWN
from nsroom_server.errors import BusError, ConfigError
from nsroom_server.socketio.application import Client
from nsroom_server.socketio.server import Server

log = logging.getLogger("nsroom_server")

_CLOSE_TIMEOUT = 1.0
"""Seconds to publish what waits, when the server stops."""


class Cluster:
    """This server as one of several: implements `Bus`, and `Replica` for the consumer."""

    def __init__(self, server: Server, redis: Redis, keep: bool) -> None:
        self._retention = server.options.limits.retention
        room_length = self._retention.messages if keep else 0
        self.publisher = Publisher(redis, self.handle_data_loss, room_length)
        self.queries = Queries(server, self.publisher)
        self.members = Members()
        self.nicks = server.activity.nicks
        """Of this server's own clients, by sid."""
        self._server = server
        self._redis = redis
        self._consumer = Consumer(redis, self, self.publisher.figures, self.publisher.now)
        self._tasks: list[asyncio.Task[None]] = []
        self._apply_op: dict[Op, Callable[[ReceivedEntry], None]] = {
            Op.MESSAGE: self._apply_message,
            Op.EVENT: self._apply_event,
            Op.JOIN: self._apply_join,
            Op.LEAVE: self._apply_leave,
            Op.SERVER_DOWN: self._apply_server_down,
            Op.QUERY: self._apply_query,
            Op.REPLY: self.queries.handle_reply,
            Op.WATCH: self._apply_watch,
        }

    async def open(self) -> None:
        """Join the cluster, and load the members of all rooms.

        Raises: one of FAILURES.
        """
        await self.publisher.run_script()
        snapshot = await self._consumer.start()
        for membership, nick in snapshot.nicks.items():
            self.members.join(membership, json.loads(nick))

    def run(self) -> list["asyncio.Task[None]"]:
        """Start the tasks that publish, consume and trim; they run until cancelled."""
        jobs = (self.publisher.run(), self._consumer.run(), keep_trimmed(self._redis, self._retention))
        self._tasks = [asyncio.create_task(job) for job in jobs]
        for task in self._tasks:
            task.add_done_callback(_log_failure)
        return self._tasks

    async def close(self) -> None:
        """Close the connections to Redis."""
        await self._consumer.disconnect()
        await self.publisher.disconnect()

    @property
    def works(self) -> bool:
        """Whether Redis answers and this server is part of the cluster."""
        return self.publisher.available and not any(task.done() for task in self._tasks)

    @property
    def figures(self) -> BusFigures:
        """The counters of the bus's entries."""
        figures = self.publisher.figures
        figures.waiting = self.publisher.waiting
        return figures

    # Entries

    def apply(self, received: ReceivedEntry) -> None:
        """Apply an entry, and confirm it if it is this server's own."""
        own = self._is_own(received)
        refused = own and self.publisher.pop_refusal(received.number)
        # A refused message was delivered here without an id; it must not be delivered again.
        if not (refused and received.entry.op is Op.MESSAGE):
            self._apply_op[received.entry.op](received)
        if own:
            self.publisher.confirm(received.number, received.id)

    def _is_own(self, received: ReceivedEntry) -> bool:
        return received.origin == self.publisher.origin

    def _apply_message(self, received: ReceivedEntry) -> None:
        entry = received.entry
        broadcast_message(self._server, entry.namespace, entry.room, received.id, entry.data)

    def _apply_event(self, received: ReceivedEntry) -> None:
        if not self._is_own(received):
            deliver_event(self._server, received.entry)

    def _apply_join(self, received: ReceivedEntry) -> None:
        entry = received.entry
        if self._is_own(received) and not self._enter(entry):
            self.publisher.publish(Entry(Op.LEAVE, entry.namespace, entry.room, entry.sid), persistent=True)
        membership = Membership(received.origin, entry.namespace, entry.room, entry.sid)
        self._emit_all(self.members.join(membership, json.loads(entry.data)))

    def _enter(self, entry: Entry) -> bool:
        """Put one of this server's clients into a room; return False if it is disconnected."""
        client = Client(entry.namespace, entry.sid)
        if self._server.connection(client) is None:
            return False
        self._server.enter_room(client, entry.room)
        return True

    def _apply_leave(self, received: ReceivedEntry) -> None:
        entry = received.entry
        if self._is_own(received):
            self._server.leave_room(Client(entry.namespace, entry.sid), entry.room)
        self._emit_all(self.members.leave(entry.namespace, entry.room, entry.sid))

    def _apply_server_down(self, received: ReceivedEntry) -> None:
        self._emit_all(self.members.remove_server(received.origin))
        if self._is_own(received):
            log.warning("the lease of this server has expired: adding its members again")
            self._publish_members()

    def _apply_query(self, received: ReceivedEntry) -> None:
        if not self._is_own(received):
            self.queries.handle_query(received)

    def _apply_watch(self, received: ReceivedEntry) -> None:
        if not self._is_own(received):
            self.queries.handle_watch()

    def _emit_all(self, events: Iterable[PresenceEvent]) -> None:
        for event, namespace, room, payload in events:
            self._server.emit(event, payload, namespace=namespace, to=room)

    # Failures

    def handle_data_loss(self) -> None:
        """Publish this server's members again; correct the others' when they have had time to do so."""
        log.warning("Redis has lost data: adding this server's members again")
        self._publish_members()
        self._consumer.schedule_snapshot(LEASE)

    def handle_missed_entries(self) -> None:
        """Disconnect all clients, so that they connect again and ask for the messages that they missed."""
        self.publisher.confirm_published()
        for session in tuple(self._server.engine.sessions.values()):
            session.close(SHUTTING_DOWN)
        if self._server.recovery:
            self._server.recovery.expire_all()
        self._consumer.schedule_snapshot(0)

    def apply_snapshot(self, snapshot: Snapshot) -> None:
        """Make the members equal to a snapshot, and then the snapshot's members of this server correct."""
        for each in [each for each in self.members.memberships if each not in snapshot.nicks]:
            if each.server != self.publisher.origin:
                self._emit_all(self.members.leave(each.namespace, each.room, each.sid))
        for membership, nick in snapshot.nicks.items():
            self._emit_all(self.members.join(membership, json.loads(nick)))
        self._publish_members()

    def _publish_members(self) -> None:
        """Publish a join for each member of this server, and a leave for each that only the copy has."""
        rooms = self._server.rooms
        present = {
            (namespace, room, sid)
            for namespace in rooms.namespaces
            for room in rooms.names(namespace)
            for sid in rooms.members(namespace, room)
        }
        for namespace, room, sid in present:
            nick = json.dumps(self.nicks.get(sid))
            self.publisher.publish(Entry(Op.JOIN, namespace, room, sid, nick), persistent=True)
        for each in [each for each in self.members.memberships if each.server == self.publisher.origin]:
            if (each.namespace, each.room, each.sid) not in present:
                self.publisher.publish(Entry(Op.LEAVE, each.namespace, each.room, each.sid), persistent=True)


@asynccontextmanager
async def open_cluster(
    url: str, keep: bool, server: Server, on_stored: Callable[[float], object]
) -> AsyncIterator[Backend]:
    """Join the cluster, and leave it on exit; `keep` is whether messages are stored.

    Raises: BusError, ConfigError.
    """
    redis = _connect(url)
    this = Cluster(server, redis, keep)
    try:
        await _open(this, url)
        tasks = this.run()
        try:
            yield _backend(this, server, redis, on_stored)
        finally:
            await _leave(this, tasks)
    finally:
        await this.close()
        await redis.aclose()


def _backend(this: Cluster, server: Server, redis: Redis, on_stored: Callable[[float], object]) -> Backend:
    history = SharedHistory(redis, this.publisher)
    presence = SharedPresence(server, this.publisher, this.members, this.nicks)
    deliveries = SharedDeliveries(
        server, this.publisher, this.members, history, on_stored, this.queries.count_clients
    )
    return Backend(history, presence, deliveries, this, this.queries)


def _connect(url: str) -> Redis:
    try:
        return Redis.from_url(
            url,
            decode_responses=True,
            protocol=2,
            socket_timeout=TIMEOUT,
            socket_connect_timeout=1,
            # Only the publisher can repeat a call: redis-py does not know whether it took effect.
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError as error:
        # Its text may contain the password.
        raise ConfigError("the URL of Redis is invalid: write redis://HOST:PORT") from error


async def _open(this: Cluster, url: str) -> None:
    try:
        await this.open()
    except FAILURES as error:
        parts = urlsplit(url)
        address = parts.path if parts.scheme == "unix" else f"{parts.hostname}:{parts.port or 6379}"
        raise BusError(
            f"Redis at {address}: {_cause(error)}; start it, or name another with --redis"
        ) from None


def _cause(error: Exception) -> str:
    """Return the operating system's text if there is one in the chain: redis-py wraps it in its own."""
    cause: BaseException | None = error
    while cause:
        if isinstance(cause, OSError) and cause.errno and cause.errno > 0:
            return os.strerror(cause.errno).lower()
        cause = cause.__cause__ or cause.__context__
    return (str(error) or "no answer").rstrip(".")


async def _leave(this: Cluster, tasks: list["asyncio.Task[None]"]) -> None:
    for task in tasks:
        # redis-py loses a cancellation that arrives together with an answer.
        while not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=0.1)
    with suppress(TimeoutError):
        async with asyncio.timeout(_CLOSE_TIMEOUT):
            await this.publisher.close()


def _log_failure(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()):
        log.critical(
            "this server is cut off from the others by an internal error: restart it", exc_info=error
        )
