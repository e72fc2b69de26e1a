"""Several servers that behave as one: rooms, members, nicks, messages and events over Redis Streams.

All servers read one stream, the bus, in the same order. Whatever changes rooms or is numbered takes effect
when it comes back from there, on the server that wrote it as on the others; an event that is only relayed
reaches this server's own clients at once.
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

from nsroom_server import strict_json
from nsroom_server.chat.backend import Backend
from nsroom_server.cluster.connection import FAILURES, TIMEOUT
from nsroom_server.cluster.consumer import Listener
from nsroom_server.cluster.delivery import SharedDeliveries, deliver, numbered
from nsroom_server.cluster.entries import Entry, Heard, Op, Place, Snapshot
from nsroom_server.cluster.history import SharedHistory
from nsroom_server.cluster.members import Membership, Notice
from nsroom_server.cluster.presence import SharedPresence
from nsroom_server.cluster.publisher import LEASE, Publisher
from nsroom_server.cluster.queries import Conference
from nsroom_server.cluster.retention import keep_trimmed
from nsroom_server.counters import BusFigures
from nsroom_server.engineio.close_reasons import RESTART
from nsroom_server.errors import BusError, ConfigError
from nsroom_server.socketio.application import Client
from nsroom_server.socketio.server import Server

log = logging.getLogger("nsroom_server")

_FAREWELL = 1.0


class Cluster:
    """This server's part in it: an Audience of the bus."""

    def __init__(self, server: Server, redis: Redis, keep: bool) -> None:
        self._retention = server.options.limits.retention
        self.publisher = Publisher(redis, self.renewed, self._retention.messages if keep else 0)
        self.conference = Conference(server, self.publisher)
        self.membership = Membership()
        self.nicks: dict[str, str] = {}
        """Of this server's own clients."""
        self._server = server
        self._redis = redis
        figures = self.publisher.figures
        self._listener = Listener(redis, self, figures, self.publisher.now)
        self._tasks: list[asyncio.Task[None]] = []
        self._act = {
            Op.MESSAGE: self._message,
            Op.EVENT: self._event,
            Op.JOIN: self._join,
            Op.LEAVE: self._leave,
            Op.GONE: self._gone,
            Op.ASK: self._ask,
            Op.ANSWER: self._answer,
            Op.WATCH: self._watch,
        }

    async def open(self) -> None:
        """Become one of the servers, and learn who is there.

        Raises: one of FAILURES.
        """
        await self.publisher.call()
        snapshot = await self._listener.start()
        for place, nick in snapshot.nicks.items():
            self.membership.join(place, json.loads(nick))

    def run(self) -> list["asyncio.Task[None]"]:
        """Begin to write, to read and to forget, until cancelled."""
        jobs = (self.publisher.run(), self._listener.run(), keep_trimmed(self._redis, self._retention))
        self._tasks = [asyncio.create_task(job) for job in jobs]
        for task in self._tasks:
            task.add_done_callback(_report)
        return self._tasks

    async def close(self) -> None:
        """Hang up."""
        await self._listener.hang_up()
        await self.publisher.hang_up()

    @property
    def works(self) -> bool:
        """Whether Redis answers and this server is one of the others."""
        return self.publisher.available and not any(task.done() for task in self._tasks)

    @property
    def figures(self) -> BusFigures:
        """What went over the bus, and what waits."""
        figures = self.publisher.figures
        figures.waiting = self.publisher.waiting
        return figures

    # What comes

    def hear(self, heard: Heard) -> None:
        """Take an entry."""
        wanted = self.publisher.hear(heard.number) if self._is_own(heard) else True
        self._act[heard.entry.op](heard, wanted)
        if self._is_own(heard):
            self.publisher.settle(heard.number, heard.id)

    def _is_own(self, heard: Heard) -> bool:
        return heard.origin == self.publisher.origin

    def _message(self, heard: Heard, wanted: bool) -> None:
        if not wanted:
            return
        entry, watched = heard.entry, self._server.watcher is not None
        arguments = ["message", {"id": heard.id, **strict_json.restore(entry.data)}] if watched else ()
        packets = numbered(entry, heard.id)
        self._server.broadcast(packets, entry.namespace, entry.room, arguments=arguments)

    def _event(self, heard: Heard, wanted: bool) -> None:  # noqa: ARG002
        if not self._is_own(heard):
            deliver(self._server, heard.entry)

    def _join(self, heard: Heard, wanted: bool) -> None:  # noqa: ARG002
        entry = heard.entry
        if self._is_own(heard) and not self._enter(entry):
            self.publisher.publish(Entry(Op.LEAVE, entry.namespace, entry.room, entry.sid), lasting=True)
        place = Place(heard.origin, entry.namespace, entry.room, entry.sid)
        self._say(self.membership.join(place, json.loads(entry.data)))

    def _enter(self, entry: Entry) -> bool:
        """Put one of this server's clients into a room, and return False if it is disconnected."""
        client = Client(entry.namespace, entry.sid)
        if self._server.connection(client) is None:
            return False
        self._server.enter_room(client, entry.room)
        return True

    def _leave(self, heard: Heard, wanted: bool) -> None:  # noqa: ARG002
        entry = heard.entry
        if self._is_own(heard):
            self._server.leave_room(Client(entry.namespace, entry.sid), entry.room)
        self._say(self.membership.leave(entry.namespace, entry.room, entry.sid))

    def _gone(self, heard: Heard, wanted: bool) -> None:  # noqa: ARG002
        self._say(self.membership.gone(heard.origin))
        if self._is_own(heard):
            log.warning("the other servers took this one for dead: its members join again")
            self._register()

    def _ask(self, heard: Heard, wanted: bool) -> None:  # noqa: ARG002
        if not self._is_own(heard):
            self.conference.asked(heard)

    def _answer(self, heard: Heard, wanted: bool) -> None:  # noqa: ARG002
        self.conference.answered(heard)

    def _watch(self, heard: Heard, wanted: bool) -> None:  # noqa: ARG002
        if not self._is_own(heard):
            self.conference.watched()

    def _say(self, notices: Iterable[Notice]) -> None:
        for event, namespace, room, payload in notices:
            self._server.emit(event, payload, namespace=namespace, to=room)

    # What goes wrong

    def renewed(self) -> None:
        """Redis has lost something: say again who is here, and give the others the time to do so, too."""
        log.warning("the bus has lost entries")
        self._register()
        self._listener.take_stock(LEASE)

    def missed(self) -> None:
        """Have all clients come again and ask for what they missed."""
        self.publisher.settle_confirmed()
        for session in tuple(self._server.engine.sessions.values()):
            session.close(RESTART)
        self._listener.take_stock(0)

    def reconcile(self, snapshot: Snapshot) -> None:
        """Make the copy what the snapshot is, and what it says of this server what is so."""
        for place in [place for place in self.membership.places if place not in snapshot.nicks]:
            if place.server != self.publisher.origin:
                self._say(self.membership.leave(place.namespace, place.room, place.sid))
        for place, nick in snapshot.nicks.items():
            self._say(self.membership.join(place, json.loads(nick)))
        self._register()

    def _register(self) -> None:
        """Say again who is in this server's rooms."""
        rooms = self._server.rooms
        here = {
            (namespace, room, sid)
            for namespace in rooms.namespaces
            for room in rooms.names(namespace)
            for sid in rooms.members(namespace, room)
        }
        for namespace, room, sid in here:
            nick = json.dumps(self.nicks.get(sid))
            self.publisher.publish(Entry(Op.JOIN, namespace, room, sid, nick), lasting=True)
        for place in [place for place in self.membership.places if place.server == self.publisher.origin]:
            if (place.namespace, place.room, place.sid) not in here:
                self.publisher.publish(Entry(Op.LEAVE, place.namespace, place.room, place.sid), lasting=True)


