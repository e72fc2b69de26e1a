"""The Socket.IO server: who is connected to which namespace, what they send, and emitting to them.

It runs on the Engine.IO server of `engineio.server` and speaks revision 5 of the protocol, strictly: a packet
that may not be sent ends the session. https://github.com/socketio/socket.io-protocol
"""

import asyncio
import logging
from collections.abc import Collection, Sequence
from contextlib import suppress
from itertools import count
from time import monotonic

from aiohttp import web

from nsroom_server.engineio import ids
from nsroom_server.engineio.close_reasons import (
    CLIENT_DISCONNECT,
    CONNECT_TIMEOUT,
    PARSE_ERROR,
    SERVER_DISCONNECT,
    SHUTTING_DOWN,
    TRANSPORT_CLOSE,
)
from nsroom_server.engineio.http import Access
from nsroom_server.engineio.packets import Outgoing
from nsroom_server.engineio.server import Engine
from nsroom_server.engineio.session import Options, Session
from nsroom_server.errors import Code, Malformed, Refusal
from nsroom_server.logs import RateLimitedWarnings
from nsroom_server.settings import cures
from nsroom_server.settings.access import INVALID_NAMESPACE, REJECTED
from nsroom_server.socketio.activity import Activity
from nsroom_server.socketio.application import Application, Client, Watcher
from nsroom_server.socketio.connection import Connection
from nsroom_server.socketio.dispatch import Call, Calls
from nsroom_server.socketio.packet import ACKS, EVENTS, Json, Packet, PacketType
from nsroom_server.socketio.recovery import ABSENT, Absent, Recovery
from nsroom_server.socketio.rooms import Room, Rooms

log = logging.getLogger("nsroom_server")

_LONG = 65_536
"""Bytes of a packet after which other clients get a turn before it is handled."""
_FINAL = frozenset((PARSE_ERROR.text, SHUTTING_DOWN.text))
"""Why sessions end whose clients are not recovered."""
_LAST_POLL = 5.0
"""Seconds for a client that is disconnected to poll for the DISCONNECT."""


