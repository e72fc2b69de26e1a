"""The Socket.IO 5 server: python-socketio with answers in order, refusals as JavaScript's, and no trust.

It takes handlers from an Application, which knows nothing of packets.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar

import socketio
from socketio.packet import ACK, CONNECT, CONNECT_ERROR
from socketio.packet import Packet as _Packet

from nsroom_server import policy
from nsroom_server.engine import Engine, Socket
from nsroom_server.fanout import FanOut
from nsroom_server.policy import Code, Json, Refusal

log = logging.getLogger("nsroom_server")

_T = TypeVar("_T")

_MALFORMED = (ValueError, TypeError, LookupError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True)
class Client:
    """One connection to one namespace."""

    namespace: str
    sid: str


Answer = tuple[Json, ...]
"""The arguments of an acknowledgement."""


class Later(NamedTuple):
    """An answer that takes a while; the client's next events do not wait for it."""

    answer: Awaitable[Answer | None]


Handler = Callable[[Client, Sequence[Json]], Awaitable[Answer | Later | None]]
"""Handle an event's arguments; None sends no acknowledgement.

Raises: Refusal.
"""


@dataclass(frozen=True, slots=True)
class _Call:
    """An event that is being handled, and where its acknowledgement goes."""

    eio_sid: str
    namespace: str
    sid: str
    event: Json
    id: int | None

    @property
    def fields(self) -> dict[str, Json]:
        """What the log says of it."""
        return {"namespace": self.namespace, "sid": self.sid, "event": self.event}


class Application(Protocol):
    """What the server calls."""

    def refuse(self, namespace: str, auth: Json) -> Json:
        """Give the payload of the CONNECT_ERROR, or None to let the client in."""

    def handler(self, namespace: str, event: Json) -> Handler | None:
        """Find who handles an event."""

    async def connected(self, client: Client) -> None:
        """Take notice of a client that has its CONNECT answer."""

    async def disconnected(self, client: Client) -> None:
        """Take notice of a client that is about to be forgotten."""


class StrictJson:
    """JSON as the standard has it: no NaN, no Infinity, and not deeper than the limit. Stock: Python's."""

    _decoder = json.JSONDecoder(
        parse_float=lambda text: _finite(float(text)), parse_constant=lambda text: _finite(float(text))
    )

    @classmethod
    def loads(cls, text: str) -> Json:
        """Decode.

        Raises: ValueError.
        """
        if policy.depth(text) > policy.JSON_DEPTH:
            raise ValueError("nested too deeply")
        return cls._decoder.decode(text)

    @staticmethod
    def dumps(value: Json, **options: Any) -> str:
        """Encode."""
        return json.dumps(value, allow_nan=False, **options)


def _finite(number: float) -> float:
    if number - number != 0:
        raise ValueError("not a number of JSON")
    return number


class Packet(_Packet):  # type: ignore[misc]
    """A packet with few attachments. Stock: as many as the client says."""

    json = StrictJson

    def decode(self, encoded_packet: Any) -> int:
        """Read a packet's text; return the number of attachments to come.

        Raises: ValueError.
        """
        if not isinstance(encoded_packet, str):
            raise ValueError("binary that no packet announced")
        count = int(super().decode(encoded_packet))
        if count > policy.ATTACHMENTS:
            raise ValueError("too many attachments")
        return count


