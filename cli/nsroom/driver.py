"""python-socketio's client, bent so that all it does can be seen and nothing of it is printed."""

import asyncio
import logging
import sys
from collections.abc import Callable
from typing import Any

from nsroom.lean.http import aiohttp
from nsroom.lean.socketio import engineio, socketio
from nsroom.protocol.engineio import split_payload
from nsroom.protocol.socketio import Packet, PacketType
from nsroom.record import Direction, Json
from nsroom.tap import Tap

# A poll may carry any number of packets; 17 would end the connection.
engineio.payload.Payload.max_decode_packets = sys.maxsize

# python-socketio prints what it logs unless it is given a logger; all of it reaches the user as Records.
_SILENT = logging.getLogger("nsroom.silent")
_SILENT.disabled = True


async def send_once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Send a request, and no poll a second time: aiohttp repeats every GET whose connection breaks.

    What the lost answer held is not in the next one: only who comes back in a new session hears of it.
    """
    try:
        return await handler(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        if "sid" not in request.url.query:
            raise
        raise aiohttp.ClientConnectionError(f"the connection broke: {error}") from error


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
        frames = [str(self._tap.dialect.to_wire(frame)) for frame in split_payload(body)]
        async with self._posting:
            for frame in frames:
                self._tap.feed(Direction.OUT, frame)
            written = self._tap.dialect.join_body(frames)
            response = await super()._send_request(method, url, headers, written, timeout)
        if not isinstance(response, str):
            # Only the status is asked for; unread, the rest would keep the TCP connection.
            response.release()
        return response

    def _get_engineio_url(self, url: str, engineio_path: str, transport: str) -> str:
        written = str(super()._get_engineio_url(url, engineio_path, transport))
        if not self._tap.dialect.is_old:
            return written
        # Without b64 a poll with binary data in it is binary as a whole; over WebSocket it is no gain.
        return f"{written.removesuffix('4')}3{'&b64=1' if transport == 'polling' else ''}"

    async def beat(self) -> None:
        """Send the heartbeats: in Engine.IO 3 the client does."""
        while True:
            await asyncio.sleep(self.ping_interval)
            await self._send_packet(engineio.packet.Packet(engineio.packet.PING))


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
            for part in self._tap.dialect.write(packet):
                await self.eio.send(part)

    async def _handle_eio_disconnect(self, reason: str) -> None:
        await super()._handle_eio_disconnect(reason)
        self._on_end(reason)
