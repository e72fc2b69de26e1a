"""python-socketio's client, bent so that all it does can be seen and nothing of it is printed."""

import asyncio
import logging
import sys
from collections.abc import Callable
from typing import Any

from nsroom.lean import engineio, socketio
from nsroom.observe import Tap
from nsroom.protocol import socketio as codec
from nsroom.protocol.engineio import split_payload
from nsroom.protocol.socketio import Packet, PacketType
from nsroom.record import Direction, Json

# A poll may carry any number of packets; 17 would end the connection.
engineio.payload.Payload.max_decode_packets = sys.maxsize

# python-socketio prints what it logs unless it is given a logger; all of it reaches the user as Records.
_SILENT = logging.getLogger("nsroom.silent")
_SILENT.disabled = True


class Engine(engineio.AsyncClient):  # type: ignore[misc]
    """The Engine.IO client, with its POST requests observed and one at a time, as the protocol asks."""

    def __init__(self, tap: Tap, **options: Any) -> None:
        super().__init__(**options)
        self._tap = tap
        self._posting = asyncio.Lock()

    async def _send_request(
        self, method: str, url: str, headers: Any = None, body: Any = None, timeout: float | None = None
    ) -> Any:
        if method != "POST":
            return await super()._send_request(method, url, headers, body, timeout)
        async with self._posting:
            for frame in split_payload(body):
                self._tap.feed(Direction.OUT, frame)
            response = await super()._send_request(method, url, headers, body, timeout)
        if not isinstance(response, str):
            # Only the status is asked for; unread, the rest would keep the TCP connection.
            response.release()
        return response


class Socket(socketio.AsyncClient):  # type: ignore[misc]
    """The Socket.IO client, with the payload of CONNECT given for each namespace."""

    def __init__(
        self, tap: Tap, payload: Callable[[str], Json], ended: Callable[[str], None], **options: Any
    ) -> None:
        self._tap = tap
        self._payload = payload
        self._on_end = ended
        super().__init__(
            reconnection=False, handle_sigint=False, logger=_SILENT, engineio_logger=_SILENT, **options
        )

    def _engineio_client_class(self) -> Callable[..., Engine]:
        return lambda **options: Engine(self._tap, **options)

    async def _handle_eio_connect(self) -> None:
        self.sid = self.eio.sid
        for namespace in self.connection_namespaces:
            packet = Packet(PacketType.CONNECT, namespace, data=self._payload(namespace))
            await self.eio.send(codec.encode(packet)[0])

    async def _handle_eio_disconnect(self, reason: str) -> None:
        await super()._handle_eio_disconnect(reason)
        self._on_end(reason)