class Server:
    """All connections to all namespaces; until an application is registered, every namespace is refused."""

    def __init__(self, options: Options | None = None, access: Access | None = None) -> None:
        self.options = options or Options()
        self.engine = Engine(self.options, access)
        self.rooms: Rooms[Session | Absent] = Rooms(self.engine.flush_soon)
        self.recovery = Recovery(self.options, self._expire) if self.options.recovery else None
        self.draining = asyncio.Event()
        self.activity = Activity()
        self._calls = Calls(self.engine, self._send, self.activity, self.draining)
        self._application = Application()
        self._watcher: Watcher | None = None
        self._connections: dict[str, Connection] = {}
        self._ask_ids = count(1)
        self._warn = RateLimitedWarnings(log)
        self.engine.collector = self
        self.engine.on("connect", self._open)
        self.engine.on("message", self._receive)
        self.engine.on("upgrade", self._report_upgrade)
        self.engine.on("disconnect", self._close)

    def register(self, application: Application, watcher: Watcher | None = None) -> None:
        """Register the application that handles all namespaces, and a watcher if there is one."""
        self._application = application
        self._watcher = watcher

    @property
    def watcher(self) -> Watcher | None:
        """The watcher, while it is awake."""
        watcher = self._watcher
        return watcher if watcher and watcher.awake else None

    def connection(self, client: Client) -> Connection | None:
        """Return the connection of a client, or None if it is disconnected or about to be."""
        session = self.rooms.get(client)
        connection = self._connections.get(session.sid) if session else None
        return (
            connection if connection and connection.namespaces.get(client.namespace) == client.sid else None
        )

    async def drain(self, timeout: float) -> None:
        """Refuse new events, finish pending answers, close every connection, within `timeout` seconds."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        self.draining.set()
        self.engine.undelivered += await self._calls.finish(timeout / 2)
        self.send_collected()
        await self.engine.drain(max(deadline - loop.time(), 0))

    # Packets to clients

    def send_collected(self) -> None:
        """Send what was broadcast in this turn of the loop."""
        self.rooms.catch_up()

    def catch_up(self, session: Session) -> None:
        """Send a session what was broadcast in this turn of the loop."""
        if connection := self._connections.get(session.sid):
            for sid in connection.namespaces.values():
                self.rooms.catch_up(sid)

    def _send(self, session: Session, packet: Packet) -> None:
        """Send a packet to one session only, after what was broadcast to it."""
        self.catch_up(session)
        session.send(*packet.outgoing())

    def emit(
        self, event: str, *args: Json, namespace: str, to: Room = None, skip: Collection[str] = ()
    ) -> int:
        """Send an event to a room, to several or to the whole namespace, except to the sids in `skip`.

        It reaches the clients of this server; the result is how many.
        """
        arguments = [event, *args]
        packets = Packet(PacketType.EVENT, arguments, namespace).outgoing()
        return self.broadcast(packets, namespace, to, skip, arguments)

    def broadcast(
        self,
        packets: Sequence[Outgoing],
        namespace: str,
        to: Room = None,
        skip: Collection[str] = (),
        arguments: Sequence[Json] = (),
    ) -> int:
        """Send an event that is encoded already, as `emit` does; `arguments` are for the watcher."""
        if self.recovery and (recovery := self._recovery(namespace)):
            packets = recovery.add_event(packets, namespace, to, skip)
        count = self.rooms.broadcast(packets, namespace, to, skip)
        self.engine.traffic.events_out += count
        self.activity.sent(packets, namespace, to, count)
        if arguments and (watcher := self.watcher):
            for sid in self.rooms.recipients(namespace, to, skip):
                watcher.sent(Client(namespace, sid), arguments)
        return count

    async def ask(self, client: Client, event: str, *args: Json) -> list[Json]:
        """Send an event to a client, and return its acknowledgement; the caller bounds the wait.

        Raises: Refusal.
        """
        connection = self.connection(client)
        if connection is None:
            raise Refusal(Code.DRAINING, "the connection is closing")
        key = (client.namespace, next(self._ask_ids))
        answer: asyncio.Future[list[Json]] = asyncio.get_running_loop().create_future()
        connection.asked[key] = answer
        try:
            self._send(connection.session, Packet(PacketType.EVENT, [event, *args], *key))
            return await answer
        finally:
            del connection.asked[key]

    # Rooms

    def enter_room(self, client: Client, room: str) -> None:
        """Put a client into a room.

        Raises: KeyError for a client that is not connected, ValueError for a room that is a socket's own.
        """
        if self.rooms.enter(client, room):
            self.activity.joined(client, room)
            if self.recovery:
                self.recovery.add_change(client, room, entered=True)
            if (watcher := self.watcher) and self.rooms.get(client) is not ABSENT:
                watcher.joined(client, room)

    def leave_room(self, client: Client, room: str) -> None:
        """Take a client out of a room."""
        if self.rooms.leave(client, room):
            if self.connection(client):
                self.activity.left(client, room)
            if self.recovery:
                self.recovery.add_change(client, room, entered=False)
            if (watcher := self.watcher) and self.rooms.get(client) is not ABSENT:
                watcher.left(client, room)

    # Connections

    async def _open(self, session: Session, request: web.Request) -> None:
        limits = self.options.limits
        self._connections[session.sid] = Connection(
            session,
            request,
            session.loop.call_later(limits.connect_timeout, session.close, CONNECT_TIMEOUT),
            asyncio.Semaphore(limits.pending_answers),
        )

    async def _close(self, session: Session, reason: str) -> None:
        connection = self._connections.pop(session.sid)
        connection.absent.cancel()
        for namespace in tuple(connection.namespaces):
            recovery = self._recovery(namespace)
            if recovery and not recovery.forgets and reason not in _FINAL:
                self._keep(connection, namespace, reason, recovery)
            else:
                await self._leave(connection, namespace, reason)

    async def _report_upgrade(self, session: Session) -> None:
        connection = self._connections.get(session.sid)
        for client in connection.clients if connection else ():
            self.activity.upgraded(client)
            if watcher := self.watcher:
                watcher.upgraded(client)

    async def _receive(self, session: Session, data: str | bytes) -> None:
        """Handle a frame.

        Raises: Malformed, which ends the session.
        """
        connection = self._connections.get(session.sid)
        packet = self._assemble(connection, data) if connection else None
        if connection and packet:
            if packet.octets > _LONG:
                # Parsing it took its time: the other clients get a turn before it is handled.
                await asyncio.sleep(0)
            in_time = await self._take_turn(connection, packet)
            if not session.closed:
                await self._dispatch(connection, packet, in_time)

    def _assemble(self, connection: Connection, data: str | bytes) -> Packet | None:
        """Return the packet that this frame completes, or None if attachments are missing."""
        packet = connection.partial
        if packet and isinstance(data, bytes):
            complete = packet.attach(data)
        elif packet or isinstance(data, bytes):
            raise Malformed("missing attachment" if packet else "unexpected attachment")
        else:
            packet = Packet.parse(data, self.options.limits)
            self._check_expected(connection, packet)
            complete = not packet.attachment_count
        if packet.octets > self.options.max_payload:
            raise Malformed("attachments that are too large")
        connection.partial = None if complete else packet
        return packet if complete else None

    def _check_expected(self, connection: Connection, packet: Packet) -> None:
        kind, joined = packet.packet_type, packet.namespace in connection.namespaces
        if kind == PacketType.CONNECT_ERROR or joined == (kind == PacketType.CONNECT):
            raise Malformed("unexpected packet for this namespace")

    async def _take_turn(self, connection: Connection, packet: Packet) -> bool:
        """Count a packet, delay it if the client sends too many, and return whether to handle it.

        An event without an acknowledgement id is handled late: its refusal could not be reported.
        """
        wait, limit = self._wait(connection, packet)
        if not wait:
            return True
        self.engine.refusals[Code.RATE_LIMITED] += 1
        self._warn(*cures.limit("more events", limit, self.options.limits))
        with connection.session.heartbeat.throttled():
            await asyncio.sleep(wait)
        silent = packet.id is None and packet.packet_type != PacketType.CONNECT
        if silent:
            self._wait(connection, packet)
        return silent

    def _wait(self, connection: Connection, packet: Packet) -> tuple[float, str]:
        """Return the seconds until the packet is allowed, and the limit."""
        session, now = connection.session, monotonic()
        bucket = session.event_bucket if packet.packet_type in EVENTS else session.packet_bucket
        if wait := bucket.take(now):
            return wait, "events_per_second"
        return self.engine.address_limits.take_event(session.address, now), "address_events_per_second"

    async def _dispatch(self, connection: Connection, packet: Packet, in_time: bool) -> None:
        kind, namespace = packet.packet_type, packet.namespace
        if kind == PacketType.CONNECT:
            await self._connect(connection, namespace, packet.data, in_time)
        elif kind == PacketType.DISCONNECT:
            await self._leave(connection, namespace, CLIENT_DISCONNECT.text)
        elif kind in ACKS:
            answer = connection.asked.get((namespace, packet.id or 0))
            if answer and not answer.done():
                answer.set_result(packet.arguments)
        elif kind in EVENTS and (sid := connection.namespaces.get(namespace)):
            await self._handle_event(connection, Client(namespace, sid), packet, in_time)

    async def _handle_event(
        self, connection: Connection, client: Client, packet: Packet, in_time: bool
    ) -> None:
        self.engine.traffic.events_in += 1
        name, *args = packet.arguments
        self.activity.received(client, packet)
        if watcher := self.watcher:
            watcher.received(client, packet.arguments)
        handler = self._application.handler(client.namespace, name)
        call = Call(connection.session, client, name, packet.id, handler)
        await self._calls.answer(call, args, in_time, connection.slots)

    # Namespaces

    async def _connect(self, connection: Connection, namespace: str, auth: Json, in_time: bool) -> None:
        """Answer a CONNECT, then tell the application: what that emits comes after the answer."""
        session = connection.session
        refusal = self._refuse(session, namespace, auth, in_time)
        if refusal is not None:
            self.engine.refusals[str(refusal["message"])] += 1
            if line := cures.connect(refusal["message"], namespace, auth, self.options.limits):
                self._warn(*line)
            self._send(session, Packet(PacketType.CONNECT_ERROR, refusal, namespace))
            return
        connection.absent.cancel()
        recovery = self._recovery(namespace)
        recovered = await self._recover(session, namespace, auth, recovery) if recovery else None
        if session.closed:
            return
        client = recovered or Client(namespace, ids.generate_sid())
        connection.namespaces[namespace] = client.sid
        self.rooms.add(client, session)
        answer = {"sid": client.sid}
        if recovery:
            answer["pid"] = recovery.open(client)
        self._send(session, Packet(PacketType.CONNECT, answer, namespace))
        self.activity.connected(client, session, recovered is not None)
        if watcher := self.watcher:
            watcher.connected_to(client)
        if not recovered:
            await self._application.connected(client, auth)

    def _refuse(self, session: Session, namespace: str, auth: Json, in_time: bool) -> Json:
        if self.draining.is_set():
            return {"message": str(Code.DRAINING)}
        if not in_time:
            return {"message": str(Code.RATE_LIMITED)}
        if len(self._connections[session.sid].namespaces) >= self.options.limits.namespaces_per_connection:
            return {"message": str(Code.TOO_MANY_NAMESPACES)}
        if namespace in self.options.faults.reject:
            return {"message": REJECTED}
        secret = self._application.secret(namespace)
        if secret is None:
            return self._application.refuse(namespace, auth)
        return self._check_login(session.address, namespace, auth, secret)

    def _check_login(self, address: str, namespace: str, auth: Json, secret: str) -> Json:
        """Check a token or password, unless too many from this address were wrong."""
        now, limits = monotonic(), self.engine.address_limits
        if not limits.may_log_in(address, now):
            self._warn("refused a login: too many failed; raise --limit failed_logins_burst", address=address)
            return {"message": str(Code.RATE_LIMITED)}
        refusal = self._application.refuse(namespace, auth)
        if refusal is not None and refusal["message"] != INVALID_NAMESPACE:
            self.engine.failed_logins[secret] += 1
            limits.add_failed_login(address, now)
        return refusal

    async def disconnect(self, client: Client, close: bool = False) -> None:
        """Disconnect a client from its namespace; with `close` from all, and close its connection.

        Node's client stays away from a namespace only after a DISCONNECT: from a mere close it reconnects.
        """
        connection = self.connection(client)
        if connection is None:
            if self.recovery and self.recovery.is_absent(client):
                await self._remove(client)
            return
        for each in connection.clients if close else [client]:
            self._send(connection.session, Packet(PacketType.DISCONNECT, namespace=each.namespace))
            await self._leave(connection, each.namespace, SERVER_DISCONNECT.text)
        if close:
            self.engine.create_task(self._close_when_read(connection.session))

    async def _close_when_read(self, session: Session) -> None:
        """Close a session, one that polls after it has read its packets."""
        if session.awaits_poll:
            with suppress(TimeoutError):
                async with asyncio.timeout(_LAST_POLL):
                    await session.drain()
        session.close(SERVER_DISCONNECT)

    async def _leave(self, connection: Connection, namespace: str, reason: str) -> None:
        """Take a client out of its namespace; the application is told while it is still in its rooms."""
        sid = connection.namespaces.pop(namespace, None)
        if sid is None:
            return
        client = Client(namespace, sid)
        self.activity.disconnected(client, reason)
        await self._remove(client, reason)

    async def _remove(self, client: Client, reason: str | None = None) -> None:
        """Take a client out of its namespace; the watcher is told the reason if it is not known yet."""
        if self.recovery:
            self.recovery.close(client)
        try:
            await self._application.disconnected(client)
            if reason and (watcher := self.watcher):
                watcher.disconnected_from(client, reason)
        finally:
            for room in list(self.rooms.joined(client)):
                self.leave_room(client, room)
            self.rooms.remove(client)

    # Recovery

    def _recovery(self, namespace: str) -> Recovery | None:
        return self.recovery if self.recovery and self._application.is_recoverable(namespace) else None

    def _keep(self, connection: Connection, namespace: str, reason: str, recovery: Recovery) -> None:
        """Keep a client whose connection is lost in its namespace and rooms."""
        client = Client(namespace, connection.namespaces.pop(namespace))
        self.activity.disconnected(client, reason, recoverable=True)
        self.rooms.add(client, ABSENT)
        recovery.keep(client)
        if watcher := self.watcher:
            watcher.disconnected_from(client, reason)

    async def _recover(
        self, session: Session, namespace: str, auth: Json, recovery: Recovery
    ) -> Client | None:
        """Return the client that a CONNECT continues, once it has what it missed; None for a new one."""
        client = recovery.find(namespace, auth)
        if client is None:
            return None
        if old := self.connection(client):  # it has noticed the loss of its connection before the server
            self._keep(old, namespace, TRANSPORT_CLOSE.text, recovery)
            old.session.close(TRANSPORT_CLOSE)
        if await recovery.resend(client, auth, self.rooms.joined, session):
            return client
        if not session.closed:
            await self._remove(client)
        return None

    def _expire(self, client: Client) -> None:
        self.activity.expired(client)
        self.engine.create_task(self._remove(client))