class Server(socketio.AsyncServer):  # type: ignore[misc]
    """The connections to all namespaces."""

    manager: FanOut
    eio: Engine

    def __init__(self, application: Application, **options: Any) -> None:
        super().__init__(
            client_manager=FanOut(), async_mode="aiohttp", serializer=Packet, async_handlers=False, **options
        )
        self._application = application
        self._pending: set[asyncio.Task[None]] = set()
        self._slots: dict[str, asyncio.Semaphore] = {}
        self.draining = asyncio.Event()

    def _engineio_server_class(self) -> type[Engine]:
        return Engine

    def socket(self, client: Client) -> Socket | None:
        """Find a client's session, if it is still there."""
        socket: Socket | None = self.eio.sockets.get(
            self.manager.eio_sid_from_sid(client.sid, client.namespace)
        )
        return socket

    async def drain(self, timeout: float) -> None:
        """Refuse what comes, finish what is under way, close every connection; within `timeout` seconds."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        self.draining.set()
        if self._pending:
            await asyncio.wait(self._pending, timeout=timeout / 2)
        await self.eio.drain(max(deadline - loop.time(), 0))

    async def _handle_eio_message(self, eio_sid: str, data: Any) -> None:
        """Take a frame; a malformed one ends the session. Stock: it is logged, the session goes on."""
        socket = self.eio.sockets.get(eio_sid)
        if socket is None or socket.closed:
            return
        try:
            if eio_sid in self._binary_packet and not isinstance(data, bytes):
                raise ValueError("text where an attachment was due")
            await super()._handle_eio_message(eio_sid, data)
        except _MALFORMED as error:
            log.warning("malformed packet", extra={"fields": {"session": eio_sid, "cause": str(error)}})
            await socket.cut()

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        self._slots.pop(eio_sid, None)
        await super()._handle_eio_disconnect(eio_sid, reason)
        self._binary_packet.pop(eio_sid, None)

    async def _handle_connect(self, eio_sid: str, namespace: str | None, data: Json) -> None:
        """Connect to a namespace. Stock: what a hook emits comes before the answer; refusals are text."""
        namespace = namespace or "/"
        if data is not None and not isinstance(data, dict):
            raise ValueError("the payload of a CONNECT is an object")
        refusal = self._refuse(eio_sid, namespace, data)
        if refusal is not None:
            await self._reply(eio_sid, CONNECT_ERROR, namespace, refusal)
            return
        sid = await self.manager.pre_connect(eio_sid, namespace)
        if sid is None:
            raise ValueError("connected already")
        await self._reply(eio_sid, CONNECT, namespace, {"sid": sid})
        await self.manager.connect(sid, namespace)
        await self._application.connected(Client(namespace, sid))

    def _refuse(self, eio_sid: str, namespace: str, auth: Json) -> Json:
        if self.draining.is_set():
            return {"message": str(Code.DRAINING)}
        namespaces = self.manager.get_namespaces()
        joined = sum(self.manager.sid_from_eio_sid(eio_sid, name) is not None for name in namespaces)
        if joined >= policy.NAMESPACES_OF_A_CONNECTION:
            return {"message": f"no more than {policy.NAMESPACES_OF_A_CONNECTION} namespaces"}
        return self._application.refuse(namespace, auth)

    async def _trigger_event(self, event: str, namespace: str, *args: Any) -> None:
        """Hear of a disconnection. Stock: also of events that a client named `connect` or `disconnect`."""
        if event == "disconnect":
            await self._application.disconnected(Client(namespace, args[0]))

    async def _handle_event(self, eio_sid: str, namespace: str | None, id: int | None, data: Json) -> None:
        """Handle one event before the next. Stock: without order, or each waits for the one before."""
        if not isinstance(data, list) or not data or not isinstance(data[0], (str, int, float)):
            raise ValueError("an event is a list that begins with a name")
        namespace = namespace or "/"
        sid = self.manager.sid_from_eio_sid(eio_sid, namespace)
        if sid is None:
            raise ValueError("an event for a namespace that is not connected")
        call = _Call(eio_sid, namespace, sid, data[0], id)
        answer = await self._attempt(call, self._handle(call, data[1:]))
        if isinstance(answer, Later):
            await self._answer_later(call, answer)
        else:
            await self._acknowledge(call, answer)

    async def _handle(self, call: _Call, args: Sequence[Json]) -> Answer | Later | None:
        client = Client(call.namespace, call.sid)
        return await self._find(client, call.event)(client, args)

    async def _attempt(self, call: _Call, answer: Awaitable[_T]) -> _T | Answer:
        """Wait for an answer, or make one out of what went wrong."""
        try:
            return await answer
        except Refusal as refusal:
            log.debug("refused", extra={"fields": {**call.fields, "error": str(refusal.code)}})
            return (refusal.answer,)
        except Exception:
            log.exception("handler failed", extra={"fields": call.fields})
            return (Refusal(Code.INTERNAL_ERROR, "the server failed; its log has more").answer,)

    def _find(self, client: Client, event: Json) -> Handler:
        if self.draining.is_set():
            raise Refusal(Code.DRAINING, "the server is about to end")
        if event in policy.RESERVED_EVENTS:
            raise Refusal(Code.RESERVED_EVENT, f"{event}: Socket.IO keeps this name for itself")
        handler = self._application.handler(client.namespace, event)
        if handler is None:
            raise Refusal(Code.UNKNOWN_EVENT, f"nothing here handles {str(event)[:80]}")
        return handler

    async def _answer_later(self, call: _Call, later: Later) -> None:
        """Acknowledge when the answer is there; a client with too many such answers waits for one of them."""
        slots = self._slots.setdefault(call.eio_sid, asyncio.Semaphore(policy.PENDING_ANSWERS))
        await slots.acquire()
        task = self.start_background_task(self._finish, call, later)
        task.add_done_callback(lambda _: slots.release())
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    async def _finish(self, call: _Call, later: Later) -> None:
        await self._acknowledge(call, await self._attempt(call, later.answer))

    async def _acknowledge(self, call: _Call, answer: Answer | None) -> None:
        if call.id is not None and answer is not None:
            await self._reply(call.eio_sid, ACK, call.namespace, list(answer), call.id)

    async def _reply(
        self, eio_sid: str, kind: int, namespace: str, data: Json, id: int | None = None
    ) -> None:
        await self._send_packet(eio_sid, self.packet_class(kind, data, namespace, id))