@asynccontextmanager
async def cluster(
    url: str, keep: bool, server: Server, took: Callable[[float], object]
) -> AsyncIterator[Backend]:
    """Be one of the servers; leaving tells the others.

    Raises: BusError, ConfigError.
    """
    redis = _connect(url)
    this = Cluster(server, redis, keep)
    try:
        await _open(this, url)
        tasks = this.run()
        try:
            yield _backend(this, server, redis, took)
        finally:
            await _end(this, tasks)
    finally:
        await this.close()
        await redis.aclose()


def _backend(this: Cluster, server: Server, redis: Redis, took: Callable[[float], object]) -> Backend:
    history = SharedHistory(redis, this.publisher)
    presence = SharedPresence(server, this.publisher, this.membership, this.nicks)
    deliveries = SharedDeliveries(server, this.publisher, this.membership, history, took)
    return Backend(history, presence, deliveries, this, this.conference)


def _connect(url: str) -> Redis:
    try:
        return Redis.from_url(
            url,
            decode_responses=True,
            protocol=2,
            socket_timeout=TIMEOUT,
            socket_connect_timeout=1,
            # Its own attempts would not know what has been done and what has not.
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError as error:
        # Its text may hold the password.
        raise ConfigError("the URL of Redis: it cannot be read; write redis://HOST:PORT") from error


async def _open(this: Cluster, url: str) -> None:
    try:
        await this.open()
    except FAILURES as error:
        where = urlsplit(url)
        place = where.path if where.scheme == "unix" else f"{where.hostname}:{where.port or 6379}"
        raise BusError(f"Redis at {place}: {_cause(error)}; start it, or name another with --redis") from None


def _cause(error: Exception) -> str:
    cause: BaseException | None = error
    while cause:
        if isinstance(cause, OSError) and cause.errno and cause.errno > 0:
            return os.strerror(cause.errno).lower()
        cause = cause.__cause__ or cause.__context__
    return (str(error) or "no answer").rstrip(".")


async def _end(this: Cluster, tasks: list["asyncio.Task[None]"]) -> None:
    for task in tasks:
        # A cancellation that comes together with an answer is lost in redis-py.
        while not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=0.1)
    with suppress(TimeoutError):
        async with asyncio.timeout(_FAREWELL):
            await this.publisher.close()


def _report(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()):
        log.critical("no longer one of the servers: restart this one", exc_info=error)
