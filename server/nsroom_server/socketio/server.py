"""The Socket.IO 5 server: python-socketio with answers in order, refusals as JavaScript's, and no trust.

Each override says what python-socketio 5.18 does instead.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import socketio
from aiohttp import web
from socketio.packet import BINARY_EVENT, CONNECT, CONNECT_ERROR, DISCONNECT, EVENT

from nsroom_server.engineio.close_reasons import ABSENT
from nsroom_server.engineio.http import Access
from nsroom_server.engineio.server import Engine
from nsroom_server.engineio.session import Options, Session
from nsroom_server.errors import Code, Malformed
from nsroom_server.socketio.application import Application, Client, Watcher
from nsroom_server.socketio.dispatch import Call, Calls
from nsroom_server.socketio.packet import Json, Packet
from nsroom_server.socketio.rooms import FanOut

_LONG = 65_536
"""Bytes of a packet."""


@dataclass(slots=True)
class _Connection:
    """What is known of one connection besides its session."""

    session: Session
    absent: asyncio.TimerHandle
    slots: asyncio.Semaphore
    namespaces: set[str] = field(default_factory=set)
    partial: Packet | None = None


class Server(socketio.AsyncServer):  # type: ignore[misc]
    """The connections to all namespaces."""

    manager: FanOut
    eio: Engine

    def __init__(
        self,
        application: Application,
        options: Options | None = None,
        access: Access | None = None,
        **more: Any,
    ) -> None:
        self.options = options or Options()
        super().__init__(
            client_manager=FanOut(),
            serializer=Packet,
            async_handlers=False,
            options=self.options,
            access=access,
            **more,
        )
        self._application = application
        self._connections: dict[str, _Connection] = {}
        self.draining = asyncio.Event()
        self._calls = Calls(application, self.eio, self.draining)
        self.watcher: Watcher | None = None

    def _engineio_server_class(self) -> type[Engine]:
        return Engine

    def session(self, client: Client) -> Session | None:
        """Find a client's session, if it is still there."""
        return self.eio.sessions.get(self.manager.eio_sid_from_sid(client.sid, client.namespace) or "")

    async def drain(self, timeout: float) -> None:
        """Refuse what comes, finish what is under way, close every connection; within `timeout` seconds."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        self.draining.set()
        self.eio.undelivered += await self._calls.finish(timeout / 2)
        await self.eio.drain(max(deadline - loop.time(), 0))

    # Connections

    async def _handle_eio_connect(self, eio_sid: str, request: web.Request) -> None:
        """Give a new connection its time to CONNECT. Stock: it has for ever."""
        session, limits = self.eio.sessions[eio_sid], self.options.limits
        self.environ[eio_sid] = request
        self._connections[eio_sid] = _Connection(
            session,
            asyncio.get_running_loop().call_later(limits.connect_timeout, session.close, ABSENT),
            asyncio.Semaphore(limits.pending_answers),
        )

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        """Leave the namespaces of a connection. Stock: it looks for it in all of them."""
        connection = self._connections.pop(eio_sid)
        connection.absent.cancel()
        for namespace in connection.namespaces:
            await self._handle_disconnect(eio_sid, namespace, reason)
        del self.environ[eio_sid]

    async def _handle_eio_message(self, eio_sid: str, data: str | bytes) -> None:
        """Take a frame.

        Raises: Malformed, which ends the session. Stock: it is logged, the session goes on.
        """
        connection = self._connections.get(eio_sid)
        packet = self._assemble(connection, data) if connection else None
        if connection and packet:
            if packet.octets > _LONG:
                # Reading it took its time: the others get theirs before it is handled.
                await asyncio.sleep(0)
            in_time = await self._take_turn(connection, packet)
            if not connection.session.closed:
                await self._dispatch(connection, packet, in_time)

    def _assemble(self, connection: _Connection, data: str | bytes) -> Packet | None:
        """Give the packet that this frame completes."""
        packet = connection.partial
        if packet and isinstance(data, bytes):
            complete = packet.attach(data)
        elif packet or isinstance(data, bytes):
            raise Malformed("text for an attachment, or an attachment for nothing")
        else:
            packet = Packet.parse(data, self.options.limits)
            self._expect(connection, packet)
            complete = not packet.attachment_count
        if packet.octets > self.options.max_payload:
            raise Malformed("attachments that are too large")
        connection.partial = None if complete else packet
        return packet if complete else None

    def _expect(self, connection: _Connection, packet: Packet) -> None:
        """Check that a packet may come now. Stock: some may come at any time."""
        joined = packet.namespace in connection.namespaces
        if packet.packet_type == CONNECT_ERROR or joined == (packet.packet_type == CONNECT):
            raise Malformed("a packet for a namespace that does not expect it")

    async def _take_turn(self, connection: _Connection, packet: Packet) -> bool:
        """Take notice of a packet, and of whether it comes too soon: then the client waits.

        What asks for no acknowledgement is handled nevertheless: nobody could be told that it was not.
        """
        wait = self._wait(connection, packet)
        if not wait:
            return True
        self.eio.counts[Code.RATE_LIMITED] += 1
        with connection.session.heartbeat.throttled():
            await asyncio.sleep(wait)
        silent = packet.id is None and packet.packet_type != CONNECT
        if silent:
            self._wait(connection, packet)
        return silent

    def _wait(self, connection: _Connection, packet: Packet) -> float:
        now = asyncio.get_running_loop().time()
        session = connection.session
        bucket = session.events if packet.packet_type in (EVENT, BINARY_EVENT) else session.others
        wait = bucket.take(now)
        return wait or self.eio.admission.event(connection.session.address, now)

    async def _dispatch(self, connection: _Connection, packet: Packet, in_time: bool) -> None:
        eio_sid, namespace = connection.session.sid, packet.namespace
        if packet.packet_type == CONNECT:
            await self._enter(connection, namespace, packet.data, in_time)
        elif packet.packet_type == DISCONNECT:
            await self._handle_disconnect(eio_sid, namespace)
        elif packet.packet_type in (EVENT, BINARY_EVENT):
            sid = self.manager.sid_from_eio_sid(eio_sid, namespace)
            if sid is not None:
                self.eio.traffic.events_in += 1
                name, *args = packet.arguments
                call = Call(eio_sid, Client(namespace, sid), name, packet.id)
                if watcher := self.manager.watcher:
                    watcher.received(call.client, packet.arguments)
                await self._calls.answer(call, args, in_time, connection.slots)

    # Namespaces

    async def _enter(self, connection: _Connection, namespace: str, auth: Json, in_time: bool) -> None:
        """Connect to a namespace. Stock: what a hook emits comes before the answer; refusals are text."""
        eio_sid = connection.session.sid
        refusal = self._refuse(connection, namespace, auth, in_time)
        if refusal is not None:
            self.eio.counts[str(refusal["message"])] += 1
            self._reply(eio_sid, Packet(CONNECT_ERROR, refusal, namespace))
            return
        sid = await self.manager.pre_connect(eio_sid, namespace)
        connection.namespaces.add(namespace)
        connection.absent.cancel()
        self._reply(eio_sid, Packet(CONNECT, {"sid": sid}, namespace))
        await self.manager.connect(sid, namespace)
        if watcher := self.manager.watcher:
            watcher.connected_to(Client(namespace, sid))
        await self._application.connected(Client(namespace, sid), auth)

    def _refuse(self, connection: _Connection, namespace: str, auth: Json, in_time: bool) -> Json:
        if self.draining.is_set():
            return {"message": str(Code.DRAINING)}
        if not in_time:
            return {"message": str(Code.RATE_LIMITED)}
        if len(connection.namespaces) >= self.options.limits.namespaces_per_connection:
            return {"message": str(Code.TOO_MANY_NAMESPACES)}
        if namespace in self.options.faults.reject:
            return {"message": "rejected on purpose"}
        return self._application.refuse(namespace, auth)

    async def _trigger_event(self, event: str, namespace: str, *args: Any) -> None:
        """Hear of a disconnection. Stock: also of events that a client named `connect` or `disconnect`."""
        if event == "disconnect":
            eio_sid = self.manager.eio_sid_from_sid(args[0], namespace)
            connection = self._connections.get(eio_sid or "")
            if connection:
                connection.namespaces.discard(namespace)
            await self._application.disconnected(Client(namespace, args[0]))
            if watcher := self.manager.watcher:
                watcher.disconnected_from(Client(namespace, args[0]), *args[1:])

    # Packets out

    def _reply(self, eio_sid: str, packet: Packet) -> None:
        self.eio.send(eio_sid, *packet.outgoing())

    async def _send_packet(self, eio_sid: str, packet: Packet) -> None:
        """Send a packet whole. Stock: another one's frames may come between its own."""
        self._reply(eio_sid, packet)
