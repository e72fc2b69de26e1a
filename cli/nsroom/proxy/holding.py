"""Send the heartbeats of clients that are stopped, as in a debugger: the server keeps their sessions."""

import asyncio

from nsroom.channel import Channel, now
from nsroom.protocol.websocket import Opcode
from nsroom.proxy.heartbeats import HELD, MAX_ABSENCE, Heartbeats, Held
from nsroom.proxy.sessions import Sessions
from nsroom.proxy.upstream import Upstream
from nsroom.record import Direction

_OK = b"HTTP/1.1 200"
_TICK = 0.05
"""Seconds between two looks at the heartbeats, at least; at most a second."""


class Holder:
    """Sends late heartbeats, through the client's WebSocket or by a request of its own."""

    def __init__(
        self, heartbeats: Heartbeats, upstream: Upstream, sessions: Sessions, channel: Channel
    ) -> None:
        self._heartbeats = heartbeats
        self._upstream = upstream
        self._sessions = sessions
        self._channel = channel
        self._posts: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Send late heartbeats until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                for held in self._heartbeats.late(now()):
                    if held.send is None and held.sid not in self._posts:
                        self._posts[held.sid] = group.create_task(self._post(held))
                    elif self._send(held, Opcode.TEXT, held.packet):
                        self._record(held)
                for held in list(self._heartbeats.unanswered(now())):
                    if self._send(held, Opcode.PONG, held.ping):
                        held.pinged = None
                await asyncio.sleep(min(1.0, max(_TICK, self._heartbeats.next_due(now()) / 1e6)))

    async def settle(self, sid: str | None) -> None:
        """Wait until no heartbeat of this session is being posted: servers refuse two POSTs at a time."""
        if sid in self._posts:
            await asyncio.wait([self._posts[sid]])

    def _send(self, held: Held, opcode: Opcode, data: bytes) -> bool:
        try:
            return held.send is not None and held.send(opcode, data)
        except ConnectionError:
            self._heartbeats.forget(held.sid, held.send)
            return False

    async def _post(self, held: Held) -> None:
        try:
            # A server that is stopped too answers when it continues.
            async with asyncio.timeout(MAX_ABSENCE / 1e6):
                response = await self._ask(held.post())
        except OSError as error:
            self._give_up(held, self._upstream.explain(error))
        else:
            if response == _OK:
                self._record(held)
            else:
                self._give_up(held, f"the server responds to a heartbeat with {response.decode('latin-1')!r}")
        finally:
            del self._posts[held.sid]

    async def _ask(self, request: bytes) -> bytes:
        """Send a request on a connection of its own, and return the start of the response."""
        reader, writer = await self._upstream.connect()
        try:
            writer.write(request)
            return await reader.readexactly(len(_OK))
        except asyncio.IncompleteReadError as error:
            return error.partial
        finally:
            writer.close()

    def _give_up(self, held: Held, reason: str) -> None:
        self._heartbeats.forget(held.sid)
        self._sessions.notices.report_unheld(reason)

    def _record(self, held: Held) -> None:
        held.last = now()
        record = self._sessions.note(held.kind, held.last, held.sid, reason=HELD)
        self._channel.put([record._replace(direction=Direction.OUT)])
